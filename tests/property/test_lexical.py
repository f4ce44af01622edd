"""Laws of words, on texts that hypothesis makes up."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from twotower.lexical.analysis import analyse
from twotower.lexical.bm25 import Bm25

few_words = st.lists(
    st.sampled_from(["lamp", "desk", "red", "wd-40", "3x5", "1/2 in", "the"]), max_size=6
).map(" ".join)
catalogues = st.lists(few_words, min_size=1, max_size=12)


@given(st.text(max_size=200))
def test_any_text_can_be_analysed_and_case_does_not_matter_in_ascii(text):
    terms = analyse(text)
    assert all(terms)
    if text.isascii():
        assert analyse(text.upper()) == analyse(text.lower())


@given(catalogues, few_words)
def test_a_row_scores_above_zero_exactly_when_it_shares_a_term(titles, query):
    scores = Bm25.fit({"title": titles}).scores(query)
    shared = [bool(set(analyse(title)) & set(analyse(query))) for title in titles]
    assert (scores > 0).tolist() == shared


@given(catalogues, few_words, st.floats(0, 3), st.floats(0, 1))
def test_search_is_sorting_the_scores(titles, query, k1, b):
    words = Bm25.fit({"title": titles}, k1=k1, b=b)
    scores = words.scores(query)
    expected = sorted(np.flatnonzero(scores).tolist(), key=lambda row: (-scores[row], row))[:5]
    assert words.search(query, 5)[0].tolist() == expected + [-1] * (5 - len(expected))


@given(catalogues, st.lists(st.tuples(st.integers(0, 20), few_words | st.none()), max_size=10))
def test_live_changes_match_the_texts_that_are_there(titles, changes):
    words, current = Bm25.fit({"title": titles}), list(titles)
    for place, text in changes:
        row = min(place, len(current))
        if text is None:
            if row < len(current):
                words.delete(row)
                current[row] = ""
            continue
        words.upsert(row, {"title": text})
        current[row:row + 1] = [text]  # fmt: skip
    for query in ("lamp", "wd40 desk", "3x5"):
        shared = [bool(set(analyse(text)) & set(analyse(query))) for text in current]
        assert (words.scores(query) > 0).tolist() == shared
