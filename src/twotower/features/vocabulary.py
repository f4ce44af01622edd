"""A vocabulary: raw values on one side, row numbers of an embedding table on the other."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import polars as pl
from numpy.typing import NDArray

UNKNOWN = 0
"""The row of a value that is missing or was not seen when fitting; always masked."""


@dataclass(frozen=True)
class Vocabulary:
    """Values in the order of their rows; row 0 is kept for unknown ones.

    Example:
        >>> brands = Vocabulary(("Acme", "Zeta"))
        >>> brands.rows(pl.Series(["Zeta", "new", None])).tolist()
        [2, 0, 0]
        >>> brands.size
        3
    """

    values: tuple[str, ...]

    @classmethod
    def fit(cls, values: Iterable[str | None], *, min_count: int = 1) -> "Vocabulary":
        """Values that occur at least `min_count` times, most frequent first."""
        counts = (
            pl.Series("value", list(values), dtype=pl.String)
            .drop_nulls()
            .value_counts()
            .filter((pl.col("count") >= min_count) & (pl.col("value") != ""))
            .sort(["count", "value"], descending=[True, False])
        )
        return cls(tuple(counts["value"].to_list()))

    @property
    def size(self) -> int:
        """Rows of the embedding table, the unknown row included."""
        return len(self.values) + 1

    @cached_property
    def _row_by_value(self) -> dict[str, int]:
        return {value: row for row, value in enumerate(self.values, start=1)}

    def rows(self, values: pl.Series) -> NDArray[np.int64]:
        """[N] the row of each value, `UNKNOWN` where it is missing or new."""
        known = self._row_by_value
        return np.fromiter((known.get(value, UNKNOWN) for value in values), np.int64, len(values))
