"""Laws of an index, on catalogues that hypothesis makes up, ties and zeros included."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from twotower.index.exact import ExactIndex
from twotower.index.hnsw import HnswConfig, HnswIndex

GRAPH = HnswConfig(links=4, build_effort=8, search_effort=8, scan_below=1, reproducible=True)
WIDTH = 3
numbers = st.sampled_from([-2.0, -1.0, -0.5, 0.0, 0.25, 1.0, 3.0])
catalogues = st.integers(0, 30).flatmap(lambda n: arrays(np.float32, (n, WIDTH), elements=numbers))
questions = arrays(np.float32, (WIDTH,), elements=numbers)


def ranking_by_hand(vectors: np.ndarray, query: np.ndarray, rows: np.ndarray) -> list[int]:
    return sorted(rows.tolist(), key=lambda row: (-float(vectors[row] @ query), row))


@given(catalogues, questions, st.integers(1, 35))
def test_exact_search_is_sorting_by_score_then_row(vectors, query, k):
    hits = ExactIndex(vectors).search(query, k).rows[0]
    expected = ranking_by_hand(vectors, query, np.arange(len(vectors)))[:k]
    assert hits.tolist() == expected + [-1] * (k - len(expected))


@given(catalogues, questions, st.integers(1, 35), st.data())
def test_filters_exclusions_and_deletions_are_sets(vectors, query, k, data):
    n = len(vectors)
    chosen = st.lists(st.integers(0, n - 1), max_size=n) if n else st.just([])
    out, gone, kept = (data.draw(chosen) for _ in range(3))
    allowed = np.zeros(n, dtype=bool)
    allowed[kept] = True
    index = ExactIndex(vectors)
    index.delete(gone)
    hits = index.search(query, k, exclude=[out], allowed=allowed).rows[0]
    left = np.array(sorted(set(kept) - set(out) - set(gone)), dtype=int)
    expected = ranking_by_hand(vectors, query, left)[:k]
    assert hits.tolist() == expected + [-1] * (k - len(expected))


@settings(max_examples=50)
@given(catalogues, questions, st.integers(1, 35), st.data())
def test_a_graph_never_returns_too_few_nor_a_wrong_row(vectors, query, k, data):
    n = len(vectors)
    out = data.draw(st.lists(st.integers(0, n - 1), max_size=n) if n else st.just([]))
    index = HnswIndex(vectors, GRAPH)
    index.upsert([n], [[9.0, 9.0, 9.0]])
    hits = index.search(query, k, exclude=[out])
    rows = hits.rows[0][hits.rows[0] >= 0]
    assert len(rows) == len(set(rows.tolist())) == min(k, n + 1 - len(set(out)))
    assert not set(rows.tolist()) & set(out)
    assert (np.diff(hits.scores[0][: len(rows)]) <= 0).all()


@given(catalogues, st.lists(st.tuples(st.integers(0, 40), questions), max_size=8))
def test_live_changes_end_where_building_anew_ends(vectors, changes):
    index, current = ExactIndex(vectors), vectors.copy()
    for place, vector in changes:
        row = min(place, len(current))
        index.upsert([row], vector[None])
        current = np.concatenate([current, vector[None]]) if row == len(current) else current
        current[row] = vector
    anew = ExactIndex(current)
    query = np.array([1.0, -0.5, 0.25], dtype=np.float32)
    before, after = index.search(query, 50), anew.search(query, 50)
    np.testing.assert_array_equal(before.rows, after.rows)
    np.testing.assert_array_equal(before.scores, after.scores)
