"""The second time through a log: typed rows, those of each range of users together on disk."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import polars as pl

from twotower import schema
from twotower.data.check import checked
from twotower.data.config import PrepareConfig
from twotower.data.refusals import checked_rows
from twotower.data.rule import ROW, Rule, merged
from twotower.data.streaming.log import Batch, Log
from twotower.data.streaming.survey import Survey
from twotower.data.tables import Tables

_PART: Final = "_part"
_NO_ITEMS: Final = pl.DataFrame(schema={schema.ITEM_ID: pl.String, schema.TITLE: pl.String})


@dataclass(frozen=True, eq=False)
class Sorted:
    """A log in ranges of users.

    Attributes:
        parts: the files of each range, in the order of their users.
        has_clock: whether any event has a time.
        refused: rows that were put aside, with reasons; None where none may be.
        rules: how many those were.
    """

    parts: Sequence[Sequence[Path]]
    has_clock: bool = False
    refused: pl.DataFrame | None = None
    rules: tuple[Rule, ...] = ()

    def read(self) -> Iterator[pl.DataFrame]:
        """The rows of one range after the other, each in the order of the log."""
        for files in self.parts:
            if files:
                yield pl.concat(pl.read_ipc(path) for path in files)


@dataclass
class _Found:
    has_clock: bool = False
    refused: list[pl.DataFrame] = field(default_factory=list)
    rules: list[Rule] = field(default_factory=list)


def sort(log: Log, survey: Survey, config: PrepareConfig, folder: Path) -> Sorted:
    """Every row in its type, in the files of its range of users.

    Args:
        log: the files.
        survey: what they say as a whole.
        config: whether rows at fault stop everything, or are put aside.
        folder: to write to.

    Raises:
        RowError: a value has the wrong type; names the first row of the batch.
    """
    parts: list[list[Path]] = [[] for _ in range(len(survey.bounds) + 1)]
    found = _Found()
    for number, batch in enumerate(log.batches()):
        rows = _typed(log, survey, config, batch, found)
        if schema.TIME in rows.columns:
            found.has_clock |= rows[schema.TIME].count() > 0
        part = survey.bounds.search_sorted(rows[schema.USER_ID].fill_null(""), side="right")
        for key, piece in _by_part(rows, part):
            path = folder / f"{key:05}-{number:05}.arrow"
            piece.write_ipc(path, compression="lz4")
            parts[key].append(path)
    refused = pl.concat(found.refused) if config.on_error == "skip" else None
    return Sorted(parts, found.has_clock, refused, merged(found.rules))


def _typed(
    log: Log, survey: Survey, config: PrepareConfig, batch: Batch, found: _Found
) -> pl.DataFrame:
    tables = Tables(
        items=_NO_ITEMS,
        events=batch.rows.with_row_index(ROW, offset=batch.first + 1),
        time_zone=log.shop.time_zone,
        files={"events": log.called},
        parts={"events": survey.rows} if len(survey.rows) > 1 else {},
        columns={"events": log.header.columns},
        before={"events": batch.first},
    )
    if config.on_error != "skip":
        return checked(tables, survey.forms).frames["events"]
    tables, refused, rules = checked_rows(tables, survey.forms)
    found.refused.append(refused)
    found.rules += rules
    return tables.frames["events"]


def _by_part(rows: pl.DataFrame, part: pl.Series) -> Iterator[tuple[int, pl.DataFrame]]:
    parted = rows.with_columns(part.alias(_PART)).partition_by(
        _PART, as_dict=True, include_key=False, maintain_order=True
    )
    for (key,), piece in parted.items():
        yield int(key), piece
