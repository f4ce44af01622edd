"""The first time through a log: what only the whole of it tells."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import polars as pl

from twotower import schema
from twotower.data import times
from twotower.data.check import Forms, is_numbered, typed_ids
from twotower.data.streaming.log import Log

_IDS: Final = (schema.USER_ID, schema.ITEM_ID, schema.SESSION_ID)
_BYTES_LOOKED_AT: Final = 2**25


@dataclass(frozen=True, eq=False)
class Look:
    """What one file of a log says of it.

    Attributes:
        rows: how many there are.
        numbered: columns of ids that are whole numbers everywhere.
        times: some of the times as they are written, spread over all rows; None without.
        users: some of the ids of users.
    """

    rows: int
    numbered: frozenset[str]
    times: pl.Series | None
    users: pl.Series


def look(log: Log, path: Path) -> Look:
    """Once through the ids and times of a file."""
    step = max(1, log.size // _BYTES_LOOKED_AT)
    rows, numbered = 0, set(_IDS)
    users: list[pl.Series] = []
    seen: list[pl.Series] = []
    for batch in log.batches(path, (*_IDS, schema.TIME)):
        rows += len(batch.rows)
        ids = [name for name in numbered if name in batch.rows.columns]
        numbered -= {name for name in ids if not is_numbered(batch.rows[name])}
        some = batch.rows.gather_every(step)
        users.append(some[schema.USER_ID])
        if schema.TIME in some.columns:
            seen.append(some[schema.TIME])
    return Look(rows, frozenset(numbered), pl.concat(seen) if seen else None, pl.concat(users))


def forms_of(looks: Sequence[Look]) -> Forms:
    """How the columns of all files are written."""
    numbered = frozenset.intersection(*(look.numbered for look in looks))
    seen = [look.times for look in looks if look.times is not None]
    return Forms(numbered, times.form_of(pl.concat(seen)) if seen else None)


def bounds_of(looks: Sequence[Look], forms: Forms, part_rows: int) -> pl.Series:
    """Ids of users, in their order; from each on begins another range of them.

    Args:
        looks: at all files.
        forms: how their ids are written.
        part_rows: rows of a range, about.
    """
    users = typed_ids(pl.concat(look.users for look in looks), forms).drop_nulls().sort()
    n_parts = -(-sum(look.rows for look in looks) // part_rows)
    places = [len(users) * part // n_parts for part in range(1, n_parts)]
    return users.gather(places).unique().sort()
