"""The texts of items by field, the same when a catalogue is counted and when a product arrives."""

from collections.abc import Sequence

import polars as pl

from twotower import schema

FIELDS = (schema.TITLE, schema.BRAND, schema.CATEGORY, schema.ATTRIBUTES, schema.DESCRIPTION)
"""Columns that hold words."""


def item_documents(
    items: pl.DataFrame, fields: Sequence[str] = FIELDS
) -> dict[str, list[str | None]]:
    """Field -> one text for each item, None where it has none; columns it lacks are left out."""
    return {field: _texts(items[field]) for field in fields if field in items.columns}


def _texts(column: pl.Series) -> list[str | None]:
    if isinstance(column.dtype, pl.List):
        column = column.cast(pl.List(pl.String)).list.join(", ")
    return column.cast(pl.String).to_list()
