"""Laws of words, on texts that hypothesis makes up."""

from collections import Counter

import numpy as np
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from rapidfuzz.distance import OSA

from twotower.lexical.analysis import Analyser
from twotower.lexical.bm25 import Bm25, Parameters
from twotower.lexical.prefixes import PrefixIndex, words_in
from twotower.lexical.spelling import SHORTEST, edits_allowed, near
from twotower.lexical.typos import with_typo
from twotower.lexical.vocabulary import Sequences, Vocabulary
from twotower.lexical.word_search import WordSearch

analyser = Analyser()
few_words = st.lists(
    st.sampled_from(["lamp", "desk", "red", "wd-40", "wd", "40", "3x5", "1/2 in", "the",
                     "lawnmower", "lawn", "mower", "raincoat", "rain-coat"]), max_size=6,
).map(" ".join)  # fmt: skip
catalogues = st.lists(few_words, min_size=1, max_size=12)
plain_words = st.text("abcdeé", min_size=1, max_size=10)
changes = st.lists(st.tuples(st.integers(0, 20), few_words | st.none()), max_size=10)
QUERIES = ("lamp", "wd40 desk", "wd 40", "3x5", "lawn mower", "lawnmower", "rain coat", "lampp",
           "lawnmowers", "dsek", "rai")  # fmt: skip


def terms(text: str) -> set[str]:
    return set(analyser.terms(text))


def changed(words: WordSearch, titles: list[str], steps: list) -> list[str]:
    """Make the changes, and return the titles that are there afterwards."""
    current = list(titles)
    for place, text in steps:
        row = min(place, len(current))
        if text is None:
            if row < len(current):
                words.delete(row)
                current[row] = ""
            continue
        words.upsert(row, {"title": text})
        current[row:row + 1] = [text]  # fmt: skip
    return current


@given(st.text(max_size=200))
def test_any_text_can_be_analysed_and_case_does_not_matter_in_ascii(text):
    found = analyser.terms(text)
    assert all(found)
    if text.isascii():
        assert analyser.terms(text.upper()) == analyser.terms(text.lower())


@given(catalogues, few_words)
def test_a_row_scores_above_zero_exactly_when_it_shares_a_term(titles, query):
    scores = Bm25.fit({"title": titles}).scores(query)
    assert (scores > 0).tolist() == [bool(terms(title) & terms(query)) for title in titles]


@given(catalogues, few_words, st.floats(0, 3), st.floats(0, 1))
def test_search_is_sorting_the_scores(titles, query, k1, b):
    words = Bm25.fit({"title": titles}, parameters=Parameters(k1, b))
    scores = words.scores(query)
    expected = sorted(np.flatnonzero(scores).tolist(), key=lambda row: (-scores[row], row))[:5]
    assert words.search(query, 5)[0].tolist() == expected + [-1] * (5 - len(expected))


@given(catalogues, few_words)
def test_whoever_shares_a_term_with_the_query_is_found_and_scores_no_less_than_by_bm25(
    titles, query
):
    words = WordSearch.fit({"title": titles})
    assert (words.scores(query) >= words.bm25.scores(query) - 1e-5).all()


@settings(deadline=None)
@given(st.lists(st.text(max_size=30), max_size=6), st.text(max_size=60))
def test_no_query_and_no_catalogue_is_an_error(titles, query):
    words = WordSearch.fit({"title": titles})
    reading = words.read(query)
    scores = words.scores(reading)
    assert scores.shape == (len(titles),)
    assert np.isfinite(scores).all()
    assert (scores >= 0).all()
    for row, title in enumerate(titles):
        if terms(title) & set(analyser.terms(query)[:64]):
            assert scores[row] > 0


@settings(deadline=None)
@given(catalogues, changes)
def test_after_live_changes_words_read_queries_as_a_catalogue_counted_afresh(titles, steps):
    words = WordSearch.fit({"title": titles})
    current = changed(words, titles, steps)
    afresh = WordSearch.fit({"title": current})
    for query in QUERIES:
        one, other = words.read(query), afresh.read(query)
        assert one.corrected == other.corrected
        assert [[set(way.terms) for way in slot] for slot in one.slots] == [
            [set(way.terms) for way in slot] for slot in other.slots
        ]
        assert (words.scores(query) > 0).tolist() == (afresh.scores(query) > 0).tolist()


@given(st.lists(plain_words, min_size=1, max_size=30), plain_words)
def test_near_words_are_exactly_those_within_the_edits_allowed(words, typed):
    vocabulary = Vocabulary(Sequences.collect([[analyser.read(word) for word in words]]), analyser)
    held = Counter(
        part
        for word in words
        for part in {part for token in analyser.read(word).tokens for part in token.parts}
    )
    typed = "".join(analyser.read(typed).tokens[0].parts)
    least = 2 if len(typed) == SHORTEST else 1
    expected = {
        word
        for word, rows in held.items()
        if OSA.distance(word, typed) <= edits_allowed(typed)
        and len(word) >= SHORTEST
        and rows >= least
    } if edits_allowed(typed) else set()  # fmt: skip
    assert {one.word for one in near(vocabulary, typed, limit=100)} == expected


@given(st.text(max_size=60), st.integers(0, 2**32 - 1))
def test_a_typo_is_one_edit_and_the_same_for_the_same_seed(query, seed):
    typed = with_typo(query, np.random.default_rng(seed))
    assert OSA.distance(query, typed) <= 1
    assert typed == with_typo(query, np.random.default_rng(seed))


@given(st.lists(few_words, max_size=12), few_words, st.integers(1, 5))
def test_suggestions_are_those_with_a_word_for_every_beginning(texts, typed, limit):
    found = PrefixIndex(texts, np.arange(len(texts))).find(words_in(typed), limit)
    assume(words_in(typed))
    fitting = [
        key for key, text in enumerate(texts)
        if all(any(word.startswith(start) for word in words_in(text)) for start in words_in(typed))
    ]  # fmt: skip
    if fitting:
        assert found == sorted(fitting, reverse=True)[:limit]


@given(st.lists(few_words, max_size=8), changes, few_words)
def test_suggestions_after_changes_are_those_of_an_index_made_afresh(texts, steps, typed):
    index, current = PrefixIndex(texts, np.zeros(len(texts))), dict(enumerate(texts))
    for key, text in steps:
        if text is None:
            index.remove(key)
            current.pop(key, None)
        else:
            index.put(key, text)
            current[key] = text
    keys = sorted(current)
    afresh = PrefixIndex([current[key] for key in keys], np.zeros(len(keys)))
    found = [index.text(key) for key in index.find(words_in(typed), 20)]
    assert found == [afresh.text(key) for key in afresh.find(words_in(typed), 20)]
