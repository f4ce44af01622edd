"""Which rows train, which choose hyper-parameters, which are the final exam."""

import hashlib
from dataclasses import dataclass
from typing import Final

import numpy as np
import polars as pl

from twotower import schema
from twotower.errors import DataError
from twotower.schema import Split

TRAIN, VALIDATION, TEST = (split.value for split in Split)
NAMES: Final = {
    "train": TRAIN,
    "training": TRAIN,
    "validation": VALIDATION,
    "valid": VALIDATION,
    "val": VALIDATION,
    "dev": VALIDATION,
    "test": TEST,
}
"""Names of splits that shops use, and ours."""
MIN_EVENTS: Final = 3
"""Leave-one-out takes events only of users with this many."""


@dataclass(frozen=True)
class TimeCuts:
    """First millisecond of validation and of test; an event at a cut is on its later side."""

    validation_from: int
    test_from: int


def time_cuts(times: pl.Series, *, validation_share: float, test_share: float) -> TimeCuts:
    """Cuts such that about these shares of events are validation and test.

    Args:
        times: [E] milliseconds, none missing.
        validation_share: share of events between the cuts.
        test_share: share of events after them.

    Raises:
        DataError: fewer than three different times, so no such cuts exist.
    """
    return cuts_of(np.sort(times.to_numpy()), validation_share, test_share)


def cuts_of(ordered: np.ndarray, validation_share: float, test_share: float) -> TimeCuts:
    """The same of times in their order; see `time_cuts`."""
    is_new = np.ones(len(ordered), bool)
    np.not_equal(ordered[1:], ordered[:-1], out=is_new[1:])
    firsts = np.flatnonzero(is_new)
    if len(firsts) < MIN_EVENTS:
        raise DataError(
            f"a split by time needs events at 3 different times at least, got {len(firsts)}. "
            "Use --split leave-one-out."
        )

    def rank_at(share: float) -> int:
        """Place among the distinct times, of the time below which this share of events lies."""
        place = min(int(len(ordered) * share), len(ordered) - 1)
        return int(np.searchsorted(firsts, place, side="right")) - 1

    test = min(max(rank_at(1 - test_share), 2), len(firsts) - 1)
    validation = min(max(rank_at(1 - test_share - validation_share), 1), test - 1)
    return TimeCuts(int(ordered[firsts[validation]]), int(ordered[firsts[test]]))


def by_time(times: pl.Series, cuts: TimeCuts) -> pl.Series:
    """[E] split of each event: before the cuts, between them, after them."""
    return pl.select(
        pl.when(times >= cuts.test_from)
        .then(pl.lit(TEST))
        .when(times >= cuts.validation_from)
        .then(pl.lit(VALIDATION))
        .otherwise(pl.lit(TRAIN))
        .alias(schema.SPLIT)
    ).to_series()


def leave_one_out(events: pl.DataFrame) -> pl.Series:
    """[E] split: each user's last event is test, the second last validation.

    Users with fewer than `MIN_EVENTS` events are all train. Leaky, as one user's test may
    lie before another's training: only for standing beside published tables.

    Args:
        events: user_id and order, 0 for a user's first event.
    """
    from_end = pl.col(schema.ORDER).max().over(schema.USER_ID) - pl.col(schema.ORDER)
    enough = pl.len().over(schema.USER_ID) >= MIN_EVENTS
    return events.select(
        pl.when(enough & (from_end == 0))
        .then(pl.lit(TEST))
        .when(enough & (from_end == 1))
        .then(pl.lit(VALIDATION))
        .otherwise(pl.lit(TRAIN))
        .alias(schema.SPLIT)
    ).to_series()


def at_random(
    events: pl.DataFrame, *, validation_share: float, test_share: float, seed: int
) -> pl.Series:
    """[E] split: events drawn without regard to user or time.

    Leaky, as most test events lie before training ones of the same user: only for standing
    beside published tables.

    Args:
        events: in an order that does not change, for the same draw.
        validation_share: share of events for validation.
        test_share: share of events for test.
        seed: which events go where.
    """
    place = pl.Series(np.random.default_rng(seed).permutation(len(events)))
    test, validation = round(len(events) * test_share), round(len(events) * validation_share)
    return _parts(events, pl.lit(place), pl.lit(test), pl.lit(test + validation))


def random_by_user(
    events: pl.DataFrame, *, validation_share: float, test_share: float, seed: int
) -> pl.Series:
    """[E] split: these shares of each user's events, drawn; leaky as `at_random`.

    Args:
        events: user_id, in an order that does not change, for the same draw.
        validation_share: share of each user's events for validation.
        test_share: share of each user's events for test.
        seed: which events go where.
    """
    drawn = pl.Series(np.random.default_rng(seed).permutation(len(events)))
    return _by_user(events, drawn, validation_share, test_share)


