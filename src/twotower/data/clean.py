"""The cleaning rules: what each found, what it did about it, and examples to look at.

Nothing is changed or left out except by a rule of this file, and every rule that found
something is written into the profile.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, Literal

import polars as pl

from twotower import schema
from twotower.data.tables import Tables
from twotower.data.words import IGNORE

UnknownItems = Literal["drop", "keep"]

LEFT_OUT: Final = "left out"
"""The action of a rule that drops rows."""
_EXAMPLES: Final = 3
_CLOCK_SKEW_MS: Final = 24 * 3600 * 1000
_HELD_OUT: Final = {schema.Split.TRAIN: 0, schema.Split.VALIDATION: 1, schema.Split.TEST: 2}


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

    Attributes:
        tables: the tables, as the rules so far have left them.
        rules: the rules that found something.
    """

    def __init__(self, tables: Tables) -> None:
        self.tables = tables
        self.rules: list[Rule] = []

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

    def drop(self, name: str, table: str, bad: pl.Expr, *, needs: str | None = None) -> None:
        """Leaves out the rows that the rule finds; does nothing where a column is absent."""
        frame = self.tables.frames.get(table)
        if frame is None or (needs is not None and needs not in frame.columns):
            return
        found = frame.select(bad.fill_null(value=False)).to_series()
        if self._record(name, table, frame, found, LEFT_OUT):
            self._put(table, frame.filter(~found))

    def _record(
        self, name: str, table: str, frame: pl.DataFrame, found: pl.Series, action: str
    ) -> bool:
        count = int(found.sum())
        if count:
            examples = frame.with_row_index("row", offset=1).filter(found).head(_EXAMPLES)
            self.note(name, table, count, action, examples)
        return bool(count)

    def note(self, name: str, table: str, count: int, action: str, examples: pl.DataFrame) -> None:
        """Keeps what a rule did."""
        shown = tuple(_plain(row) for row in examples.head(_EXAMPLES).iter_rows(named=True))
        self.rules.append(Rule(name, table, count, action, shown))

    def _put(self, table: str, frame: pl.DataFrame) -> None:
        self.tables = self.tables.with_frames({table: frame})


def cleaned(
    tables: Tables,
    *,
    now_ms: int,
    unknown_items: UnknownItems = "drop",
    first: Callable[[Cleaning], None] | None = None,
) -> tuple[Tables, tuple[Rule, ...]]:
    """The tables after every rule, and what each rule did.

    Args:
        tables: typed tables, see `check.checked`.
        now_ms: the time now; events more than a day later are from the future.
        unknown_items: whether an event or judgment of an item that is not in the catalogue
            is left out, or the item is added with an empty title.
        first: rules that these tables alone have, applied before all others.
    """
    cleaning = Cleaning(tables)
    if first is not None:
        first(cleaning)
    _clean_items(cleaning)
    _clean_events(cleaning, now_ms)
    _clean_judgments(cleaning)
    for table in ("events", "judgments"):
        _resolve_unknown_items(cleaning, table, unknown_items)
    cleaning.drop(
        "duplicate_user",
        "users",
        pl.col(schema.USER_ID).is_duplicated() & ~pl.col(schema.USER_ID).is_first_distinct(),
    )
    return cleaning.tables, tuple(cleaning.rules)


def cleaned_outside(tables: Tables, *, now_ms: int) -> tuple[Tables, tuple[Rule, ...]]:
    """Events and judgments after every rule; items that are in no catalogue stay.

    Args:
        tables: typed tables, see `check.checked`.
        now_ms: the time now; events more than a day later are from the future.
    """
    cleaning = Cleaning(tables)
    _clean_events(cleaning, now_ms)
    _clean_judgments(cleaning)
    return cleaning.tables, tuple(cleaning.rules)


def _clean_items(cleaning: Cleaning) -> None:
    for column in (schema.PRICE, schema.RATING):
        value = pl.col(column)
        strange = value.is_nan() | value.is_infinite() | (value < 0)
        cleaning.replace(
            f"invalid_{column}", "items", _where(cleaning, column, strange), column, None
        )
    blank = pl.col(schema.TITLE).is_null() | (pl.col(schema.TITLE).str.strip_chars() == "")
    cleaning.replace("blank_title", "items", blank, schema.TITLE, "")
    items = cleaning.tables.items
    words = [
        pl.when(pl.col(name).str.strip_chars() != "").then(pl.col(name).str.strip_chars())
        for name in (schema.DESCRIPTION, schema.BRAND, schema.CATEGORY, schema.IMAGE)
        if name in items.columns
    ]
    title = pl.col(schema.TITLE).str.strip_chars()
    cleaning.tables = cleaning.tables.with_frames({"items": items.with_columns(title, *words)})


