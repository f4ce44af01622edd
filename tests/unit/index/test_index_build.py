"""Choosing, building and measuring an index."""

import json

import numpy as np
import pytest

from twotower.errors import ConfigError, IncompatibleBundle
from twotower.index.build import build_index, choose_kind, index_recall, load_index
from twotower.index.exact import ExactIndex
from twotower.index.hnsw import HnswConfig, HnswIndex


def made(n: int, width: int = 16, *, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(n, width)).astype(np.float32)


def test_small_catalogues_get_exact_search_and_large_ones_a_graph():
    assert choose_kind(199_999) == "exact"
    assert choose_kind(200_000) == "hnsw"


def test_the_measured_recall_travels_with_the_index(tmp_path):
    config = HnswConfig(links=4, build_effort=8, search_effort=8, scan_below=10)
    index = build_index(made(1500), kind="hnsw", queries=made(50, seed=1), config=config)
    assert index.measured["queries"] == 50
    assert 0 < index.measured["index_recall@10"] <= 1
    index.save(tmp_path)
    assert json.loads((tmp_path / "index.json").read_text())["measured"] == index.measured
    assert load_index(tmp_path, 16).measured == index.measured


def test_recall_sees_a_poor_graph_and_praises_an_exact_one():
    vectors, queries = made(3000), made(50, seed=1)
    poor = HnswConfig(links=4, build_effort=8, search_effort=8, scan_below=10)
    good = HnswConfig(links=32, build_effort=200, search_effort=400, scan_below=10)
    worse = index_recall(HnswIndex(vectors, poor), vectors, queries)
    better = index_recall(HnswIndex(vectors, good), vectors, queries)
    assert worse < better
    assert better > 0.99
    assert index_recall(ExactIndex(vectors), vectors, queries) == 1.0


def test_without_queries_nothing_is_claimed():
    assert build_index(made(20)).measured == {}


def test_an_unknown_kind_is_refused_by_name(tmp_path):
    index = build_index(made(20))
    index.save(tmp_path)
    meta = json.loads((tmp_path / "index.json").read_text())
    (tmp_path / "index.json").write_text(json.dumps(meta | {"kind": "annoy"}))
    with pytest.raises(IncompatibleBundle, match=r"exact or hnsw.*found annoy"):
        load_index(tmp_path, 16)


def test_a_setting_outside_its_range_is_refused():
    with pytest.raises(ConfigError, match=r"links must be in 4\.\.128, got 2"):
        HnswConfig(links=2)


def test_the_exact_index_does_not_copy_a_memory_mapped_base(tmp_path):
    np.save(tmp_path / "vectors.npy", made(100))
    mapped = np.load(tmp_path / "vectors.npy", mmap_mode="r")
    index = ExactIndex(mapped)
    assert np.shares_memory(index._base, mapped)


def test_rounding_never_decides_who_is_first():
    # Two rows whose float32 products differ only by rounding, in many batch shapes.
    vectors = made(500, 64)
    vectors[400] = vectors[3]
    index = ExactIndex(vectors)
    for batch in (1, 2, 3, 7, 64):
        queries = np.repeat(vectors[3:4], batch, axis=0)
        rows = index.search(queries, 2).rows
        assert (rows == [3, 400]).all()
