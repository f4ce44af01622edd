"""The one text that stands for an item: what its text vector is made from."""

from collections.abc import Sequence

import numpy as np
import polars as pl
from numpy.typing import NDArray

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


def same_text_groups(texts: Sequence[str]) -> NDArray[np.int64]:
    """[N] the first item with the same text as each; letter case and spaces make no difference.

    An item without a text is like no other.

    Example:
        >>> same_text_groups(["Red sofa", "Lamp", "red  sofa", "", ""]).tolist()
        [0, 1, 0, 3, 4]
    """
    first: dict[str, int] = {}
    plain = (" ".join(text.lower().split()) for text in texts)
    found = [first.setdefault(text, row) if text else row for row, text in enumerate(plain)]
    return np.array(found, dtype=np.int64)


def _as_text(items: pl.DataFrame, field: str) -> pl.Expr:
    column = pl.col(field)
    if isinstance(items.schema[field], pl.List):
        column = column.list.join(", ")
    text = column.str.strip_chars()
    return pl.when(text != "").then(text)
