"""The share of meaning in hybrid search, chosen on validation queries.

The curve of quality over the weight is flat at its top, and the best of its points is a draw of
luck. So the weight comes from the middle of all that cannot be told apart from the best, and
the blend has to be better than words first and than meaning first, beyond chance.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from twotower.evaluation.protocol import Scorer, batches
from twotower.evaluation.significance import paired_differences
from twotower.retrieval.blend import DEFAULT_WEIGHT, Scale, blend_scores
from twotower.serving.settings import DEFAULT

Quality = Callable[[NDArray[np.float32], NDArray[np.int64]], NDArray[np.floating]]
"""Scores [B, N] and the case numbers [B] they belong to -> quality [B], higher is better."""

WORDS_FIRST: Final = 0.001
MEANING_FIRST: Final = 0.999
"""Weights that leave the order to one part; the other breaks its ties."""
WEIGHT_GRID: Final = (WORDS_FIRST, *(step / 10 for step in range(1, 10)), MEANING_FIRST)
FEWEST_QUERIES: Final = 30
"""With fewer validation queries the weight stays where it is."""
_CELLS: Final = 8_000_000
"""Scores of each kind held at once."""


@dataclass(frozen=True)
class WeightChoice:
    """The share of meaning that validation prefers, and why.

    Attributes:
        weight: what is served.
        reason: how it came about, in words.
        tried: (weight, mean quality) of the whole grid.
    """

    weight: float
    reason: str
    tried: tuple[tuple[float, float], ...] = ()


def choose_weight(
    semantic: Scorer, lexical: Scorer, n_cases: int, n_items: int, quality: Quality
) -> WeightChoice:
    """Choose the weight by validation cases; never by test cases.

    Args:
        semantic: scores of the whole catalogue by meaning.
        lexical: scores of the whole catalogue by words.
        n_cases: validation cases, numbered 0..n_cases-1.
        n_items: size of the catalogue.
        quality: such as NDCG@10 of each case.
    """
    if n_cases < FEWEST_QUERIES:
        return WeightChoice(DEFAULT_WEIGHT, DEFAULT)
    found = _qualities(semantic, lexical, n_cases, n_items, quality)
    means = found.mean(axis=1)
    tried = tuple(zip(WEIGHT_GRID, means.tolist(), strict=True))
    low, high = _plateau(found)
    middle = _inner((low + high) / 2)
    words, meaning = paired_differences([found[middle]] * 2, [found[0], found[-1]])
    told = f"on {n_cases:,} validation queries, {WEIGHT_GRID[low]:g} to {WEIGHT_GRID[high]:g} level"
    if words.low > 0 and meaning.low > 0:
        return WeightChoice(WEIGHT_GRID[middle], f"the middle of the best: {told}", tried)
    parent = 0 if means[0] >= means[-1] else len(WEIGHT_GRID) - 1
    name = "words" if parent == 0 else "meaning"
    reason = f"off: not better than {name} alone beyond chance; {told}"
    return WeightChoice(WEIGHT_GRID[parent], reason, tried)


def _qualities(
    semantic: Scorer, lexical: Scorer, n_cases: int, n_items: int, quality: Quality
) -> NDArray[np.float64]:
    """[W, C] quality of every case at every weight."""
    found: list[list[NDArray[np.floating]]] = [[] for _ in WEIGHT_GRID]
    for cases in batches(n_cases, n_items, max(1, _CELLS // n_items)):
        meaning, words = semantic(cases), lexical(cases)
        scale = Scale.of(meaning, words)
        for qualities, weight in zip(found, WEIGHT_GRID, strict=True):
            qualities.append(quality(blend_scores(meaning, words, weight, scale=scale), cases))
    return np.stack([np.concatenate(qualities) for qualities in found]).astype(np.float64)


def _plateau(found: NDArray[np.float64]) -> tuple[int, int]:
    """First and last of the weights around the best that cannot be told apart from it."""
    best = int(found.mean(axis=1).argmax())
    gaps = paired_differences([found[best]] * len(found), list(found))
    level = [gap.low <= 0 for gap in gaps]
    low, high = best, best
    while low > 0 and level[low - 1]:
        low -= 1
    while high < len(level) - 1 and level[high + 1]:
        high += 1
    return low, high


def _inner(place: float) -> int:
    """The nearest place that is a blend; of two the one with more words."""
    return int(np.clip(np.ceil(place - 0.5), 1, len(WEIGHT_GRID) - 2))
