"""What a visitor had stands higher, where it may be shown: exactly, and with its reason."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from little_bundle import little_bundle

from twotower.features.again import Again
from twotower.features.history import History
from twotower.index.exact import ExactIndex
from twotower.index.hnsw import HnswConfig, HnswIndex
from twotower.retrieval.listing import ByVector
from twotower.retrieval.repeats import Lifted
from twotower.retrieval.retriever import Retriever

MUG, KETTLE, CHAIR = 6, 5, 2
PAST = History.of([MUG, CHAIR, MUG, KETTLE])


def graph(vectors):
    return HnswIndex(vectors, HnswConfig(scan_below=1, reproducible=True))


def shop(**bundle) -> Retriever:
    return Retriever(little_bundle(**bundle))


def scores(answer) -> dict[str, float]:
    return {hit.item_id: hit.score for hit in answer.hits}


@given(
    st.sets(st.integers(0, 29), max_size=12),
    st.sets(st.integers(0, 29), max_size=29),
    st.integers(1, 31),
    st.sampled_from([ExactIndex, graph]),
)
def test_the_best_are_those_of_the_sums(past, hidden, k, index):
    drawn = np.random.default_rng(k)
    vectors = drawn.normal(size=(30, 8)).astype(np.float32)
    vector = drawn.normal(size=8).astype(np.float32)
    rows = np.array(sorted(past), np.int64)
    added = drawn.random(len(rows)) * 5
    allowed = np.ones(30, bool)
    allowed[list(hidden)] = False
    whole = (vectors @ vector).astype(np.float64)
    whole[rows] += added
    found, values = Lifted(ByVector(index(vectors), vector, 0.0), rows, added).best(k, allowed)
    expected = [row for row in np.argsort(-whole).tolist() if allowed[row]][:k]
    assert found.tolist() == expected
    np.testing.assert_allclose(values, whole[expected], atol=1e-5)


def test_what_was_had_often_rises_above_what_fits():
    plain, lifted = (
        shop(again=again).recommend(PAST, k=7, repeat=True) for again in (Again(), Again(50.0))
    )
    assert plain.hits[0].item_id == "kettle"  # a visitor is where they were last
    assert lifted.hits[0].item_id == "mug"
    before, after = scores(plain), scores(lifted)
    assert after["mug"] - before["mug"] == pytest.approx(50 * np.log(3), abs=1e-4)
    assert after["kettle"] - before["kettle"] == pytest.approx(50 * np.log(2), abs=1e-4)
    assert after["lamp"] == before["lamp"]
    parts = {hit.item_id: hit.parts.semantic for hit in lifted.hits}
    assert parts == pytest.approx(before, abs=1e-4)


def test_what_may_not_be_shown_again_is_not():
    once = shop(again=Again(50.0)).recommend(PAST, k=7, repeat=False)
    assert not {"mug", "kettle"} & set(scores(once))
    left_out = shop(again=Again(50.0)).recommend(PAST, k=7, repeat=True, exclude=["mug"])
    assert "mug" not in scores(left_out)


def test_the_reason_is_the_item_itself_and_reasons_sum_to_the_score():
    answer = shop(again=Again(50.0)).recommend(PAST, k=7, repeat=True, explain=True)
    for hit in answer.hits:
        assert sum(one.value for one in hit.reasons) == pytest.approx(hit.score, abs=1e-4)
    first = answer.hits[0].reasons[0]
    assert (first.kind, first.item_id) == ("history", "mug")
    assert first.value >= 50 * np.log(3) - 20


def test_a_new_visitor_and_one_without_a_user_tower_are_answered_as_before():
    assert scores(shop(again=Again(50.0)).recommend(History.of([]), k=3, repeat=True)) == scores(
        shop().recommend(History.of([]), k=3, repeat=True)
    )
    assert scores(shop(users=False, again=Again(50.0)).recommend(PAST, k=3, repeat=True)) == scores(
        shop(users=False).recommend(PAST, k=3, repeat=True)
    )
