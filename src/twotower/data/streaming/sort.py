"""The second time through a log: typed rows, those of each range of users together on disk."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import polars as pl

from twotower import schema
from twotower.data.check import Forms, checked
from twotower.data.config import PrepareConfig
from twotower.data.refusals import checked_rows
from twotower.data.rule import ROW, Rule, merged
from twotower.data.streaming.log import Batch, Log
from twotower.data.streaming.survey import Look
from twotower.data.tables import Tables

_PART: Final = "_part"
_NO_ITEMS: Final = pl.DataFrame(schema={schema.ITEM_ID: pl.String, schema.TITLE: pl.String})


@dataclass(frozen=True, eq=False)
class Typed:
    """The typed rows of one file of a log, on disk.

    Attributes:
        look: what the file says of the log.
        has_clock: whether any event has a time.
        pieces: by range of users, the files with its rows, in their order.
        refused: rows that were put aside, with reasons.
        rules: how many those were.
    """

    look: Look
    has_clock: bool
    pieces: Mapping[int, Sequence[Path]]
    refused: Sequence[pl.DataFrame] = ()
    rules: Sequence[Rule] = ()


@dataclass(frozen=True, eq=False)
class Sorted:
    """A log in ranges of users.

    Attributes:
        files: the typed rows of each file, by its name, in the order of the log.
        forms: how ids and times are written.
        bounds: ids of users; from each on begins another range of them.
    """

    files: Mapping[str, Typed]
    forms: Forms
    bounds: pl.Series

    def read(self) -> Iterator[pl.DataFrame]:
        """The rows of one range after the other, each in the order of the log."""
        for key in range(len(self.bounds) + 1):
            frames, before = [], 0
            for file in self.files.values():
                frames += [
                    pl.read_ipc(path).with_columns(pl.col(ROW) + before)
                    for path in file.pieces.get(key, ())
                ]
                before += file.look.rows
            if frames:
                yield pl.concat(frames)

    @property
    def has_clock(self) -> bool:
        """Whether any event has a time."""
        return any(file.has_clock for file in self.files.values())

    @property
    def refused(self) -> list[pl.DataFrame]:
        """Rows that were put aside, with reasons."""
        return [rows for file in self.files.values() for rows in file.refused]

    @property
    def rules(self) -> tuple[Rule, ...]:
        """How many rows were put aside."""
        return merged(rule for file in self.files.values() for rule in file.rules)


@dataclass
class _Found:
    has_clock: bool = False
    pieces: dict[int, list[Path]] = field(default_factory=dict)
    refused: list[pl.DataFrame] = field(default_factory=list)
    rules: list[Rule] = field(default_factory=list)


@dataclass(frozen=True, eq=False)
class Sorter:
    """Puts every row in its type, and into the files of its range of users.

    Attributes:
        log: the files.
        looks: what each says, by its name.
        forms: how ids and times are written.
        bounds: of the ranges.
        config: whether rows at fault stop everything, or are put aside.
        folder: to write to.
    """

    log: Log
    looks: Mapping[str, Look]
    forms: Forms
    bounds: pl.Series
    config: PrepareConfig
    folder: Path

    def sort(self, path: Path, key: str) -> Typed:
        """The typed rows of a file.

        Args:
            path: one of the log's.
            key: what names of files that are written begin with.

        Raises:
            RowError: a value has the wrong type; names the first row of the batch.
        """
        found = _Found()
        for number, batch in enumerate(self.log.batches(path)):
            rows = self._typed(path, batch, found)
            if schema.TIME in rows.columns:
                found.has_clock |= rows[schema.TIME].count() > 0
            part = self.bounds.search_sorted(rows[schema.USER_ID].fill_null(""), side="right")
            for place, piece in _by_part(rows, part):
                to = self.folder / f"{key}-{place:05}-{number:05}.arrow"
                piece.write_ipc(to, compression="lz4")
                found.pieces.setdefault(place, []).append(to)
        look = self.looks[self.log.name(path)]
        return Typed(look, found.has_clock, found.pieces, found.refused, found.rules)

    def _typed(self, path: Path, batch: Batch, found: _Found) -> pl.DataFrame:
        names = list(self.looks)
        earlier = names[: names.index(self.log.name(path))]
        before = sum(self.looks[name].rows for name in earlier) + batch.first
        rows_of = {Path(name).name: look.rows for name, look in self.looks.items()}
        tables = Tables(
            items=_NO_ITEMS,
            events=batch.rows.with_row_index(ROW, offset=batch.first + 1),
            time_zone=self.log.shop.time_zone,
            files={"events": self.log.called},
            parts={"events": rows_of} if len(rows_of) > 1 else {},
            columns={"events": self.log.header.columns},
            before={"events": before},
        )
        if self.config.on_error != "skip":
            return checked(tables, self.forms).frames["events"]
        tables, refused, rules = checked_rows(tables, self.forms)
        found.refused.append(refused)
        found.rules += rules
        return tables.frames["events"]


def _by_part(rows: pl.DataFrame, part: pl.Series) -> Iterator[tuple[int, pl.DataFrame]]:
    parted = rows.with_columns(part.alias(_PART)).partition_by(
        _PART, as_dict=True, include_key=False, maintain_order=True
    )
    for (key,), piece in parted.items():
        yield int(key), piece
