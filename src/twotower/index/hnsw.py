"""A graph over the rows (faiss HNSW): a few thousand scores per query, however many items.

The graph proposes, this file disposes: what changed since the graph was built is scored
exactly and merged in, small filtered sets are scanned, and where a filter leaves fewer than k
of the nearest rows, all that it allows are looked at. So exclusions and deletions are exact,
and a filter loses no more than the graph does without one; `measured` says how much that is.

Walking the graph with the filter (faiss's IDSelector) was measured and loses what the walk
does not come by: of 10,000 x 24, under a filter that allows the half farthest from the query,
it finds .07 of the 10 best, under the farthest tenth .08 (benchmarks/filters.py).

The graph is built on the inner product itself. The textbook remedy for vectors of unequal
length, one more coordinate that makes them equally long (Bachrach et al., RecSys 2014),
was measured and is worse: 60,000 x 64, log-normal lengths, recall@10 .852 against .999.

Source:
    Malkov and Yashunin, arXiv:1603.09320.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Self

import faiss
import numpy as np
from numpy.typing import ArrayLike

from twotower import disk
from twotower.errors import ConfigError, CorruptBundle
from twotower.index import base, files, ranking
from twotower.index.base import Hits, Mask, Rows, Vectors
from twotower.index.exact import score_rows
from twotower.index.live import LiveLayer
from twotower.index.live_rows import LiveRows

_faiss: Any = faiss
"""faiss's type stubs miss half of what we call."""
_GRAPH: Final = "graph.faiss"
_LARGEST_EFFORT: Final = 4_000
_GATHER_BELOW: Final = 8
"""Fewer than one row in so many are gathered before they are scored."""


@dataclass(frozen=True)
class HnswConfig:
    """How the graph is built and walked.

    Attributes:
        links: neighbours kept per row; memory is about 8 * links bytes per row.
        build_effort: candidates weighed when a row is linked (efConstruction).
        search_effort: candidates weighed when a query is answered (efSearch).
        scan_below: so few retrievable rows are scanned, which is exact and faster.
        reproducible: build on one thread, so that the same vectors give the same graph.
    """

    links: int = 32
    build_effort: int = 128
    search_effort: int = 128
    scan_below: int = 20_000
    reproducible: bool = False

    def __post_init__(self) -> None:
        for name, low, high in (
            ("links", 4, 128),
            ("build_effort", 8, 2000),
            ("search_effort", 8, _LARGEST_EFFORT),
            ("scan_below", 1, 1_000_000),
        ):
            value = getattr(self, name)
            if not low <= value <= high:
                raise ConfigError(f"HnswConfig.{name} must be in {low}..{high}, got {value}")


