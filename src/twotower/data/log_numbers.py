"""A prepared log in numbers, taken in at once or piece by piece."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import polars as pl

from twotower import schema
from twotower.schema import Split

_QUANTILES: Final = (0.01, 0.25, 0.5, 0.75, 0.99)
_HEAD: Final = 0.2


@dataclass
class _Part:
    """One split of the log so far."""

    is_item: np.ndarray
    events: int = 0
    users: int = 0
    times: list[int] = field(default_factory=list)

    def add(self, events: pl.DataFrame) -> None:
        self.events += len(events)
        self.users += events[schema.USER_ID].n_unique()
        self.is_item[events[schema.ITEM_ROW].to_numpy()] = True
        self.times += [
            int(time)
            for time in events.select(
                pl.col(schema.TIME).min(), pl.col(schema.TIME).max().alias("last")
            ).row(0)
            if time is not None
        ]


class LogNumbers:
    """Counts what a prepared log holds; each piece has all events of its users.

    Args:
        n_items: items of the catalogue.
    """

    def __init__(self, n_items: int) -> None:
        self._n_items = n_items
        self._lengths: list[pl.Series] = []
        self._of_item = np.zeros(n_items, np.int64)
        self._kinds: Counter[str] = Counter()
        self._n_pairs = 0
        self._parts = {split: _Part(np.zeros(n_items, bool)) for split in Split}

    @classmethod
    def of(cls, events: pl.DataFrame, n_items: int) -> "LogNumbers":
        """The numbers of a whole log."""
        numbers = cls(n_items)
        numbers.add(events)
        return numbers

    def add(self, events: pl.DataFrame) -> None:
        """Takes in the events of some users, of whom none came before.

        Args:
            events: user_id, item_row, event, time, split; sorted by user.
        """
        user = events[schema.USER_ID].rle_id().cast(pl.Int64)
        self._lengths.append(user.value_counts()["count"])
        rows = events[schema.ITEM_ROW].to_numpy()
        self._of_item += np.bincount(rows, minlength=self._n_items)
        self._kinds.update(dict(events[schema.EVENT].value_counts().iter_rows()))
        self._n_pairs += (user * self._n_items + events[schema.ITEM_ROW]).n_unique()
        for split, part in self._parts.items():
            part.add(events.filter(pl.col(schema.SPLIT) == split))

    @property
    def counts(self) -> dict[str, int]:
        """Rows of each split there is, by its name."""
        return {split.value: part.events for split, part in self._parts.items() if part.events}

    def profile(self) -> dict[str, Any]:
        """Kinds, users, length of histories, time range, sparsity, long tail."""
        lengths = pl.concat(self._lengths) if self._lengths else pl.Series([], dtype=pl.UInt32)
        per_item = pl.Series(self._of_item[self._of_item > 0]).sort(descending=True)
        times = [time for part in self._parts.values() for time in part.times]
        cells = len(lengths) * self._n_items
        return {
            "events": int(lengths.sum()),
            "kinds": dict(sorted(self._kinds.items())),
            "users": len(lengths),
            "items_with_events": len(per_item),
            "items_without_events": self._n_items - len(per_item),
            "events_per_user": quantiles(lengths),
            "events_per_item": quantiles(per_item),
            "sparsity": 1 - self._n_pairs / cells if cells else 1.0,
            "head_20_percent_share": _head_share(per_item, self._n_items),
            "from_ms": min(times, default=None),
            "to_ms": max(times, default=None),
        }

    def parts(self) -> dict[str, dict[str, Any]]:
        """Of each split its events, users, items, time range, and items that training has not."""
        known = self._parts[Split.TRAIN].is_item
        return {
            split.value: {
                "events": part.events,
                "users": part.users,
                "items": int(part.is_item.sum()),
                "items_not_in_training": int((part.is_item & ~known).sum()),
                "from_ms": min(part.times, default=None),
                "to_ms": max(part.times, default=None),
            }
            for split, part in self._parts.items()
        }


def quantiles(values: pl.Series) -> dict[str, float | None]:
    """The least, some quantiles, the most, and the mean."""
    inner = {f"p{round(q * 100)}": values.quantile(q, "nearest") for q in _QUANTILES}
    return {"min": values.min(), **inner, "max": values.max(), "mean": values.mean()}  # type: ignore[dict-item]


def _head_share(per_item: pl.Series, n_items: int) -> float:
    """Share of events that fall on the most popular fifth of the catalogue."""
    head = max(1, round(n_items * _HEAD))
    total = int(per_item.sum())
    return int(per_item.head(head).sum()) / total if total else 0.0
