"""What to show to a visitor of whom nothing is known."""

import numpy as np
import polars as pl
from numpy.typing import NDArray

from twotower import schema
from twotower.data.dataset import Dataset


def item_popularity(dataset: Dataset) -> NDArray[np.int64] | None:
    """int64[N] different users who did anything with each item; None without events.

    Users and not events are counted, so that one busy visitor does not make a bestseller.
    """
    if dataset.events is None or len(dataset.events) == 0:
        return None
    users = dataset.events.group_by(schema.ITEM_ROW).agg(pl.col(schema.USER_ID).n_unique())
    counts = np.zeros(len(dataset.items), dtype=np.int64)
    counts[users[schema.ITEM_ROW].to_numpy()] = users[schema.USER_ID].to_numpy()
    return counts
