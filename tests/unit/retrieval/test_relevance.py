"""What counts as a match: a probability with a cut-off, weak matches apart, nothing that fits."""

from dataclasses import replace

import numpy as np
import pytest
from little_bundle import little_bundle

from twotower.index.hnsw import HnswConfig, HnswIndex
from twotower.retrieval.relevance import Relevance
from twotower.retrieval.retriever import Retriever

CURVE = Relevance(-2.5, 4.0, 2.0, (-1.0, 0.0, 2.0), (0.05, 0.4, 0.9), cut_off=0.5, queries=40)
"""Probability .5 at an evidence of .4."""


def ids(hits) -> list[str]:
    return [hit.item_id for hit in hits]


@pytest.fixture
def shop() -> Retriever:
    return Retriever(little_bundle(relevance=CURVE.to_json()))


def test_a_relevance_is_read_back_and_names_of_other_releases_are_passed_over():
    assert Relevance.from_json(CURVE.to_json() | {"of_later": 1}) == CURVE
    assert Relevance.from_json({}) == Relevance()


def test_the_curve_is_straight_between_its_points_and_level_beyond():
    evidence = np.array([-9, -1, -0.5, 1, 2, 9])
    probability = CURVE.fit((evidence + 2.5) / 4, np.zeros(6))
    np.testing.assert_allclose(probability, [0.05, 0.05, 0.225, 0.65, 0.9, 0.9])


@pytest.mark.parametrize("cut_off", [-1.0, 0.0, 0.05, 0.1, 0.5, 0.8, 0.9, 1.0])
@pytest.mark.parametrize("is_calibrated", [True, False])
def test_what_has_less_than_the_least_evidence_is_no_match_and_no_weak_one(cut_off, is_calibrated):
    relevance = replace(CURVE if is_calibrated else Relevance(), cut_off=cut_off)
    semantic, coverage = np.linspace(-1, 1, 400), np.linspace(0, 1, 400) ** 2
    below = relevance.weighed(semantic, coverage) < relevance.least_evidence
    assert (relevance.fit(semantic, coverage)[below] < min(cut_off, cut_off / 2)).all()


def test_the_rule_of_unjudged_shops_takes_all_words_or_meaning_or_half_of_each():
    rule = Relevance()
    assert not rule.is_calibrated
    assert rule.fit(0.0, 1.0) >= rule.cut_off
    assert rule.fit(0.4, 0.0) >= rule.cut_off
    assert rule.fit(0.2, 0.5) >= rule.cut_off
    assert rule.fit(0.1, 0.5) < rule.cut_off
    assert "not calibrated" in rule.definition


def test_the_total_counts_what_reaches_the_cut_off_and_the_rest_is_weak(shop):
    answer = shop.search("blue sofa", k=24)
    assert answer.total == len(answer.hits) > 0
    assert all(hit.relevance >= 0.5 for hit in answer.hits)
    assert ids(answer.hits)[0] == "sofa-blue"
    assert answer.weak
    assert all(hit.relevance < 0.5 for hit in answer.weak)
    assert not set(ids(answer.hits)) & set(ids(answer.weak))
    assert [hit.rank for hit in (*answer.hits, *answer.weak)] == list(
        range(1, answer.total + len(answer.weak) + 1)
    )
    assert "0.50 or more, as 40 judged queries say" in answer.total_definition


def test_weak_matches_come_with_the_page_that_ends_the_list(shop):
    whole = shop.search("koda sofa lamp", k=24)
    assert whole.total >= 2
    assert shop.search("koda sofa lamp", k=whole.total - 1).weak == ()
    assert shop.search("koda sofa lamp", k=whole.total).weak == whole.weak != ()
    beyond = shop.search("koda sofa lamp", k=5, offset=whole.total)
    assert (beyond.hits, beyond.weak) == ((), whole.weak)


def test_a_query_of_another_world_finds_nothing_that_fits(shop):
    answer = shop.search("quantum mechanics textbook")
    assert (answer.hits, answer.total) == ((), 0)
    shared = shop.search("quantum mechanics of a blue textbook")
    assert shared.total == 0
    assert "sofa-blue" in ids(shared.weak), "it holds a word, so it is shown apart"


@pytest.mark.parametrize("mode", ["hybrid", "semantic"])
def test_both_modes_speak_of_the_same_matches(shop, mode):
    answer = shop.search("oak chair settee", mode=mode, k=24)
    assert set(ids(answer.hits)) == set(ids(shop.search("oak chair settee", k=24).hits))


def test_new_products_are_judged_like_all_others(shop):
    old = {hit.item_id: hit.relevance for hit in shop.search("blue sofa").hits}
    fields = {"title": "Blue sofa", "brand": "Koda", "category": "Living > Seats"}
    shop.put_item("twin", fields)
    hits = {hit.item_id: hit for hit in shop.search("blue sofa").hits}
    assert hits["twin"].relevance == pytest.approx(old["sofa-blue"], abs=0.02)


def test_a_graph_finds_the_same_matches():
    config = HnswConfig(scan_below=1, reproducible=True)
    index = {"index": lambda vectors: HnswIndex(vectors, config)}
    graph = Retriever(little_bundle(**index, relevance=CURVE.to_json()))
    exact = Retriever(little_bundle(relevance=CURVE.to_json()))
    for query in ("blue sofa", "lantern", "quantum textbook"):
        found, expected = graph.search(query), exact.search(query)
        assert (ids(found.hits), ids(found.weak)) == (ids(expected.hits), ids(expected.weak))


def test_without_judgments_no_probability_is_made_up():
    answer = Retriever(little_bundle()).search("blue sofa")
    assert answer.hits
    assert {hit.relevance for hit in answer.hits} == {None}
    assert "not calibrated" in answer.total_definition
