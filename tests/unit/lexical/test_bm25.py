"""Scores, fields, search and live changes of BM25."""

import math
import threading

import numpy as np
import pytest

from twotower.errors import ConfigError
from twotower.lexical.bm25 import Alternative, Bm25, Parameters

TITLES = [
    "red rain coat",
    "blue rain coat with hood",
    "umbrella",
    "rain rain gauge",
    "WD-40 lubricant 8 oz",
]


def upsert(words: Bm25, row: int, fields: dict[str, str]) -> None:
    words.upsert(row, {name: words.analyser.read(text) for name, text in fields.items()})


@pytest.fixture
def words() -> Bm25:
    return Bm25.fit({"title": TITLES}, parameters=Parameters(1.2, 0.75))


def test_the_score_is_the_published_formula(words):
    lengths = [3, 4, 1, 3, 6]  # wd-40 is wd, 40 and wd40
    mean = sum(lengths) / 5
    holders = {"rain": 3, "coat": 2}

    def part(term: str, count: int, row: int) -> float:
        idf = math.log(1 + (5 - holders[term] + 0.5) / (holders[term] + 0.5))
        return idf * count * 2.2 / (count + 1.2 * (0.25 + 0.75 * lengths[row] / mean))

    expected = [
        part("rain", 1, 0) + part("coat", 1, 0),
        part("rain", 1, 1) + part("coat", 1, 1),
        0,
        part("rain", 2, 3),
        0,
    ]
    np.testing.assert_allclose(words.scores("rain coats"), expected, rtol=1e-6)


def test_search_gives_matches_only_best_first(words):
    rows, scores = words.search("rain coat", 5)
    assert rows.tolist() == [0, 1, 3, -1, -1]
    assert (np.diff(scores[:3]) <= 0).all()
    assert (scores[3:] == -np.inf).all()


def test_ties_go_to_the_smaller_row():
    words = Bm25.fit({"title": ["same"] * 9})
    assert words.search("same", 4)[0].tolist() == [0, 1, 2, 3]


def test_codes_match_in_either_spelling(words):
    assert words.search("wd40", 1)[0].tolist() == [4]


def test_a_query_without_a_known_term_matches_nothing(words):
    for query in ("zebra", "", "the of", "?!"):
        assert (words.search(query, 3)[0] == -1).all()
        assert not words.scores(query).any()


def test_a_batch_scores_like_one_by_one(words):
    queries = ["rain", "coat hood", "", "umbrella rain"]
    batch = words.batch_scores(queries)
    assert batch.dtype == np.float32
    np.testing.assert_array_equal(batch, [words.scores(query) for query in queries])


def test_allowed_rows_only(words):
    allowed = np.array([False, True, True, True])
    assert words.search("rain", 4, allowed=allowed)[0].tolist() == [3, 1, -1, -1]
    assert words.search("wd40", 1, allowed=allowed)[0].tolist() == [-1], "beyond the mask's end"


def test_a_field_with_more_weight_counts_more():
    documents = {"title": ["lamp", "desk"], "brand": ["desk", "lamp"]}
    titles_first = Bm25.fit(documents, parameters=Parameters(weights={"title": 3.0}))
    brands_first = Bm25.fit(documents, parameters=Parameters(weights={"brand": 3.0}))
    assert titles_first.search("lamp", 2)[0].tolist() == [0, 1]
    assert brands_first.search("lamp", 2)[0].tolist() == [1, 0]


def test_each_field_is_held_back_by_its_own_length():
    long = "lamp " + " ".join(f"word{place}" for place in range(50))
    documents = {"title": ["lamp", "lamp"], "description": [None, long]}
    words = Bm25.fit(documents, parameters=Parameters(1.2, 1.0, {"description": 1e-6}))
    scores = words.scores("lamp")
    assert scores[1] == pytest.approx(scores[0], rel=1e-3), "a long description costs no title"


def test_a_word_in_two_fields_counts_more_than_in_one_and_less_than_twice():
    documents = {"title": ["lamp", "lamp", "desk"], "brand": ["lamp", "acme", "acme"]}
    both, one, _ = Bm25.fit(documents, parameters=Parameters(k1=1.2)).scores("lamp")
    assert one < both < 2 * one


def test_a_row_gets_the_best_of_alternatives(words):
    typed, other = Alternative({"umbrella": 1}), Alternative({"coat": 1}, 0.5)
    one, two = words.slot_scores([(typed,)]), words.slot_scores([(other,)])
    np.testing.assert_array_equal(words.slot_scores([(typed, other)]), np.maximum(one, two))
    np.testing.assert_allclose(words.slot_scores([(typed,), (other,)]), one + two)
    np.testing.assert_allclose(two, 0.5 * words.scores("coat"))


