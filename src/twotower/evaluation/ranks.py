"""Pessimistic ranks: where the right items stand among all items when ties count against us."""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating]
Ints = NDArray[np.integer]

_SORT_FROM = 16
"""From this many targets on, sorting the scores once beats comparing target by target."""


def pessimistic_ranks(
    scores: Floats, rows: Ints, gains: Floats | None = None
) -> NDArray[np.float64]:
    """Rank of each relevant item of one case among all items, ties counted against it.

    A relevant item stands behind every other item that scores at least as much. Relevant items
    tied with each other take the last places of their tie, the best gain last of all. So a
    model that gives every item the same score ranks one relevant item at N, and one of random
    scores finds it in the first k with chance k/N.

    Args:
        scores: [N] score of every item; -inf or NaN where the item is not retrievable.
        rows: [T] item rows of the relevant items, each once; -1 for an item outside the catalogue.
        gains: [T] gain of each; equal when left out.

    Returns:
        [T] ranks from 1; inf where the item is outside the catalogue or not retrievable.

    Example:
        >>> pessimistic_ranks(np.array([0.9, 0.5, 0.5, 0.1]), np.array([0, 1, 3, -1])).tolist()
        [1.0, 3.0, 4.0, inf]
    """
    gains = np.ones(len(rows)) if gains is None else gains
    own = np.where(rows >= 0, scores[np.maximum(rows, 0)], -np.inf)
    own[np.isnan(own)] = -np.inf
    ranks = np.full(len(rows), np.inf)
    found = np.flatnonzero(own > -np.inf)
    order = found[np.lexsort((gains[found], -own[found]))]
    if len(order):
        at_least = _count_at_least(scores, own[order])
        ranks[order] = at_least - _tied_after(own[order])
    return ranks


def top_rows(scores: Floats, k: int) -> NDArray[np.int64]:
    """The k best rows of one case, best first, equal scores by row; -1 where nothing is left.

    Args:
        scores: [N] score of every item, without NaN; -inf where it is not retrievable.
        k: How many, at least 1.

    Returns:
        [k] item rows.

    Example:
        >>> top_rows(np.array([0.2, 0.7, 0.7, -np.inf]), 4).tolist()
        [1, 2, 0, -1]
    """
    kept = np.full(k, -1, np.int64)
    width = min(k, len(scores))
    if width == 0:
        return kept
    cut = np.partition(scores, len(scores) - width)[len(scores) - width]
    candidates = np.flatnonzero(scores >= cut if cut > -np.inf else scores > cut)
    best = candidates[np.argsort(-scores[candidates], kind="stable")][:k]
    kept[: len(best)] = best
    return kept


def _count_at_least(scores: Floats, own: Floats) -> NDArray[np.int64]:
    if len(own) < _SORT_FROM:
        return np.array([np.count_nonzero(scores >= value) for value in own], np.int64)
    ascending = np.sort(scores[~np.isnan(scores)])
    return len(ascending) - np.searchsorted(ascending, own, side="left")


def _tied_after(own: Floats) -> NDArray[np.int64]:
    """How many later relevant items share the score; `own` is sorted, best first."""
    last_of_tie = np.searchsorted(-own, -own, side="right")
    return last_of_tie - 1 - np.arange(len(own))
