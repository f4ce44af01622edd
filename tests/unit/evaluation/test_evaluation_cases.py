"""Who asks, what is right, and what was left out."""

from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from twotower.data.outside import Outside
from twotower.errors import DataError
from twotower.evaluation.cases import recommendation_cases, search_cases
from twotower.evaluation.external import cases_from_events, cases_from_judgments
from twotower.evaluation.slices import head_count

from .conftest import DAY, make_dataset


def _targets(cases):
    return {
        key: sorted(cases.rows[cases.targets(case)].tolist()) for case, key in enumerate(cases.keys)
    }


def _in_slice(cases, name):
    return {
        key for case, key in enumerate(cases.keys) if cases.slices[name][cases.targets(case)].any()
    }


def test_targets_are_the_unique_new_items_of_the_split(shop):
    cases = recommendation_cases(shop, "test")

    assert _targets(cases) == {"ann": [3], "bob": [5], "new": [4]}
    assert cases.skipped == {"targets_already_seen": 2, "visitors_with_only_seen_targets": 1}


def test_a_shop_of_repeat_buyers_keeps_seen_items(shop):
    cases = recommendation_cases(shop, "test", repeat=True)

    assert _targets(cases) == {"ann": [0, 3], "bob": [5], "eve": [1], "new": [4]}
    assert cases.hidden(0).tolist() == []


def test_the_history_of_test_includes_validation_and_that_of_validation_does_not(shop):
    test, validation = recommendation_cases(shop, "test"), recommendation_cases(shop, "validation")

    assert test.histories[test.keys.index("ann")].item_rows.tolist() == [0, 1, 2]
    assert validation.histories[validation.keys.index("ann")].item_rows.tolist() == [0, 1]


def test_visitors_without_a_past_are_kept_and_noted(shop):
    cases = recommendation_cases(shop, "test")

    assert len(cases.histories[cases.keys.index("new")]) == 0
    assert cases.noted == {"visitors_without_history": 1}
    assert _in_slice(cases, "history_none") == {"new"}
    assert _in_slice(cases, "history_3-5") == {"ann"}


def test_the_answer_is_wanted_when_the_first_target_happens(shop):
    cases = recommendation_cases(shop, "test")

    assert cases.now_ms[cases.keys.index("ann")] == 21 * DAY


def test_cold_means_without_an_event_before_the_split():
    events = [("a", 0, 1, "train"), ("a", 2, 2, "validation"), ("a", 3, 3, "test")]
    events += [("b", 3, 1, "train"), ("b", 1, 3, "test"), ("c", 0, 1, "train"), ("c", 2, 3, "test")]
    cases = recommendation_cases(make_dataset(events, n_items=4), "test")

    assert _in_slice(cases, "warm") == {"a", "c"}
    assert _in_slice(cases, "cold") == {"b"}


def test_the_head_is_what_makes_a_fifth_of_the_training_events():
    assert head_count(np.array([10, 10, 30, 50])) == 50
    assert head_count(np.array([10, 10, 10, 10])) == 10
    assert head_count(np.zeros(4, np.int64)) == 1


def test_slices_by_target_split_the_targets_and_lengths_split_the_visitors(tastes):
    cases = recommendation_cases(tastes, "test")

    for parts in (("warm", "cold"), ("head", "tail")):
        assert np.array_equal(sum(cases.slices[p].astype(int) for p in parts), np.ones(len(cases)))
    lengths = [m.astype(int) for name, m in cases.slices.items() if name.startswith("history")]
    assert np.array_equal(sum(lengths), np.ones(len(cases)))


def test_slices_by_kind_take_the_strongest_event_with_each_item():
    events = [("a", 0, 1, "train"), ("b", 0, 1, "train"), ("a", 1, 2, "test"), ("a", 1, 3, "test")]
    dataset = make_dataset([*events, ("b", 2, 2, "test"), ("a", 2, 4, "test")], n_items=3)
    kinds = ["view", "view", "view", "purchase", "view", "cart"]
    several = replace(dataset, events=dataset.events.with_columns(event=pl.Series(kinds)))

    cases = recommendation_cases(several, "test")

    assert cases.rows.tolist() == [1, 2, 2]
    slices = {name: cases.slices[name].tolist() for name in cases.slices if "kind" in name}
    assert slices == {
        "kind_view": [False, False, True],
        "kind_cart": [False, True, False],
        "kind_purchase": [True, False, False],
    }
    alone = recommendation_cases(dataset, "test")
    assert not [name for name in alone.slices if "kind" in name], "one kind is no slice"


def test_an_unknown_order_of_time_is_normal():
    events = [("a", 0, None, "train"), ("a", 1, None, "test")]

    cases = recommendation_cases(make_dataset(events, n_items=2), "test")

    assert cases.now_ms.tolist() == [-1]


def test_a_query_without_a_right_answer_is_skipped_and_counted(shop):
    cases = search_cases(shop, "test")

    assert cases.keys == ("red shoe", "a very long query indeed")
    assert cases.skipped["queries_without_positive"] == 1
    assert _in_slice(cases, "words_5+") == {"a very long query indeed"}


