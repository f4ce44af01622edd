"""Values and their rows."""

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from twotower.features.vocabulary import UNKNOWN, Vocabulary

words = st.lists(st.sampled_from(["a", "b", "c", "d", "", None]), max_size=30)


@given(words, st.integers(1, 3))
def test_values_frequent_enough_have_rows_of_their_own_and_no_others(values, least):
    vocabulary = Vocabulary.fit(values, min_count=least)
    kept = {v for v in values if v and values.count(v) >= least}
    assert set(vocabulary.values) == kept
    rows = vocabulary.rows(pl.Series(sorted(kept), dtype=pl.String)).tolist()
    assert sorted(rows) == list(range(1, len(kept) + 1))
    assert vocabulary.size == len(kept) + 1


@given(words)
def test_a_more_frequent_value_has_an_earlier_row_whatever_the_order_of_the_data(values):
    vocabulary = Vocabulary.fit(values)
    counts = [values.count(value) for value in vocabulary.values]
    assert counts == sorted(counts, reverse=True)
    assert Vocabulary.fit(reversed(values)) == vocabulary


def test_missing_and_new_values_are_unknown():
    found = Vocabulary(("a",)).rows(pl.Series(["a", None, "z", ""]))
    assert found.tolist() == [1, UNKNOWN, UNKNOWN, UNKNOWN]
