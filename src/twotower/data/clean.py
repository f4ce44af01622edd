"""The cleaning rules in their order: what each found, what it did about it, and examples.

Nothing is changed or left out except by a rule of this file and of those that it calls, and
every rule that found something is written into the profile.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, Literal

import polars as pl

from twotower import schema
from twotower.data import cancellations, duplicates, outliers, splits
from twotower.data.markup import plain
from twotower.data.rule import Cleaning, Rule
from twotower.data.tables import Tables
from twotower.data.words import IGNORE

UnknownItems = Literal["drop", "keep"]

_MARKUP: Final = r"(?i)&(#\d+|#x[0-9a-f]+|[a-z]{2,}\d*);|</?[a-z][^<>]*>"
"""An entity or a tag of HTML."""
_CLOCK_SKEW_MS: Final = 24 * 3600 * 1000
_HELD_OUT: Final = {schema.Split.TRAIN: 0, schema.Split.VALIDATION: 1, schema.Split.TEST: 2}


@dataclass(frozen=True)
class CleanConfig:
    """What rules do that a shop may want otherwise.

    Attributes:
        unknown_items: events and judgments of items that are not in the catalogue: `drop`
            leaves them out, `keep` adds those items with an empty title.
        near_identical: items with the same title: `keep`, or `merge` into the first.
        bots: events of users and sessions with far more than others: `keep` or `drop`.
    """

    unknown_items: UnknownItems = "drop"
    near_identical: duplicates.NearIdentical = "keep"
    bots: outliers.Bots = "keep"


@dataclass(frozen=True)
class Catalogue:
    """What the rules of items mean for events and judgments.

    Attributes:
        moved: ids of items that another stands for now, and its id.
        services: ids of what is never to be recommended.
    """

    moved: Mapping[str, str]
    services: pl.Series


def cleaned(
    tables: Tables,
    *,
    now_ms: int,
    config: CleanConfig | None = None,
    first: Callable[[Cleaning], None] | None = None,
    numbered: bool = True,
) -> tuple[Tables, tuple[Rule, ...]]:
    """The tables after every rule, and what each rule did.

    Args:
        tables: typed tables, see `check.checked`.
        now_ms: the time now; events more than a day later are from the future.
        config: what rules do; the defaults when left out.
        first: rules that these tables alone have, applied before all others.
        numbered: whether the rows are those of the files, see `Cleaning`.
    """
    cleaning = Cleaning(tables, numbered=numbered)
    if first is not None:
        first(cleaning)
    config = config or CleanConfig()
    catalogue = clean_catalogue(cleaning, config)
    clean_log(cleaning, catalogue, now_ms, has_clock=_has_clock(cleaning.tables.events))
    resolve_unknown_items(cleaning, "events", config.unknown_items)
    clean_judgments(cleaning, catalogue, config)
    outliers.bots(cleaning, config.bots)
    clean_users(cleaning)
    return cleaning.tables, tuple(cleaning.rules)


def cleaned_outside(tables: Tables, *, now_ms: int) -> tuple[Tables, tuple[Rule, ...]]:
    """Events and judgments after every rule; items that are in no catalogue stay.

    Args:
        tables: typed tables, see `check.checked`.
        now_ms: the time now; events more than a day later are from the future.
    """
    cleaning = Cleaning(tables)
    _clean_events(cleaning, now_ms, has_clock=_has_clock(tables.events))
    _clean_judgments(cleaning)
    return cleaning.tables, tuple(cleaning.rules)


def clean_catalogue(cleaning: Cleaning, config: CleanConfig) -> Catalogue:
    """The rules of items; what they mean for the other tables is still to be done."""
    _clean_items(cleaning)
    moved = duplicates.near_identical_titles(cleaning, config.near_identical)
    return Catalogue(moved, outliers.services(cleaning))


def clean_log(cleaning: Cleaning, catalogue: Catalogue, now_ms: int, *, has_clock: bool) -> None:
    """The rules of events that need no more than all events of a user.

    Args:
        cleaning: clean items, and events of some users, all that these have.
        catalogue: what the rules of items found.
        now_ms: the time now.
        has_clock: whether any event of the log has a time.
    """
    duplicates.move(cleaning, "events", catalogue.moved)
    _clean_events(cleaning, now_ms, has_clock=has_clock)
    outliers.of_services(cleaning, "events", catalogue.services)


def clean_judgments(cleaning: Cleaning, catalogue: Catalogue, config: CleanConfig) -> None:
    """The rules of judgments."""
    duplicates.move(cleaning, "judgments", catalogue.moved)
    _clean_judgments(cleaning)
    outliers.of_services(cleaning, "judgments", catalogue.services)
    resolve_unknown_items(cleaning, "judgments", config.unknown_items)


def clean_users(cleaning: Cleaning) -> None:
    """The one rule of users."""
    is_again = pl.col(schema.USER_ID).is_duplicated() & ~pl.col(schema.USER_ID).is_first_distinct()
    cleaning.drop("duplicate_user", "users", is_again)


def _clean_items(cleaning: Cleaning) -> None:
    for column in (schema.PRICE, schema.RATING):
        value = pl.col(column)
        strange = value.is_nan() | value.is_infinite() | (value < 0)
        cleaning.replace(
            f"invalid_{column}", "items", _where(cleaning, column, strange), column, None
        )
    for column in (schema.TITLE, schema.DESCRIPTION, schema.BRAND, schema.CATEGORY):
        marked = pl.col(column).str.contains(_MARKUP)
        cleaning.rewrite("markup", "items", marked, column, plain(pl.col(column)))
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


def _clean_events(cleaning: Cleaning, now_ms: int, *, has_clock: bool) -> None:
    kind, time = pl.col(schema.EVENT), pl.col(schema.TIME)
    is_search = kind == schema.SEARCH
    cleaning.drop("ignored_event", "events", kind == IGNORE)
    cleaning.drop("event_without_user", "events", pl.col(schema.USER_ID).is_null())
    cleaning.drop("event_without_item", "events", pl.col(schema.ITEM_ID).is_null() & ~is_search)
    outliers.accounts_of_tests(cleaning)
    cleaning.drop("future_event", "events", time > now_ms + _CLOCK_SKEW_MS, needs=schema.TIME)
    events = cleaning.tables.events
    if events is None:
        return
    if has_clock:
        cleaning.drop("event_without_time", "events", time.is_null())
    if has_clock or schema.ORDER in events.columns:
        again = ~pl.struct(pl.all()).is_first_distinct()
        cleaning.drop("duplicate_event", "events", again)
    cancellations.cancel(cleaning)


def _has_clock(events: pl.DataFrame | None) -> bool:
    if events is None:
        return False
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
        .over(splits.same_query(pl.col(schema.QUERY)))
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


def resolve_unknown_items(cleaning: Cleaning, table: str, rule: UnknownItems) -> None:
    """Events or judgments of items that are in no catalogue."""
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
