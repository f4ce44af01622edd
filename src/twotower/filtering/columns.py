"""Columns of the whole catalogue, live products included."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Self

import numpy as np
import polars as pl
from numpy.typing import NDArray

from twotower.filtering.segments import CODED, LISTED, PATHS, SIZE, Mask, Segment, encoded
from twotower.filtering.terms import Codes, Paths, Terms


@dataclass(frozen=True)
class Columns:
    """One snapshot: never changed, only replaced, so that readers need no lock.

    Attributes:
        segments: neighbouring rows; all but the last one are whole.
        terms: by field; shared by all snapshots, as they only grow.
        size: rows of a whole segment.
    """

    segments: tuple[Segment, ...]
    terms: Mapping[str, Terms]
    size: int = SIZE

    @classmethod
    def of(cls, items: pl.DataFrame, *, size: int = SIZE) -> Self:
        """The columns of a catalogue; row i of it is row i here."""
        terms = {name: Paths() if name in PATHS else Terms() for name in (*CODED, *LISTED)}
        whole = encoded(items, terms)
        starts = range(0, max(len(items), 1), size)
        return cls(tuple(whole.slice(start, start + size) for start in starts), terms, size)

    def __len__(self) -> int:
        return self.size * (len(self.segments) - 1) + len(self.segments[-1])

    def has(self, row: int) -> bool:
        """Whether there is a product at a row."""
        number, place = divmod(row, self.size)
        return row < len(self) and bool(self.segments[number].is_there[place])

    @cached_property
    def is_there(self) -> Mask:
        """bool[N] rows that were not removed."""
        return np.concatenate([segment.is_there for segment in self.segments])

    @cached_property
    def available(self) -> Mask:
        """bool[N] rows that were not removed and are in stock."""
        return np.concatenate([part.is_there & part.in_stock for part in self.segments])

    def numbers(self, field: str) -> NDArray[np.float64]:
        """float64[N] a field of numbers or times, NaN where a product has none."""
        return np.concatenate([segment.numbers[field] for segment in self.segments])

    def codes(self, field: str) -> Codes:
        """int32[N] a field of single texts as numbers, `terms.MISSING` where there is none."""
        return np.concatenate([segment.codes[field] for segment in self.segments])

    def put(self, rows: NDArray[np.int64], items: pl.DataFrame) -> "Columns":
        """With the products of rows set; rows beyond the end append.

        Args:
            rows: int64[R] of the items; of a row given twice the last counts.
            items: [R] their table.
        """
        kept, last = np.unique(rows[::-1], return_index=True)
        if len(kept) < len(rows):
            return self.put(kept, items[(len(rows) - 1 - last).tolist()])
        segments, numbers = list(self.segments), rows // self.size
        for number in np.unique(numbers).tolist():
            here = numbers == number
            new = encoded(items if here.all() else items.filter(pl.Series(here)), self.terms)
            if number == len(segments):
                segments.append(new)
            else:
                segments[number] = segments[number].set(rows[here] - number * self.size, new)
        return replace(self, segments=tuple(segments))

    def without(self, row: int) -> "Columns":
        """With one product removed."""
        number, place = divmod(row, self.size)
        segments = list(self.segments)
        segments[number] = segments[number].without(place)
        return replace(self, segments=tuple(segments))