def test_graded_answers_have_gains_and_only_the_right_ones_are_positive(shop):
    cases = search_cases(shop, "test")
    where = cases.targets(0)

    assert cases.rows[where].tolist() == [0, 1]
    assert cases.gains[where].tolist() == [7, 3]
    assert cases.positive[where].tolist() == [True, False]


def test_later_events_keep_unknown_items_as_misses_and_drop_what_training_saw(shop):
    later = pl.DataFrame(
        {
            "user_id": ["ann", "ann", "zoe", "bob"],
            "item_id": ["i4", "never heard of", "i2", "i0"],
            "time": [40 * DAY, 41 * DAY, 42 * DAY, 3 * DAY],
        }
    )

    cases = cases_from_events(Outside(later), shop)

    assert set(cases.keys) == {"ann", "zoe"}
    ann = cases.rows[cases.targets(cases.keys.index("ann"))]
    assert ann[0] == 4
    assert ann[1] < 0
    assert cases.noted["unknown_items_kept_as_misses"] == 1
    assert cases.skipped["events_of_the_training_split"] == 1


def test_the_history_of_a_later_event_ends_before_it(shop):
    later = pl.DataFrame({"user_id": ["ann"], "item_id": ["i5"], "time": [20 * DAY]})

    cases = cases_from_events(Outside(later), shop)

    assert cases.histories[0].item_rows.tolist() == [0, 1, 2]


def test_judged_queries_of_a_file_are_graded_on_the_scale_of_the_dataset(shop):
    judged = pl.DataFrame(
        {
            "query": ["new words", "new words", "old words", "unknown"],
            "item_id": ["i1", "i2", "i3", "gone"],
            "grade": [3.0, 2.0, 3.0, 3.0],
        }
    )

    cases = cases_from_judgments(Outside(judged), shop)

    assert cases.gains.tolist() == [3, 1, 3, 3]  # the dataset's scale is 1..3
    assert cases.positive.tolist() == [True, False, True, True]
    assert cases.noted == {"unknown_items_kept_as_misses": 1, "queries_also_in_training": 1}


def judged_by(*given):
    items = [f"i{place}" for place in range(len(given))]
    grades = pl.Series(given, dtype=None if isinstance(given[0], str) else pl.Float64)
    return Outside(
        pl.DataFrame({"query": ["new"] * len(given), "item_id": items, "grade": grades}),
        "judged.csv",
    )


@pytest.fixture
def lettered(shop):
    return replace(shop, about=replace(shop.about, gain_map="esci"))


def test_numbers_stand_for_the_letters_that_the_dataset_was_judged_by(lettered):
    cases = cases_from_judgments(judged_by(3, 2, 1, 0), lettered)
    letters = cases_from_judgments(judged_by("E", "S", "C", "I"), lettered)

    assert cases.gains.tolist() == letters.gains.tolist() == [1.0, 0.1, 0.01]
    assert cases.positive.tolist() == letters.positive.tolist() == [True, False, False]


def test_numbers_without_a_letter_are_refused_where_the_dataset_has_letters(lettered):
    with pytest.raises(DataError, match=r"judged\.csv: .*3, 2, 1, 0 in their place.*\[1\.0, 4"):
        cases_from_judgments(judged_by(4, 1), lettered)


def test_letters_are_worth_the_same_where_the_dataset_has_numbers(shop):
    assert cases_from_judgments(judged_by("E", "S"), shop).gains.tolist() == [1.0, 0.1]


def test_what_cleaning_left_out_is_counted_among_the_cases(shop):
    given = replace(judged_by("E", "S"), left_out={"blank_query": 3})

    assert cases_from_judgments(given, shop).skipped["blank_query"] == 3


def test_judgments_of_which_none_is_right_are_refused_with_what_was_found(shop):
    given = replace(judged_by("S", "C", "I"), left_out={"blank_query": 2})

    with pytest.raises(DataError, match=r"judged\.csv: .*blank query 2.*without positive 1.*: E,"):
        cases_from_judgments(given, shop)


@pytest.mark.parametrize("day", [1, 30])
def test_events_that_training_saw_or_of_items_already_had_are_refused(shop, day):
    again = pl.DataFrame({"user_id": ["ann"], "item_id": ["i0"], "time": [day * DAY]})

    with pytest.raises(DataError, match=r"later\.csv: nothing is left.* 1\).*give events that"):
        cases_from_events(Outside(again, "later.csv"), shop)


def test_a_dataset_without_the_table_says_what_to_do(shop):
    with pytest.raises(DataError, match="events"):
        recommendation_cases(make_dataset(None, n_items=2), "test")
    with pytest.raises(DataError, match="judgments"):
        search_cases(make_dataset([("a", 0, 1, "train")], n_items=2), "test")


def test_a_sample_keeps_every_case_whole(tastes):
    cases = recommendation_cases(tastes, "test")

    part = cases.sample(10, seed=3)

    assert len(part) == 10
    for case, key in enumerate(part.keys):
        whole = cases.keys.index(key)
        assert part.hidden(case).tolist() == cases.hidden(whole).tolist()
        assert part.rows[part.targets(case)].tolist() == cases.rows[cases.targets(whole)].tolist()
