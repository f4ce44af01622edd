"""Laws of the splits: nothing leaks, nothing is dropped, nothing depends on luck."""

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from twotower.data import splits
from twotower.errors import DataError

times = st.lists(st.integers(0, 60), min_size=3, max_size=120).filter(lambda t: len(set(t)) >= 3)
shares = st.sampled_from([(0.1, 0.1), (0.2, 0.1), (0.05, 0.3), (0.4, 0.4)])
users = st.lists(st.integers(0, 8), min_size=1, max_size=80)
queries = st.lists(st.text("abc", min_size=1, max_size=3), min_size=1, max_size=60)


def by_time(values, share):
    series = pl.Series(values)
    cuts = splits.time_cuts(series, validation_share=share[0], test_share=share[1])
    return splits.by_time(series, cuts), cuts


def log(owners):
    frame = pl.DataFrame({"user_id": [f"u{n}" for n in sorted(owners)]})
    return frame.with_columns(pl.int_range(pl.len()).over("user_id").alias("order"))


@given(times, shares)
def test_by_time_training_ends_before_validation_and_validation_before_test(values, share):
    split, _ = by_time(values, share)
    parts = [
        [t for t, s in zip(values, split, strict=True) if s == name]
        for name in ("train", "validation", "test")
    ]
    assert all(parts)
    assert max(parts[0]) < min(parts[1])
    assert max(parts[1]) < min(parts[2])


@given(times, shares)
def test_events_at_a_cut_are_on_its_later_side(values, share):
    split, cuts = by_time(values, share)
    for time, part in zip(values, split, strict=True):
        if time == cuts.test_from:
            assert part == "test"
        if time == cuts.validation_from:
            assert part == "validation"


@given(times, shares, st.randoms(use_true_random=False))
def test_cuts_do_not_depend_on_the_order_of_the_log(values, share, random):
    shuffled = list(values)
    random.shuffle(shuffled)
    assert by_time(values, share)[1] == by_time(shuffled, share)[1]


@given(st.integers(0, 10**6), shares)
def test_without_ties_the_shares_are_met(start, share):
    split, _ = by_time(list(range(start, start + 1000)), share)
    assert (split == "validation").sum() == pytest.approx(1000 * share[0], abs=1)
    assert (split == "test").sum() == pytest.approx(1000 * share[1], abs=1)


def test_two_times_cannot_make_three_parts():
    with pytest.raises(DataError, match="leave-one-out"):
        splits.time_cuts(pl.Series([1, 1, 2]), validation_share=0.1, test_share=0.1)


@given(users)
def test_leave_one_out_takes_the_last_two_of_each_user_with_three(owners):
    events = log(owners)
    parts = events.with_columns(splits.leave_one_out(events)).group_by("user_id").agg("split")
    for _, found in parts.iter_rows():
        n = len(found)
        held = ["validation", "test"] if n >= 3 else []
        assert found == ["train"] * (n - len(held)) + held


@given(users, shares, st.integers(0, 3))
def test_a_random_split_loses_nothing_and_has_the_shares(owners, share, seed):
    events, how = log(owners), {"validation_share": share[0], "test_share": share[1]}
    split = splits.at_random(events, **how, seed=seed)
    sizes = [round(len(owners) * part) for part in share]
    counts = [(split == part).sum() for part in ("validation", "test", "train")]
    assert counts == [*sizes, len(owners) - sum(sizes)]
    assert (split == splits.at_random(events, **how, seed=seed)).all()


def test_another_seed_draws_other_events():
    events = log([1] * 50)
    first, second = (
        splits.at_random(events, validation_share=0.1, test_share=0.3, seed=seed) for seed in (0, 1)
    )
    assert (first != second).any()


@pytest.mark.parametrize("drawn", [True, False])
@given(users, shares)
def test_shares_of_each_user_lose_nothing_and_leave_each_one_something_to_learn(
    drawn, owners, share
):
    events, how = log(owners), {"validation_share": share[0], "test_share": share[1]}
    split = (
        splits.random_by_user(events, **how, seed=1)
        if drawn
        else splits.last_by_user(events, **how)
    )
    for _, found in events.with_columns(split).group_by("user_id").agg("split").iter_rows():
        n, test = len(found), found.count("test")
        assert set(found) <= {"train", "validation", "test"}
        assert found.count("train") >= 1
        assert abs(test - min(n * share[1], n - 1)) <= 0.5
        assert abs(n - found.count("train") - min(n * sum(share), n - 1)) <= 1
        if not drawn:
            assert sorted(found, key=["train", "validation", "test"].index) == found


@given(users, st.booleans())
def test_a_given_split_is_completed_and_the_exam_is_left_as_it_was(owners, ask_validation):
    events = log(owners)
    named = "validation" if ask_validation else "test"
    last = pl.col("order") == pl.col("order").max().over("user_id")
    events = events.with_columns(
        pl.when(last).then(pl.lit(named)).otherwise(pl.lit("train")).alias("split")
    )
    split = splits.given_events(events)
    assert ((split == "test") == (events["split"] == named)).all()
    enough = events.group_by("user_id").len().filter(pl.col("len") >= 4)
    assert (split == "validation").sum() == len(enough)


@given(queries, st.integers(0, 3))
def test_all_judgments_of_a_query_are_in_one_split(texts, seed):
    judgments = pl.DataFrame({"query": texts})
    split = splits.by_query(judgments, validation_share=0.3, test_share=0.3, seed=seed)
    assert split.null_count() == 0
    assert judgments.with_columns(split).unique().height == len(set(texts))


@given(queries, queries)
def test_a_query_stays_where_it_is_when_others_come(texts, more):
    def placed(these):
        frame = pl.DataFrame({"query": these})
        split = splits.by_query(frame, validation_share=0.3, test_share=0.3, seed=0)
        return dict(zip(these, split, strict=True))

    assert placed(texts).items() <= placed(texts + more).items()


@given(queries)
def test_a_given_validation_becomes_the_exam_and_training_queries_the_new_validation(texts):
    judgments = pl.DataFrame({"query": texts}).with_columns(
        pl.when(pl.col("query").str.starts_with("a"))
        .then(pl.lit("validation"))
        .otherwise(pl.lit("train"))
        .alias("split")
    )
    split = splits.given_judgments(judgments, validation_share=0.5, seed=1)
    exam = judgments["split"] == "validation"
    assert ((split == "test") == exam).all()
    assert judgments.with_columns(split).unique().height == len(set(texts))
