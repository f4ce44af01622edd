"""The log in numbers, each ready to be drawn."""

import math
from collections.abc import Mapping
from datetime import UTC, datetime
from itertools import pairwise
from typing import Final

import polars as pl

from twotower import schema
from twotower.data.profiling.plots import Bar
from twotower.schema import EventKind, Split

_MOST_BARS: Final = 80
_PERIODS: Final = ("1h", "1d", "1w", "1mo", "3mo", "1y")
_NAMES: Final = dict(
    zip(_PERIODS, ("hour", "day", "week", "month", "quarter", "year"), strict=True)
)
_FORMS: Final = {"1h": "%d %b %H:%M", "1d": "%d %b", "1w": "%d %b %Y", "1y": "%Y"}
_SIZES: Final = (1, 2, 3, 6, 11, 21, 51, 101, 1001)
_CURVE: Final = 100


def has_clock(events: pl.DataFrame) -> bool:
    """Whether every event has a time."""
    return bool(len(events)) and events[schema.TIME].null_count() == 0


def volumes(events: pl.DataFrame) -> tuple[str, list[Bar]]:
    """The period that suits, and events of each by kind.

    Args:
        events: with times.
    """
    clock = events.select(
        schema.EVENT, pl.col(schema.TIME).cast(pl.Datetime("ms")).alias("at")
    ).sort("at")
    period = _period(clock["at"])
    counted = clock.group_by_dynamic("at", every=period).agg(
        (pl.col(schema.EVENT) == kind).sum().alias(kind) for kind in _kinds(events)
    )
    whole = counted.upsample("at", every=period).fill_null(0)
    return _NAMES[period], [
        (f"{row.pop('at'):{_FORMS.get(period, '%b %Y')}}", row)
        for row in whole.iter_rows(named=True)
    ]


def cut_places(events: pl.DataFrame, cuts: Mapping[str, int | None]) -> dict[int, str]:
    """At which bar of `volumes` each part of the split begins.

    Args:
        events: with times.
        cuts: first millisecond of a part, by its name.
    """
    clock = events.select(pl.col(schema.TIME).cast(pl.Datetime("ms")).alias("at")).sort("at")
    period = _period(clock["at"])
    starts = (
        clock.group_by_dynamic("at", every=period).agg(pl.len()).upsample("at", every=period)["at"]
    )
    limits = starts.dt.epoch("ms")
    return {
        max(int((limits <= at).sum()) - 1, 0): name for name, at in cuts.items() if at is not None
    }


def long_tail(events: pl.DataFrame, n_items: int) -> list[tuple[float, float]]:
    """Share of items, best sellers first, and the share of events that falls on them."""
    sizes = events[schema.ITEM_ROW].value_counts(sort=True)["count"].cast(pl.Float64)
    shares = (sizes.cum_sum() / sizes.sum()).to_list()
    every = max(1, len(shares) // _CURVE)
    points = [((n + 1) / n_items, shares[n]) for n in range(0, len(shares), every)]
    return [*points, (len(shares) / n_items, 1.0), (1.0, 1.0)]


def sizes(counts: pl.Series) -> list[Bar]:
    """How many have one event, two, three to five, and so on."""
    ends = (*_SIZES[1:], None)
    found: list[Bar] = []
    for low, end in zip(_SIZES, ends, strict=True):
        inside = (counts >= low) & ((counts < end) if end else True)
        label = f"{low}+" if end is None else str(low) if end == low + 1 else f"{low}-{end - 1}"
        found.append((label, {"users": float(inside.sum())}))
    return trimmed(found)


def trimmed(bars: list[Bar]) -> list[Bar]:
    """The bars without empty ones at either end."""
    full = [place for place, (_, parts) in enumerate(bars) if any(parts.values())]
    return bars[full[0] : full[-1] + 1] if full else bars[:1]


def per_user(events: pl.DataFrame) -> pl.Series:
    """[users] events of each."""
    return events.group_by(schema.USER_ID).len()["len"]


def per_session(events: pl.DataFrame) -> pl.Series:
    """[sessions] events of each."""
    return events.drop_nulls(schema.SESSION_ID).group_by(schema.SESSION_ID).len()["len"]


def funnel(events: pl.DataFrame) -> dict[str, float]:
    """Pairs of a user and an item that came to each step, of the kinds that there are."""
    pairs = events.group_by(schema.USER_ID, schema.ITEM_ROW).agg(pl.col(schema.EVENT).unique())
    steps = [kind for kind in _kinds(events) if kind != EventKind.REVIEW]
    found = {kind: float(pairs[schema.EVENT].list.contains(kind).sum()) for kind in steps}
    for before, after in pairwise(steps):
        both = pairs[schema.EVENT].list.contains(before) & pairs[schema.EVENT].list.contains(after)
        found[f"{after} after {before}"] = float(both.sum())
    return found


def repeats(events: pl.DataFrame) -> float | None:
    """Share of purchases whose user had bought the item before; None without purchases."""
    bought = events.filter(pl.col(schema.EVENT) == EventKind.PURCHASE)
    if bought.is_empty():
        return None
    first = bought.select(pl.struct(schema.USER_ID, schema.ITEM_ROW).is_first_distinct())
    return 1 - float(first.to_series().mean() or 0.0)  # type: ignore[arg-type]


def first_seen(events: pl.DataFrame) -> list[Bar]:
    """Items seen for the first time in each week.

    Args:
        events: with times.
    """
    first = events.group_by(schema.ITEM_ROW).agg(
        pl.col(schema.TIME).min().cast(pl.Datetime("ms")).alias("at")
    )
    weeks = first.sort("at").group_by_dynamic("at", every="1w").agg(pl.len().alias("items"))
    whole = weeks.upsample("at", every="1w").fill_null(0)
    return [(f"{at:%d %b %Y}", {"items": float(items)}) for at, items in whole.iter_rows()]


def cold_share(events: pl.DataFrame) -> float | None:
    """Share of test events on items that training has not seen; None without a test split."""
    test = events.filter(pl.col(schema.SPLIT) == Split.TEST)
    if test.is_empty():
        return None
    known = events.filter(pl.col(schema.SPLIT) == Split.TRAIN)[schema.ITEM_ROW].unique()
    return 1 - float(test[schema.ITEM_ROW].is_in(known.implode()).mean() or 0.0)  # type: ignore[arg-type]


def day(ms: int) -> str:
    """A time as a date.

    Example:
        >>> day(0)
        '1 Jan 1970'
    """
    at = datetime.fromtimestamp(ms / 1000, UTC)
    return f"{at.day} {at:%b %Y}"


def _kinds(events: pl.DataFrame) -> list[str]:
    there = set(events[schema.EVENT].unique())
    return [kind.value for kind in EventKind if kind in there]


def _period(clock: pl.Series) -> str:
    """The shortest period of which the log has no more than can be drawn."""
    first, last = (
        int(str(edge)) for edge in (clock.dt.epoch("ms").min(), clock.dt.epoch("ms").max())
    )
    hours = (last - first) / 3_600_000
    lengths = dict(zip(_PERIODS, (1, 24, 168, 730, 2190, math.inf), strict=True))
    return next(name for name, hour in lengths.items() if hours / hour <= _MOST_BARS)
