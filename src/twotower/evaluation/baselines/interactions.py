"""Who had to do with what before a split: the matrix that collaborative baselines learn from."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import polars as pl
import scipy.sparse as sp
from numpy.typing import NDArray

from twotower import schema
from twotower.data.dataset import Dataset
from twotower.errors import DataError
from twotower.evaluation.baselines.popularity import popularity_order
from twotower.evaluation.cases import EARLIER, item_counts
from twotower.features.history import Histories
from twotower.schema import Split

LONGEST_HISTORY: Final = 500
"""Events of one visitor that count, latest first: a robot must not fill the matrix."""


@dataclass(frozen=True)
class Interactions:
    """U visitors and N items, each pair once.

    Attributes:
        matrix: [U, N] ones.
        user_ids: [U] whose rows they are.
        below: [N] scores under zero in order of popularity, for those whose history says
            nothing: a new visitor gets the popular list and not a tie.
    """

    matrix: sp.csr_array
    user_ids: tuple[str, ...]
    below: NDArray[np.float32]

    @classmethod
    def before(cls, dataset: Dataset, split: str) -> "Interactions":
        """All that happened before the split begins.

        Raises:
            DataError: the dataset has no events.
        """
        if dataset.events is None:
            raise DataError(
                "this baseline needs events, the dataset has none; leave it out, or prepare "
                "the dataset with an events table"
            )
        earlier = [str(part) for part in EARLIER[Split(split)]]
        past = dataset.events.filter(pl.col(schema.SPLIT).is_in(earlier))
        pairs = past.group_by(schema.USER_ID, maintain_order=True).tail(LONGEST_HISTORY)
        pairs = pairs.select(schema.USER_ID, schema.ITEM_ROW).unique(maintain_order=True)
        user_ids = pairs[schema.USER_ID].unique().sort()
        users = user_ids.search_sorted(pairs[schema.USER_ID]).to_numpy()
        place = (users.astype(np.int64), pairs[schema.ITEM_ROW].to_numpy())
        shape = (len(user_ids), dataset.n_items)
        matrix = sp.csr_array((np.ones(len(users), np.float32), place), shape=shape)
        counts = item_counts(dataset, *earlier)
        below = popularity_order(counts) - np.float32(dataset.n_items)
        return cls(matrix, tuple(user_ids), below)


def history_weights(histories: Histories, n_items: int, decay: float = 1.0) -> sp.csr_array:
    """[B, N] weight of each distinct item of each history.

    It is `decay` to the power of the age of the item's latest event, 0 for the last of the
    history; 1 forgets the order.
    """
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
