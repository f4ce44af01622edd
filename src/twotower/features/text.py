"""The one text that stands for an item: what its text vector is made from."""

from collections.abc import Sequence

import polars as pl

from twotower import schema

TEXT_FIELDS = (
    schema.TITLE,
    schema.BRAND,
    schema.CATEGORY,
    schema.ATTRIBUTES,
    schema.DESCRIPTION,
)
"""The fields a text may be made from, in the order they are joined."""


def item_texts(items: pl.DataFrame, fields: Sequence[str] = TEXT_FIELDS) -> list[str]:
    """One text for each item: its fields joined by ". ", title first, empty ones left out.

    Args:
        items: the catalogue; fields it does not have are left out.
        fields: columns to join, in this order.
    """
    columns = [_as_text(items, field) for field in fields if field in items.columns]
    if not columns:
        return [""] * len(items)
    joined = items.select(pl.concat_str(columns, separator=". ", ignore_nulls=True).alias("text"))
    return joined["text"].to_list()


def _as_text(items: pl.DataFrame, field: str) -> pl.Expr:
    column = pl.col(field)
    if isinstance(items.schema[field], pl.List):
        column = column.list.join(", ")
    text = column.str.strip_chars()
    return pl.when(text != "").then(text)
