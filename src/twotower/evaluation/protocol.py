"""The protocol: every case ranked against the whole catalogue, in batches, exactly.

The outcome of an evaluation is the rank of every target and the first items of every list;
every metric of every slice follows from these without asking the model again.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from twotower.evaluation import metrics
from twotower.evaluation.cases import Cases
from twotower.evaluation.ranks import pessimistic_ranks, top_rows
from twotower.evaluation.slices import ALL
from twotower.progress import Steps

Scorer = Callable[[NDArray[np.int64]], NDArray[np.floating]]
"""Case indices [B] -> scores [B, N] of every catalogue row, higher is better.

-inf or NaN where an item is not retrievable. Seen items need no care: they are taken out here.
"""

LIST_LENGTH: Final = 10
"""First items of each case that are kept, for coverage, novelty, exposure and examples."""

CELLS: Final = 2**26
"""Most scores held at once: a batch is made smaller for a large catalogue."""

RANKING: Final = (
    "Every case is ranked against the whole catalogue, exactly; no sampled negatives. "
    "Ties count against the model: a target stands behind every item of the same score."
)
SEEN: Final = {
    True: "Items of the visitor's history are taken out of lists and targets.",
    False: "Items of the visitor's history stay in the ranking.",
}


@dataclass(frozen=True)
class SliceMetrics:
    """Metrics of the cases of one slice.

    Attributes:
        cases: [n] which cases are in the slice.
        values: metric name -> [n] value of each of these cases.
    """

    cases: NDArray[np.int64]
    values: dict[str, NDArray[np.float64]]


@dataclass(frozen=True)
class Evaluation:
    """How one scorer did on some cases.

    Attributes:
        cases: What was asked.
        ranks: [T] pessimistic rank of each target; inf is a miss.
        lists: [C, 10] item rows of the best items, best first; -1 where unfilled.
    """

    cases: Cases
    ranks: NDArray[np.float64]
    lists: NDArray[np.int64]

    def per_case(self, slice_name: str = ALL) -> SliceMetrics:
        """Every metric of relevance of every case of a slice, and novelty for `all`.

        Raises:
            KeyError: the cases have no such slice.
        """
        mask = self.cases.slices[slice_name]
        positive = mask & self.cases.positive
        hits, offsets = _kept(self.ranks, positive, self.cases.offsets)
        inside = np.flatnonzero(np.diff(offsets) > 0)
        values = {name: formula(hits, offsets) for name, formula in metrics.RELEVANCE.items()}
        graded, graded_offsets = _kept(self.ranks, mask, self.cases.offsets)
        for k in metrics.KS:
            values[f"ndcg@{k}"] = metrics.ndcg(graded, self.cases.gains[mask], graded_offsets, k)
        if slice_name == ALL and self.cases.train_counts is not None:
            values[f"novelty@{LIST_LENGTH}"] = metrics.novelty(self.lists, self.cases.train_counts)
        return SliceMetrics(inside, {name: value[inside] for name, value in values.items()})

    def exposure(self) -> dict[str, float]:
        """Coverage, Gini and overlap of all lists together: one number each, no interval."""
        n_items = self.cases.n_items
        return {
            f"coverage@{LIST_LENGTH}": metrics.coverage(self.lists, n_items),
            f"gini@{LIST_LENGTH}": metrics.gini(self.lists, n_items),
            f"overlap@{LIST_LENGTH}": metrics.overlap(self.lists, n_items),
        }

    def mean(self, metric: str, slice_name: str = ALL) -> float:
        """Mean of a metric over the cases of a slice; NaN when the slice is empty."""
        values = self.per_case(slice_name).values[metric]
        return float(values.mean()) if len(values) else float("nan")


def evaluate(
    cases: Cases, scorer: Scorer, *, batch: int = 256, progress: Steps | None = None
) -> Evaluation:
    """Ranks of all targets under a scorer, against the whole catalogue.

    Args:
        cases: C cases over a catalogue of N items.
        scorer: Scores of the given cases for every item, see `Scorer`.
        batch: Most cases scored at once, at least 1; fewer where the catalogue is large, so
            that at most `CELLS` scores are held.
        progress: Told after each batch.

    Raises:
        ValueError: the scorer's answer is not [B, N].
    """
    ranks = np.full(len(cases.rows), np.inf)
    lists = np.full((len(cases), LIST_LENGTH), -1, np.int64)
    for part in batches(len(cases), cases.n_items, batch):
        scores = _clean_scores(scorer(part), (len(part), cases.n_items))
        for case, row_scores in zip(part, scores, strict=True):
            targets = cases.targets(case)
            row_scores[cases.hidden(case)] = -np.inf
            ranks[targets] = pessimistic_ranks(
                row_scores, cases.rows[targets], cases.gains[targets]
            )
            lists[case] = top_rows(row_scores, LIST_LENGTH)
        if progress is not None:
            progress(int(part[-1]) + 1, len(cases))
    return Evaluation(cases, ranks, lists)


def batches(n_cases: int, n_items: int, batch: int) -> Iterator[NDArray[np.int64]]:
    """Case indices in order, in parts of at most `batch` cases and `CELLS` scores."""
    size = max(1, min(batch, CELLS // max(n_items, 1)))
    for start in range(0, n_cases, size):
        yield np.arange(start, min(start + size, n_cases))


def _clean_scores(scores: NDArray[np.floating], shape: tuple[int, int]) -> NDArray[np.floating]:
    if np.shape(scores) != shape:
        raise ValueError(
            f"a scorer must answer [cases, items] = {list(shape)}, got {list(np.shape(scores))}; "
            "score every row of the catalogue, -inf where an item cannot be retrieved"
        )
    own = np.array(scores)
    own[np.isnan(own)] = -np.inf
    return own


def _kept(
    ranks: NDArray[np.float64], mask: NDArray[np.bool], offsets: NDArray[np.int64]
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    kept_before = np.concatenate([[0], np.cumsum(mask)])
    return ranks[mask], kept_before[offsets].astype(np.int64)
