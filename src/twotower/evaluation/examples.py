"""Sample cases with their lists, good and bad, for people who read the report."""

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from twotower.evaluation.protocol import LIST_LENGTH, Evaluation

SHOWN_HISTORY: Final = 6
"""Latest items of a history that are shown."""


def sample_examples(
    evaluation: Evaluation, titles: Sequence[str], *, count: int = 20, seed: int = 0
) -> tuple[dict[str, Any], ...]:
    """A sample of cases: half with a right item in the list where there are any, half without.

    Args:
        evaluation: Of the served system.
        titles: [N] title of each item.
        count: How many, at most.
        seed: Of the draw.

    Returns:
        Dicts of `key` (query or user id), `history` and `targets` (titles), `best_rank`
        (None for a miss) and `hits`: a list of {title, relevant}, best first.
    """
    best = best_ranks(evaluation)
    generator = np.random.default_rng(seed)
    good = generator.permutation(np.flatnonzero(best <= LIST_LENGTH))
    bad = generator.permutation(np.flatnonzero(best > LIST_LENGTH))
    n_good = min(len(good), max(count // 2, count - len(bad)))
    chosen = np.concatenate([good[:n_good], bad[: count - n_good]])
    return tuple(example(evaluation, int(case), best[case], titles) for case in chosen)


def best_ranks(evaluation: Evaluation) -> NDArray[np.float64]:
    """[C] rank of the first right item of each case; inf for a miss."""
    cases = evaluation.cases
    ranks = np.where(cases.positive, evaluation.ranks, np.inf)
    return np.array([ranks[cases.targets(c)].min(initial=np.inf) for c in range(len(cases))])


def example(
    evaluation: Evaluation, case: int, best: float, titles: Sequence[str]
) -> dict[str, Any]:
    """One case with its list, see `sample_examples`; `best` is its rank of `best_ranks`."""
    cases = evaluation.cases
    where = cases.targets(case)
    relevant = cases.rows[where][cases.positive[where]]
    hits = evaluation.lists[case]
    past = None if cases.histories is None else cases.histories[case].item_rows
    return {
        "key": cases.keys[case],
        "history": [] if past is None else [titles[row] for row in past[-SHOWN_HISTORY:]],
        "targets": [titles[row] for row in relevant if row >= 0],
        "best_rank": int(best) if np.isfinite(best) else None,
        "hits": [
            {"title": titles[row], "relevant": bool((relevant == row).any())}
            for row in hits
            if row >= 0
        ],
    }
