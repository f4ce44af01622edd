"""What goes into the same baskets: counted in the log, without a model."""

from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from twotower import schema
from twotower.data.dataset import Dataset

_TAKEN: Final = (schema.EventKind.CART, schema.EventKind.PURCHASE, schema.EventKind.REVIEW)
"""Kinds of events that say that a product was taken, not only looked at."""
SHRINKAGE: Final = 5.0
"""Added to the cosine's denominator: two products that one buyer shares prove little."""


class Baskets:
    """Who took which products, by product and by user.

    Args:
        dataset: whose events are counted, all of them; without events nothing goes together.
    """

    def __init__(self, dataset: Dataset) -> None:
        self._n_items = dataset.n_items
        users, rows = _taken(dataset)
        self._by_user, self._user_from = _grouped(users, rows, int(users.max(initial=-1)) + 1)
        self._by_item, self._item_from = _grouped(rows, users, self._n_items)

    def together(self, row: int) -> NDArray[np.float32]:
        """How much each product goes with one product.

        Args:
            row: of the product; a live one goes with nothing.

        Returns:
            float32[N] of the bundle's products, 0..1: the cosine of their buyers, shrunk;
            0 where they share none, and for the product itself.
        """
        found = np.zeros(self._n_items, np.float32)
        if row >= self._n_items:
            return found
        buyers = self._by_item[self._item_from[row] : self._item_from[row + 1]]
        baskets = [self._by_user[self._user_from[one] : self._user_from[one + 1]] for one in buyers]
        rows, shared = np.unique(np.concatenate([*baskets, buyers[:0]]), return_counts=True)
        sizes = np.diff(self._item_from)
        found[rows] = shared / (np.sqrt(sizes[rows] * len(buyers)) + SHRINKAGE)
        found[row] = 0.0
        return found


def _taken(dataset: Dataset) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """int64[T] users by number and int64[T] items that they took, each pair once."""
    if dataset.events is None:
        return np.empty(0, np.int64), np.empty(0, np.int64)
    taken = dataset.events.filter(pl.col(schema.EVENT).is_in(_TAKEN))
    pairs = taken.select(
        pl.col(schema.USER_ID).rank("dense").cast(pl.Int64) - 1,
        pl.col(schema.ITEM_ROW).cast(pl.Int64),
    ).unique(maintain_order=True)
    return pairs[schema.USER_ID].to_numpy(), pairs[schema.ITEM_ROW].to_numpy()


def _grouped(
    owners: NDArray[np.int64], owned: NDArray[np.int64], n_owners: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """What each owner has, joined, and int64[n_owners + 1] where each one's part begins."""
    order = np.argsort(owners, kind="stable")
    counts = np.bincount(owners, minlength=n_owners)
    return owned[order], np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
