"""A cleaning rule's record, and the tables that rules are applied to."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import polars as pl

from twotower.data.tables import Tables

LEFT_OUT: Final = "left out"
"""The action of a rule that drops rows."""
ROW: Final = "_row"
"""A column with the place of each row in its files, of a table that is read in parts."""
_EXAMPLES: Final = 3


@dataclass(frozen=True)
class Rule:
    """What one cleaning rule did.

    Attributes:
        name: the rule, as one word.
        table: the table it looked at.
        count: rows it found.
        action: what was done with them.
        examples: a few of the rows, as found.
    """

    name: str
    table: str
    count: int
    action: str
    examples: tuple[dict[str, Any], ...]


class Cleaning:
    """Applies rules to the tables of a shop, one after the other, and keeps the record.

    Args:
        tables: the tables.
        numbered: whether their rows are those of the files, so that examples can name them.
        places: by table that is a part of one, the places of its rows in that, from 1.

    Attributes:
        tables: the tables, as the rules so far have left them.
        rules: the rules that found something.
    """

    def __init__(
        self,
        tables: Tables,
        *,
        numbered: bool = True,
        places: Mapping[str, pl.Series] | None = None,
    ) -> None:
        self.tables = tables
        self.rules: list[Rule] = []
        self._places = dict(places or {})
        if numbered and places is None:
            self._places = {
                name: pl.int_range(1, len(frame) + 1, eager=True)
                for name, frame in tables.frames.items()
            }

    def places(self, table: str) -> pl.Series:
        """[rows] where the rows that are left were in the file, counted from 1."""
        return self._places[table]

    def replace(self, name: str, table: str, bad: pl.Expr, column: str, value: Any) -> None:
        """Sets a column to a value wherever the rule finds something."""
        frame = self.tables.frames.get(table)
        if frame is None or column not in frame.columns:
            return
        found = frame.select(bad.fill_null(value=False)).to_series()
        meaning = "missing" if value is None else repr(value)
        if self._record(name, table, frame, found, f"{column} set to {meaning}"):
            fixed = frame[column].set(found, value) if value is None else frame.select(
                pl.when(pl.Series(found)).then(pl.lit(value)).otherwise(pl.col(column)).alias(column)
            ).to_series()  # fmt: skip
            self._put(table, frame.with_columns(fixed))

    def rewrite(self, name: str, table: str, bad: pl.Expr, column: str, better: pl.Expr) -> None:
        """Writes a column anew wherever the rule finds something."""
        frame = self.tables.frames.get(table)
        if frame is None or column not in frame.columns:
            return
        found = frame.select(bad.fill_null(value=False)).to_series()
        if self._record(name, table, frame, found, f"{column} read as plain text"):
            fixed = pl.when(pl.Series(found)).then(better).otherwise(pl.col(column)).alias(column)
            self._put(table, frame.with_columns(fixed))

    def drop(self, name: str, table: str, bad: pl.Expr, *, needs: str | None = None) -> None:
        """Leaves out the rows that the rule finds; does nothing where a column is absent."""
        frame = self.tables.frames.get(table)
        if frame is None or (needs is not None and needs not in frame.columns):
            return
        found = frame.select(bad.fill_null(value=False)).to_series()
        if self._record(name, table, frame, found, LEFT_OUT):
            self._put(table, frame.filter(~found))
            if self._are_numbered(table, frame):
                self._places[table] = self._places[table].filter(~found)

    def _record(
        self, name: str, table: str, frame: pl.DataFrame, found: pl.Series, action: str
    ) -> bool:
        count = int(found.sum())
        if count:
            if self._are_numbered(table, frame):
                frame = frame.select(self._places[table].alias("row"), pl.all())
            self.note(name, table, count, action, frame.filter(found).head(_EXAMPLES))
        return bool(count)

    def _are_numbered(self, table: str, frame: pl.DataFrame) -> bool:
        """Whether the place in its file is known of every row; rules outside may take rows away."""
        return len(self._places.get(table, ())) == len(frame)

    def note(self, name: str, table: str, count: int, action: str, examples: pl.DataFrame) -> None:
        """Keeps what a rule did."""
        self.rules.append(record(name, table, count, action, examples))

    def _put(self, table: str, frame: pl.DataFrame) -> None:
        self.tables = self.tables.with_frames({table: frame})


def record(name: str, table: str, count: int, action: str, examples: pl.DataFrame) -> Rule:
    """What a rule did, with the first of the rows it found."""
    shown = examples.head(_EXAMPLES).drop(ROW, strict=False)
    plain = tuple(_plain(row) for row in shown.iter_rows(named=True))
    return Rule(name, table, count, action, plain)


def merged(rules: Iterable[Rule]) -> tuple[Rule, ...]:
    """What rules did to several parts of a table, as what they did to all of it."""
    found: dict[tuple[str, str, str], list[Rule]] = {}
    for rule in rules:
        found.setdefault((rule.name, rule.table, rule.action), []).append(rule)
    return tuple(
        Rule(name, table, sum(rule.count for rule in same), action, _first_of(same))
        for (name, table, action), same in found.items()
    )


def _first_of(rules: Sequence[Rule]) -> tuple[dict[str, Any], ...]:
    examples = [example for rule in rules for example in rule.examples]
    return tuple(sorted(examples, key=lambda row: row.get("row", 0))[:_EXAMPLES])


def _plain(row: dict[str, Any]) -> dict[str, Any]:
    """A row as JSON holds it: long texts cut, NaN and infinity as words."""

    def plain(value: Any) -> Any:
        if isinstance(value, float) and not abs(value) < float("inf"):
            return str(value)
        if isinstance(value, str) and len(value) > 80:
            return value[:79] + "…"
        return value

    return {name: plain(value) for name, value in row.items() if value is not None}
