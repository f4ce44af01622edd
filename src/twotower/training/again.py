"""How much it counts that a visitor had an item before: chosen on validation."""

from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray

from twotower.evaluation.cases import RECOMMENDATION, Cases
from twotower.evaluation.protocol import evaluate
from twotower.evaluation.vectors import vector_scorer, visitor_scorer
from twotower.features.again import NOT_AGAIN, Again
from twotower.training.learner import Learner
from twotower.training.material import Material
from twotower.training.validation import case_vectors

DECAYS: Final = (1.0, 0.999, 0.995, 0.99, 0.98, 0.95, 0.9, 0.8)
STRENGTHS: Final = (0.0, 0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0)
"""Of the weight, in standard deviations of a visitor's scores over the catalogue."""
METRIC, _MOST_CASES = "ndcg@10", 2_000


@torch.no_grad()
def again_of(learner: Learner, material: Material) -> Again:
    """What `choose_again` finds for towers that have not learnt from validation."""
    cases = material.validation.get(RECOMMENDATION)
    if cases is None or cases.seen_removed:
        return NOT_AGAIN
    items = learner.eval().item_vectors()
    users = case_vectors(learner, material, RECOMMENDATION, items)
    return choose_again(cases, users, items.cpu().numpy())


def choose_again(
    cases: Cases, users: NDArray[np.float32], item_vectors: NDArray[np.float32]
) -> Again:
    """The decay that ranks best by itself, then the weight that does beside the towers.

    Nothing counts where lists must not hold what a visitor had, or nothing can choose. Of equals
    the least is taken.

    Args:
        cases: C visitors of the validation split.
        users: [C, D] their vectors, of towers that have not learnt from these events.
        item_vectors: [N, D] of the same towers.
    """
    if cases.seen_removed or not len(cases):
        return NOT_AGAIN
    if len(cases) > _MOST_CASES:
        drawn = np.sort(np.random.default_rng(0).choice(len(cases), _MOST_CASES, replace=False))
        cases, users = cases.take(drawn), users[drawn]

    def quality(vectors: NDArray[np.float32], again: Again) -> float:
        assert cases.histories is not None
        scorer = visitor_scorer(vectors, item_vectors, cases.histories, again)
        return evaluate(cases, scorer).mean(METRIC)

    nobody = np.zeros_like(users)
    decay = max(DECAYS, key=lambda decay: quality(nobody, Again(1.0, decay)))
    spread = _spread(users, item_vectors)
    tried = [Again(strength * spread, decay) for strength in STRENGTHS]
    return max(tried, key=lambda again: quality(users, again))


def _spread(users: NDArray[np.float32], item_vectors: NDArray[np.float32]) -> float:
    """The standard deviation of a visitor's scores over the catalogue, in the mean."""
    some = vector_scorer(users, item_vectors)(np.arange(min(len(users), 100)))
    return float(some.std(axis=1).mean())
