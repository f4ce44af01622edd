"""Laws of histories: merging, padding, picking, and the time between events."""

import numpy as np
import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from twotower import schema
from twotower.features.history import (
    GAP_BUCKETS,
    UNKNOWN_TIME,
    Histories,
    History,
    Seen,
    gap_bucket,
)
from twotower.schema import PAD

events = st.lists(
    st.tuples(st.integers(0, 4), st.integers(1, 4), st.integers(0, 10**12)), max_size=12
)
many = st.lists(events, min_size=1, max_size=6)


def histories_of(lists):
    parts = []
    for some in lists:
        ordered = sorted(some, key=lambda event: event[2])
        parts.append(
            History.of(
                [row for row, _, _ in ordered],
                [kind for _, kind, _ in ordered],
                [time for _, _, time in ordered],
            )
        )
    return Histories.from_lists(parts)


def as_lists(histories):
    return [
        list(zip(one.item_rows.tolist(), one.kinds.tolist(), one.times.tolist(), strict=True))
        for one in histories
    ]


@given(many)
def test_merging_leaves_no_item_twice_in_a_row_and_keeps_the_order_of_items(lists):
    histories = histories_of(lists)
    for before, after in zip(histories, histories.collapsed(), strict=True):
        rows = before.item_rows.tolist()
        assert after.item_rows.tolist() == [
            row for place, row in enumerate(rows) if place == 0 or rows[place - 1] != row
        ]


@given(many)
def test_a_merged_event_has_the_strongest_kind_and_the_latest_time_of_its_run(lists):
    for before, after in zip(
        as_lists(histories_of(lists)), as_lists(histories_of(lists).collapsed()), strict=True
    ):
        place = 0
        for row, kind, time in after:
            run = []
            while place < len(before) and before[place][0] == row:
                run.append(before[place])
                place += 1
            assert kind == max(event[1] for event in run)
            assert time == max(event[2] for event in run)
        assert place == len(before)


@given(many)
def test_merging_twice_is_merging_once(lists):
    once = histories_of(lists).collapsed()
    assert as_lists(once.collapsed()) == as_lists(once)


def test_the_last_item_of_one_visitor_is_not_merged_with_the_first_of_the_next():
    histories = histories_of([[(3, 1, 10)], [(3, 1, 20)], [], [(3, 1, 30)]])
    assert histories.collapsed().lengths.tolist() == [1, 1, 0, 1]


@given(many, st.integers(1, 15))
def test_padding_keeps_the_last_events_left_aligned(lists, length):
    histories = histories_of(lists)
    padded = histories.padded(length)
    for user, one in enumerate(histories):
        kept = one.item_rows[-length:].tolist()
        assert padded.lengths[user] == len(kept)
        assert padded.item_rows[user].tolist() == kept + [PAD] * (length - len(kept))
        kinds = one.kinds[-length:].tolist()
        assert padded.kinds[user].tolist() == kinds + [0] * (length - len(kinds))
        assert (padded.gaps[user, len(kept) :] == 0).all()


@given(many, st.integers(1, 15), st.integers(10**12, 2 * 10**12))
def test_a_gap_is_the_time_to_the_next_event_and_the_last_one_to_now(lists, length, now):
    histories = histories_of(lists)
    padded = histories.padded(length, now)
    for user, one in enumerate(histories):
        times = one.times[-length:]
        following = np.append(times[1:], now) if len(times) else times
        assert padded.gaps[user, : len(times)].tolist() == gap_bucket(times, following).tolist()


def test_each_visitor_may_have_a_present_of_their_own():
    histories = histories_of([[(1, 1, 0)], [(1, 1, 0)]])
    padded = histories.padded(2, np.array([60_000, UNKNOWN_TIME]))
    assert padded.gaps[:, 0].tolist() == [2, 0]


def test_visitors_without_any_event_are_all_padding():
    padded = Histories.from_lists([History.of([]), History.of([])]).padded(3)
    assert (padded.item_rows == PAD).all()
    assert padded.lengths.tolist() == [0, 0]


@given(st.integers(0, 10**13), st.integers(0, 10**13))
def test_gap_buckets_are_known_ordered_and_bounded(one, other):
    small, large = sorted([one, other])
    start = np.zeros(2, np.int64)
    near, far = gap_bucket(start, np.array([small, large]))
    assert 1 <= near <= far < GAP_BUCKETS


@given(st.integers(2, GAP_BUCKETS - 1))
def test_bucket_b_begins_where_its_docstring_says(bucket):
    begins = (2 ** (bucket - 1) - 1) * 60_000
    found = gap_bucket(np.zeros(2, np.int64), np.array([begins - 1, begins]))
    assert found.tolist() == [bucket - 1, bucket]


