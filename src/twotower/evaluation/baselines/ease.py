"""EASE: every item predicted from all the others by one ridge regression, in closed form."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import lapack

from twotower.data.dataset import Dataset
from twotower.errors import ConfigError
from twotower.evaluation.baselines.interactions import Interactions, history_weights
from twotower.evaluation.baselines.tuning import TRIALS, drawn
from twotower.evaluation.protocol import Scorer
from twotower.features.history import Histories
from twotower.schema import Split


@dataclass(frozen=True)
class EaseConfig:
    """Settings of EASE.

    Attributes:
        l2: Weight of the penalty, above 0.
        decay: Weight of each step back in the history, in (0, 1]; 1 is EASE as published.
    """

    l2: float = 200.0
    decay: float = 1.0

    def __post_init__(self) -> None:
        if not self.l2 > 0:
            raise ConfigError(f"l2 must be above 0, got {self.l2}")
        if not 0 < self.decay <= 1:
            raise ConfigError(f"decay must be in (0, 1], got {self.decay}")


GRID: Final = drawn(
    EaseConfig, {"l2": (20.0, 100.0, 500.0, 2500.0), "decay": (1.0, 0.8, 0.6)}, TRIALS
)
"""What is tried on validation; trials of one penalty share its matrix."""


class Ease:
    """The score of item j for a visitor is the sum over the items i of the history of B_ij.

    `B = I - P diag(1 / diag(P))` with `P = (X'X + l2 I)^-1` and X the [U, N] matrix of who had
    to do with what: the regression of X on itself with a diagonal of zero.

    Args:
        dataset: With events.
        split: The split to be ranked; all that happened before it is counted.

    Source:
        Steck, "Embarrassingly shallow autoencoders for sparse data", WWW 2019.
    """

    def __init__(self, dataset: Dataset, split: str = Split.VALIDATION) -> None:
        self._past = Interactions.before(dataset, split)
        self._latest: tuple[float, NDArray[np.float32]] | None = None

    def weights(self, l2: float) -> NDArray[np.float32]:
        """[N, N] B; the last penalty's is kept."""
        if self._latest is None or self._latest[0] != l2:
            self._latest = None  # before the next one: only one of them fits
            self._latest = (l2, _weights(self._past, l2))
        return self._latest[1]

    def scorer(self, histories: Histories, config: EaseConfig) -> Scorer:
        """Scores for the visitors of the given histories, in their order."""
        weights, below = self.weights(config.l2), self._past.below

        def score(cases: NDArray[np.int64]) -> NDArray[np.float32]:
            past = histories.take(cases)
            scores: NDArray[np.float32] = history_weights(past, len(below), config.decay) @ weights
            scores[past.lengths == 0] = below
            return scores

        return score


def _weights(past: Interactions, l2: float) -> NDArray[np.float32]:
    gram = (past.matrix.T @ past.matrix).toarray()
    np.fill_diagonal(gram, gram.diagonal() + np.float32(l2))
    inverse = _inverse(gram)
    inverse /= -inverse.diagonal()
    np.fill_diagonal(inverse, 0)
    return inverse


def _inverse(matrix: NDArray[np.float32]) -> NDArray[np.float32]:
    """The inverse of a symmetric, positive definite matrix, which is written over."""
    factor, failed = lapack.spotrf(matrix.T, lower=1, overwrite_a=1)
    if failed:
        raise ArithmeticError("the matrix is not positive definite")  # l2 above 0 makes it so
    lower, _ = lapack.spotri(factor, lower=1, overwrite_c=1)
    for row in range(len(lower)):
        lower[row, row + 1 :] = lower[row + 1 :, row]
    inverse: NDArray[np.float32] = lower.T  # the same, row by row in memory
    return inverse
