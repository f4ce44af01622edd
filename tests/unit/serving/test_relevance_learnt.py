"""Probabilities learnt from judged pairs: they mean what they say, and rise with the evidence."""

from dataclasses import replace

import numpy as np
import pytest

from twotower.bundle import Bundle
from twotower.encoders.cache import CachedTextEncoder
from twotower.retrieval.relevance import Relevance
from twotower.schema import Split
from twotower.serving.relevance import KEPT, Pairs, fitted, judged_pairs, reliability
from twotower.serving.scorers import Subject, word_search


def planted(n_pairs: int, seed: int, *, against: float = 2.0) -> Pairs:
    """Pairs that are right with a probability that is known."""
    random = np.random.default_rng(seed)
    semantic, coverage = random.uniform(0, 0.8, n_pairs), random.uniform(0, 1, n_pairs)
    chance = 1 / (1 + np.exp(3.5 - 6 * semantic - against * coverage))
    right = random.random(n_pairs) < chance
    leading = chance > np.quantile(chance, 0.3)
    judged = np.ones(n_pairs, bool)
    return Pairs(semantic, coverage, right, judged, leading, np.full(n_pairs // 10, 5))


def test_probabilities_mean_what_they_say_on_pairs_that_did_not_teach_them():
    relevance = fitted(planted(4000, seed=1))
    unseen = planted(4000, seed=2)
    assert reliability(unseen, relevance)["ece"] < 0.03
    lying = replace(relevance, probability=tuple(p**3 for p in relevance.probability))
    assert reliability(unseen, lying)["ece"] > 0.1


def test_more_meaning_and_more_words_never_fit_less():
    relevance = fitted(planted(2000, seed=1))
    grid = np.linspace(0, 1, 30)
    meaning, held = np.meshgrid(grid, grid, indexing="ij")
    told = relevance.fit(meaning, held)
    assert (np.diff(told, axis=0) >= 0).all()
    assert (np.diff(told, axis=1) >= 0).all()
    assert told.max() > told.min() + 0.5


def test_a_part_that_counts_against_products_is_left_out():
    relevance = fitted(planted(4000, seed=1, against=-3.0))
    assert relevance.words == 0
    assert relevance.semantic > 0


def test_the_cut_off_keeps_the_right_products_that_lead():
    pairs = planted(4000, seed=1)
    relevance = fitted(pairs)
    assert 0 < relevance.cut_off <= 0.5
    told = reliability(pairs, relevance)
    assert told["right_leading_hits_kept"] >= KEPT
    stricter = reliability(pairs, replace(relevance, cut_off=0.8))
    assert stricter["right_leading_hits_kept"] < KEPT


def test_too_few_queries_teach_nothing():
    few = replace(planted(4000, seed=1), matches=np.full(29, 5))
    assert fitted(few) == Relevance()


@pytest.fixture(scope="module")
def subject(tiny_bundle, cache):
    bundle = Bundle.load(tiny_bundle)
    encoder = CachedTextEncoder(bundle.model.text_encoder, cache)
    return Subject(bundle.model, bundle.dataset, encoder)


def test_pairs_are_what_was_judged_and_as_many_drawn_that_were_not(subject):
    words = word_search(subject.dataset)
    pairs = judged_pairs(subject, words, Split.VALIDATION, weight=0.4)
    judged = subject.dataset.judgments.filter(split=str(Split.VALIDATION))
    assert pairs.judged.sum() == judged.select("query", "item_row").n_unique()
    assert pairs.right.sum() == judged.filter("positive").select("query", "item_row").n_unique()
    assert not (pairs.right & ~pairs.judged).any()
    n_queries = judged["query"].n_unique()
    assert 9 * n_queries < (~pairs.judged).sum() <= 10 * n_queries
    assert len(pairs.matches) == n_queries
    assert pairs.semantic[pairs.right].mean() > pairs.semantic[~pairs.judged].mean()
    assert pairs.coverage.min() >= 0
    assert pairs.coverage.max() <= 1
