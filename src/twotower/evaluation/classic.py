"""The classic protocol, for comparison alone: one right item among 50 random ones.

Many published demos report these numbers, and they look high: a random order already has a hit
rate of 20 %. They stand beside the full ranking with chance printed next to them, so that an old
number can be compared with ours; nothing is chosen or promoted by them.
"""

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from twotower.evaluation.protocol import LIST_LENGTH, Evaluation

Array = NDArray[np.float64]

NEGATIVES: Final = 50
"""Random items that a right one is ranked among."""

WHY: Final = (
    "One right item among 50 random ones says little: nearly all of a catalogue is easy to tell "
    "from what a shopper wants, so that weak systems look good and the order of systems can turn. "
    "A shopper is shown the first ten of the whole catalogue, and that is what full ranking counts."
)

INPUT: Final = (
    "Where the category is a feature of the item tower, its separation says that the feature is "
    "used, not that answers are good."
)

_BLOCK: Final = 2**14
"""Targets whose chances are held at once."""


def classic(evaluations: Mapping[str, Evaluation]) -> dict[str, Any]:
    """Hit rate, MRR and AUC of one right item among random ones, for systems on the same cases.

    The mean over all draws of the random items, computed from the full ranking: no dice.

    Args:
        evaluations: name -> evaluation; all on one `Cases` object.

    Returns:
        `negatives`, `targets`, `chance` and `systems.NAME`, each of these two METRIC -> number;
        `why`. No target, no systems.
    """
    cases = next(iter(evaluations.values())).cases
    targets = int(cases.positive.sum())
    found = {name: _sampled(one) for name, one in evaluations.items()} if targets else {}
    return {
        "negatives": NEGATIVES,
        "targets": targets,
        "chance": chance(),
        "systems": found,
        "why": WHY,
    }


def chance() -> dict[str, float]:
    """What a random order gets: `10 / 51`, `(1 + 1/2 + ... + 1/51) / 51` and 1/2.

    Example:
        >>> {name: round(value, 4) for name, value in chance().items()}
        {'hit_rate@10': 0.1961, 'mrr': 0.0886, 'auc': 0.5}
    """
    places = np.arange(1, NEGATIVES + 2)
    return {
        f"hit_rate@{LIST_LENGTH}": LIST_LENGTH / len(places),
        "mrr": float((1 / places).mean()),
        "auc": 0.5,
    }


def category_separation(
    vectors: NDArray[np.float32], codes: NDArray[np.int64]
) -> dict[str, float] | None:
    """How much more alike two items of one category are than two of different ones.

    `separation = within - between`, mean cosines over all pairs of different items; chance is 0.

    Args:
        vectors: [N, D] of the items.
        codes: [N] category of each; -1 where an item has none, which is left out.

    Returns:
        `within`, `between` and `separation`; None without a pair of either kind.

    Example:
        >>> vectors = np.array([[1, 0], [2, 0], [0, 1], [0, 3]], np.float32)
        >>> category_separation(vectors, np.array([7, 7, 8, 8]))
        {'within': 1.0, 'between': 0.0, 'separation': 1.0}
    """
    kept = codes >= 0
    unit = vectors[kept].astype(np.float64)
    unit /= np.maximum(np.linalg.norm(unit, axis=1, keepdims=True), 1e-12)
    _, group, sizes = np.unique(codes[kept], return_inverse=True, return_counts=True)
    sums = np.zeros((len(sizes), unit.shape[1]))
    np.add.at(sums, group, unit)
    own, n = float((unit**2).sum()), len(unit)
    inside, everything = float((sums**2).sum()) - own, float((unit.sum(axis=0) ** 2).sum()) - own
    pairs = int((sizes * (sizes - 1)).sum())
    others = n * (n - 1) - pairs
    if not pairs or not others:
        return None
    within, between = inside / pairs, (everything - inside) / others
    return {"within": within, "between": between, "separation": within - between}


def pointwise_auc(scores: NDArray[np.floating], positive: NDArray[np.bool]) -> float | None:
    """Chance that a judged pair that is right scores higher than one that is not, ties half.

    Over the pairs of all queries together, as classic demos do with ratings: it asks whether a
    score tells good from bad, not whether the best items stand first.

    Args:
        scores: [P] of each judged pair of query and item.
        positive: [P] whether it is right.

    Returns:
        A value in [0, 1], by chance 1/2; None without a pair of either kind.

    Example:
        >>> pointwise_auc(np.array([0.9, 0.4, 0.4]), np.array([True, False, True]))
        0.75
    """
    right, wrong = np.sort(scores[positive]), np.sort(scores[~positive])
    if not len(right) or not len(wrong):
        return None
    below = np.searchsorted(wrong, right, side="left") + np.searchsorted(wrong, right, side="right")
    return float(below.mean() / (2 * len(wrong)))


def _sampled(evaluation: Evaluation) -> dict[str, float]:
    ahead, candidates = _ahead(evaluation)
    hits, reciprocals = [np.zeros(0)], [np.zeros(0)]
    for start in range(0, len(ahead), _BLOCK):
        part = slice(start, start + _BLOCK)
        odds = _odds(ahead[part], candidates[part])
        hits.append(odds[:, :LIST_LENGTH].sum(axis=1))
        reciprocals.append((odds / np.arange(1, NEGATIVES + 2)).sum(axis=1))
    missed = ahead < 0
    auc = np.where(missed, 0.0, 1 - np.maximum(ahead, 0) / np.maximum(candidates, 1))
    return {
        f"hit_rate@{LIST_LENGTH}": float(np.concatenate(hits).mean()),
        "mrr": float(np.concatenate(reciprocals).mean()),
        "auc": float(auc.mean()),
    }


def _ahead(evaluation: Evaluation) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """[P] wrong items before each right one (-1: not in the ranking), and all that may be drawn."""
    cases = evaluation.cases
    ahead, candidates = [np.zeros(0, np.int64)], [np.zeros(0, np.int64)]
    for case in range(len(cases)):
        where = cases.targets(case)
        ranks = evaluation.ranks[where][cases.positive[where]]
        known = np.isfinite(ranks)
        before = np.full(len(ranks), -1, np.int64)
        places = ranks[known].argsort().argsort()
        before[known] = ranks[known].astype(np.int64) - 1 - places
        inside = int((cases.rows[where][cases.positive[where]] >= 0).sum())
        left = cases.n_items - len(np.unique(cases.hidden(case))) - inside
        ahead.append(before)
        candidates.append(np.full(len(ranks), left, np.int64))
    return np.concatenate(ahead), np.concatenate(candidates)


def _odds(ahead: NDArray[np.int64], candidates: NDArray[np.int64]) -> Array:
    """[P, 51] chance that x of the drawn items stand before the right one: hypergeometric.

    All of them are drawn where there are fewer than 50; zeros for what is not in the ranking.
    """
    logs = np.concatenate([[0.0], np.cumsum(np.log(np.arange(1, candidates.max(initial=0) + 1)))])
    x = np.arange(NEGATIVES + 1)
    drawn = np.minimum(candidates, NEGATIVES)[:, None]
    good, bad = ahead[:, None], (candidates - ahead)[:, None]
    possible = (x <= good) & (drawn - x <= bad) & (x <= drawn) & (good >= 0)

    def choices(n: NDArray[np.int64], k: NDArray[np.int64]) -> Array:
        n, k = np.where(possible, n, 0), np.where(possible, k, 0)
        return np.asarray(logs[n] - logs[k] - logs[n - k])

    chances = choices(good, x[None, :]) + choices(bad, drawn - x) - choices(good + bad, drawn)
    return np.where(possible, np.exp(chances), 0.0)
