"""Metrics from ranks: one documented formula each, arrays in, arrays out.

A metric of a case is a function of the ranks of its relevant items (`ranks.pessimistic_ranks`),
so everything here reads ragged arrays: the ranks of all cases joined, [T], and `offsets`,
[C + 1]; case c owns ranks `offsets[c]:offsets[c + 1]`. A rank of inf is a miss at every k.

In the formulas, R is the set of relevant items of a case and r_i the rank of item i. A case
without relevant items has no defined metric: the functions give 0 for it, and the protocol
leaves such cases out and counts them.
"""

from collections.abc import Callable
from functools import partial
from typing import Final

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Offsets = NDArray[np.int64]

KS: Final = (5, 10, 20, 50, 100)
"""Cut-offs of every report."""


def recall(ranks: Array, offsets: Offsets, k: int) -> Array:
    """Share of the relevant items in the first k: `|{i in R: r_i <= k}| / |R|`.

    Args:
        ranks: [T] rank of each relevant item, from 1; inf is a miss.
        offsets: [C + 1] where the ranks of each case begin.
        k: Cut-off, at least 1.

    Returns:
        [C] values in [0, 1]; they never fall as k grows.

    Example:
        >>> recall(np.array([1.0, 7.0, np.inf]), np.array([0, 3]), 5).tolist()
        [0.3333333333333333]
    """
    return _ratio(_sums(ranks <= k, offsets), np.diff(offsets))


def precision(ranks: Array, offsets: Offsets, k: int) -> Array:
    """Share of the first k that is relevant: `|{i in R: r_i <= k}| / k`.

    Args:
        ranks: [T] rank of each relevant item, from 1; inf is a miss.
        offsets: [C + 1] where the ranks of each case begin.
        k: Cut-off, at least 1. A list shorter than k counts as k long.

    Returns:
        [C] values in [0, 1].

    Example:
        >>> precision(np.array([1.0, 3.0]), np.array([0, 2]), 4).tolist()
        [0.5]
    """
    return _sums(ranks <= k, offsets) / k


def hit_rate(ranks: Array, offsets: Offsets, k: int) -> Array:
    """1 where any relevant item is in the first k: `[min r_i <= k]`.

    Args:
        ranks: [T] rank of each relevant item, from 1; inf is a miss.
        offsets: [C + 1] where the ranks of each case begin.
        k: Cut-off, at least 1.

    Returns:
        [C] zeros and ones; equal to recall where a case has one relevant item.

    Example:
        >>> hit_rate(np.array([2.0, 9.0, 11.0]), np.array([0, 2, 3]), 10).tolist()
        [1.0, 0.0]
    """
    return (_sums(ranks <= k, offsets) > 0).astype(np.float64)


def ndcg(ranks: Array, gains: Array, offsets: Offsets, k: int) -> Array:
    """Discounted gain of the first k over that of the best order.

    `DCG@k = sum over r_i <= k of g_i / log2(1 + r_i)`, divided by the DCG@k of the judged items
    in descending gain. Gains enter as they are: map grades to gains (such as 2^g - 1) before.

    Args:
        ranks: [T] rank of each item with a gain, from 1; inf is a miss.
        gains: [T] gain of each, at least 0; all 1 for a binary judgment.
        offsets: [C + 1] where the ranks of each case begin.
        k: Cut-off, at least 1.

    Returns:
        [C] values in [0, 1]; 1 for the best order.

    Example:
        >>> ndcg(np.array([2.0, 1.0]), np.array([1.0, 0.1]), np.array([0, 2]), 10).round(4).tolist()
        [0.6876]

    Source:
        Järvelin and Kekäläinen, "Cumulated gain-based evaluation of IR techniques", TOIS 2002,
        with the discount log2(1 + rank) of trec_eval.
    """
    ideal = _within_case(-gains, offsets)
    best = _sums(np.where(ideal <= k, gains / np.log2(1 + ideal), 0.0), offsets)
    return _ratio(_sums(np.where(ranks <= k, gains / np.log2(1 + ranks), 0.0), offsets), best)


def mrr(ranks: Array, offsets: Offsets) -> Array:
    """Reciprocal rank of the first relevant item: `1 / min r_i`, without a cut-off.

    Args:
        ranks: [T] rank of each relevant item, from 1; inf is a miss.
        offsets: [C + 1] where the ranks of each case begin.

    Returns:
        [C] values in [0, 1].

    Example:
        >>> mrr(np.array([4.0, 2.0, np.inf]), np.array([0, 2, 3])).tolist()
        [0.5, 0.0]
    """
    best = np.zeros(len(offsets) - 1)
    np.maximum.at(best, _case_of(offsets), 1 / ranks)
    return best


def average_precision(ranks: Array, offsets: Offsets) -> Array:
    """Mean precision at the relevant items: `1/|R| * sum_j j / r_(j)`, r_(j) the j-th best rank.

    Its mean over cases is MAP. There is no cut-off.

    Args:
        ranks: [T] rank of each relevant item, from 1; inf is a miss.
        offsets: [C + 1] where the ranks of each case begin.

    Returns:
        [C] values in [0, 1].

    Example:
        >>> average_precision(np.array([1.0, 4.0]), np.array([0, 2])).tolist()
        [0.75]
    """
    return _ratio(_sums(_within_case(ranks, offsets) / ranks, offsets), np.diff(offsets))


