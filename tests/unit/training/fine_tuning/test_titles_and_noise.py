"""Queries made up from titles, and what shoppers do to queries."""

import numpy as np
import pytest

from twotower.training.fine_tuning.noise import noisy
from twotower.training.fine_tuning.titles import TitleQueries, words_of

TITLES = [
    "Kohler Cruette Kitchen Faucet in Vibrant Stainless X9",
    "Delta Cruette Kitchen Faucet in Chrome",
    "Moen Kitchen Faucet in Chrome",
    "",
    "...",
]
BRANDS = ["Kohler", "Delta", None, None, None]


def made(row, count=400, titles=TITLES, brands=BRANDS):
    rng = np.random.default_rng(0)
    queries = TitleQueries(titles, brands)
    return [queries.query(row, rng) for _ in range(count)]


def test_a_product_without_words_has_no_query():
    assert TitleQueries(TITLES, BRANDS).rows == [0, 1, 2]


def test_queries_have_one_to_five_words_of_the_title_and_sometimes_the_brand():
    found = made(0)
    known = set(words_of(TITLES[0]))
    assert all(set(query.split()) <= known for query in found)
    lengths = {len([word for word in query.split() if word != "kohler"]) for query in found}
    assert lengths == {1, 2, 3, 4, 5}
    with_brand = [query for query in found if query.startswith("kohler ")]
    assert 0.2 < len(with_brand) / len(found) < 0.4


def test_the_order_is_mostly_the_title_s_and_sometimes_another():
    place = {word: n for n, word in enumerate(words_of(TITLES[2]))}
    longer = [query.split() for query in made(2) if len(query.split()) > 2]
    in_order = [words == sorted(words, key=place.__getitem__) for words in longer]
    assert 0.7 < np.mean(in_order) < 1


def test_words_of_one_product_are_typed_less_often_than_shared_ones():
    typed = [word for query in made(0) for word in query.split()]
    assert typed.count("x9") < typed.count("faucet") / 2


def test_a_title_that_is_only_a_brand_still_has_a_query():
    assert set(made(0, 20, ["Kohler"], ["Kohler"])) <= {"kohler", "kohler kohler"}


def noise_of(query, typo_share=0.0, drop_share=0.0, count=300):
    rng = np.random.default_rng(0)
    return [noisy(query, rng, typo_share=typo_share, drop_share=drop_share) for _ in range(count)]


def test_without_noise_a_query_stays():
    assert set(noise_of("red sofa")) == {"red sofa"}


@pytest.mark.parametrize("share", [0.15, 0.5])
def test_as_many_queries_are_changed_as_was_asked_for(share):
    lost = np.mean([len(query.split()) == 2 for query in noise_of("big red sofa", 0, share)])
    mistyped = np.mean([query != "big red sofa" for query in noise_of("big red sofa", share)])
    assert abs(lost - share) < 0.08
    assert abs(mistyped - share) < 0.08


def test_the_only_word_of_a_query_is_never_lost():
    assert set(noise_of("sofa", 0, 1)) == {"sofa"}