def test_an_unknown_time_is_bucket_zero_and_a_clock_that_ran_backwards_is_no_gap():
    earlier, later = np.array([UNKNOWN_TIME, 5, 10**9]), np.array([5, UNKNOWN_TIME, 5])
    assert gap_bucket(earlier, later).tolist() == [0, 0, 1]


@given(many, st.data())
def test_taking_visitors_gives_their_histories_in_the_order_asked(lists, data):
    histories = histories_of(lists)
    users = data.draw(st.lists(st.integers(0, len(lists) - 1), max_size=8))
    taken = histories.take(np.array(users, np.int64))
    everyone = as_lists(histories)
    assert as_lists(taken) == [everyone[user] for user in users]


@given(many, st.integers(1, 15))
def test_a_history_is_padded_the_same_alone_and_among_others(lists, length):
    histories = histories_of(lists)
    together = histories.padded(length, 10**12)
    for user in range(len(histories)):
        alone = histories.take(np.array([user])).padded(length, 10**12)
        assert alone.item_rows[0].tolist() == together.item_rows[user].tolist()
        assert alone.gaps[0].tolist() == together.gaps[user].tolist()


@given(many, st.data())
def test_an_event_table_gives_back_the_histories_it_was_made_from(lists, data):
    histories = histories_of(lists)
    names = [f"user {number}" for number in range(len(lists))]
    table = pl.DataFrame(
        [
            (name, row, schema.EVENT_KINDS[kind - 1].value, time)
            for name, one in zip(names, as_lists(histories), strict=True)
            for row, kind, time in one
        ],
        schema={
            schema.USER_ID: pl.String,
            schema.ITEM_ROW: pl.Int32,
            schema.EVENT: pl.String,
            schema.TIME: pl.Int64,
        },
        orient="row",
    )
    wanted = data.draw(st.lists(st.sampled_from([*names, "stranger"]), max_size=6, unique=True))
    found, asked = Histories.from_events(table, wanted)
    everyone = dict(zip(names, as_lists(histories), strict=True))
    assert found == wanted
    assert as_lists(asked) == [everyone.get(name, []) for name in wanted]
    all_ids, everything = Histories.from_events(table)
    assert dict(zip(all_ids, as_lists(everything), strict=True)) == {
        name: some for name, some in everyone.items() if some
    }


def test_events_without_a_clock_have_unknown_times():
    table = pl.DataFrame(
        {
            "user_id": ["u", "u"],
            "item_row": [1, 2],
            "event": ["view", "cart"],
            "time": [None, None],
        },
        schema_overrides={"time": pl.Int64},
    )
    _, histories = Histories.from_events(table)
    assert histories.times.tolist() == [UNKNOWN_TIME, UNKNOWN_TIME]
    assert histories.padded(2, 10**12).gaps.tolist() == [[0, 0]]


@given(st.lists(st.integers(1, 4), min_size=1, max_size=8))
def test_kinds_and_gaps_that_training_never_met_are_read_as_the_nearest_it_met(kinds):
    met = Histories.from_lists([History.of([0] * len(kinds), kinds)])
    seen = Seen.of(met)

    read = seen.read(
        Histories.from_lists([History.of([1, 2], [1, 3], [0, 10**9])]).padded(4, 2 * 10**9)
    )

    assert set(read.kinds[0, :2].tolist()) <= set(kinds)
    assert read.kinds[0, 2:].tolist() == [0, 0]
    assert read.gaps.max() == 0  # a log without times knows no gap
    assert seen.read(met.padded(8)).kinds.tolist() == met.padded(8).kinds.tolist()


@given(st.lists(st.lists(st.integers(-1, 3), max_size=9).map(sorted), min_size=1, max_size=5))
def test_ties_in_drawn_order_stay_at_their_time_and_with_their_visitor(times_of):
    row = iter(range(100))
    made = Histories.from_lists([History.of([next(row) for _ in t], times=t) for t in times_of])
    drawn = made.ties_in_drawn_order(np.random.default_rng(0))
    assert drawn.times.tolist() == made.times.tolist()
    assert drawn.offsets.tolist() == made.offsets.tolist()
    for before, after in zip(made, drawn, strict=True):
        for time in set(before.times.tolist()):
            old = before.item_rows[before.times == time].tolist()
            new = after.item_rows[after.times == time].tolist()
            assert old == (new if time == UNKNOWN_TIME else sorted(new))


def test_ties_in_drawn_order_reach_every_order():
    made = Histories.from_lists([History.of([0, 1, 2], times=[5, 5, 5])])
    drawn = [made.ties_in_drawn_order(np.random.default_rng(seed)) for seed in range(50)]
    assert len({tuple(one.item_rows.tolist()) for one in drawn}) == 6
