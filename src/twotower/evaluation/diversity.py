"""Diversity: how unlike each other the items of one list are, whatever the model.

All systems are measured by the same traits of the items, so that a model cannot look diverse
by its own vectors alone.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import combinations
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from twotower import schema

Array = NDArray[np.float64]
Lists = NDArray[np.int64]

_BLOCK = 2048
"""Lists whose vectors are held at once."""


@dataclass(frozen=True)
class Traits:
    """What tells the N items apart.

    Attributes:
        text: [N, W] vectors of the frozen text encoder; None where no text is read.
        groups: name, such as `category` -> [N] codes; -1 where an item has none.
    """

    text: NDArray[np.float32] | None = None
    groups: Mapping[str, NDArray[np.int64]] = field(default_factory=dict)

    @classmethod
    def of(cls, items: pl.DataFrame, text: NDArray[np.float32] | None = None) -> "Traits":
        """Brand and narrowest category of a catalogue, where it has them, and its texts."""
        there = [name for name in (schema.CATEGORY, schema.BRAND) if name in items.columns]
        return cls(text, {name: _codes(items[name]) for name in there})

    def per_list(self, lists: Lists) -> dict[str, Array]:
        """[C] diversity of each list by each trait: `diversity`, `category_diversity`, ..."""
        text = {} if self.text is None else {"diversity": dissimilarity(lists, self.text)}
        groups = self.groups.items()
        return text | {f"{name}_diversity": different(lists, codes) for name, codes in groups}


def dissimilarity(lists: Lists, vectors: NDArray[np.float32]) -> Array:
    """One minus the mean cosine of two items of the list.

    Args:
        lists: [C, K] item rows; -1 where a place is unfilled, and left out.
        vectors: [N, W] of the items; a vector of zeros is like no other.

    Returns:
        [C] values; 0 for a list of fewer than two items.

    Example:
        >>> dissimilarity(np.array([[0, 1], [0, 0]]), np.eye(2, dtype=np.float32)).tolist()
        [1.0, 0.0]
    """
    blocks = [
        _dissimilarity(lists[start : start + _BLOCK], vectors)
        for start in range(0, len(lists), _BLOCK)
    ]
    return np.concatenate([np.zeros(0), *blocks])


def different(lists: Lists, codes: NDArray[np.int64]) -> Array:
    """Share of the pairs of two items of the list that belong to different groups.

    Args:
        lists: [C, K] item rows; -1 where a place is unfilled, and left out.
        codes: [N] group of each item; pairs with an item of no group (-1) are left out.

    Returns:
        [C] values in [0, 1]; 0 for a list without such a pair.

    Example:
        >>> different(np.array([[0, 1, 2]]), np.array([7, 7, 8])).round(3).tolist()
        [0.667]
    """
    found = np.where(lists >= 0, codes[lists], -1)
    pairs, apart = np.zeros(len(lists)), np.zeros(len(lists))
    for one, other in combinations(found.T, 2):
        known = (one >= 0) & (other >= 0)
        pairs += known
        apart += known & (one != other)
    return apart / np.maximum(pairs, 1)


def _dissimilarity(lists: Lists, vectors: NDArray[np.float32]) -> Array:
    filled = lists >= 0
    found = vectors[lists] * filled[:, :, None]
    found /= np.maximum(np.linalg.norm(found, axis=2, keepdims=True), 1e-12)
    n = filled.sum(axis=1)
    own = (found**2).sum(axis=(1, 2), dtype=np.float64)
    together = (found.sum(axis=1) ** 2).sum(axis=1, dtype=np.float64) - own
    cosine = together / np.maximum(n * (n - 1), 1)
    return np.where(n > 1, 1 - cosine, 0.0)


def _codes(column: pl.Series) -> NDArray[np.int64]:
    ranked: Any = column.cast(pl.String).rank("dense").fill_null(0)
    codes: NDArray[np.int64] = ranked.to_numpy().astype(np.int64) - 1
    return codes
