"""The first time through a log: what only the whole of it tells."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import polars as pl

from twotower import schema
from twotower.data import times
from twotower.data.check import Forms, is_numbered, typed_ids
from twotower.data.streaming.log import Log

PART_ROWS: Final = 2_000_000
"""Rows of a range of users, about: what is cleaned and split at once."""
_IDS: Final = (schema.USER_ID, schema.ITEM_ID, schema.SESSION_ID)
_BYTES_LOOKED_AT: Final = 2**25


@dataclass(frozen=True, eq=False)
class Survey:
    """What a log says as a whole.

    Attributes:
        rows: of each file, by its name.
        forms: how ids and times are written.
        bounds: ids of users, in their order; from each on begins another range of them.
    """

    rows: Mapping[str, int]
    forms: Forms
    bounds: pl.Series


def survey(log: Log, part_rows: int = PART_ROWS) -> Survey:
    """Once through the ids and times of a log.

    Times are judged by some of the rows, spread over all of them.

    Args:
        log: the files.
        part_rows: of a range of users, about.
    """
    step = max(1, log.size // _BYTES_LOOKED_AT)
    rows: Counter[str] = Counter()
    numbered = set(_IDS)
    users, seen = [], []
    for batch in log.batches((*_IDS, schema.TIME)):
        rows[batch.file] += len(batch.rows)
        ids = [name for name in numbered if name in batch.rows.columns]
        numbered -= {name for name in ids if not is_numbered(batch.rows[name])}
        some = batch.rows.gather_every(step)
        users.append(some[schema.USER_ID])
        if schema.TIME in some.columns:
            seen.append(some[schema.TIME])
    forms = Forms(frozenset(numbered), times.form_of(pl.concat(seen)) if seen else None)
    n_parts = -(-rows.total() // part_rows)
    return Survey(dict(rows), forms, _bounds(typed_ids(pl.concat(users), forms), n_parts))


def _bounds(users: pl.Series, n_parts: int) -> pl.Series:
    ordered = users.drop_nulls().sort()
    places = [len(ordered) * part // n_parts for part in range(1, n_parts)]
    return ordered.gather(places).unique().sort()