class HnswIndex(LiveRows):
    """Approximate neighbours by inner product, with an exact live layer on top.

    Args:
        vectors: float32[N, D].
        config: how the graph is built and walked.

    Attributes:
        kind: `hnsw`.
        is_exact: False.
    """

    kind: Final = "hnsw"
    is_exact: Final = False

    def __init__(self, vectors: ArrayLike, config: HnswConfig | None = None) -> None:
        config = config or HnswConfig()
        array = np.asanyarray(vectors)
        given = base.as_item_vectors(array, array.shape[-1])
        self._hold(_built(given, config), LiveLayer.empty(*given.shape), config.scan_below)

    def _hold(self, graph: Any, live: LiveLayer, scan_below: int) -> None:
        super().__init__(_stored(graph), live)
        self._graph, self._scan_below = graph, scan_below

    def search(
        self,
        queries: ArrayLike,
        k: int,
        *,
        exclude: Sequence[ArrayLike] | None = None,
        allowed: Mask | None = None,
    ) -> Hits:
        """The k best rows of every query; see `Index.search`."""
        live, k = self._live, base.as_k(k)
        asked = base.as_queries(queries, self.width)
        left_out = base.as_exclude(exclude, len(asked), live.n_items)
        retrievable = live.retrievable(base.as_allowed(allowed, live.n_items))
        near = self._near(asked, k, left_out, live, retrievable)
        errors = ranking.rounding_error(asked, max(self._longest, live.longest))
        found: list[tuple[Rows, Vectors]] = []
        for query, rows, out, error in zip(asked, near, left_out, errors.tolist(), strict=True):
            if rows is None:
                found.append(self._scanned(live, query, retrievable, out, k, error))
            else:
                found.append(self._best(live, query, rows, k, error))
        return Hits.padded(found, k)

    def _near(
        self, queries: Vectors, k: int, left_out: list[Rows], live: LiveLayer, retrievable: Mask
    ) -> list[Rows | None]:
        """Rows among which the k best are; None where all that may be returned must be seen."""
        n_base = len(self._base)
        fresh = live.rows[retrievable[live.rows]]
        walkable = retrievable[:n_base].copy()
        walkable[live.rows[live.rows < n_base]] = False
        n_walkable = int(np.count_nonzero(walkable))
        fetch = k + max((len(out) for out in left_out), default=0)
        effort = max(self._graph.hnsw.efSearch, 2 * fetch) * n_base // max(n_walkable, 1)
        is_small = n_walkable <= max(self._scan_below, 4 * k) or len(fresh) > n_walkable
        if is_small or effort > _LARGEST_EFFORT:
            return [None] * len(queries)
        wanted = min(fetch if n_walkable == n_base else effort, n_base)
        parameters = _faiss.SearchParametersHNSW(efSearch=effort)
        _, proposed = self._graph.search(queries, wanted, params=parameters)
        found: list[Rows | None] = []
        for rows, out in zip(proposed, left_out, strict=True):
            real = np.unique(rows[rows >= 0])
            near = _without(real[walkable[real]], out)
            found.append(None if len(near) < k else _without(np.union1d(near, fresh), out))
        return found

    def _scanned(
        self, live: LiveLayer, query: Vectors, retrievable: Mask, out: Rows, k: int, error: float
    ) -> tuple[Rows, Vectors]:
        """The k best of all rows that may be returned."""
        rows = _without(np.flatnonzero(retrievable), out)
        if len(rows) * _GATHER_BELOW < live.n_items:
            return self._best(live, query, rows, k, error)
        every = np.empty(live.n_items, dtype=np.float32)
        np.matmul(self._base, query, out=every[: len(self._base)])
        every[live.rows] = live.vectors @ query
        proposed = rows[ranking.contenders(every[rows], k, error)]
        exact = ranking.inner_products(query, live.vectors_of(proposed, self._base))
        return ranking.best(proposed, exact, k)

    def _best(
        self, live: LiveLayer, query: Vectors, rows: Rows, k: int, error: float
    ) -> tuple[Rows, Vectors]:
        vectors = live.vectors_of(rows, self._base)
        proposed = ranking.contenders(vectors @ query, k, error)
        exact = ranking.inner_products(query, vectors[proposed])
        return ranking.best(rows[proposed], exact, k)

    def scores(self, queries: ArrayLike, rows: ArrayLike | None = None) -> Vectors:
        """float32[Q, R] exact inner products; see `Index.scores`."""
        live = self._live
        asked = base.as_queries(queries, self.width)
        wanted = np.arange(live.n_items) if rows is None else base.as_rows(rows, live.n_items)
        return score_rows(asked, wanted, live, self._base)

    def save(self, folder: Path) -> None:
        """Write index.json, graph.faiss (vectors within) and the live layer into `folder`."""
        live = self._live
        with disk.whole_file(folder / _GRAPH) as part:
            _write_graph(self._graph, part)
        files.write_live(folder, live)
        meta = files.Meta(
            kind=self.kind,
            width=self.width,
            n_base=len(self._base),
            n_items=live.n_items,
            n_live=len(live.rows),
            settings={"scan_below": self._scan_below},
            measured=self.measured,
        )
        meta.write(folder)

    @classmethod
    def load(cls, folder: Path, expected_width: int) -> Self:
        """Open what `save` wrote."""
        meta = files.Meta.read(folder)
        meta.expect(folder, kind=cls.kind, width=expected_width)
        graph = _read_graph(folder / _GRAPH, meta)
        index = cls.__new__(cls)
        index._hold(graph, files.read_live(folder, meta), int(meta.settings["scan_below"]))
        index.measured = meta.measured
        return index


def _built(vectors: Vectors, config: HnswConfig) -> Any:
    graph = _faiss.IndexHNSWFlat(vectors.shape[1], config.links, _faiss.METRIC_INNER_PRODUCT)
    graph.hnsw.efConstruction = config.build_effort
    graph.hnsw.efSearch = config.search_effort
    threads = _faiss.omp_get_max_threads()
    try:
        _faiss.omp_set_num_threads(1 if config.reproducible else threads)
        graph.add(vectors)
    finally:
        _faiss.omp_set_num_threads(threads)
    return graph


def _stored(graph: Any) -> Vectors:
    """float32[N, D] a view of the vectors that the graph holds, good while the graph lives."""
    storage = _faiss.downcast_index(graph.storage)
    if graph.ntotal == 0:
        return np.empty((0, graph.d), dtype=np.float32)
    flat = _faiss.rev_swig_ptr(storage.get_xb(), graph.ntotal * graph.d)
    return np.asarray(flat, dtype=np.float32).reshape(graph.ntotal, graph.d)


def _write_graph(graph: Any, path: Path) -> None:
    try:
        _faiss.write_index(graph, str(path))
    except RuntimeError as error:  # faiss's word for every error of the disk
        raise OSError(str(error)) from error


def _read_graph(path: Path, meta: files.Meta) -> Any:
    try:
        graph = _faiss.read_index(str(path))
    except RuntimeError as damage:
        raise CorruptBundle(f"expected a graph in {path}, found {damage}: build again") from damage
    found = (type(graph).__name__, graph.d, graph.ntotal, graph.metric_type)
    expected = ("IndexHNSWFlat", meta.width, meta.n_base, _faiss.METRIC_INNER_PRODUCT)
    if found != expected:
        raise CorruptBundle(
            f"expected (type, width, rows, metric) {expected} in {path}, found {found}: build again"
        )
    return graph


def _without(rows: Rows, out: Rows) -> Rows:
    return rows if len(out) == 0 else np.setdiff1d(rows, out, assume_unique=True)
