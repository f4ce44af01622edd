"""A log as a dataset has it: ids as rows of the catalogue, histories in their order, split."""

from typing import Final

import polars as pl

from twotower import schema
from twotower.data import splits
from twotower.data.config import PrepareConfig, SplitKind
from twotower.data.rule import ROW
from twotower.errors import DataError

_OF_SEARCHES: Final = (schema.USER_ID, schema.QUERY, schema.TIME, ROW)
_OF_EVENTS: Final = (
    schema.USER_ID,
    schema.ITEM_ROW,
    schema.EVENT,
    schema.TIME,
    schema.ORDER,
    schema.SESSION_ID,
    schema.SPLIT,
)
_DRAWN: Final = {
    "random": splits.at_random,
    "random-by-user": splits.random_by_user,
    "cold-start": splits.cold_start,
}


def without_searches(
    events: pl.DataFrame | None,
) -> tuple[pl.DataFrame | None, pl.DataFrame | None]:
    """The events with items, and the typed queries of the log; None for none."""
    if events is None:
        return None, None
    is_search = events[schema.EVENT] == schema.SEARCH
    with_items = events.filter(~is_search)
    searches = None
    if is_search.any() and schema.QUERY in events.columns:
        columns = [name for name in _OF_SEARCHES if name in events.columns]
        searches = events.filter(is_search & events[schema.QUERY].is_not_null()).select(columns)
    return (None if with_items.is_empty() else with_items), searches


def with_rows(frame: pl.DataFrame, items: pl.DataFrame) -> pl.DataFrame:
    """Events or judgments with the row of their item in the catalogue."""
    rows = pl.int_range(len(items), dtype=pl.Int32, eager=True)
    row = pl.col(schema.ITEM_ID).replace_strict(items[schema.ITEM_ID], rows, return_dtype=pl.Int32)
    return frame.with_columns(row.alias(schema.ITEM_ROW))


def ordered(events: pl.DataFrame) -> pl.DataFrame:
    """By user, then time, then the shop's order, then place in the file; numbered anew."""
    if schema.TIME not in events.columns:
        events = events.with_columns(pl.lit(None, pl.Int64).alias(schema.TIME))
    by = [c for c in (schema.USER_ID, schema.TIME, schema.ORDER) if c in events.columns]
    place = pl.int_range(pl.len(), dtype=pl.Int32)
    is_first = pl.col(schema.USER_ID).ne_missing(pl.col(schema.USER_ID).shift(1)) | (place == 0)
    first = pl.when(is_first).then(place).forward_fill()
    return events.sort(by, maintain_order=True).with_columns((place - first).alias(schema.ORDER))


def event_split(
    events: pl.DataFrame, config: PrepareConfig
) -> tuple[str, pl.Series, splits.TimeCuts | None]:
    """The kind of split that was made, the split of each event, and the cuts of one by time.

    Raises:
        DataError: these events cannot be split in the wanted way.
    """
    kind = _event_split_kind(events, config.split)
    if kind == "given":
        return kind, splits.given_events(events), None
    if kind == "leave-one-out":
        return kind, splits.leave_one_out(events), None
    shares = {"validation_share": config.validation_share, "test_share": config.test_share}
    if kind == "last-by-user":
        return kind, splits.last_by_user(events, **shares), None
    if kind in _DRAWN:
        return kind, _DRAWN[kind](events, **shares, seed=config.seed), None
    if kind == "rolling":
        left = 1 - config.window * config.test_share
        shares = {name: share / left for name, share in shares.items()}
    cuts = splits.time_cuts(events[schema.TIME], **shares)
    return kind, splits.by_time(events[schema.TIME], cuts), cuts


def _event_split_kind(events: pl.DataFrame, wanted: SplitKind) -> SplitKind:
    has_given = schema.SPLIT in events.columns
    has_clock = events[schema.TIME].null_count() == 0
    if wanted == "given" and not has_given:
        raise DataError("--split given needs a column 'split' in events. Add it, or use auto.")
    if wanted in ("time", "rolling") and not has_clock:
        raise no_clock(wanted)
    if wanted != "auto":
        return wanted
    if has_given:
        return "given"
    enough = has_clock and events[schema.TIME].n_unique() >= splits.MIN_EVENTS
    return "time" if enough else "leave-one-out"


def no_clock(split: str) -> DataError:
    """What to say where some events have no time."""
    return DataError(f"--split {split} needs a time of every event. Use --split leave-one-out.")


def columns(events: pl.DataFrame) -> pl.DataFrame:
    """The columns of a dataset's events; the split only where it is known."""
    return events.select(name for name in _OF_EVENTS if name in events.columns)
