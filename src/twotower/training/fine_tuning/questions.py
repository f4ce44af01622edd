"""What is asked in an epoch: judged queries, and queries made up from titles."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from twotower import schema
from twotower.training.fine_tuning.config import FineTuningConfig
from twotower.training.fine_tuning.titles import TitleQueries, words_of


@dataclass(frozen=True, eq=False)
class Question:
    """A query with what is known of its answers.

    Attributes:
        query: as it was typed, or made up.
        rows: [J] item rows that were judged for it.
        gains: [J] their gains.
        positive: [J] which of them are positives; at least one.
        words: of a made-up query, none of another: an item with all of these words in its
            title may answer it as well, and is no negative of it.
    """

    query: str
    rows: NDArray[np.int64]
    gains: NDArray[np.float32]
    positive: NDArray[np.bool_]
    words: frozenset[str] = frozenset()

    @property
    def positives(self) -> NDArray[np.int64]:
        """[P] item rows of the positives."""
        rows: NDArray[np.int64] = self.rows[self.positive]
        return rows

    @property
    def best(self) -> int:
        """Item row of the positive with the highest gain; the first of equals."""
        return int(self.positives[np.argmax(self.gains[self.positive])])


class Questions:
    """All that can be asked, epoch by epoch: a pure function of the seed and the epoch.

    Args:
        judgments: of the training split: query, item_row, gain, positive; None without any.
        titles: makes up queries.
        config: how many of which.
    """

    def __init__(
        self, judgments: pl.DataFrame | None, titles: TitleQueries, config: FineTuningConfig
    ) -> None:
        self._judged = [] if judgments is None else _judged(judgments)
        self._titles, self._rows, self._config = titles, titles.rows, config
        made = config.title_queries if self._judged else config.epoch_queries
        self._n_judged = min(len(self._judged), config.epoch_queries)
        self._n_made = min(len(self._rows), made)

    def __len__(self) -> int:
        """Questions of one epoch."""
        return self._n_judged + self._n_made

    def epoch(self, number: int) -> list[Question]:
        """The questions of an epoch in the order in which they are asked."""
        rng = np.random.default_rng([self._config.seed, number])
        judged = rng.permutation(len(self._judged))[: self._n_judged]
        asked = [self._judged[place] for place in judged]
        asked += [self._made(row, rng) for row in _drawn(self._rows, self._n_made, rng)]
        return [asked[place] for place in rng.permutation(len(asked))]

    def _made(self, row: int, rng: np.random.Generator) -> Question:
        query = self._titles.query(row, rng)
        one = np.ones(1, np.float32)
        return Question(query, np.array([row]), one, one > 0, frozenset(words_of(query)))


def _drawn(rows: Sequence[int], count: int, rng: np.random.Generator) -> list[int]:
    return [rows[place] for place in rng.permutation(len(rows))[:count]]


def _judged(judgments: pl.DataFrame) -> list[Question]:
    """The judged queries that have a positive, in alphabetical order."""
    lists = (
        judgments.group_by(schema.QUERY, maintain_order=True)
        .agg(schema.ITEM_ROW, schema.GAIN, schema.POSITIVE)
        .filter(pl.col(schema.POSITIVE).list.any())
        .sort(schema.QUERY)
    )
    columns = (schema.QUERY, schema.ITEM_ROW, schema.GAIN, schema.POSITIVE)
    return [
        Question(query, np.array(rows), np.array(gains, np.float32), np.array(positive))
        for query, rows, gains, positive in lists.select(columns).iter_rows()
    ]
