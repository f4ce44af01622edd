"""What every index promises. A new implementation is one line in INDEXES."""

import hashlib
import json
import threading
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from twotower.errors import BundleError, ConfigError, CorruptBundle, IncompatibleBundle
from twotower.index.base import Index
from twotower.index.build import index_recall, load_index
from twotower.index.exact import ExactIndex
from twotower.index.hnsw import HnswConfig, HnswIndex

WIDTH = 24


@dataclass(frozen=True)
class Implementation:
    name: str
    build: Callable[[np.ndarray], Index]
    type: type
    recall: float
    """The least agreement with exact search on unfiltered queries."""


# scan_below is small, so that the graph itself is tested also on a small catalogue.
GRAPH = HnswConfig(links=16, build_effort=64, search_effort=64, scan_below=50, reproducible=True)
INDEXES = [
    Implementation("exact", ExactIndex, ExactIndex, recall=1.0),
    Implementation("hnsw", lambda vectors: HnswIndex(vectors, GRAPH), HnswIndex, recall=0.98),
    Implementation("hnsw that scans", HnswIndex, HnswIndex, recall=1.0),
]


@pytest.fixture(params=INDEXES, ids=lambda implementation: implementation.name)
def implementation(request) -> Implementation:
    return request.param


def made_vectors(n: int = 2000, *, seed: int = 0) -> np.ndarray:
    """A catalogue with structure: noisy copies of a few hundred directions."""
    random = np.random.default_rng(seed)
    centres = random.normal(size=(max(n // 10, 1), WIDTH))
    vectors = centres[random.integers(len(centres), size=n)] + 0.5 * random.normal(size=(n, WIDTH))
    lengths = random.uniform(0.5, 1.5, size=(n, 1))
    return (lengths * vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


def made_queries(n: int = 40, *, seed: int = 1) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(n, WIDTH)).astype(np.float32)


@pytest.fixture
def vectors() -> np.ndarray:
    return made_vectors()


@pytest.fixture
def index(implementation: Implementation, vectors: np.ndarray) -> Index:
    return implementation.build(vectors)


def test_the_best_hit_comes_first_with_its_inner_product(index, vectors):
    queries = made_queries()
    hits = index.search(queries, 10)
    assert hits.rows.shape == hits.scores.shape == (40, 10)
    assert hits.rows.dtype == np.int64
    assert hits.scores.dtype == np.float32
    assert (np.diff(hits.scores, axis=1) <= 0).all()
    expected = np.einsum("qkd,qd->qk", vectors[hits.rows].astype(float), queries.astype(float))
    np.testing.assert_allclose(hits.scores, expected, rtol=1e-6)


def test_k_beyond_the_corpus_is_padded(implementation):
    index = implementation.build(made_vectors(3))
    hits = index.search(made_queries(2), 5)
    assert (np.sort(hits.rows, axis=1) == [-1, -1, 0, 1, 2]).all()
    assert (hits.rows[:, 3:] == -1).all()
    assert (hits.scores[:, 3:] == -np.inf).all()


def test_a_batch_answers_like_one_by_one(index):
    queries = made_queries()
    together = index.search(queries, 10)
    for number, query in enumerate(queries):
        alone = index.search(query, 10)
        np.testing.assert_array_equal(alone.rows[0], together.rows[number])
        np.testing.assert_array_equal(alone.scores[0], together.scores[number])


def test_no_query_gives_no_hit(index):
    assert index.search(np.empty((0, WIDTH), np.float32), 4).rows.shape == (0, 4)


def test_an_empty_corpus_gives_padding(implementation):
    index = implementation.build(np.empty((0, WIDTH), np.float32))
    assert (index.search(made_queries(2), 3).rows == -1).all()
    index.upsert([0], made_vectors(1))
    assert index.search(made_queries(1), 3).rows.tolist() == [[0, -1, -1]]


def test_duplicates_and_zero_vectors_survive(implementation):
    vectors = made_vectors(400)
    vectors[100:110] = vectors[7]
    vectors[200:203] = 0
    index = implementation.build(vectors)
    same = [7, *range(100, 110)]
    ranked = index.search(vectors[7], 400).rows[0].tolist()
    first = ranked.index(7)
    assert ranked[first : first + 11] == same, "equal vectors stand together, smaller row first"
    assert sorted(ranked) == list(range(400))
    assert (index.search(np.zeros(WIDTH), 5).scores == 0).all()


def test_equal_items_are_all_found_smallest_row_first(implementation):
    index = implementation.build(np.ones((40, WIDTH), np.float32))
    assert index.search(np.ones(WIDTH), 6).rows.tolist() == [[0, 1, 2, 3, 4, 5]]


def test_recall_against_exact_search_is_within_the_tables_tolerance(implementation):
    vectors = made_vectors(5000)
    found = index_recall(implementation.build(vectors), vectors, made_queries(200))
    assert found >= implementation.recall


def test_the_same_vectors_give_the_same_hits(implementation, vectors):
    first, second = implementation.build(vectors), implementation.build(vectors.copy())
    queries = made_queries()
    a, b = first.search(queries, 20), second.search(queries, 20)
    np.testing.assert_array_equal(a.rows, b.rows)
    np.testing.assert_array_equal(a.scores, b.scores)
    np.testing.assert_array_equal(first.search(queries, 20).rows, a.rows)


def test_scores_are_the_ones_of_the_hits(index):
    queries = made_queries(5)
    hits = index.search(queries, 10)
    np.testing.assert_allclose(
        np.take_along_axis(index.scores(queries), hits.rows, axis=1), hits.scores, rtol=1e-5
    )
    chosen = index.scores(queries[0], hits.rows[0])
    np.testing.assert_array_equal(chosen[0], hits.scores[0])


# -- live changes ---------------------------------------------------------------


def test_an_upsert_is_found_at_once(index):
    new = made_queries(3, seed=5) * 3
    index.upsert(np.arange(2000, 2003), new)
    assert index.n_items == 2003
    assert index.search(new, 1).rows[:, 0].tolist() == [2000, 2001, 2002]
    np.testing.assert_array_equal(index.vectors([2001]), new[1:2])


def test_a_changed_row_answers_with_its_new_vector_only(index, vectors):
    old = vectors[11]
    new = -3 * old
    index.upsert([11], new[None])
    assert index.n_items == 2000
    assert index.search(new, 1).rows[0, 0] == 11
    hits = index.search(old, 2000)
    assert hits.rows[0, -1] == 11
    assert (hits.rows == 11).sum() == 1


def test_of_a_row_given_twice_the_last_vector_counts(index):
    first, last = made_vectors(2, seed=8) * 4
    index.upsert([5, 5], np.stack([first, last]))
    np.testing.assert_array_equal(index.vectors([5])[0], last)


def test_deleted_rows_are_never_returned_and_come_back_by_upsert(index, vectors):
    queries = made_queries()
    gone = np.unique(index.search(queries, 5).rows)
    index.delete(gone)
    index.delete(gone[:2])
    assert not np.isin(index.search(queries, 50).rows, gone).any()
    assert (index.scores(queries)[:, gone] == -np.inf).all()
    assert (index.scores(queries, gone) == -np.inf).all()
    assert (index.search(queries, 2000).rows >= 0).sum(axis=1).tolist() == [2000 - len(gone)] * 40
    index.upsert(gone[:1], vectors[gone[:1]] * 5)
    assert index.search(vectors[gone[0]], 1).rows[0, 0] == gone[0]


def test_everything_may_be_deleted(index):
    index.delete(np.arange(2000))
    assert (index.search(made_queries(2), 4).rows == -1).all()


def test_a_gap_is_refused(index):
    with pytest.raises(ConfigError, match="2000 to append without a gap"):
        index.upsert([2005], made_vectors(1))
    with pytest.raises(ConfigError, match=r"0\.\.1999"):
        index.delete([2000])


def test_live_changes_leave_the_files_as_they_are(implementation, index, tmp_path):
    index.save(tmp_path)
    before = fingerprints(tmp_path)
    opened = load_index(tmp_path, WIDTH)
    opened.upsert([3, 2000], made_vectors(2, seed=3))
    opened.delete([9])
    opened.search(made_queries(), 10)
    assert fingerprints(tmp_path) == before
    assert load_index(tmp_path, WIDTH).n_items == 2000


def test_readers_never_see_a_deleted_row_nor_half_a_change(implementation):
    vectors = made_vectors(1500)
    index = implementation.build(vectors)
    queries = made_queries(4)
    targets = index.search(queries, 20).rows.ravel()
    deleted: set[int] = set()
    faults: list[str] = []
    stop = threading.Event()

    def read() -> None:
        while not stop.is_set():
            known = set(deleted)
            size = index.n_items
            hits = index.search(queries, 10)
            returned = set(hits.rows.ravel().tolist())
            if returned & known:
                faults.append(f"deleted rows returned: {returned & known}")
            if -1 in returned or max(returned) >= index.n_items or size > index.n_items:
                faults.append(f"half a change: {sorted(returned)[:3]}, {size}")

    readers = [threading.Thread(target=read) for _ in range(3)]
    for reader in readers:
        reader.start()
    for row in np.unique(targets).tolist():
        index.delete([row])
        deleted.add(row)
        index.upsert([index.n_items], made_vectors(1, seed=row))
    stop.set()
    for reader in readers:
        reader.join()
    assert faults == []
    assert index.n_items == 1500 + len(deleted)


# -- exclusions and filters -----------------------------------------------------


def test_excluded_rows_are_never_returned_and_k_is_filled(index):
    queries = made_queries(6)
    exclude = [index.search(query, 30 * number).rows[0] if number else [] for number, query in
               enumerate(queries)]  # fmt: skip
    hits = index.search(queries, 25, exclude=exclude)
    assert (hits.rows >= 0).all()
    for rows, out in zip(hits.rows, exclude, strict=True):
        assert not np.isin(rows, out).any()


def test_excluding_almost_everything_returns_what_is_left(index):
    left = np.array([4, 77, 1999])
    out = np.setdiff1d(np.arange(2000), left)
    hits = index.search(made_queries(1), 5, exclude=[out])
    assert sorted(hits.rows[0].tolist()) == [-1, -1, 4, 77, 1999]


def test_exclusion_holds_for_live_rows_too(index):
    new = made_vectors(1, seed=5) * 5
    index.upsert([2000], new)
    assert index.search(new, 3, exclude=[[2000]]).rows[0, 0] != 2000


@cache
def large(implementation: Implementation) -> tuple[np.ndarray, Index]:
    """5,000 vectors and an index over them, shared: not to be changed."""
    vectors = made_vectors(5_000)
    return vectors, implementation.build(vectors)


@pytest.mark.parametrize("kind", ["random", "near", "far"])
@pytest.mark.parametrize("share", [0.5, 0.1, 0.01, 0.001, 0.0001])
def test_a_filter_loses_nothing_at_any_selectivity_wherever_it_points(implementation, share, kind):
    """It allows rows by chance, or those nearest to the query, or those farthest from it."""
    vectors, index = large(implementation)
    oracle = ExactIndex(vectors)
    n_allowed = max(1, round(share * len(vectors)))
    recalls = []
    for number, query in enumerate(made_queries(12)):
        sign = {"near": -1, "far": 1}.get(kind, 0)
        chance = np.random.default_rng(number).random(len(vectors))
        allowed = np.zeros(len(vectors), dtype=bool)
        allowed[np.lexsort((chance, sign * (vectors @ query)))[:n_allowed]] = True
        found = index.search(query, 10, allowed=allowed).rows[0]
        returned = found[found >= 0]
        assert allowed[returned].all()
        assert len(set(returned.tolist())) == min(10, n_allowed), "never fewer than there are"
        expected = oracle.search(query, 10, allowed=allowed).rows[0]
        recalls.append(np.isin(returned, expected).mean())
    assert np.mean(recalls) >= implementation.recall


def test_a_filter_made_before_an_append_keeps_the_new_row_out(index):
    allowed = np.ones(2000, dtype=bool)
    new = made_vectors(1, seed=5) * 5
    index.upsert([2000], new)
    assert index.search(new, 1).rows[0, 0] == 2000
    assert index.search(new, 1, allowed=allowed).rows[0, 0] != 2000


def test_a_filter_that_allows_nothing_gives_padding(index):
    hits = index.search(made_queries(2), 3, allowed=np.zeros(2000, dtype=bool))
    assert (hits.rows == -1).all()


# -- files ----------------------------------------------------------------------


def test_a_saved_index_answers_the_same_live_changes_included(implementation, index, tmp_path):
    index.upsert([3, 2000], made_vectors(2, seed=3))
    index.delete([9, 10])
    index.measured = {"index_recall@10": 0.5}
    index.save(tmp_path)
    opened = load_index(tmp_path, WIDTH, expected_items=2001)
    assert isinstance(opened, implementation.type)
    assert (opened.n_items, opened.width, opened.measured) == (2001, WIDTH, index.measured)
    queries = made_queries()
    before, after = index.search(queries, 30), opened.search(queries, 30)
    np.testing.assert_array_equal(before.rows, after.rows)
    np.testing.assert_array_equal(before.scores, after.scores)


def test_an_index_can_be_saved_over_the_one_it_was_opened_from(index, tmp_path):
    index.save(tmp_path)
    opened = load_index(tmp_path, WIDTH)
    opened.delete([0])
    opened.save(tmp_path)
    assert not (load_index(tmp_path, WIDTH).search(made_queries(), 2000).rows == 0).any()
    assert sorted(path.name for path in tmp_path.iterdir() if path.name.endswith(".part")) == []


def test_a_wrong_width_is_refused_by_name(index, tmp_path):
    index.save(tmp_path)
    with pytest.raises(IncompatibleBundle, match=r"width 32.*found 24"):
        load_index(tmp_path, 32)
    with pytest.raises(IncompatibleBundle, match=r"24 wide.*got 5"):
        index.search(np.ones(5), 3)
    with pytest.raises(IncompatibleBundle, match=r"24 wide.*got 5"):
        index.upsert([0], np.ones((1, 5)))


def test_a_wrong_number_of_items_is_refused_by_name(index, tmp_path):
    index.save(tmp_path)
    with pytest.raises(IncompatibleBundle, match=r"1999 items.*found 2000"):
        load_index(tmp_path, WIDTH, expected_items=1999)


def test_another_format_is_refused_by_name(index, tmp_path):
    index.save(tmp_path)
    meta = json.loads((tmp_path / "index.json").read_text())
    (tmp_path / "index.json").write_text(json.dumps(meta | {"format": 9}))
    with pytest.raises(IncompatibleBundle, match=r"format 1 .*found 9"):
        load_index(tmp_path, WIDTH)


def test_every_missing_or_truncated_file_is_named(index, tmp_path):
    index.save(tmp_path)
    for path in sorted(tmp_path.iterdir()):
        whole = path.read_bytes()
        path.write_bytes(whole[: len(whole) // 2])
        with pytest.raises(CorruptBundle, match=path.name):
            load_index(tmp_path, WIDTH)
        path.unlink()
        with pytest.raises(BundleError, match=path.name):
            load_index(tmp_path, WIDTH)
        path.write_bytes(whole)


def test_nothing_is_pickled(index, tmp_path):
    index.save(tmp_path)
    for path in tmp_path.glob("*.npy"):
        np.load(path, allow_pickle=False)
    assert {path.suffix for path in tmp_path.iterdir()} <= {".json", ".npy", ".faiss"}


# -- bad questions --------------------------------------------------------------


def test_bad_questions_are_refused_with_the_reason(index):
    query = made_queries(1)
    with pytest.raises(ConfigError, match="at least 1"):
        index.search(query, 0)
    with pytest.raises(ConfigError, match="finite"):
        index.search(query * np.nan, 3)
    with pytest.raises(ConfigError, match=r"one list per query \(1\)"):
        index.search(query, 3, exclude=[[1], [2]])
    with pytest.raises(ConfigError, match=r"0\.\.1999"):
        index.search(query, 3, exclude=[[-1]])
    with pytest.raises(ConfigError, match="bool mask"):
        index.search(query, 3, allowed=np.ones(2000))
    with pytest.raises(ConfigError, match="finite"):
        index.upsert([0], np.full((1, WIDTH), np.inf))


def fingerprints(folder: Path) -> dict[str, str]:
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.iterdir()}
