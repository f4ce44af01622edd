"""What changed since the index was built, as a layer over files that stay as they are."""

from dataclasses import dataclass, replace
from typing import Self

import numpy as np

from twotower.errors import ConfigError
from twotower.index.base import Mask, Rows, Vectors
from twotower.index.ranking import largest_norm


@dataclass(frozen=True)
class LiveLayer:
    """One snapshot: never changed, only replaced, so that readers need no lock.

    Attributes:
        n_items: rows in all, appended and deleted ones included.
        rows: int64[L] rows whose vector is here and no longer in the base, ascending.
        vectors: float32[L, D] their vectors.
        gone: bool[n_items] rows that were deleted.
        longest: the length of the longest live vector.
    """

    n_items: int
    rows: Rows
    vectors: Vectors
    gone: Mask
    longest: float = 0.0

    @classmethod
    def empty(cls, n_base: int, width: int) -> Self:
        """No change yet to a base of `n_base` rows."""
        return cls(
            n_items=n_base,
            rows=np.empty(0, dtype=np.int64),
            vectors=np.empty((0, width), dtype=np.float32),
            gone=np.zeros(n_base, dtype=np.bool_),
        )

    @property
    def gone_rows(self) -> Rows:
        """int64[G] the deleted rows."""
        return np.flatnonzero(self.gone)

    def upserted(self, rows: Rows, vectors: Vectors) -> "LiveLayer":
        """The snapshot after setting `vectors` of `rows`; of a row given twice the last counts."""
        if len(rows) != len(vectors):
            raise ConfigError(f"one vector per row is needed: {len(rows)} rows, {len(vectors)}")
        if len(rows) == 0:
            return self
        n_items = max(self.n_items, int(rows.max()) + 1)
        given = np.unique(rows[rows >= self.n_items])
        if rows.min() < 0 or len(given) != n_items - self.n_items:
            raise ConfigError(
                f"rows must be 0..{self.n_items - 1}, or {self.n_items} to append without a gap,"
                f" got {rows.min()}..{rows.max()}"
            )
        all_rows = np.concatenate([self.rows, rows])
        all_vectors = np.concatenate([self.vectors, vectors])
        kept, last = np.unique(all_rows[::-1], return_index=True)
        gone = np.concatenate([self.gone, np.zeros(n_items - self.n_items, dtype=np.bool_)])
        gone[rows] = False
        longest = max(self.longest, largest_norm(vectors))
        newest = all_vectors[::-1][last]
        return LiveLayer(n_items, kept, np.ascontiguousarray(newest), gone, longest)

    def deleted(self, rows: Rows) -> "LiveLayer":
        """The snapshot after deleting `rows`."""
        gone = self.gone.copy()
        gone[rows] = True
        return replace(self, gone=gone)

    def vectors_of(self, rows: Rows, base: Vectors) -> Vectors:
        """float32[R, D] current vectors of `rows`, from here or from the base."""
        if len(self.rows) == 0:
            return np.asarray(base[rows], dtype=np.float32)
        place = np.minimum(np.searchsorted(self.rows, rows), len(self.rows) - 1)
        here = self.rows[place] == rows
        found = np.empty((len(rows), base.shape[1]), dtype=np.float32)
        found[here] = self.vectors[place[here]]
        found[~here] = base[rows[~here]]
        return found

    def retrievable(self, allowed: Mask | None) -> Mask:
        """bool[n_items] rows that may be returned."""
        return ~self.gone if allowed is None else allowed & ~self.gone
