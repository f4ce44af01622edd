"""Histories: what each visitor did, oldest first, as ragged arrays."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import polars as pl
from numpy.typing import NDArray

from twotower import schema
from twotower.schema import PAD

UNKNOWN_TIME = -1
GAP_BUCKETS = 24
"""Bucket 0 is an unknown gap; bucket b >= 1 holds gaps of 2^(b-1)-1 minutes and more."""

_MINUTE_MS = 60_000


@dataclass(frozen=True)
class History:
    """One visitor's events, oldest first.

    Attributes:
        item_rows: [E] item rows.
        kinds: [E] event kind codes, `schema.KIND_CODE`.
        times: [E] UTC milliseconds, -1 where unknown.
    """

    item_rows: NDArray[np.int32]
    kinds: NDArray[np.int8]
    times: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.item_rows)

    @classmethod
    def of(
        cls,
        item_rows: Sequence[int],
        kinds: Sequence[int] | None = None,
        times: Sequence[int] | None = None,
    ) -> "History":
        """A history from plain sequences; kinds default to a view, times to unknown."""
        n = len(item_rows)
        default_kind = schema.KIND_CODE[schema.EventKind.VIEW]
        return cls(
            np.asarray(item_rows, np.int32),
            np.full(n, default_kind, np.int8) if kinds is None else np.asarray(kinds, np.int8),
            np.full(n, UNKNOWN_TIME, np.int64) if times is None else np.asarray(times, np.int64),
        )


@dataclass(frozen=True)
class Padded:
    """Histories cut to a common length, left-aligned, oldest first.

    Attributes:
        item_rows: [U, H] item rows, `PAD` after the end.
        kinds: [U, H] event kind codes, 0 after the end.
        gaps: [U, H] bucket of the time from this event to the next one, or to now.
        lengths: [U] events kept of each visitor, 0..H.
    """

    item_rows: NDArray[np.int64]
    kinds: NDArray[np.int64]
    gaps: NDArray[np.int64]
    lengths: NDArray[np.int64]


@dataclass(frozen=True)
class Histories:
    """Histories of many visitors: visitor u owns events `offsets[u]:offsets[u + 1]`."""

    item_rows: NDArray[np.int32]
    kinds: NDArray[np.int8]
    times: NDArray[np.int64]
    offsets: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def __getitem__(self, user: int) -> History:
        part = slice(self.offsets[user], self.offsets[user + 1])
        return History(self.item_rows[part], self.kinds[part], self.times[part])

    def __iter__(self) -> Iterator[History]:
        return (self[user] for user in range(len(self)))

    @property
    def lengths(self) -> NDArray[np.int64]:
        """[U] number of events of each visitor."""
        return np.diff(self.offsets)

    @classmethod
    def from_lists(cls, histories: Sequence[History]) -> "Histories":
        """Many histories joined into one ragged array."""
        lengths = [len(history) for history in histories]
        return cls(
            np.concatenate([h.item_rows for h in histories] or [np.empty(0, np.int32)]),
            np.concatenate([h.kinds for h in histories] or [np.empty(0, np.int8)]),
            np.concatenate([h.times for h in histories] or [np.empty(0, np.int64)]),
            np.concatenate([[0], np.cumsum(lengths, dtype=np.int64)]).astype(np.int64),
        )

    @classmethod
    def from_events(
        cls, events: pl.DataFrame, user_ids: Sequence[str] | None = None
    ) -> tuple[list[str], "Histories"]:
        """Histories of the users of a prepared event table.

        Args:
            events: rows sorted by user and then by time, as `Dataset` keeps them.
            user_ids: the users wanted, in this order; a user without events gets an
                empty history. All users in table order when left out.

        Returns:
            The user ids, and their histories in the same order.
        """
        grouped = events.group_by(schema.USER_ID, maintain_order=True).agg(
            schema.ITEM_ROW,
            pl.col(schema.EVENT).replace_strict(schema.KIND_CODE, return_dtype=pl.Int8),
            pl.col(schema.TIME).fill_null(UNKNOWN_TIME).cast(pl.Int64),
        )
        if user_ids is not None:
            wanted = pl.DataFrame({schema.USER_ID: pl.Series(user_ids, dtype=pl.String)})
            grouped = wanted.join(grouped, on=schema.USER_ID, how="left", maintain_order="left")
        lengths = grouped[schema.ITEM_ROW].list.len().fill_null(0).to_numpy()
        flat = grouped.drop(schema.USER_ID).filter(pl.col(schema.ITEM_ROW).list.len() > 0)
        columns = {name: flat[name].explode().to_numpy() for name in flat.columns}
        return grouped[schema.USER_ID].to_list(), cls(
            columns[schema.ITEM_ROW].astype(np.int32),
            columns[schema.EVENT].astype(np.int8),
            columns[schema.TIME].astype(np.int64),
            np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64),
        )

    def ties_in_drawn_order(self, generator: np.random.Generator) -> "Histories":
        """Events of a visitor at the same time, as of one invoice, have no order: one is drawn.

        Neighbours of unknown time stay as they are.
        """
        n_events = len(self.item_rows)
        begins = np.ones(n_events, bool)
        begins[1:] = self.times[1:] != self.times[:-1]
        begins[self.offsets[:-1][self.lengths > 0]] = True
        begins[self.times == UNKNOWN_TIME] = True
        order = np.lexsort((generator.random(n_events), np.cumsum(begins)))
        return Histories(self.item_rows[order], self.kinds[order], self.times[order], self.offsets)

    def take(self, users: NDArray[np.int64]) -> "Histories":
        """The histories of the given visitors, in the given order."""
        lengths = self.lengths[users]
        offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
        where = np.repeat(self.offsets[users] - offsets[:-1], lengths) + np.arange(offsets[-1])
        return Histories(self.item_rows[where], self.kinds[where], self.times[where], offsets)

    def collapsed(self) -> "Histories":
        """Runs of the same item merged: a view, cart and purchase become one purchase.

        The merged event keeps the strongest kind and the latest time, so that
        "the next item" is a different item and never the page just looked at.
        """
        if len(self.item_rows) == 0:
            return self
        users = np.repeat(np.arange(len(self)), self.lengths)
        starts = np.ones(len(self.item_rows), bool)
        starts[1:] = (self.item_rows[1:] != self.item_rows[:-1]) | (users[1:] != users[:-1])
        first = np.flatnonzero(starts)
        counts = np.bincount(users[first], minlength=len(self))
        return Histories(
            self.item_rows[first],
            np.maximum.reduceat(self.kinds, first),
            np.maximum.reduceat(self.times, first),
            np.concatenate([[0], np.cumsum(counts)]).astype(np.int64),
        )

    def padded(self, max_length: int, now_ms: int | NDArray[np.int64] = UNKNOWN_TIME) -> Padded:
        """The last `max_length` events of each visitor as rectangular arrays.

        Args:
            max_length: H, at least 1.
            now_ms: when the answer is wanted: one time, or one for each visitor [U];
                -1 leaves the gap after the last event unknown.
        """
        lengths = np.minimum(self.lengths, max_length)
        place = np.arange(max_length)
        filled = place < lengths[:, None]
        where = (self.offsets[1:] - lengths)[:, None] + place
        where = np.where(filled, where, 0)
        if len(self.item_rows) == 0:
            empty = np.zeros((len(self), max_length), np.int64)
            return Padded(empty + PAD, empty, empty, lengths)
        times = np.where(filled, self.times[where], UNKNOWN_TIME)
        following = np.concatenate([times[:, 1:], np.full((len(self), 1), UNKNOWN_TIME)], axis=1)
        last = place == (lengths - 1)[:, None]
        following = np.where(last, np.broadcast_to(now_ms, len(self))[:, None], following)
        return Padded(
            np.where(filled, self.item_rows[where], PAD).astype(np.int64),
            np.where(filled, self.kinds[where], 0).astype(np.int64),
            np.where(filled, gap_bucket(times, following), 0),
            lengths,
        )


@dataclass(frozen=True)
class Seen:
    """Which kinds and gaps training met; the others would be read from random weights.

    Attributes:
        kinds: event kind codes, ascending; at least one.
        gaps: gap buckets, ascending; at least one.
    """

    kinds: tuple[int, ...]
    gaps: tuple[int, ...]

    @classmethod
    def of(cls, histories: Histories) -> "Seen":
        """What these histories hold."""
        same = np.ones(max(len(histories.item_rows) - 1, 0), bool)
        ends = histories.offsets[1:-1]
        same[ends[(ends > 0) & (ends <= len(same))] - 1] = False
        gaps = gap_bucket(histories.times[:-1], histories.times[1:])[same]
        return cls(
            tuple(np.unique(histories.kinds).tolist()), tuple(np.unique(gaps).tolist()) or (0,)
        )

    def read(self, padded: Padded) -> Padded:
        """The same histories, each kind and gap as the nearest one that training met."""
        kinds = np.concatenate([[0], _nearest(self.kinds, len(schema.EVENT_KINDS) + 1)[1:]])
        gaps = _nearest(self.gaps, GAP_BUCKETS)
        return replace(padded, kinds=kinds[padded.kinds], gaps=gaps[padded.gaps])


def _nearest(known: Sequence[int], size: int) -> NDArray[np.int64]:
    """[size] for each code the nearest known one, the lower of two."""
    codes = np.asarray(known, np.int64)
    nearest: NDArray[np.int64] = codes[np.abs(np.arange(size)[:, None] - codes).argmin(axis=1)]
    return nearest


def gap_bucket(earlier: NDArray[np.int64], later: NDArray[np.int64]) -> NDArray[np.int64]:
    """Logarithmic bucket of the time between two events; 0 where either is unknown."""
    minutes = np.maximum(later - earlier, 0) / _MINUTE_MS
    bucket = 1 + np.floor(np.log2(minutes + 1)).astype(np.int64)
    known = (earlier != UNKNOWN_TIME) & (later != UNKNOWN_TIME)
    return np.where(known, np.minimum(bucket, GAP_BUCKETS - 1), 0)
