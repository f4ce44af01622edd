"""The scorer of any two towers: inner products of vectors."""

import numpy as np
from numpy.typing import NDArray

from twotower.evaluation.protocol import Scorer


def vector_scorer(case_vectors: NDArray[np.float32], item_vectors: NDArray[np.float32]) -> Scorer:
    """Scores by inner product.

    Args:
        case_vectors: [C, D] one vector for each case.
        item_vectors: [N, D] vectors of the catalogue.
    """

    def score(cases: NDArray[np.int64]) -> NDArray[np.float32]:
        return case_vectors[cases] @ item_vectors.T

    return score