def _where(cleaning: Cleaning, column: str, found: pl.Expr) -> pl.Expr:
    return found if column in cleaning.tables.items.columns else pl.lit(value=False)


def _clean_events(cleaning: Cleaning, now_ms: int) -> None:
    kind, time = pl.col(schema.EVENT), pl.col(schema.TIME)
    is_search = kind == schema.SEARCH
    cleaning.drop("ignored_event", "events", kind == IGNORE)
    cleaning.drop("event_without_user", "events", pl.col(schema.USER_ID).is_null())
    cleaning.drop("event_without_item", "events", pl.col(schema.ITEM_ID).is_null() & ~is_search)
    cleaning.drop("future_event", "events", time > now_ms + _CLOCK_SKEW_MS, needs=schema.TIME)
    events = cleaning.tables.events
    if events is None:
        return
    if _has_clock(events):
        cleaning.drop("event_without_time", "events", time.is_null())
    if _has_clock(events) or schema.ORDER in events.columns:
        again = ~pl.struct(pl.all()).is_first_distinct()
        cleaning.drop("duplicate_event", "events", again)


def _has_clock(events: pl.DataFrame) -> bool:
    return schema.TIME in events.columns and events[schema.TIME].null_count() < len(events)


def _clean_judgments(cleaning: Cleaning) -> None:
    if cleaning.tables.judgments is None:
        return
    query, pair = pl.col(schema.QUERY), [schema.QUERY, schema.ITEM_ID]
    blank = query.is_null() | (query.str.strip_chars() == "")
    cleaning.drop("blank_query", "judgments", blank)
    cleaning.drop("judgment_without_item", "judgments", pl.col(schema.ITEM_ID).is_null())
    stripped = cleaning.tables.judgments.with_columns(query.str.strip_chars())
    cleaning.tables = cleaning.tables.with_frames({"judgments": stripped})
    cleaning.drop("judged_again", "judgments", ~pl.struct(pair).is_first_distinct())
    if schema.SPLIT in stripped.columns:
        _one_split_per_query(cleaning)


def _one_split_per_query(cleaning: Cleaning) -> None:
    """A query of two splits belongs to the one further from training, or it would leak."""
    judgments = cleaning.tables.frames["judgments"]
    held_out = pl.col(schema.SPLIT).replace_strict(_HELD_OUT, default=None, return_dtype=pl.Int8)
    by_depth = {depth: name.value for name, depth in _HELD_OUT.items()}
    moved = judgments.with_columns(
        held_out.max()
        .over(schema.QUERY)
        .replace_strict(by_depth, return_dtype=pl.String)
        .alias("_to")
    )
    leaks = (moved["_to"] != moved[schema.SPLIT]).fill_null(value=False)
    if leaks.any():
        cleaning.note(
            "query_in_two_splits", "judgments", int(leaks.sum()),
            "moved to the split further from training", judgments.filter(leaks),
        )  # fmt: skip
        fixed = moved.with_columns(pl.col("_to").alias(schema.SPLIT)).drop("_to")
        cleaning.tables = cleaning.tables.with_frames({"judgments": fixed})


def _resolve_unknown_items(cleaning: Cleaning, table: str, rule: UnknownItems) -> None:
    frame = cleaning.tables.frames.get(table)
    if frame is None:
        return
    known = cleaning.tables.items[schema.ITEM_ID].implode()
    unknown = ~pl.col(schema.ITEM_ID).is_in(known) & pl.col(schema.ITEM_ID).is_not_null()
    if rule == "drop":
        cleaning.drop("unknown_item", table, unknown)
        return
    strange = frame.filter(unknown)
    if not strange.is_empty():
        new = strange.select(
            pl.col(schema.ITEM_ID).unique(maintain_order=True), pl.lit("").alias(schema.TITLE)
        )
        items = pl.concat([cleaning.tables.items, new], how="diagonal")
        cleaning.tables = cleaning.tables.with_frames({"items": items})
        cleaning.note(
            "unknown_item",
            table,
            len(strange),
            f"kept: {len(new):,} items added with an empty title",
            strange,
        )


def _plain(row: dict[str, Any]) -> dict[str, Any]:
    """A row as JSON holds it: long texts cut, NaN and infinity as words."""

    def plain(value: Any) -> Any:
        if isinstance(value, float) and not abs(value) < float("inf"):
            return str(value)
        if isinstance(value, str) and len(value) > 80:
            return value[:79] + "…"
        return value

    return {name: plain(value) for name, value in row.items() if value is not None}
