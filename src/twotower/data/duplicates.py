"""Products that are in the catalogue twice under two ids, as their titles say."""

from collections.abc import Mapping
from typing import Final, Literal

import polars as pl

from twotower import schema
from twotower.data.rule import LEFT_OUT, Cleaning

NearIdentical = Literal["keep", "merge"]
_TITLE_KEY, _FIRST = "_title_key", "_first_id"
_FEWEST_LETTERS: Final = 4


def near_identical_titles(cleaning: Cleaning, action: NearIdentical) -> Mapping[str, str]:
    """Items whose titles have the same words, whatever their case, order and punctuation.

    Only items of the same brand, where brands are known, and of titles that say something.

    Args:
        cleaning: the tables, titles stripped.
        action: `keep` only reports them, since sizes and colours may stand elsewhere; `merge`
            leaves out all but the first.

    Returns:
        Ids that were left out, and the id of the item that has their events from now on.
    """
    items = _with_first(cleaning.tables.items)
    again = items[_FIRST] != items[schema.ITEM_ID]
    if not again.any():
        return {}
    shown = items.filter(again).rename({_FIRST: "same_title_as"})
    told = "kept" if action == "keep" else LEFT_OUT
    cleaning.note("near_identical_title", "items", int(again.sum()), told, shown)
    if action == "keep":
        return {}
    cleaning.tables = cleaning.tables.with_frames({"items": items.filter(~again).drop(_FIRST)})
    return dict(items.filter(again).select(schema.ITEM_ID, _FIRST).iter_rows())


def move(cleaning: Cleaning, table: str, moved: Mapping[str, str]) -> None:
    """Events or judgments of items that were left out go to the item that stands for them."""
    frame = cleaning.tables.frames.get(table)
    if frame is None or not moved:
        return
    found = frame[schema.ITEM_ID].is_in(list(moved))
    if found.any():
        told = "given to the first item of that title"
        cleaning.note("of_near_identical_item", table, int(found.sum()), told, frame.filter(found))
        one = pl.col(schema.ITEM_ID).replace(moved)
        cleaning.tables = cleaning.tables.with_frames({table: frame.with_columns(one)})


def _with_first(items: pl.DataFrame) -> pl.DataFrame:
    """The items, each with the id of the first one that has its title."""
    words = (
        pl.col(schema.TITLE)
        .str.to_lowercase()
        .str.extract_all(r"[\p{L}\p{N}]+")
        .list.sort()
        .list.join(" ")
    )
    brand = pl.col(schema.BRAND) if schema.BRAND in items.columns else pl.lit("")
    says = words.str.len_chars() >= _FEWEST_LETTERS
    key = pl.when(says).then(pl.struct(words, brand.fill_null("").str.to_lowercase().alias("_b")))
    keyed = items.with_columns(key.alias(_TITLE_KEY))
    first = pl.col(schema.ITEM_ID).first().over(_TITLE_KEY)
    is_keyed = pl.col(_TITLE_KEY).is_not_null()
    return keyed.with_columns(
        pl.when(is_keyed).then(first).otherwise(schema.ITEM_ID).alias(_FIRST)
    ).drop(_TITLE_KEY)
