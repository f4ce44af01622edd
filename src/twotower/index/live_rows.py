"""The part of an index that is the same in all: rows that stay, and those that change over them."""

from threading import Lock
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from twotower.index import base, ranking
from twotower.index.base import Vectors
from twotower.index.live import LiveLayer


class LiveRows:
    """Vectors by row, set and deleted while others read.

    Args:
        vectors: float32[N, D] of the base, kept as they are and never written to.
        live: what changed since.
    """

    def __init__(self, vectors: Vectors, live: LiveLayer) -> None:
        self._base = vectors
        self._longest = ranking.largest_norm(vectors)
        self._live = live
        self._writer = Lock()
        self.measured: dict[str, Any] = {}

    @property
    def n_items(self) -> int:
        """Rows ever given, deleted ones included."""
        return self._live.n_items

    @property
    def width(self) -> int:
        """Numbers in one vector."""
        return int(self._base.shape[1])

    def vectors(self, rows: ArrayLike) -> Vectors:
        """float32[R, D] the vectors of `rows`."""
        live = self._live
        return live.vectors_of(base.as_rows(rows, live.n_items), self._base)

    def upsert(self, rows: ArrayLike, vectors: ArrayLike) -> None:
        """Set the vectors of `rows`; row `n_items` appends."""
        given = base.as_item_vectors(vectors, self.width)
        with self._writer:
            wanted = np.atleast_1d(np.asarray(rows, dtype=np.int64))
            self._live = self._live.upserted(wanted, given)

    def delete(self, rows: ArrayLike) -> None:
        """Never return `rows` again, until an upsert brings them back."""
        with self._writer:
            self._live = self._live.deleted(base.as_rows(rows, self._live.n_items))