def test_missing_texts_are_empty():
    words = Bm25.fit({"title": ["lamp", "desk"], "brand": [None, "acme"]})
    assert words.search("acme", 2)[0].tolist() == [1, -1]


def test_an_empty_catalogue_can_grow():
    words = Bm25.fit({"title": []})
    assert (words.search("lamp", 2)[0] == -1).all()
    upsert(words, 0, {"title": "desk lamp"})
    assert words.search("lamp", 2)[0].tolist() == [0, -1]


# -- live changes ---------------------------------------------------------------


def test_a_new_product_is_found_by_a_word_never_seen(words):
    upsert(words, 5, {"title": "Zorblax umbrella"})
    assert words.n_items == 6
    assert words.search("zorblax", 2)[0].tolist() == [5, -1]


def test_a_live_text_scores_as_if_it_had_been_there_all_along(words):
    upsert(words, 5, {"title": TITLES[1]})
    scores = words.scores("blue rain coat hood")
    assert scores[5] == pytest.approx(scores[1], rel=1e-6)


def test_live_changes_leave_the_scores_of_others_alone(words):
    before = words.scores("rain coat umbrella")
    upsert(words, 5, {"title": "rain rain rain coat"})
    words.delete(0)
    np.testing.assert_array_equal(words.scores("rain coat umbrella")[1:5], before[1:])


def test_a_replaced_text_answers_for_its_new_words_only(words):
    upsert(words, 2, {"title": "parasol"})
    upsert(words, 2, {"title": "garden parasol"})
    assert words.search("umbrella", 1)[0].tolist() == [-1]
    assert words.search("parasol garden", 2)[0].tolist() == [2, -1]


def test_a_deleted_row_matches_nothing_until_it_comes_back(words):
    words.delete(2)
    assert words.search("umbrella", 1)[0].tolist() == [-1]
    upsert(words, 2, {"title": "umbrella"})
    assert words.search("umbrella", 1)[0].tolist() == [2]
    words.delete(2)
    assert words.search("umbrella", 1)[0].tolist() == [-1]


def test_fields_that_were_not_counted_are_ignored(words):
    upsert(words, 5, {"title": "lamp", "description": "umbrella"})
    assert words.search("umbrella", 5)[0].tolist() == [2, -1, -1, -1, -1]


def test_readers_never_see_half_a_change(words):
    faults: list[str] = []
    stop = threading.Event()

    def read() -> None:
        while not stop.is_set():
            rows, _ = words.search("beacon lantern", 3)
            found = {row for row in rows.tolist() if row >= 0}
            if len(found) > 1:
                faults.append(f"two states at once: {found}")

    upsert(words, 5, {"title": "x"})
    upsert(words, 6, {"title": "x"})
    readers = [threading.Thread(target=read) for _ in range(3)]
    for reader in readers:
        reader.start()
    for _ in range(200):
        upsert(words, 5, {"title": "beacon lantern"})
        upsert(words, 5, {"title": "x"})
        upsert(words, 6, {"title": "beacon lantern"})
        upsert(words, 6, {"title": "x"})
    stop.set()
    for reader in readers:
        reader.join()
    assert faults == []


# -- bad settings ---------------------------------------------------------------


def test_bad_settings_are_refused_with_the_range(words):
    with pytest.raises(ConfigError, match=r"k1 must be in 0\.\.10, got -1"):
        Parameters(k1=-1)
    with pytest.raises(ConfigError, match=r"b must be in 0\.\.1, got 2"):
        Parameters(b=2)
    with pytest.raises(ConfigError, match="above 0"):
        Parameters(weights={"title": 0.0})
    with pytest.raises(ConfigError, match="k must be at least 1"):
        words.search("rain", 0)
    with pytest.raises(ConfigError, match="fields of the documents"):
        words.with_parameters(Parameters(weights={"brand": 2.0}))
    with pytest.raises(ConfigError, match="one text per row"):
        Bm25.fit({"title": ["a"], "brand": []})
    with pytest.raises(ConfigError, match=r"0\.\.5"):
        upsert(words, 7, {"title": "gap"})
    with pytest.raises(ConfigError, match=r"0\.\.4"):
        words.delete(5)


def test_holders_are_those_of_now(words):
    assert words.holders("rain") == 3
    words.delete(0)
    upsert(words, 1, {"title": "no drops"})
    upsert(words, 5, {"title": "rain"})
    assert words.holders("rain") == 2
