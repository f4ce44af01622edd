"""The seam between whoever asks for neighbours and whoever finds them."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from twotower.errors import ConfigError, IncompatibleBundle
from twotower.schema import PAD

Rows = NDArray[np.int64]
Vectors = NDArray[np.float32]
Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Hits:
    """The k best rows of every query, best first.

    Attributes:
        rows: int64[Q, K] item rows, `PAD` (-1) where fewer than K rows exist.
        scores: float32[Q, K] inner products, -inf where `rows` is `PAD`.
    """

    rows: Rows
    scores: Vectors

    @classmethod
    def padded(cls, found: Sequence[tuple[Rows, Vectors]], k: int) -> Self:
        """[Q, k] hits from one (rows, scores) pair per query, each at most k long."""
        rows = np.full((len(found), k), PAD, dtype=np.int64)
        scores = np.full((len(found), k), -np.inf, dtype=np.float32)
        for query, (query_rows, query_scores) in enumerate(found):
            rows[query, : len(query_rows)] = query_rows
            scores[query, : len(query_rows)] = query_scores
        return cls(rows=rows, scores=scores)


class Index(Protocol):
    """Rows of a catalogue by inner product with a query.

    Readers never wait and never see half a change: `upsert` and `delete` publish a new
    snapshot of the live layer at once. One writer at a time; a second one waits.
    """

    measured: dict[str, Any]
    """What was measured when the index was built, such as `index_recall@10`."""

    @property
    def kind(self) -> str:
        """The name of the implementation, as in `index.json`."""
        ...

    @property
    def n_items(self) -> int:
        """Rows ever given, deleted ones included: the next new row is `n_items`."""
        ...

    @property
    def width(self) -> int:
        """Numbers in one vector."""
        ...

    @property
    def is_exact(self) -> bool:
        """True where `search` looks at every row, so that its hits are right by definition."""
        ...

    def search(
        self,
        queries: ArrayLike,
        k: int,
        *,
        exclude: Sequence[ArrayLike] | None = None,
        allowed: Mask | None = None,
    ) -> Hits:
        """The k best rows of every query, ties to the smaller row.

        Args:
            queries: float32[Q, D].
            k: hits per query, at least 1; more than there are rows is padded.
            exclude: one list of rows per query that must not be returned.
            allowed: bool[N] rows that may be returned; rows beyond its end may not.
        """
        ...

    def scores(self, queries: ArrayLike, rows: ArrayLike | None = None) -> Vectors:
        """float32[Q, R] inner products with `rows`, or with every row; -inf where deleted."""
        ...

    def vectors(self, rows: ArrayLike) -> Vectors:
        """float32[R, D] the vectors of `rows`, deleted ones included."""
        ...

    def upsert(self, rows: ArrayLike, vectors: ArrayLike) -> None:
        """Set the vectors of `rows`; row `n_items` appends, a deleted row comes back."""
        ...

    def delete(self, rows: ArrayLike) -> None:
        """Never return `rows` again, until an upsert brings them back."""
        ...

    def save(self, folder: Path) -> None:
        """Write the index, live changes included, into `folder`."""
        ...

    @classmethod
    def load(cls, folder: Path, expected_width: int) -> Self:
        """Open what `save` wrote; raises `CorruptBundle` or `IncompatibleBundle`."""
        ...


def as_queries(queries: ArrayLike, width: int) -> Vectors:
    """float32[Q, width] from what a caller handed in."""
    return _as_vectors(queries, width, what="queries", remedy="embed them with this bundle")


def as_item_vectors(vectors: ArrayLike, width: int) -> Vectors:
    """float32[N, width] from what a caller handed in."""
    return _as_vectors(vectors, width, what="item vectors", remedy="embed them with this bundle")


def as_rows(rows: ArrayLike, n_items: int) -> Rows:
    """int64[R] rows, each in 0..n_items-1."""
    found = np.atleast_1d(np.asarray(rows))
    if found.size == 0:
        return np.empty(0, dtype=np.int64)
    if found.dtype.kind not in "iu" or found.ndim != 1:
        raise ConfigError(f"rows must be a list of whole numbers, got {found.dtype}{found.shape}")
    if found.min() < 0 or found.max() >= n_items:
        wrong = found[(found < 0) | (found >= n_items)][0]
        raise ConfigError(f"rows must be in 0..{n_items - 1} (the index's rows), got {wrong}")
    return found.astype(np.int64)


def as_k(k: int) -> int:
    """The number of hits, at least 1."""
    if k < 1:
        raise ConfigError(f"k must be at least 1 (hits per query), got {k}")
    return int(k)


def as_allowed(allowed: Mask | None, n_items: int) -> Mask | None:
    """bool[n_items]; rows added after the mask was made are not allowed."""
    if allowed is None:
        return None
    mask = np.asarray(allowed)
    if mask.dtype != np.bool_ or mask.ndim != 1 or len(mask) > n_items:
        raise ConfigError(
            f"allowed must be a bool mask of at most {n_items} rows, got {mask.dtype}{mask.shape}"
        )
    if len(mask) == n_items:
        return mask
    return np.concatenate([mask, np.zeros(n_items - len(mask), dtype=np.bool_)])


def as_exclude(exclude: Sequence[ArrayLike] | None, n_queries: int, n_items: int) -> list[Rows]:
    """One int64 list of rows to leave out for each query."""
    if exclude is None:
        return [np.empty(0, dtype=np.int64)] * n_queries
    if len(exclude) != n_queries:
        raise ConfigError(f"exclude must hold one list per query ({n_queries}), got {len(exclude)}")
    return [np.unique(as_rows(rows, n_items)) for rows in exclude]


def _as_vectors(vectors: ArrayLike, width: int, *, what: str, remedy: str) -> Vectors:
    found = np.ascontiguousarray(np.atleast_2d(np.asarray(vectors, dtype=np.float32)))
    if found.ndim != 2 or found.shape[1] != width:
        raise IncompatibleBundle(
            f"{what} must be {width} wide (this index), got {found.shape[-1]}: {remedy}"
        )
    if not np.isfinite(found).all():
        raise ConfigError(f"{what} must be finite numbers, got NaN or infinity")
    return found
