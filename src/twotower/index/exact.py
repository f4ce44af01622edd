"""Every row is scored: right by definition, and fast enough below 200k items."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final, Self

import numpy as np
from numpy.typing import ArrayLike

from twotower.index import base, files, ranking
from twotower.index.base import Hits, Mask, Rows, Vectors
from twotower.index.live import LiveLayer
from twotower.index.live_rows import LiveRows

_VECTORS = "vectors.npy"
_SCORES_AT_ONCE: Final = 8_000_000
"""Scores held at a time while a batch is answered (32 MB)."""
_GATHER_BELOW: Final = 8
"""Fewer than one row in so many are gathered before they are scored."""


class ExactIndex(LiveRows):
    """Inner product with every row of a memory-mapped array.

    Args:
        vectors: float32[N, D], kept as it is, also when it is memory-mapped. Never written to.

    Attributes:
        kind: `exact`.
        is_exact: True.
    """

    kind: Final = "exact"
    is_exact: Final = True

    def __init__(self, vectors: ArrayLike) -> None:
        array = np.asanyarray(vectors)
        given = base.as_item_vectors(array, array.shape[-1])
        super().__init__(given, LiveLayer.empty(*given.shape))

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
        errors = ranking.rounding_error(asked, max(self._longest, live.longest))
        rows = None
        if np.count_nonzero(retrievable) * _GATHER_BELOW < live.n_items:
            rows = np.flatnonzero(retrievable)
        found: list[tuple[Rows, Vectors]] = []
        step = max(1, _SCORES_AT_ONCE // max(live.n_items, 1))
        for start in range(0, len(asked), step):
            part = slice(start, start + step)
            arguments = (asked[part], k, left_out[part], errors[part].tolist())
            if rows is None:
                found += self._scanned(live, retrievable, *arguments)
            else:
                found += self._gathered(live, rows, *arguments)
        return Hits.padded(found, k)

    def _scanned(
        self,
        live: LiveLayer,
        retrievable: Mask,
        queries: Vectors,
        k: int,
        left_out: Sequence[Rows],
        errors: Sequence[float],
    ) -> Iterator[tuple[Rows, Vectors]]:
        """The k best of all rows for each query."""
        every = self._approximate(live, queries)
        np.copyto(every, -np.inf, where=~retrievable)
        for query, scores, out, error in zip(queries, every, left_out, errors, strict=True):
            scores[out] = -np.inf
            rows = ranking.contenders(scores, k, error)
            exact = ranking.inner_products(query, live.vectors_of(rows, self._base))
            yield ranking.best(rows, exact, k)

    def _gathered(
        self,
        live: LiveLayer,
        rows: Rows,
        queries: Vectors,
        k: int,
        left_out: Sequence[Rows],
        errors: Sequence[float],
    ) -> Iterator[tuple[Rows, Vectors]]:
        """The k best of a few rows for each query."""
        vectors = live.vectors_of(rows, self._base)
        every = queries @ vectors.T
        for query, scores, out, error in zip(queries, every, left_out, errors, strict=True):
            scores[np.isin(rows, out)] = -np.inf
            places = ranking.contenders(scores, k, error)
            exact = ranking.inner_products(query, vectors[places])
            yield ranking.best(rows[places], exact, k)

    def scores(self, queries: ArrayLike, rows: ArrayLike | None = None) -> Vectors:
        """float32[Q, R] inner products with `rows` or every row; see `Index.scores`."""
        live = self._live
        asked = base.as_queries(queries, self.width)
        if rows is None:
            every = self._approximate(live, asked)
            every[:, live.gone_rows] = -np.inf
            return every
        return score_rows(asked, base.as_rows(rows, live.n_items), live, self._base)

    def save(self, folder: Path) -> None:
        """Write index.json, vectors.npy and the live layer into `folder`."""
        live = self._live
        files.write_array(folder / _VECTORS, self._base)
        files.write_live(folder, live)
        n_base = len(self._base)
        meta = files.Meta(
            kind=self.kind,
            width=self.width,
            n_base=n_base,
            n_items=live.n_items,
            n_live=len(live.rows),
            measured=self.measured,
        )
        meta.write(folder)

    @classmethod
    def load(cls, folder: Path, expected_width: int) -> Self:
        """Open what `save` wrote, vectors memory-mapped."""
        meta = files.Meta.read(folder)
        meta.expect(folder, kind=cls.kind, width=expected_width)
        shape = (meta.n_base, meta.width)
        index = cls(files.read_array(folder / _VECTORS, shape, np.float32, mapped=True))
        index._live = files.read_live(folder, meta)
        index.measured = meta.measured
        return index

    def _approximate(self, live: LiveLayer, queries: Vectors) -> Vectors:
        scores = np.empty((len(queries), live.n_items), dtype=np.float32)
        n_base = len(self._base)
        np.matmul(queries, self._base.T, out=scores[:, :n_base])
        scores[:, live.rows] = queries @ live.vectors.T
        return scores


def score_rows(queries: Vectors, rows: Rows, live: LiveLayer, vectors: Vectors) -> Vectors:
    """float32[Q, R] exact scores of `rows`, -inf where deleted."""
    current = live.vectors_of(rows, vectors)
    found = np.empty((len(queries), len(rows)), dtype=np.float32)
    for scores, query in zip(found, queries, strict=True):
        scores[:] = ranking.inner_products(query, current)
    found[:, live.gone[rows]] = -np.inf
    return found
