"""k1, b and the weights of fields, chosen on validation cases."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import product
from typing import Final

import numpy as np
from numpy.typing import NDArray

from twotower.errors import ConfigError
from twotower.lexical.bm25 import Bm25, Parameters

Quality = Callable[[NDArray[np.float32], NDArray[np.int64]], NDArray[np.floating]]
"""Scores [B, N] and the case numbers [B] they belong to -> quality [B], higher is better."""

K1_GRID: Final = (0.1, 0.3, 0.6, 0.9, 1.2)
B_GRID: Final = (0.3, 0.6, 0.75, 0.9)
WEIGHT_GRID: Final = (0.05, 0.15, 0.3, 0.5, 1.0, 2.0)
"""Weights tried for each field beside the first, whose weight is 1."""
BUDGET: Final = 80
"""Most points tried."""
_CELLS: Final = 16_000_000
"""Most scores held at once."""


@dataclass(frozen=True)
class Tuning:
    """What was chosen, and what was tried.

    Attributes:
        parameters: the best point.
        quality: mean quality there.
        tried: (point, mean quality) of every point, in the order tried.
    """

    parameters: Parameters
    quality: float
    tried: tuple[tuple[Parameters, float], ...]


def tune(
    words: Bm25,
    queries: Sequence[str],
    quality: Quality,
    *,
    k1_grid: Sequence[float] = K1_GRID,
    b_grid: Sequence[float] = B_GRID,
    weight_grid: Sequence[float] = WEIGHT_GRID,
    budget: int = BUDGET,
) -> Tuning:
    """Choose by mean quality over validation queries, one coordinate after the other.

    First every k1 with every b; then each field's weight, the others held; then every k1 with
    every b again where a weight changed. The same input gives the same choice.

    Args:
        words: the counted catalogue.
        queries: what validation cases asked, case i first; never test cases.
        quality: such as nDCG@10 of each case.
        k1_grid: values of k1 to try.
        b_grid: values of b to try.
        weight_grid: weights to try for each field but the first.
        budget: most points tried; the search ends there with the best so far.

    Returns:
        The best point; of equally good ones the one tried first.
    """
    if not queries:
        raise ConfigError("tuning needs validation queries, got none: keep the default k1 and b")
    fields = words.postings.fields
    start = replace(
        words.parameters,
        weights=dict(zip(fields, words.parameters.of(fields).tolist(), strict=True)),
    )
    search = _Search(words, queries, quality, budget)
    best = search.best_of(_saturations(start, k1_grid, b_grid))
    for field in fields[1:]:
        best = search.best_of(_weighted(best, field, weight_grid))
    if best.weights != start.weights:
        best = search.best_of(_saturations(best, k1_grid, b_grid))
    return Tuning(best, search.tried[search.places[_key(best)]][1], tuple(search.tried))


class _Search:
    """Points tried, each once."""

    def __init__(self, words: Bm25, queries: Sequence[str], quality: Quality, budget: int) -> None:
        self._words, self._queries, self._quality = words, queries, quality
        self._budget = budget
        self.tried: list[tuple[Parameters, float]] = []
        self.places: dict[object, int] = {}

    def best_of(self, points: Iterator[Parameters]) -> Parameters:
        """The best point of all so far, after trying these."""
        for point in points:
            if _key(point) not in self.places and len(self.tried) < max(1, self._budget):
                self.places[_key(point)] = len(self.tried)
                words = self._words.with_parameters(point)
                self.tried.append((point, _mean_quality(words, self._queries, self._quality)))
        return max(self.tried, key=lambda tried: tried[1])[0]


def _saturations(
    point: Parameters, k1_grid: Sequence[float], b_grid: Sequence[float]
) -> Iterator[Parameters]:
    for k1, b in product(k1_grid, b_grid):
        yield replace(point, k1=k1, b=b)


def _weighted(point: Parameters, field: str, grid: Sequence[float]) -> Iterator[Parameters]:
    for weight in grid:
        yield replace(point, weights={**point.weights, field: weight})


def _key(point: Parameters) -> object:
    return point.k1, point.b, tuple(sorted(point.weights.items()))


def _mean_quality(words: Bm25, queries: Sequence[str], quality: Quality) -> float:
    step = max(1, _CELLS // max(words.n_items, 1))
    found = [
        quality(words.batch_scores(queries[start : start + step]), cases)
        for start in range(0, len(queries), step)
        for cases in [np.arange(start, min(start + step, len(queries)))]
    ]
    return float(np.concatenate(found).mean())