def coverage(lists: NDArray[np.int64], n_items: int) -> float:
    """Share of the catalogue that appears in any list: `|union of lists| / N`.

    Args:
        lists: [C, K] item rows; -1 where a place is unfilled.
        n_items: N, the size of the catalogue.

    Returns:
        A value in [0, 1]. It grows with the number of lists: compare like with like.

    Example:
        >>> coverage(np.array([[0, 1], [1, -1]]), 4)
        0.5
    """
    return float(np.count_nonzero(exposures(lists, n_items))) / max(n_items, 1)


def gini(lists: NDArray[np.int64], n_items: int) -> float:
    """Inequality of exposure: 0 when every item is shown equally often, near 1 when one is.

    `sum_i (2i - N - 1) x_i / (N * sum x)` over the exposure counts x in ascending order.

    Args:
        lists: [C, K] item rows; -1 where a place is unfilled.
        n_items: N, the size of the catalogue; items never shown count with 0.

    Returns:
        A value in [0, 1].

    Example:
        >>> gini(np.array([[0, 1], [2, 3]]), 4), gini(np.array([[0], [0]]), 4)
        (0.0, 0.75)
    """
    shown = np.sort(exposures(lists, n_items))
    if shown.sum() == 0:
        return 0.0
    weights = 2 * np.arange(1, n_items + 1) - n_items - 1
    return float((weights * shown).sum() / (n_items * shown.sum()))


def overlap(lists: NDArray[np.int64], n_items: int) -> float:
    """Share of a list that another case is shown too, averaged over all pairs of cases.

    `sum_i x_i (x_i - 1) / ((C - 1) * sum x)` over the exposure counts x: 1 when everyone gets
    the same items, near 0 when the lists have nothing in common.

    Args:
        lists: [C, K] item rows, each once in a list; -1 where a place is unfilled.
        n_items: N, the size of the catalogue.

    Returns:
        A value in [0, 1]; 0 for fewer than two lists.

    Example:
        >>> overlap(np.array([[0, 1], [1, 0]]), 9), overlap(np.array([[0, 1], [1, 2]]), 9)
        (1.0, 0.5)
    """
    shown = exposures(lists, n_items).astype(np.float64)
    pairs = (len(lists) - 1) * shown.sum()
    return float((shown * (shown - 1)).sum() / pairs) if pairs > 0 else 0.0


def novelty(lists: NDArray[np.int64], counts: NDArray[np.int64]) -> Array:
    """Mean self-information of the items of each list, in bits.

    `mean over the list of -log2 p(i)`, `p(i) = (count_i + 1) / (sum of counts + N)`: the chance
    that a training event is about item i, with one added so that an unseen item stays finite.

    Args:
        lists: [C, K] item rows; -1 where a place is unfilled, and left out of the mean.
        counts: [N] training events of each item.

    Returns:
        [C] bits, at least 0; 0 for an empty list.

    Example:
        >>> novelty(np.array([[0], [1]]), np.array([6, 0])).round(3).tolist()
        [0.193, 3.0]
    """
    bits = -np.log2((counts + 1) / (counts.sum() + len(counts)))
    filled = lists >= 0
    return _ratio(np.where(filled, bits[lists], 0.0).sum(axis=1), filled.sum(axis=1))


def exposures(lists: NDArray[np.int64], n_items: int) -> NDArray[np.int64]:
    """[N] how often each item appears in the lists [C, K]; places of -1 are left out."""
    return np.bincount(lists[lists >= 0], minlength=n_items).astype(np.int64)


RELEVANCE: Final[dict[str, Callable[[Array, Offsets], Array]]] = {
    **{
        f"{name}@{k}": partial(formula, k=k)
        for name, formula in (("recall", recall), ("precision", precision), ("hit_rate", hit_rate))
        for k in KS
    },
    "mrr": mrr,
    "map": average_precision,
}
"""Metrics of binary relevance by report name; `ndcg@k` also needs gains and is apart."""


def _case_of(offsets: Offsets) -> NDArray[np.int64]:
    return np.repeat(np.arange(len(offsets) - 1), np.diff(offsets))


def _sums(values: NDArray[np.bool] | Array, offsets: Offsets) -> Array:
    sums = np.bincount(_case_of(offsets), weights=values, minlength=len(offsets) - 1)
    return sums.astype(np.float64)


def _within_case(keys: Array, offsets: Offsets) -> Array:
    """Position of each key in ascending order among its case's keys, from 1."""
    case = _case_of(offsets)
    order = np.lexsort((keys, case))
    place = np.empty(len(keys))
    place[order] = np.arange(len(keys)) - offsets[:-1][case] + 1
    return place


def _ratio(above: Array, below: Array | NDArray[np.int64]) -> Array:
    return np.divide(above, below, out=np.zeros(len(above)), where=below > 0)
