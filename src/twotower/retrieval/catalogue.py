"""The products: those of the bundle, and live ones over them."""

import math
from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
import polars as pl

from twotower import schema
from twotower.errors import DataError, UnknownItem
from twotower.filtering.columns import Columns
from twotower.filtering.masks import allowed_rows
from twotower.filtering.segments import Mask
from twotower.filtering.syntax import Expression
from twotower.index.base import Rows, Vectors
from twotower.retrieval.answers import Hit, Parts

PRODUCT_FIELDS: Final[dict[str, pl.DataType]] = {
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
"""What is known of a product, by `schema` name, with its type."""


class Catalogue:
    """Products by id and by row. Readers never wait; the caller lets one writer in at a time.

    Ids keep their row, and products are replaced whole: so both are kept in place, and only
    the columns are a snapshot.

    Args:
        items: the bundle's items; row i is item_row i.

    Attributes:
        columns: what filters and facets look at, of all products now.
    """

    def __init__(self, items: pl.DataFrame) -> None:
        self._items = items
        self._ids: list[str] = items[schema.ITEM_ID].to_list()
        self._rows = {item_id: row for row, item_id in enumerate(self._ids)}
        self._live: dict[int, Mapping[str, Any]] = {}
        self.columns = Columns.of(items)

    def __len__(self) -> int:
        return len(self.columns)

    @property
    def n_products(self) -> int:
        """Products that there are now: rows without the removed ones."""
        return int(self.columns.is_there.sum())

    def row(self, item_id: str) -> int:
        """The item_row of an id; raises `UnknownItem`, also for a removed product."""
        found = self._rows.get(item_id)
        if found is None or not self.columns.has(found):
            raise UnknownItem(
                f"item_id must be one of the {self.n_products} products of the catalogue,"
                f" got {item_id!r}: add it first, or check its spelling"
            )
        return found

    def row_or_next(self, item_id: str) -> int:
        """The item_row that an id has or had, or the one it would get."""
        return self._rows.get(item_id, len(self))

    def item_id(self, row: int) -> str:
        """The id of a row."""
        return self._ids[row]

    def product(self, row: int) -> dict[str, Any]:
        """What is known of a row now, by `schema` name; what is missing is None or absent."""
        live = self._live.get(row)
        return dict(live) if live is not None else self._items.row(row, named=True)

    def live_table(self, row: int) -> pl.DataFrame | None:
        """A product that was put in or replaced, as a table of one row; None for the others."""
        live = self._live.get(row)
        return None if live is None else pl.DataFrame([live], schema=PRODUCT_FIELDS)

    def known_rows(self, item_ids: Sequence[str]) -> Rows:
        """int64[R] rows of the ids that there are."""
        n_items = len(self)
        rows = [self.row_or_next(item_id) for item_id in item_ids]
        return np.array([row for row in rows if row < n_items], dtype=np.int64)

    def filtered(self, expression: Expression | None) -> Mask | None:
        """bool[N] rows that an expression allows; None, which is all, for no expression."""
        if expression is None:
            return None
        return allowed_rows(expression, self.columns, self._rows.get)

    def recommendable(self, out: Rows, expression: Expression | None = None) -> Mask:
        """bool[N] rows that are available, not in `out`, and that an expression allows."""
        columns = self.columns
        allowed = columns.available.copy()
        allowed[out[out < len(allowed)]] = False
        if expression is not None:
            allowed &= allowed_rows(expression, columns, self._rows.get)
        return allowed

    def hits(
        self,
        rows: Rows,
        scores: Vectors,
        parts: Sequence[Parts],
        offset: int,
        relevance: Sequence[float | None] | None = None,
    ) -> tuple[Hit, ...]:
        """Ranked rows as hits, the first of them at rank `offset` + 1.

        Args:
            rows: int64[R] in their order.
            scores: float[R] theirs.
            parts: what these are made of.
            offset: hits before the first one.
            relevance: how likely each row fits; None where nobody can tell.
        """
        known = relevance or [None] * len(rows)
        return tuple(
            Hit(
                rank=rank,
                item_id=self.item_id(row),
                item_row=row,
                score=float(score),
                parts=part,
                item=self.product(row),
                relevance=fits,
            )
            for rank, (row, score, part, fits) in enumerate(
                zip(rows.tolist(), scores, parts, known, strict=True), start=offset + 1
            )
        )

    def put(self, items: pl.DataFrame) -> Rows:
        """Set products, whole, as `one_product` reads them; each new id appends a row.

        Returns:
            int64[R] their rows. Of an id given twice the last counts.
        """
        rows = np.empty(len(items), dtype=np.int64)
        for place, product in enumerate(items.iter_rows(named=True)):
            item_id = product[schema.ITEM_ID]
            row = self._rows.get(item_id)
            if row is None:
                row = len(self._ids)
                self._ids.append(item_id)
                self._rows[item_id] = row
            self._live[row], rows[place] = product, row
        self.columns = self.columns.put(rows, items)
        return rows

    def remove(self, row: int) -> None:
        """Know a product no longer; its row stays its own, for the day it is put in again."""
        self.columns = self.columns.without(row)


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
    unknown = sorted(set(given) - set(PRODUCT_FIELDS))
    if unknown:
        raise DataError(f"a product's fields are {', '.join(PRODUCT_FIELDS)}, got {unknown[0]!r}")
    for name, value in given.items():
        _check_type(item_id, name, value)
    return pl.DataFrame(
        {name: [given.get(name)] for name in PRODUCT_FIELDS}, schema=PRODUCT_FIELDS, strict=False
    )


def _check_type(item_id: str, name: str, value: object) -> None:
    """Raise `DataError` unless a value of the field is what the catalogue keeps there."""
    match PRODUCT_FIELDS[name]:
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
