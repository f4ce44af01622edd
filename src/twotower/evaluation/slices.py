"""Slices: the same ranking, looked at for a part of the targets only."""

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from twotower.schema import KIND_CODE

ALL: Final = "all"
WARM: Final = "warm"
COLD: Final = "cold"
HEAD: Final = "head"
TAIL: Final = "tail"

HEAD_SHARE: Final = 0.2
"""The head is the most popular items that together have this share of the training events."""

Mask = NDArray[np.bool]

_HISTORY_LENGTHS = ((0, 0), (1, 2), (3, 5), (6, 20), (21, None))
_WORDS = ((1, 2), (3, 4), (5, None))


def visitor_slices(
    rows: NDArray[np.int64],
    offsets: NDArray[np.int64],
    train_counts: NDArray[np.int64],
    history_lengths: NDArray[np.int64],
) -> dict[str, Mask]:
    """Slices of recommendation targets: by the item's past and by the visitor's.

    Args:
        rows: [T] item rows of the targets; negative outside the catalogue, which is cold.
        offsets: [C + 1] where the targets of each case begin.
        train_counts: [N] training events of each item.
        history_lengths: [C] events before the held-out part.

    Returns:
        name -> [T] mask, `all` first.
    """
    counts = np.where(rows >= 0, train_counts[np.maximum(rows, 0)], 0)
    head = counts >= head_count(train_counts)
    lengths = np.repeat(history_lengths, np.diff(offsets))
    return {
        ALL: np.ones(len(rows), bool),
        WARM: counts > 0,
        COLD: counts == 0,
        HEAD: head,
        TAIL: ~head,
        **_ranges("history", lengths, _HISTORY_LENGTHS),
    }


def kind_slices(kinds: NDArray[np.int64]) -> dict[str, Mask]:
    """Slices of recommendation targets by what the visitor did, strongest kind of each.

    Args:
        kinds: [T] event kind codes; 0 where unknown.

    Returns:
        `kind_purchase` and the like -> [T] mask, of the kinds there are; empty for one alone.
    """
    found = {f"kind_{name}": kinds == code for name, code in KIND_CODE.items()}
    there = {name: mask for name, mask in found.items() if mask.any()}
    return there if len(there) > 1 else {}


def query_slices(queries: Sequence[str], offsets: NDArray[np.int64]) -> dict[str, Mask]:
    """Slices of search targets: by the number of words of the query.

    Args:
        queries: [C] the shoppers' words.
        offsets: [C + 1] where the targets of each case begin.

    Returns:
        name -> [T] mask, `all` first.
    """
    words = np.array([max(len(query.split()), 1) for query in queries], np.int64)
    per_target = np.repeat(words, np.diff(offsets))
    return {ALL: np.ones(len(per_target), bool), **_ranges("words", per_target, _WORDS)}


def head_count(train_counts: NDArray[np.int64]) -> int:
    """The number of training events from which on an item belongs to the head.

    Items enter the head from the most popular on until together they have `HEAD_SHARE` of the
    events; items as popular as the last one enter with it. At least 1: a cold item is tail.

    Example:
        >>> head_count(np.array([1, 30, 10, 10, 49]))
        49
    """
    descending = np.sort(train_counts)[::-1]
    if len(descending) == 0 or descending[0] == 0:
        return 1
    reached = np.searchsorted(np.cumsum(descending), HEAD_SHARE * descending.sum())
    return int(max(descending[reached], 1))


def _ranges(
    name: str, values: NDArray[np.int64], ranges: Sequence[tuple[int, int | None]]
) -> dict[str, Mask]:
    return {
        f"{name}_{_label(low, high)}": (values >= low) & ((high is None) | (values <= (high or 0)))
        for low, high in ranges
    }


def _label(low: int, high: int | None) -> str:
    if high is None:
        return f"{low}+"
    return "none" if high == 0 else f"{low}-{high}"
