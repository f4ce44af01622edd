"""Personal frequency: what a visitor had most often, and most lately; then the popular list.

Where shoppers buy the same again this is hard to beat (GP-TopFreq; Li and others, A Next Basket
Recommendation Reality Check, ACM TOIS 2023).
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from twotower.data.dataset import Dataset
from twotower.errors import ConfigError
from twotower.evaluation.baselines.interactions import Interactions
from twotower.evaluation.protocol import Scorer
from twotower.features.history import Histories
from twotower.schema import Split


@dataclass(frozen=True)
class FrequencyConfig:
    """Settings of personal frequency.

    Attributes:
        decay: Weight of each step back in the history, in (0, 1]; 1 counts every event alike.
    """

    decay: float = 1.0

    def __post_init__(self) -> None:
        if not 0 < self.decay <= 1:
            raise ConfigError(f"decay must be in (0, 1], got {self.decay}")


GRID: Final = tuple(
    map(FrequencyConfig, (1.0, 0.999, 0.998, 0.995, 0.99, 0.98, 0.97, 0.95, 0.9, 0.8, 0.7, 0.5))
)
"""What is tried on validation."""


class PersonalFrequency:
    """The score of an item is the sum of `decay^age` over its events in the history.

    Items that the visitor never had follow below zero in order of popularity.

    Args:
        dataset: with events.
        split: the split to be ranked; all that happened before it is counted.
    """

    def __init__(self, dataset: Dataset, split: str = Split.VALIDATION) -> None:
        self._below = Interactions.before(dataset, split).below

    def scorer(self, histories: Histories, config: FrequencyConfig) -> Scorer:
        """Scores for the visitors of the given histories, in their order."""

        def score(cases: NDArray[np.int64]) -> NDArray[np.float32]:
            scores = frequencies(histories.take(cases), len(self._below), config.decay).toarray()
            return np.where(scores > 0, scores, self._below)

        return score


def frequencies(histories: Histories, n_items: int, decay: float) -> sp.csr_array:
    """[B, N] how often each item is in each history, `decay^age` for an event of that age.

    Example:
        >>> from twotower.features.history import History
        >>> frequencies(Histories.from_lists([History.of([1, 0, 1])]), 2, 0.5).toarray().tolist()
        [[0.5, 1.25]]
    """
    lengths = histories.lengths
    users = np.repeat(np.arange(len(histories)), lengths)
    ages = np.repeat(histories.offsets[1:], lengths) - 1 - np.arange(len(users))
    weights = np.maximum(np.float32(decay) ** ages, np.finfo(np.float32).tiny).astype(np.float32)
    place = (users, histories.item_rows)
    return sp.csr_array(sp.coo_array((weights, place), shape=(len(histories), n_items)))
