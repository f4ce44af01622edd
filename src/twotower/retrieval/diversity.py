"""Lists that are not all alike: maximal marginal relevance, and so many of each brand."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from twotower.errors import ConfigError
from twotower.filtering.columns import Columns
from twotower.filtering.terms import MISSING
from twotower.index.base import Rows, Vectors

Capped = Literal["brand", "category"]
"""Fields of which a list may have at most so many of one value."""
_LEAST_WINDOW: Final = 100
_PER_HIT: Final = 4


@dataclass(frozen=True)
class Diversity:
    """How different the products of a list shall be.

    Attributes:
        weight: 0..1; 0 ranks by score alone, 1 by being unlike what stands before.
        at_most: field of `Capped` -> products of one value, 1 or more. A category counts as it
            is written, not those above it; products without a value count alone.

    Raises:
        ConfigError: a number or a field is outside its range.
    """

    weight: float = 0.0
    at_most: Mapping[Capped, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not 0 <= self.weight <= 1:
            raise ConfigError(f"diversity must be in 0..1, got {self.weight}")
        for name, most in self.at_most.items():
            if name not in get_args(Capped) or most < 1:
                fields = " or ".join(get_args(Capped))
                raise ConfigError(f"at_most must give {fields} a number from 1, got {name}: {most}")

    @property
    def is_asked_for(self) -> bool:
        """Whether it changes a list."""
        return self.weight > 0 or bool(self.at_most)

    def window(self, k: int) -> int:
        """How many of the best are looked at for a list of k."""
        return max(_LEAST_WINDOW, _PER_HIT * k) if self.is_asked_for else k

    def chosen(
        self,
        rows: Rows,
        scores: NDArray[np.floating],
        vectors: Vectors,
        columns: Columns,
        k: int,
    ) -> NDArray[np.int64]:
        """int64[<=k] the places of a list, in its order.

        Each place goes to the product with the most of (1 - weight) * score - weight * cosine
        with the nearest one before it, scores being brought to 0..1. What would be one too many
        of its value comes only when nothing else is left.

        Args:
            rows: int64[R] the best, best first.
            scores: float[R] theirs.
            vectors: float32[R, D] theirs.
            columns: know their brands and categories.
            k: places.

        Source:
            Carbonell and Goldstein, The Use of MMR, Diversity-Based Reranking, 1998.
        """
        fit = _to_unit(scores)
        lengths = np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)
        directions = (vectors / lengths).astype(np.float64)
        values = {name: columns.codes(name)[rows] for name in self.at_most}
        is_left, nearest = np.ones(len(rows), np.bool_), np.zeros(len(rows))
        places: list[int] = []
        while len(places) < min(k, len(rows)):
            worth = (1 - self.weight) * fit - self.weight * nearest
            within = is_left & self._within(values, places)
            free = within if within.any() else is_left
            place = int(np.argmax(np.where(free, worth, -np.inf)))
            places.append(place)
            is_left[place] = False
            near = directions @ directions[place]
            nearest = near if len(places) == 1 else np.maximum(nearest, near)
        return np.array(places, np.int64)

    def _within(
        self, values: Mapping[Capped, NDArray[np.int32]], places: list[int]
    ) -> NDArray[np.bool_]:
        """bool[R] rows of whose values there are not enough yet."""
        within: NDArray[np.bool_] = np.ones(1, np.bool_)
        for name, of_rows in values.items():
            taken, counts = np.unique(of_rows[places], return_counts=True)
            full = taken[(counts >= self.at_most[name]) & (taken != MISSING)]
            within = within & ~np.isin(of_rows, full)
        return within


NO_DIVERSITY: Final = Diversity()


def _to_unit(scores: NDArray[np.floating]) -> NDArray[np.float64]:
    low, high = float(scores.min(initial=np.inf)), float(scores.max(initial=-np.inf))
    return (scores.astype(np.float64) - low) / max(high - low, 1e-12)
