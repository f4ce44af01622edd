"""Item-kNN: people who bought what you bought also bought. The classic that is hard to beat.

scipy's sparse matrices carry it; they come with the `train` extra and are asked for here only.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from twotower.data.dataset import Dataset
from twotower.errors import ConfigError
from twotower.evaluation.baselines.interactions import Interactions, history_weights
from twotower.evaluation.baselines.tuning import TRIALS, drawn
from twotower.evaluation.protocol import Scorer
from twotower.features.history import Histories
from twotower.schema import Split

_BLOCK_ROWS: Final = 4096


@dataclass(frozen=True)
class ItemKnnConfig:
    """Settings of item-kNN.

    Attributes:
        neighbours: How many most similar items each item keeps, at least 1.
        shrinkage: Added to the cosine's denominator, at least 0: few common visitors prove little.
        decay: Weight of each step back in the history, in (0, 1]; 1 forgets the order.
    """

    neighbours: int = 100
    shrinkage: float = 10.0
    decay: float = 0.8

    def __post_init__(self) -> None:
        if self.neighbours < 1:
            raise ConfigError(f"neighbours must be at least 1, got {self.neighbours}")
        if self.shrinkage < 0:
            raise ConfigError(f"shrinkage must be at least 0, got {self.shrinkage}")
        if not 0 < self.decay <= 1:
            raise ConfigError(f"decay must be in (0, 1], got {self.decay}")


GRID: Final = drawn(
    ItemKnnConfig,
    {"neighbours": (50, 500), "shrinkage": (0.0, 10.0), "decay": (1.0, 0.8, 0.6)},
    TRIALS,
)
"""What is tried on validation."""


class ItemKnn:
    """Cosine of items over the visitors of their training events, nearest neighbours only.

    `sim(i, j) = |visitors of i and j| / (sqrt(n_i n_j) + shrinkage)`; the score of j for a
    visitor is the sum over the distinct items i of the history of `decay^age(i) * sim(i, j)`,
    age 0 for the latest. Items without a neighbour in the history follow below zero in order
    of popularity, so that a new visitor gets the popular list and not a tie.

    Args:
        dataset: with events.
        split: the split to be ranked; all that happened before it is counted.
    """

    def __init__(self, dataset: Dataset, split: str = Split.VALIDATION) -> None:
        self._past = Interactions.before(dataset, split)

    def similarity(self, config: ItemKnnConfig) -> sp.csr_array:
        """[N, N] similarity of each item to its nearest neighbours, itself left out."""
        bought = self._past.matrix
        together = bought.T.tocsr()
        sizes = np.sqrt(np.diff(together.indptr).astype(np.float32))
        blocks = [
            _nearest(together[start : start + _BLOCK_ROWS] @ bought, start, sizes, config)
            for start in range(0, together.shape[0], _BLOCK_ROWS)
        ]
        return sp.csr_array(sp.vstack(blocks, format="csr"))

    def scorer(self, histories: Histories, config: ItemKnnConfig) -> Scorer:
        """Scores for the visitors of the given histories, in their order."""
        similarity = self.similarity(config)
        n_items = similarity.shape[0]

        def score(cases: NDArray[np.int64]) -> NDArray[np.float32]:
            weights = history_weights(histories.take(cases), n_items, config.decay)
            scores: NDArray[np.float32] = (weights @ similarity).toarray()
            return np.where(scores > 0, scores, self._past.below)

        return score


def _nearest(
    common: sp.csr_array, start: int, sizes: NDArray[np.float32], config: ItemKnnConfig
) -> sp.csr_array:
    """The co-occurrence counts of some rows, as similarities of their best neighbours."""
    counts = common.tocoo()
    rows, columns = counts.coords
    values = counts.data / (sizes[rows + start] * sizes[columns] + config.shrinkage)
    values[columns == rows + start] = 0
    order = np.lexsort((columns, -values, rows))
    rows, columns, values = rows[order], columns[order], values[order]
    first = np.searchsorted(rows, np.arange(common.shape[0]))
    kept = (np.arange(len(rows)) - first[rows] < config.neighbours) & (values > 0)
    return sp.csr_array((values[kept], (rows[kept], columns[kept])), shape=common.shape)
