"""Rows that break their table's contract, put aside instead of stopping everything."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Final, Literal

import polars as pl

from twotower.data.broken_rows import Broken
from twotower.data.check import Forms, checked
from twotower.data.rule import LEFT_OUT, Rule, record
from twotower.data.tables import Tables
from twotower.errors import DataError, RowError

OnError = Literal["stop", "skip"]
_MOST: Final = 0.5
"""Beyond this share of a table it is the column that is wrong, not some rows."""


def checked_rows(
    tables: Tables, forms: Forms | None = None
) -> tuple[Tables, pl.DataFrame, tuple[Rule, ...]]:
    """The rows that keep their contract, those that do not with the reason, and their counts.

    Of items with the same id the first is kept.

    Args:
        tables: as they were read.
        forms: of the log that these events are a part of; their own when left out.

    Raises:
        DataError: more than half of a table is refused, or a fault is not one of single rows.
    """
    places = {name: pl.int_range(len(frame), eager=True) for name, frame in tables.frames.items()}
    sizes = {name: len(frame) for name, frame in tables.frames.items()}
    source = tables
    refused: list[dict[str, str | None]] = []
    rules: list[Rule] = []
    for name, broken in source.broken.items():
        if len(broken) > _MOST * sizes[name]:
            raise _mostly_broken(source, name, broken)
        refused += (_told(name, source.place(name, one.row + 1), one) for one in broken)
        examples = pl.DataFrame([asdict(one) | {"row": one.row + 1} for one in broken])
        rules.append(record("refused_row", name, len(broken), LEFT_OUT, examples))
        kept = ~places[name].is_in([one.row for one in broken])
        places[name] = places[name].filter(kept)
        tables = tables.with_frames({name: tables.frames[name].filter(kept)})
    while True:
        try:
            return checked(tables, forms), _table(refused), tuple(rules)
        except RowError as error:
            name, frame = error.table, tables.frames[error.table]
            bad = pl.Series(error.rows)
            if len(frame) - len(bad) < (1 - _MOST) * sizes[name]:
                raise
            for row, value in zip(error.rows, frame[error.column].gather(bad), strict=True):
                place = source.place(name, int(places[name][row]) + 1)
                told = None if value is None else str(value)
                fault = Broken(row, error.column, told, error.expected)
                refused.append(_told(name, place, fault))
            rules.append(record("refused_row", name, len(bad), LEFT_OUT, frame[error.rows]))
            kept = ~pl.int_range(len(frame), eager=True).is_in(bad.implode())
            places[name] = places[name].filter(kept)
            tables = tables.with_frames({name: frame.filter(kept)})


def _told(table: str, place: str, fault: Broken) -> dict[str, str | None]:
    return {
        "table": table,
        "row": place,
        "column": fault.column,
        "value": fault.value,
        "expected": fault.expected,
    }


def _mostly_broken(tables: Tables, table: str, broken: Sequence[Broken]) -> DataError:
    first = broken[0]
    return DataError(
        f"{tables.place(table, first.row + 1)}: expected {first.expected}, and so with "
        f"{len(broken):,} of {len(tables.frames[table]):,} rows: more than half, so they are not "
        "skipped. Export the file again."
    )


def _table(refused: list[dict[str, str | None]]) -> pl.DataFrame:
    columns = ("table", "row", "column", "value", "expected")
    return pl.DataFrame(refused, schema=dict.fromkeys(columns, pl.String))
