"""The order of matched products, and where a page of them begins and ends."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from twotower import schema
from twotower.filtering.columns import Columns
from twotower.index.base import Mask, Rows, Vectors
from twotower.index.ranking import contenders
from twotower.retrieval.questions import Sort

Worth = NDArray[np.float64]
_COLUMNS: Final[dict[Sort, tuple[str, int]]] = {
    "price_ascending": (schema.PRICE, -1),
    "price_descending": (schema.PRICE, 1),
    "rating": (schema.RATING, 1),
    "newest": (schema.LAUNCHED, 1),
}
"""The column of an order, and 1 where more is better."""
_LAST: Final = -np.finfo(np.float64).max
"""What a product without the number is worth: it comes after all that have one."""


@dataclass(frozen=True)
class Mark:
    """A place in an order: what the product there was worth, its score and its row.

    Attributes:
        worth: what the list is ordered by, more is better.
        score: by which equals are ordered, more is better.
        row: by which equals in both are ordered, less is better.
        rank: places up to here, this one included.
    """

    worth: float
    score: float
    row: int
    rank: int


@dataclass(frozen=True)
class Ordered:
    """Matched rows, and what they are ordered by.

    Attributes:
        rows: int64[R] ascending.
        scores: float32[R] how well they match.
        worth: float64[R] what the list is ordered by first, more is better.
    """

    rows: Rows
    scores: Vectors
    worth: Worth

    @classmethod
    def by(cls, sort: Sort, rows: Rows, scores: Vectors, columns: Columns) -> "Ordered":
        """Rows in an order; of equal ones what matches better comes first."""
        if sort == "relevance":
            return cls(rows, scores, scores.astype(np.float64))
        column, sign = _COLUMNS[sort]
        worth = sign * columns.numbers(column)[rows]
        return cls(rows, scores, np.where(np.isnan(worth), _LAST, worth))

    def page(
        self, offset: int, k: int, after: Mark | None = None, out: Rows | None = None
    ) -> NDArray[np.int64]:
        """int64[<=k] places of a page, best first. Pages joined together equal one long page.

        Args:
            offset: places before the page.
            k: places on it.
            after: the last place of the page before; the page follows it.
            out: int64 places that have no part in the order.
        """
        places = np.arange(len(self.rows)) if after is None else np.flatnonzero(self._after(after))
        if out is not None and len(out):
            places = places[~np.isin(places, out)]
        if k == 0 or not len(places):
            return places[:0]
        near = contenders(self.worth[places], offset + k, 0.0)
        places = places[near]
        keys = (self.rows[places], -self.scores[places], -self.worth[places])
        return places[np.lexsort(keys)][offset : offset + k]

    def mark(self, place: int, rank: int) -> Mark:
        """Where a page ends, for the one that follows."""
        worth, score = float(self.worth[place]), float(self.scores[place])
        return Mark(worth, score, int(self.rows[place]), rank)

    def _after(self, mark: Mark) -> Mask:
        score = np.float32(mark.score)
        equal = self.worth == mark.worth
        later = (self.scores < score) | ((self.scores == score) & (self.rows > mark.row))
        behind: Mask = (self.worth < mark.worth) | (equal & later)
        return behind
