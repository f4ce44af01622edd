"""Item-kNN: people who bought what you bought also bought. The classic that is hard to beat.

scipy's sparse matrices carry it; they come with the `train` extra and are asked for here only.
"""

from dataclasses import asdict, dataclass
from typing import Any, Final

import numpy as np
import polars as pl
import scipy.sparse as sp
from numpy.typing import NDArray

from twotower import schema
from twotower.data.dataset import Dataset
from twotower.errors import ConfigError, DataError
from twotower.evaluation.baselines.popularity import popularity_order
from twotower.evaluation.cases import EARLIER, item_counts
from twotower.evaluation.protocol import Scorer
from twotower.features.history import Histories
from twotower.schema import Split

LONGEST_HISTORY: Final = 500
"""Events of one visitor that count, latest first: a robot must not fill the matrix."""

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

    def to_json(self) -> dict[str, Any]:
        """The settings as the report prints them."""
        return asdict(self)


GRID: Final = tuple(
    ItemKnnConfig(neighbours, shrinkage, decay)
    for neighbours in (50, 500)
    for shrinkage in (0.0, 10.0)
    for decay in (1.0, 0.8, 0.6)
)
"""What is tried on validation; the report prints it with its results."""


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
        if dataset.events is None:
            raise DataError("item-kNN needs events, the dataset has none; leave this baseline out")
        before = [str(earlier) for earlier in EARLIER[Split(split)]]
        train = dataset.events.filter(pl.col(schema.SPLIT).is_in(before))
        pairs = train.group_by(schema.USER_ID, maintain_order=True).tail(LONGEST_HISTORY)
        pairs = pairs.select(schema.USER_ID, schema.ITEM_ROW).unique(maintain_order=True)
        users = pairs[schema.USER_ID].rank("dense").to_numpy().astype(np.int64) - 1
        rows = pairs[schema.ITEM_ROW].to_numpy()
        shape = (int(users.max()) + 1 if len(users) else 0, dataset.n_items)
        ones = np.ones(len(rows), np.float32)
        self._bought = sp.csr_array((ones, (users, rows)), shape=shape)
        counts = item_counts(dataset, *before)
        self._below = popularity_order(counts) - np.float32(dataset.n_items)

    def similarity(self, config: ItemKnnConfig) -> sp.csr_array:
        """[N, N] similarity of each item to its nearest neighbours, itself left out."""
        together = self._bought.T.tocsr()
        sizes = np.sqrt(np.diff(together.indptr).astype(np.float32))
        blocks = [
            _nearest(together[start : start + _BLOCK_ROWS] @ self._bought, start, sizes, config)
            for start in range(0, together.shape[0], _BLOCK_ROWS)
        ]
        return sp.csr_array(sp.vstack(blocks, format="csr"))

    def scorer(self, histories: Histories, config: ItemKnnConfig) -> Scorer:
        """Scores for the visitors of the given histories, in their order."""
        similarity = self.similarity(config)
        n_items = similarity.shape[0]

        def score(cases: NDArray[np.int64]) -> NDArray[np.float32]:
            weights = _history_weights(histories.take(cases), n_items, config.decay)
            scores: NDArray[np.float32] = (weights @ similarity).toarray()
            return np.where(scores > 0, scores, self._below)

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


def _history_weights(histories: Histories, n_items: int, decay: float) -> sp.csr_array:
    """[B, N] weight of each distinct item of each history; its latest event counts."""
    lengths = histories.lengths
    users = np.repeat(np.arange(len(histories)), lengths)
    ages = np.repeat(histories.offsets[1:], lengths) - 1 - np.arange(len(users))
    recent = ages < LONGEST_HISTORY
    frame = pl.DataFrame(
        {"user": users[recent], "row": histories.item_rows[recent], "age": ages[recent]}
    )
    latest = frame.group_by("user", "row").agg(pl.col("age").min())
    weights = np.float32(decay) ** latest["age"].to_numpy().astype(np.float32)
    place = (latest["user"].to_numpy(), latest["row"].to_numpy())
    return sp.csr_array((weights, place), shape=(len(histories), n_items))
