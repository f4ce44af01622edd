"""Columns of neighbouring rows.

A change replaces the segment that its rows are in, so it costs as much in a catalogue of a
million products as in one of ten thousand, and readers keep what they hold.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, TypeVar

import numpy as np
import polars as pl
from numpy.typing import NDArray

from twotower import schema
from twotower.filtering.fields import fields_of
from twotower.filtering.terms import Codes, Terms

SIZE: Final = 16_384
"""Rows of a whole segment."""
CODED: Final = fields_of("text", "path")
PATHS: Final = fields_of("path")
LISTED: Final = fields_of("texts")
NUMBERED: Final = fields_of("number", "time")
Mask = NDArray[np.bool_]
Places = NDArray[np.int64]
_Number = TypeVar("_Number", bound=np.generic)


@dataclass(frozen=True)
class Lists:
    """Numbers of texts, several for each place.

    Attributes:
        places: int32[P] ascending.
        codes: int32[P] one text of that place; no text twice in a place.
    """

    places: Codes
    codes: Codes

    def slice(self, start: int, stop: int) -> "Lists":
        """The lists of the places start..stop, counted from 0 again."""
        first, last = np.searchsorted(self.places, [start, stop])
        return Lists(self.places[first:last] - np.int32(start), self.codes[first:last])

    def set(self, places: Places, new: "Lists", n_rows: int) -> "Lists":
        """With the lists of `places` replaced by those of `new`, in their order."""
        replaced = np.zeros(n_rows, np.bool_)
        replaced[places] = True
        kept = ~replaced[self.places]
        here = places.astype(np.int32)[new.places]
        all_places = np.concatenate([self.places[kept], here])
        codes = np.concatenate([self.codes[kept], new.codes])
        order = np.argsort(all_places, kind="stable")
        return Lists(all_places[order], codes[order])


@dataclass(frozen=True)
class Segment:
    """Columns of neighbouring rows; never changed, only replaced.

    Attributes:
        is_there: bool[R] products that were not removed.
        in_stock: bool[R] an unknown stock counts as available.
        numbers: float64[R] by field, NaN where there is none.
        codes: int32[R] by field, numbers in the field's terms.
        lists: by field.
    """

    is_there: Mask
    in_stock: Mask
    numbers: Mapping[str, NDArray[np.float64]]
    codes: Mapping[str, Codes]
    lists: Mapping[str, Lists]

    def __len__(self) -> int:
        return len(self.is_there)

    def slice(self, start: int, stop: int) -> "Segment":
        """The rows start..stop."""
        return Segment(
            self.is_there[start:stop],
            self.in_stock[start:stop],
            {name: column[start:stop] for name, column in self.numbers.items()},
            {name: column[start:stop] for name, column in self.codes.items()},
            {name: lists.slice(start, stop) for name, lists in self.lists.items()},
        )

    def set(self, places: Places, new: "Segment") -> "Segment":
        """With `places` as in `new`, in their order; places beyond the end append."""
        n_rows = max(len(self), int(places.max()) + 1)
        return Segment(
            _set(self.is_there, places, new.is_there, n_rows),
            _set(self.in_stock, places, new.in_stock, n_rows),
            {n: _set(old, places, new.numbers[n], n_rows) for n, old in self.numbers.items()},
            {n: _set(old, places, new.codes[n], n_rows) for n, old in self.codes.items()},
            {n: lists.set(places, new.lists[n], n_rows) for n, lists in self.lists.items()},
        )

    def without(self, place: int) -> "Segment":
        """With the product of one place removed."""
        is_there = self.is_there.copy()
        is_there[place] = False
        return Segment(is_there, self.in_stock, self.numbers, self.codes, self.lists)


def encoded(items: pl.DataFrame, terms: Mapping[str, Terms]) -> Segment:
    """The columns of a table of items, of any length; columns that it lacks are missing."""
    return Segment(
        np.ones(len(items), np.bool_),
        _flags(items, schema.IN_STOCK),
        {name: _numbers(items, name) for name in NUMBERED},
        {name: terms[name].encode(_texts(items, name)) for name in CODED},
        {name: _lists(items, name, terms[name]) for name in LISTED},
    )


def _set(
    old: NDArray[_Number], places: Places, new: NDArray[_Number], n_rows: int
) -> NDArray[_Number]:
    column = np.empty(n_rows, old.dtype)
    column[: len(old)] = old
    column[places] = new
    return column


def _flags(items: pl.DataFrame, name: str) -> Mask:
    if name not in items.columns:
        return np.ones(len(items), np.bool_)
    return np.array([flag is not False for flag in items[name].to_list()], np.bool_)


def _numbers(items: pl.DataFrame, name: str) -> NDArray[np.float64]:
    if name not in items.columns:
        return np.full(len(items), np.nan)
    return np.array(items[name].to_list(), np.float64)  # None becomes NaN


def _texts(items: pl.DataFrame, name: str) -> list[str | None]:
    return items[name].to_list() if name in items.columns else [None] * len(items)


def _lists(items: pl.DataFrame, name: str, terms: Terms) -> Lists:
    listed = items[name].to_list() if name in items.columns else []
    each = [sorted({text for text in texts or () if text is not None}) for texts in listed]
    lengths = [len(texts) for texts in each]
    places = np.repeat(np.arange(len(each), dtype=np.int32), lengths)
    return Lists(places, terms.encode(text for texts in each for text in texts))
