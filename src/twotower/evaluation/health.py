"""Health: is the model a model, or does it say the same to everybody? In plain words.

A collapsed model and one that only knows what is popular can both have decent recall. Four
numbers tell them: how alike two items' vectors are, how much of the catalogue is ever shown,
how far scores follow popularity, and how much of a list everyone else is shown too.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from twotower.evaluation import metrics
from twotower.evaluation.protocol import LIST_LENGTH, Evaluation, Scorer

GOOD, CAUTION, BAD = "good", "caution", "bad"

_SAMPLE: Final = 200
"""Cases whose scores are compared with popularity."""


@dataclass(frozen=True)
class Sign:
    """How one number is read.

    Attributes:
        name: In reports.
        caution: From here on something is odd.
        bad: From here on something is wrong.
        words: What is wrong then, with a place for the number, and what to try.
        falling: True where a low number is the bad one.
    """

    name: str
    caution: float
    bad: float
    words: str
    falling: bool = False

    def read(self, value: float) -> dict[str, Any]:
        """The number with its state, and words where it is not good."""
        sign = -1 if self.falling else 1
        is_at_least = [sign * value >= sign * limit for limit in (self.caution, self.bad)]
        state = (GOOD, CAUTION, BAD)[sum(is_at_least)]
        said = {"value": value, "state": state, "caution": self.caution, "bad": self.bad}
        return said if state == GOOD else {**said, "words": self.words.format(value)}


SIGNS: Final = (
    Sign(
        "mean_cosine",
        0.6,
        0.9,
        "Two items' vectors have a mean cosine of {:.2f}: they point the same way, so every item "
        "looks like every other. Try a lower learning rate, more negatives, or other features.",
    ),
    Sign(
        f"coverage@{LIST_LENGTH}",
        0.1,
        0.02,
        "The lists show {:.1%} of the items that they could: nearly everything stays unseen. "
        "Look at the loss, and at popular items among the negatives.",
        falling=True,
    ),
    Sign(
        "popularity_correlation",
        0.7,
        0.9,
        "Scores follow popularity with a rank correlation of {:.2f}: it is the list of best "
        "sellers, hardly a personal one. Try the full softmax, or the logQ correction.",
    ),
    Sign(
        "equal_lists",
        0.3,
        0.6,
        "{:.0%} of a list is what anybody else is shown too. Check that histories or queries "
        "reach their tower, and train longer.",
    ),
)


def health(
    evaluation: Evaluation, scorer: Scorer, item_vectors: NDArray[np.float32], *, seed: int = 0
) -> dict[str, Any]:
    """What the four numbers say of a model.

    Args:
        evaluation: Of the trained tower, on at least one case.
        scorer: That was evaluated.
        item_vectors: [N, D] of the catalogue.
        seed: Of the cases whose scores are compared with popularity.

    Returns:
        `state` (good, caution or bad: the worst of all), `sentence`, and `signs`: each with
        value, state, its two limits, and words where it is not good. A number that is not
        defined, such as popularity without a log, is left out.
    """
    cases = evaluation.cases
    shown = metrics.coverage(evaluation.lists, cases.n_items)
    possible = min(1.0, LIST_LENGTH * len(cases) / max(cases.n_items, 1))
    values: dict[str, float | None] = {
        "mean_cosine": mean_cosine(item_vectors),
        f"coverage@{LIST_LENGTH}": shown / possible if possible else None,
        "popularity_correlation": None,
        "equal_lists": equal_lists(evaluation.lists, cases.n_items),
    }
    if cases.train_counts is not None and len(cases):
        drawn = np.random.default_rng(seed).permutation(len(cases))[:_SAMPLE]
        values["popularity_correlation"] = _popularity_correlation(
            scorer(np.sort(drawn)), cases.train_counts
        )
    signs = {s.name: s.read(value) for s in SIGNS if (value := values[s.name]) is not None}
    return {**_verdict(signs), "signs": signs}


def mean_cosine(vectors: NDArray[np.float32]) -> float:
    """Mean cosine of two different vectors [N, D]: about 0 when spread out, 1 when collapsed.

    Example:
        >>> mean_cosine(np.array([[1, 0], [3, 0], [0, 2]], np.float32)).__round__(3)
        0.333
    """
    n = len(vectors)
    if n < 2:
        return 0.0
    norms = np.linalg.norm(vectors, axis=1, keepdims=True)
    unit = vectors / np.maximum(norms, 1e-12)
    total = unit.sum(axis=0, dtype=np.float64)
    own = float((unit.astype(np.float64) ** 2).sum())
    return (float(total @ total) - own) / (n * (n - 1))


def equal_lists(lists: NDArray[np.int64], n_items: int) -> float | None:
    """Share of a list that another case is shown too, above what chance would share.

    `(overlap - K/N) / (1 - K/N)` for lists [C, K] of a catalogue of N, see `metrics.overlap`;
    whole lists are not compared, because taking out what each visitor has seen makes even the
    list of best sellers differ a little.

    Returns:
        A value up to 1; 0 or less for lists drawn by chance. None where it is not defined: for
        one case, or a catalogue no longer than a list.

    Example:
        >>> equal_lists(np.array([[1, 2], [2, 1], [1, 3]]), 100).__round__(2)
        0.66
    """
    chance: float = lists.shape[1] / max(n_items, 1)
    if len(lists) < 2 or chance >= 1:
        return None
    return (metrics.overlap(lists, n_items) - chance) / (1 - chance)


def rank_correlation(one: NDArray[np.floating], other: NDArray[np.integer]) -> float:
    """Spearman's: the correlation of two rankings, equal values sharing their mean rank.

    Returns:
        A value in [-1, 1]; 0 where either is constant.

    Example:
        >>> rank_correlation(np.array([0.1, 0.7, 0.9]), np.array([1, 5, 30])).__round__(3)
        1.0
    """
    a, b = _mean_ranks(one), _mean_ranks(other)
    a, b = a - a.mean(), b - b.mean()
    length = float(np.sqrt((a @ a) * (b @ b)))
    return float(a @ b) / length if length else 0.0


def _popularity_correlation(scores: NDArray[np.floating], counts: NDArray[np.int64]) -> float:
    found = [rank_correlation(np.nan_to_num(row, neginf=-1e30), counts) for row in scores]
    return float(np.mean(found))


def _mean_ranks(values: NDArray[Any]) -> NDArray[np.float64]:
    _, place, counts = np.unique(values, return_inverse=True, return_counts=True)
    ranks: NDArray[np.float64] = (np.cumsum(counts) - (counts - 1) / 2)[place]
    return ranks


def _verdict(signs: Mapping[str, Mapping[str, Any]]) -> dict[str, str]:
    order: Callable[[str], int] = (GOOD, CAUTION, BAD).index
    state = max((sign["state"] for sign in signs.values()), key=order, default=GOOD)
    words = [sign["words"] for sign in signs.values() if sign["state"] != GOOD]
    opening = {
        GOOD: "Healthy: vectors are spread out, lists differ and reach into the catalogue.",
        CAUTION: "Worth a look.",
        BAD: "Not healthy.",
    }[state]
    return {"state": state, "sentence": " ".join([opening, *words])}
