"""A ranking by vector in which what the visitor had before stands higher."""

from dataclasses import dataclass

import numpy as np

from twotower.index.base import Mask, Rows
from twotower.retrieval.listing import Ranking, Scores
from twotower.retrieval.page import page_of


@dataclass(frozen=True)
class Lifted:
    """Scores of another ranking, and something more for some rows; see `Ranking`.

    Attributes:
        ranking: the other one.
        rows: int64[R] ascending, each once.
        added: float64[R] 0 or more; what their scores gain.
    """

    ranking: Ranking
    rows: Rows
    added: Scores

    @property
    def floor(self) -> float:
        """See `Ranking.floor`."""
        return self.ranking.floor

    @property
    def n_rows(self) -> int:
        """See `Ranking.n_rows`."""
        return self.ranking.n_rows

    def best(self, k: int, allowed: Mask) -> tuple[Rows, Scores]:
        """See `Ranking.best`; exact where that one is, as no row loses."""
        among = self.rows[self.rows < len(allowed)]
        rows = np.union1d(self.ranking.best(k, allowed)[0], among[allowed[among]])
        return page_of(rows, self.scores(rows), 0, k)

    def scores(self, rows: Rows) -> Scores:
        """See `Ranking.scores`."""
        return self.ranking.scores(rows) + self.of(rows)

    def of(self, rows: Rows) -> Scores:
        """float64[R] what the scores of rows gain."""
        if not len(self.rows):
            return np.zeros(len(rows))
        places = np.minimum(np.searchsorted(self.rows, rows), len(self.rows) - 1)
        return np.where(self.rows[places] == rows, self.added[places], 0.0)
