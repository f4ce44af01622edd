"""k1 and b chosen on validation cases; field weights stay the caller's choice."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Final

import numpy as np
from numpy.typing import NDArray

from twotower.errors import ConfigError
from twotower.lexical.bm25 import Bm25

Quality = Callable[[NDArray[np.float32], NDArray[np.int64]], NDArray[np.floating]]
"""Scores [B, N] and the case numbers [B] they belong to -> quality [B], higher is better."""

K1_GRID: Final = (0.1, 0.3, 0.6, 0.9, 1.2)
B_GRID: Final = (0.3, 0.6, 0.75, 0.9)
_CELLS: Final = 16_000_000
"""Most scores held at once."""


@dataclass(frozen=True)
class Tuning:
    """What was chosen, and what was tried.

    Attributes:
        k1: the best k1.
        b: the best b.
        quality: mean quality at (k1, b).
        tried: (k1, b, mean quality) of every point of the grid.
    """

    k1: float
    b: float
    quality: float
    tried: tuple[tuple[float, float, float], ...]


def tune(
    words: Bm25,
    queries: Sequence[str],
    quality: Quality,
    *,
    k1_grid: Sequence[float] = K1_GRID,
    b_grid: Sequence[float] = B_GRID,
) -> Tuning:
    """Choose k1 and b by mean quality over validation queries.

    Args:
        words: the counted catalogue.
        queries: what validation cases asked, case i first; never test cases.
        quality: such as nDCG@10 of each case.
        k1_grid: values of k1 to try.
        b_grid: values of b to try.

    Returns:
        The best point; of equally good ones the first in the order of the grid.
    """
    if not queries:
        raise ConfigError("tuning needs validation queries, got none: keep the default k1 and b")
    tried = tuple(
        (k1, b, _mean_quality(words.with_parameters(k1=k1, b=b), queries, quality))
        for k1, b in product(k1_grid, b_grid)
    )
    k1, b, best = max(tried, key=lambda point: point[2])
    return Tuning(k1=k1, b=b, quality=best, tried=tried)


def _mean_quality(words: Bm25, queries: Sequence[str], quality: Quality) -> float:
    step = max(1, _CELLS // max(words.n_items, 1))
    found = [
        quality(words.batch_scores(queries[start : start + step]), cases)
        for start in range(0, len(queries), step)
        for cases in [np.arange(start, min(start + step, len(queries)))]
    ]
    return float(np.concatenate(found).mean())
