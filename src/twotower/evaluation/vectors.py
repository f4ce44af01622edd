"""The scorers of any two towers: inner products of vectors, and what a visitor had before."""

import numpy as np
from numpy.typing import NDArray

from twotower.evaluation.protocol import Scorer
from twotower.features.again import Again
from twotower.features.history import Histories


def vector_scorer(case_vectors: NDArray[np.float32], item_vectors: NDArray[np.float32]) -> Scorer:
    """Scores by inner product.

    Args:
        case_vectors: [C, D] one vector for each case.
        item_vectors: [N, D] vectors of the catalogue.
    """

    def score(cases: NDArray[np.int64]) -> NDArray[np.float32]:
        return case_vectors[cases] @ item_vectors.T

    return score


def visitor_scorer(
    user_vectors: NDArray[np.float32],
    item_vectors: NDArray[np.float32],
    histories: Histories,
    again: Again,
) -> Scorer:
    """Scores by inner product, lifted for what is in the visitor's history.

    Args:
        user_vectors: [C, D] one vector for each case.
        item_vectors: [N, D] vectors of the catalogue.
        histories: of the C cases.
        again: how much.
    """
    inner = vector_scorer(user_vectors, item_vectors)
    if not again.weight:
        return inner

    def score(cases: NDArray[np.int64]) -> NDArray[np.float32]:
        scores = inner(cases)
        for place, case in enumerate(cases.tolist()):
            rows, added = again.lifts(histories[case])
            scores[place, rows] += added.astype(np.float32)
        return scores

    return score
