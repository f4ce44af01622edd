"""The products: those of the bundle, and live ones over them."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from twotower import schema
from twotower.errors import DataError, UnknownItem
from twotower.index.base import Rows, Vectors
from twotower.retrieval.answers import Hit, Parts

_TYPES: Final[dict[str, pl.DataType]] = {
    schema.ITEM_ID: pl.String(),
    schema.TITLE: pl.String(),
    schema.DESCRIPTION: pl.String(),
    schema.BRAND: pl.String(),
    schema.CATEGORY: pl.String(),
    schema.PRICE: pl.Float64(),
    schema.RATING: pl.Float64(),
    schema.ATTRIBUTES: pl.List(pl.String()),
    schema.IN_STOCK: pl.Boolean(),
    schema.LAUNCHED: pl.Int64(),
    schema.IMAGE: pl.String(),
}


@dataclass(frozen=True)
class _State:
    """One snapshot: never changed, only replaced, so that readers need no lock."""

    products: Mapping[int, Mapping[str, Any]]
    new_rows: Mapping[str, int]
    new_ids: tuple[str, ...]
    available: NDArray[np.bool_]
    gone: NDArray[np.bool_]


class Catalogue:
    """Products by id and by row. Readers never wait; the caller lets one writer in at a time.

    Args:
        items: the bundle's items; row i is item_row i.
    """

    def __init__(self, items: pl.DataFrame) -> None:
        self._items = items
        self._ids: list[str] = items[schema.ITEM_ID].to_list()
        self._rows = {item_id: row for row, item_id in enumerate(self._ids)}
        gone = np.zeros(len(items), dtype=np.bool_)
        self._state = _State({}, {}, (), _available(items), gone)

    def __len__(self) -> int:
        return len(self._state.available)

    @property
    def n_products(self) -> int:
        """Products that there are now: rows without the removed ones."""
        return len(self) - int(self._state.gone.sum())

    @property
    def available(self) -> NDArray[np.bool_]:
        """bool[N] rows that are not out of stock; an unknown stock counts as available."""
        return self._state.available

    def row(self, item_id: str) -> int:
        """The item_row of an id; raises `UnknownItem`, also for a removed product."""
        state = self._state
        found = self._row_ever(item_id, state)
        if found is None or state.gone[found]:
            raise UnknownItem(
                f"item_id must be one of the {self.n_products} products of the catalogue,"
                f" got {item_id!r}: add it first, or check its spelling"
            )
        return found

    def row_or_next(self, item_id: str) -> int:
        """The item_row that an id has or had, or the one it would get."""
        found = self._row_ever(item_id, self._state)
        return len(self) if found is None else found

    def _row_ever(self, item_id: str, state: _State) -> int | None:
        found = self._rows.get(item_id)
        return state.new_rows.get(item_id) if found is None else found

    def item_id(self, row: int) -> str:
        """The id of a row."""
        if row < len(self._ids):
            return self._ids[row]
        return self._state.new_ids[row - len(self._ids)]

    def product(self, row: int) -> dict[str, Any]:
        """What is known of a row now, by `schema` name; what is missing is None or absent."""
        live = self._state.products.get(row)
        return dict(live) if live is not None else self._items.row(row, named=True)

    def known_rows(self, item_ids: Sequence[str]) -> Rows:
        """int64[R] rows of the ids that there are."""
        n_items = len(self)
        rows = [self.row_or_next(item_id) for item_id in item_ids]
        return np.array([row for row in rows if row < n_items], dtype=np.int64)

    def allowed(self, out: Rows) -> NDArray[np.bool_]:
        """bool[N] rows that are available and not in `out`."""
        allowed = self.available.copy()
        allowed[out[out < len(allowed)]] = False
        return allowed

    def hits(
        self, rows: Rows, scores: Vectors, parts: Sequence[Parts], offset: int
    ) -> tuple[Hit, ...]:
        """Ranked rows as hits, the first of them at rank `offset` + 1."""
        return tuple(
            Hit(
                rank=rank,
                item_id=self.item_id(row),
                item_row=row,
                score=float(score),
                parts=part,
                item=self.product(row),
            )
            for rank, (row, score, part) in enumerate(
                zip(rows.tolist(), scores, parts, strict=True), start=offset + 1
            )
        )

    def put(self, items: pl.DataFrame) -> Rows:
        """Set products, whole, as `one_product` reads them; each new id appends a row.

        Returns:
            int64[R] their rows. Of an id given twice the last counts.
        """
        state = self._state
        products, new_rows, new_ids = dict(state.products), dict(state.new_rows), [*state.new_ids]
        rows = np.empty(len(items), dtype=np.int64)
        for place, product in enumerate(items.iter_rows(named=True)):
            item_id = product[schema.ITEM_ID]
            row = self._rows.get(item_id, new_rows.get(item_id))
            if row is None:
                row = new_rows[item_id] = len(self._ids) + len(new_ids)
                new_ids.append(item_id)
            products[row], rows[place] = product, row
        added = len(new_ids) - len(state.new_ids)
        available = np.append(state.available, np.ones(added, dtype=np.bool_))
        gone = np.append(state.gone, np.zeros(added, dtype=np.bool_))
        available[rows], gone[rows] = _available(items), False
        self._state = _State(products, new_rows, tuple(new_ids), available, gone)
        return rows

    def remove(self, row: int) -> None:
        """Know a product no longer; its row stays its own, for the day it is put in again."""
        available, gone = self._state.available.copy(), self._state.gone.copy()
        available[row], gone[row] = False, True
        self._state = replace(self._state, available=available, gone=gone)


def one_product(item_id: str, fields: Mapping[str, Any]) -> pl.DataFrame:
    """A table of one row from a product's fields, types checked.

    Args:
        item_id: the shop's id, not empty.
        fields: by `schema` name; `title` is required, None counts as missing.

    Raises:
        DataError: the id or title is empty, a field is unknown or of another type.
    """
    given = {name: value for name, value in fields.items() if value is not None}
    given[schema.ITEM_ID] = item_id
    for name in (schema.ITEM_ID, schema.TITLE):
        text = given.get(name)
        if not isinstance(text, str) or not text.strip():
            raise DataError(f"a product needs a text as {name}, got {text!r}: give it one")
    unknown = sorted(set(given) - set(_TYPES))
    if unknown:
        raise DataError(f"a product's fields are {', '.join(_TYPES)}, got {unknown[0]!r}")
    for name, value in given.items():
        _check_type(item_id, name, value)
    return pl.DataFrame({name: [given.get(name)] for name in _TYPES}, schema=_TYPES, strict=False)


def _check_type(item_id: str, name: str, value: object) -> None:
    """Raise `DataError` unless a value of the field is what the catalogue keeps there."""
    match _TYPES[name]:
        case pl.String():
            expected, fits = "a text", isinstance(value, str)
        case pl.Float64():
            expected = "a finite number"
            fits = isinstance(value, int | float) and _is_finite(value)
        case pl.Boolean():
            expected, fits = "true or false", isinstance(value, bool)
        case pl.Int64():
            expected = "whole milliseconds"
            is_whole = isinstance(value, int) and not isinstance(value, bool)
            fits = is_whole and -(2**63) <= value < 2**63  # type: ignore[operator]
        case _:
            expected = "a list of texts"
            fits = isinstance(value, list | tuple) and all(isinstance(one, str) for one in value)
    if not fits:
        raise DataError(f"{name} of product {item_id!r} must be {expected}, got {value!r:.60}")


def _is_finite(value: float) -> bool:
    try:
        return not isinstance(value, bool) and math.isfinite(value)
    except OverflowError:  # a whole number beyond all floats
        return False


def _available(items: pl.DataFrame) -> NDArray[np.bool_]:
    if schema.IN_STOCK not in items.columns:
        return np.ones(len(items), dtype=np.bool_)
    return items[schema.IN_STOCK].cast(pl.Boolean).fill_null(value=True).to_numpy().astype(np.bool_)
