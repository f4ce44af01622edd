"""Training examples: histories with their next items, and queries with their judged items.

A batch is a pure function of (seed, step): a run that is resumed at step s sees what an
uninterrupted run would have seen, whatever was drawn before.
"""

# Shapes: B rows of the batch, L history length, J judged items of a query, W text width.
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import polars as pl
import torch
from numpy.typing import NDArray
from torch import Tensor

from twotower import schema
from twotower.errors import ConfigError
from twotower.features.history import Histories
from twotower.schema import PAD

_KNOWN = "known"
_POOL = 16
"""Batches' worth of shuffled histories that are sorted by length together."""


@dataclass(frozen=True)
class HistoryBatch:
    """Histories to be continued: state s of a row predicts its target s.

    Attributes:
        item_BL: [B, L] item rows of the history without its last event; `PAD` after it.
        kind_BL: [B, L] event kind codes.
        gap_BL: [B, L] gap buckets.
        target_BS: [B, L + 1] the next item of each state; `PAD` where there is none.
        weight_BS: [B, L + 1] weight of each target, 0 where there is none.
    """

    item_BL: Tensor
    kind_BL: Tensor
    gap_BL: Tensor
    target_BS: Tensor
    weight_BS: Tensor


@dataclass(frozen=True)
class QueryBatch:
    """Queries with their judged items.

    Attributes:
        text_BW: [B, W] text vectors of the queries.
        judged_BJ: [B, J] rows of the judged items, best first; `PAD` after the last.
        gain_BJ: [B, J] their gains.
        positive_BJ: [B, J] which of them are positives; at least one in each row.
        known_BK: [B, K] all positives of the query, the ones cut from `judged_BJ` too; `PAD`
            after the last. None of them is a negative.
    """

    text_BW: Tensor
    judged_BJ: Tensor
    gain_BJ: Tensor
    positive_BJ: Tensor
    known_BK: Tensor


Batch = HistoryBatch | QueryBatch


