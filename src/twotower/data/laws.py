"""What every split promises, asserted whenever one is made."""

import polars as pl

from twotower import schema
from twotower.data.splits import MIN_EVENTS, TimeCuts
from twotower.schema import Split


def assert_events(events: pl.DataFrame, kind: str, cuts: TimeCuts | None) -> None:
    """No part of the log may know what it must not.

    By time: training ends before validation begins, and that before test. Leave-one-out: a
    user's test event is the last one, validation the one before. Cold start: an item is in
    one part only. Every part of a drawn split is as the shares say; that is the draw's own.

    Args:
        events: user_id, item_row, time, order, split.
        kind: of the split.
        cuts: of a split by time.
    """
    assert events[schema.SPLIT].is_in([split.value for split in Split]).all()
    if cuts is not None:
        _assert_by_time(events, cuts)
    elif kind == "leave-one-out":
        _assert_leave_one_out(events)
    elif kind == "cold-start":
        parts = events.group_by(schema.ITEM_ROW).agg(pl.col(schema.SPLIT).n_unique())
        assert (parts[schema.SPLIT] == 1).all(), "an item is in two parts of a cold-start split"


def assert_judgments(judgments: pl.DataFrame) -> None:
    """A query is in one part only."""
    parts = judgments.group_by(schema.QUERY).agg(pl.col(schema.SPLIT).n_unique())
    assert (parts[schema.SPLIT] == 1).all(), "a query is in two parts of the split"


def _assert_by_time(events: pl.DataFrame, cuts: TimeCuts) -> None:
    time, split = events[schema.TIME], events[schema.SPLIT]
    limits = {
        Split.TRAIN: (None, cuts.validation_from),
        Split.VALIDATION: (cuts.validation_from, cuts.test_from),
        Split.TEST: (cuts.test_from, None),
    }
    for part, (first, end) in limits.items():
        times = time.filter(split == part)
        assert first is None or (times >= first).all(), f"{part} has the past of its part"
        assert end is None or (times < end).all(), f"{part} has events of the future"


def _assert_leave_one_out(events: pl.DataFrame) -> None:
    from_end = pl.col(schema.ORDER).max().over(schema.USER_ID) - pl.col(schema.ORDER)
    enough = pl.len().over(schema.USER_ID) >= MIN_EVENTS
    test = enough & (from_end == 0)
    held = enough & (from_end <= 1)
    split = pl.col(schema.SPLIT)
    law = ((split == Split.TEST) == test) & ((split != Split.TRAIN) == held)
    assert events.select(law.all()).item(), "leave-one-out holds out other events than the last"
