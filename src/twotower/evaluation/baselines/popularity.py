"""Baselines without a person: chance, popularity, popularity of late."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from twotower import schema
from twotower.data.dataset import Dataset
from twotower.errors import ConfigError, DataError
from twotower.evaluation.cases import EARLIER, item_counts
from twotower.evaluation.protocol import Scorer
from twotower.schema import Split

_DAY_MS: Final = 86_400_000


@dataclass(frozen=True)
class Window:
    """How far back recent popularity looks.

    Attributes:
        days: At least 1.
    """

    days: int = 30

    def __post_init__(self) -> None:
        if self.days < 1:
            raise ConfigError(f"days must be at least 1, got {self.days}")


WINDOWS: Final = tuple(map(Window, (1, 2, 3, 5, 7, 10, 14, 21, 30, 60, 90, 180)))
"""What is tried on validation."""


def random_scorer(n_items: int, *, seed: int = 0) -> Scorer:
    """Chance: each case has its own shuffle, the same in any batch.

    Args:
        n_items: N, the size of the catalogue.
        seed: Of the shuffles.
    """

    def score(cases: NDArray[np.int64]) -> NDArray[np.float32]:
        rows = [np.random.default_rng((seed, int(c))).random(n_items, np.float32) for c in cases]
        return np.stack(rows) if rows else np.empty((0, n_items), np.float32)

    return score


def popularity_scorer(dataset: Dataset, split: str) -> Scorer:
    """The same list for everyone: items by their number of events before the split.

    It counts what the histories of the split show: train for validation, train and validation
    for test; never an event of the split itself.

    Raises:
        DataError: the dataset has no events.
    """
    _need_events(dataset)
    return constant_scorer(popularity_order(item_counts(dataset, *EARLIER[Split(split)])))


def recent_popularity_scorer(dataset: Dataset, split: str, *, days: int) -> Scorer:
    """Items by their number of events in the last days before the split begins.

    It counts the same events as `popularity_scorer`, of the window only; equal counts are
    put in order by all of them.

    Args:
        dataset: With events that have times.
        split: "validation" or "test".
        days: Length of the window, at least 1.

    Raises:
        DataError: the dataset has no events before the split, or they have no times.
    """
    past = _need_events(dataset).filter(
        pl.col(schema.SPLIT).is_in([str(s) for s in EARLIER[Split(split)]])
    )
    latest = past[schema.TIME].max()
    if not isinstance(latest, int):
        raise DataError(
            "recent popularity needs events with times before the split, got none; "
            "leave this baseline out for a log that only has an order"
        )
    recent = past.filter(pl.col(schema.TIME) > latest - days * _DAY_MS)
    in_window = np.bincount(recent[schema.ITEM_ROW].to_numpy(), minlength=dataset.n_items)
    return constant_scorer(
        popularity_order(in_window, item_counts(dataset, *EARLIER[Split(split)]))
    )


def popularity_order(
    counts: NDArray[np.int64], then: NDArray[np.int64] | None = None
) -> NDArray[np.float32]:
    """Scores 0..N-1 that put items in order of their counts, most popular highest.

    Ties count against a scorer, so equal counts would punish popularity for nothing: they are
    broken by `then`, and at last by a fixed shuffle that knows nothing of the items.

    Args:
        counts: [N] events of each item.
        then: [N] second criterion.

    Returns:
        [N] distinct scores, exact in float32 up to 16 million items.

    Example:
        >>> popularity_order(np.array([3, 9, 5])).tolist()
        [0.0, 2.0, 1.0]
    """
    shuffle = np.random.default_rng(0).permutation(len(counts))
    order = np.lexsort((shuffle, np.zeros_like(counts) if then is None else then, counts))
    scores = np.empty(len(counts), np.float32)
    scores[order] = np.arange(len(counts), dtype=np.float32)
    return scores


def constant_scorer(scores: NDArray[np.floating]) -> Scorer:
    """The same scores [N] for every case."""

    def score(cases: NDArray[np.int64]) -> NDArray[np.floating]:
        return np.broadcast_to(scores, (len(cases), len(scores)))

    return score


def has_times(dataset: Dataset) -> bool:
    """Whether the events have a clock, so that recent popularity is defined."""
    return dataset.events is not None and dataset.events[schema.TIME].max() is not None


def _need_events(dataset: Dataset) -> pl.DataFrame:
    if dataset.events is None:
        raise DataError(
            "popularity needs events, the dataset has none; "
            "leave this baseline out, or prepare the dataset with an events table"
        )
    return dataset.events