class HistoryExamples:
    """All histories of the training split that have something to predict.

    Args:
        histories: of the users with at least one event.
        kind_weights: weight of a target by event kind; kinds left out weigh 1, and those of
            weight 0 are no targets.
        max_length: H, longest history that is read; longer ones are cut into windows of
            H events and the one that follows them.
        batch_histories: histories in a batch, at most.
        batch_events: their events, in the mean, at most; at least one history is in a batch.

    Raises:
        ConfigError: no event of any history has a weight.
    """

    def __init__(
        self,
        histories: Histories,
        *,
        kind_weights: dict[str, float],
        max_length: int,
        batch_histories: int,
        batch_events: int,
    ) -> None:
        self._weight = np.ones(len(schema.EVENT_KINDS) + 1, np.float32)
        for kind, weight in kind_weights.items():
            self._weight[schema.KIND_CODE[kind]] = weight
        windows = _windows(histories, max_length + 1)
        wanted = _with_any(self._weight[windows.kinds] > 0, windows)
        if not len(wanted):
            raise ConfigError(
                f"training.kind_weights {kind_weights} leave nothing to predict; "
                "give a kind of the log a weight above 0"
            )
        self._windows = windows if len(wanted) == len(windows) else windows.take(wanted)
        fitting = batch_events * len(self._windows) // int(self._windows.lengths.sum())
        self._batch_size = max(1, min(batch_histories, fitting))

    @property
    def n_batches(self) -> int:
        """Batches of one epoch."""
        return -(-len(self._windows) // self._batch_size)

    @property
    def positives(self) -> NDArray[np.int32]:
        """Item rows of all positives, once for each time."""
        return self._windows.item_rows[self._weight[self._windows.kinds] > 0]

    def epoch(self, generator: np.random.Generator) -> Callable[[int], HistoryBatch]:
        """The batches of an epoch by their place in it.

        Events of one visitor at the same time come in an order that each epoch draws.
        """
        [ties] = generator.spawn(1)
        return partial(self._batch, self._windows.ties_in_drawn_order(ties), self._order(generator))

    def _batch(self, windows: Histories, order: NDArray[np.int64], place: int) -> HistoryBatch:
        part = order[place * self._batch_size : (place + 1) * self._batch_size]
        histories = windows.take(part)
        padded = histories.padded(int(histories.lengths.max()))
        kinds = padded.kinds
        return HistoryBatch(
            torch.from_numpy(padded.item_rows[:, :-1]),
            torch.from_numpy(kinds[:, :-1]),
            torch.from_numpy(padded.gaps[:, :-1]),
            torch.from_numpy(padded.item_rows),
            torch.from_numpy(np.where(kinds > 0, self._weight[kinds], 0).astype(np.float32)),
        )

    def _order(self, generator: np.random.Generator) -> NDArray[np.int64]:
        """[windows] a random order in which neighbours have similar lengths."""
        shuffled = generator.permutation(len(self._windows))
        pool = self._batch_size * _POOL
        lengths = self._windows.lengths
        pools = [shuffled[start : start + pool] for start in range(0, len(shuffled), pool)]
        by_length = [part[np.argsort(lengths[part], kind="stable")] for part in pools]
        batches = [
            part[start : start + self._batch_size]
            for part in by_length
            for start in range(0, len(part), self._batch_size)
        ]
        whole = [batch for batch in batches if len(batch) == self._batch_size]
        rest = [batch for batch in batches if len(batch) < self._batch_size]
        mixed = [whole[place] for place in generator.permutation(len(whole))]
        return np.concatenate(mixed + rest)


class QueryExamples:
    """All judged queries of the training split that have a positive.

    Args:
        judgments: query, item_row, gain, positive.
        text_vectors: vector of each query by its text.
        max_judged: judged items kept of each query, best first.
        batch_size: B, queries in a batch.
    """

    def __init__(
        self,
        judgments: pl.DataFrame,
        text_vectors: dict[str, NDArray[np.float32]],
        *,
        max_judged: int,
        batch_size: int,
    ) -> None:
        self._batch_size = batch_size
        lists = (
            judgments.sort(schema.GAIN, descending=True, maintain_order=True)
            .group_by(schema.QUERY, maintain_order=True)
            .agg(
                pl.col(schema.ITEM_ROW).head(max_judged),
                pl.col(schema.GAIN).head(max_judged),
                pl.col(schema.POSITIVE).head(max_judged),
                pl.col(schema.ITEM_ROW).filter(schema.POSITIVE).alias(_KNOWN),
            )
            .filter(pl.col(schema.POSITIVE).list.any())
            .sort(schema.QUERY)
        )
        self._text = np.stack([text_vectors[query] for query in lists[schema.QUERY]])
        self._judged = _rectangle(lists[schema.ITEM_ROW], PAD, np.int64)
        self._gain = _rectangle(lists[schema.GAIN], 0, np.float32)
        self._positive = _rectangle(lists[schema.POSITIVE], 0, np.bool_)
        self._known = _rectangle(lists[_KNOWN], PAD, np.int64)

    @property
    def n_batches(self) -> int:
        """Batches of one epoch."""
        return -(-len(self._judged) // self._batch_size)

    @property
    def positives(self) -> NDArray[np.int64]:
        """Item rows of all positives, once for each time."""
        rows: NDArray[np.int64] = self._judged[self._positive]
        return rows

    def epoch(self, generator: np.random.Generator) -> Callable[[int], QueryBatch]:
        """The batches of an epoch by their place in it."""
        return partial(self._batch, generator.permutation(len(self._judged)))

    def _batch(self, order: NDArray[np.int64], place: int) -> QueryBatch:
        part = order[place * self._batch_size : (place + 1) * self._batch_size]
        return QueryBatch(
            torch.from_numpy(self._text[part]),
            torch.from_numpy(self._judged[part]),
            torch.from_numpy(self._gain[part]),
            torch.from_numpy(self._positive[part]),
            torch.from_numpy(self._known[part]),
        )


class ExampleStream:
    """An endless, repeatable stream of batches of all tasks, mixed in proportion.

    Args:
        tasks: the examples of each task; at least one.
        seed: of the order.
    """

    def __init__(self, tasks: list[HistoryExamples | QueryExamples], *, seed: int) -> None:
        self._tasks, self._seed = tasks, seed
        self.n_batches = sum(task.n_batches for task in tasks)
        self._epoch = -1
        self._plan: list[tuple[int, int]] = []
        self._batches: list[Callable[[int], Batch]] = []

    def __getitem__(self, step: int) -> Batch:
        """The batch of a step, counted from 0 over all epochs."""
        epoch, place = divmod(step, self.n_batches)
        if epoch != self._epoch:
            self._begin(epoch)
        task, batch = self._plan[place]
        return self._batches[task](batch)

    def _begin(self, epoch: int) -> None:
        generator = np.random.default_rng([self._seed, epoch])
        self._batches = [task.epoch(generator) for task in self._tasks]
        plan = [(t, b) for t, task in enumerate(self._tasks) for b in range(task.n_batches)]
        self._plan = [plan[place] for place in generator.permutation(len(plan))]
        self._epoch = epoch


def _with_any(marked: NDArray[np.bool_], windows: Histories) -> NDArray[np.int64]:
    """Which windows have a marked event."""
    owner = np.repeat(np.arange(len(windows)), windows.lengths)
    return np.flatnonzero(np.bincount(owner[marked], minlength=len(windows)))


def _windows(histories: Histories, max_length: int) -> Histories:
    """Histories cut into windows of at most `max_length` events, the last one full."""
    pieces: list[tuple[int, int]] = []
    for start, end in zip(histories.offsets[:-1], histories.offsets[1:], strict=True):
        cuts = [*range(end, start, -max_length)][::-1]
        pieces += [(max(start, cut - max_length), cut) for cut in cuts]
    starts = np.array([start for start, _ in pieces] or [0], np.int64)
    return Histories(
        histories.item_rows,
        histories.kinds,
        histories.times,
        np.append(starts, histories.offsets[-1]) if pieces else histories.offsets,
    )


def _rectangle(lists: pl.Series, fill: object, dtype: type[Any]) -> NDArray[Any]:
    """[N, longest] the lists side by side, filled up at the end."""
    lengths = lists.list.len().to_numpy()
    rectangle = np.full((len(lists), int(lengths.max())), fill, dtype)
    rectangle[np.arange(rectangle.shape[1]) < lengths[:, None]] = lists.explode().to_numpy()
    return rectangle