def last_by_user(events: pl.DataFrame, *, validation_share: float, test_share: float) -> pl.Series:
    """[E] split: the last events of each user are test, those before them validation.

    Leaky as `leave_one_out`, which takes one event where this takes a share.

    Args:
        events: user_id and order, 0 for a user's first event.
        validation_share: share of each user's events for validation.
        test_share: share of each user's events for test.
    """
    return _by_user(events, -events[schema.ORDER], validation_share, test_share)


def cold_start(
    events: pl.DataFrame, *, validation_share: float, test_share: float, seed: int
) -> pl.Series:
    """[E] split: every event of some items is test, of others validation.

    What training never saw has to be recommended by its texts alone. Leaky in time, as
    training events may be later.

    Args:
        events: item_row.
        validation_share: share of items for validation.
        test_share: share of items for test.
        seed: which items go where.
    """
    items = events[schema.ITEM_ROW].unique().sort()
    place = pl.Series(np.random.default_rng(seed).permutation(len(items)))
    test = round(len(items) * test_share)
    drawn = events.with_columns(
        pl.col(schema.ITEM_ROW).replace_strict(items, place, return_dtype=pl.Int64).alias("_place")
    )
    held = test + round(len(items) * validation_share)
    return _parts(drawn, pl.col("_place"), pl.lit(test), pl.lit(held))


def _by_user(
    events: pl.DataFrame, key: pl.Series, validation_share: float, test_share: float
) -> pl.Series:
    """Each user's events from the smallest key on: test, validation, and at least one train."""
    place = pl.col("_key").rank("ordinal").over(schema.USER_ID) - 1
    size = pl.len().over(schema.USER_ID)
    test = pl.min_horizontal((size * test_share).round(), size - 1)
    held = pl.min_horizontal(test + (size * validation_share).round(), size - 1)
    return _parts(events.with_columns(key.alias("_key")), place, test, held)


def _parts(events: pl.DataFrame, place: pl.Expr, test: pl.Expr, held: pl.Expr) -> pl.Series:
    return events.select(
        pl.when(place < test)
        .then(pl.lit(TEST))
        .when(place < held)
        .then(pl.lit(VALIDATION))
        .otherwise(pl.lit(TRAIN))
        .alias(schema.SPLIT)
    ).to_series()


def given_events(events: pl.DataFrame) -> pl.Series:
    """[E] the shop's own split, completed.

    When test is not given, validation becomes test. When validation is then not given,
    each user's last training event is taken for it, of users with `MIN_EVENTS` of them.

    Args:
        events: user_id, order, and split with our names.
    """
    split = _with_test(events[schema.SPLIT])
    if (split == VALIDATION).any():
        return split
    training = (
        events.with_columns(split).with_row_index("row").filter(pl.col(schema.SPLIT) == TRAIN)
    )
    rows = training.filter(
        (pl.col(schema.ORDER) == pl.col(schema.ORDER).max().over(schema.USER_ID))
        & (pl.len().over(schema.USER_ID) >= MIN_EVENTS)
    )["row"]
    return split.scatter(rows, VALIDATION)


def given_judgments(judgments: pl.DataFrame, *, validation_share: float, seed: int) -> pl.Series:
    """[J] the shop's own split, completed.

    When test is not given, validation becomes test. When validation is then not given, a
    share of the training *queries* is taken for it.

    Args:
        judgments: query, and split with our names.
        validation_share: share of the training queries taken.
        seed: which of them.
    """
    split = _with_test(judgments[schema.SPLIT])
    if (split == VALIDATION).any():
        return split
    taken = (split == TRAIN) & (_place(judgments[schema.QUERY], seed) < validation_share)
    return split.set(taken, VALIDATION)


def by_query(
    judgments: pl.DataFrame, *, validation_share: float, test_share: float, seed: int
) -> pl.Series:
    """[J] split of each judgment, the same for all of a query, whatever else is there.

    Args:
        judgments: query.
        validation_share: share of queries for validation.
        test_share: share of queries for test.
        seed: which queries go where.
    """
    place = _place(judgments.select(same_query(pl.col(schema.QUERY))).to_series(), seed)
    return pl.select(
        pl.when(place < test_share)
        .then(pl.lit(TEST))
        .when(place < test_share + validation_share)
        .then(pl.lit(VALIDATION))
        .otherwise(pl.lit(TRAIN))
        .alias(schema.SPLIT)
    ).to_series()


def same_query(query: pl.Expr) -> pl.Expr:
    """Queries in one form, case and spaces aside: what one split learns, no other may ask."""
    return query.str.to_lowercase().str.replace_all(r"\s+", " ").str.strip_chars()


def _with_test(split: pl.Series) -> pl.Series:
    return split if (split == TEST).any() else split.replace(VALIDATION, TEST)


def _place(queries: pl.Series, seed: int) -> pl.Series:
    """[J] a place in [0, 1) for each query: a hash of its text, so it never moves."""
    distinct = queries.unique()
    places = [
        int.from_bytes(hashlib.blake2b(f"{seed}:{query}".encode(), digest_size=8).digest()) / 2**64
        for query in distinct
    ]
    return queries.replace_strict(
        distinct, pl.Series(places, dtype=pl.Float64), return_dtype=pl.Float64
    )
