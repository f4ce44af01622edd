"""RetailRocket: views, carts and purchases of a shop, everything but ids and times hashed.

Source: R. Zykov and others, "Retailrocket recommender system dataset", 2022,
https://www.kaggle.com/datasets/retailrocket/ecommerce-dataset. Licence: CC BY-NC-SA 4.0.

Files: events.csv (timestamp in ms, visitorid, event, itemid, transactionid), and where they are
item_properties_part1.csv and item_properties_part2.csv (timestamp, itemid, property, value) with
category_tree.csv (categoryid, parentid).

Taken: every view, addtocart and transaction; every item with an event, its title blank, as the
words are hashed; its category as a path of numbers, from the earliest property of that name. Not
taken: all other properties, and later changes of category.

The publisher counts 2,756,101 events (2,664,312 views, 69,332 carts, 22,457 purchases) by
1,407,580 visitors.
"""

from pathlib import Path
from typing import Final

import polars as pl

from twotower import schema
from twotower.data.sources import files
from twotower.data.sources.files import PublisherFile
from twotower.data.sources.source import PublicSource
from twotower.data.tables import Tables
from twotower.errors import DataError
from twotower.schema import EventKind

_HOME: Final = "https://www.kaggle.com/datasets/retailrocket/ecommerce-dataset"
_EVENTS: Final = PublisherFile(
    ("events.csv",), "timestamp, visitorid, event, itemid, transactionid", _HOME
)
_PARTS: Final = tuple(
    PublisherFile((f"item_properties_part{n}.csv",), "timestamp, itemid, property, value", _HOME)
    for n in (1, 2)
)
_TREE: Final = PublisherFile(("category_tree.csv",), "categoryid, parentid", _HOME)
_COLUMNS: Final = {
    schema.TIME: "timestamp",
    schema.USER_ID: "visitorid",
    schema.EVENT: "event",
    schema.ITEM_ID: "itemid",
}
_KINDS: Final = {
    "view": EventKind.VIEW.value,
    "addtocart": EventKind.CART.value,
    "transaction": EventKind.PURCHASE.value,
}


def load(folder: Path) -> Tables:
    """Every event, and every item that has one.

    Raises:
        DataError: events.csv is missing, a file lacks a column, or an event is of another kind.
    """
    path = _EVENTS.need(folder)
    log = files.separated(path, tuple(_COLUMNS.values()))
    strange = log.filter(~pl.col("event").is_in(list(_KINDS)).fill_null(value=False))
    if len(strange):
        raise DataError(
            f"{path.name}: event {strange['event'][0]!r} is none of {', '.join(_KINDS)}. "
            "It is not the publisher's file, or another edition of it."
        )
    events = log.rename({theirs: ours for ours, theirs in _COLUMNS.items()})
    items = events.select(pl.col(schema.ITEM_ID).unique(maintain_order=True))
    categories = _categories(folder)
    if categories is not None:
        items = items.join(categories, on=schema.ITEM_ID, how="left", maintain_order="left")
    return Tables(
        items=items.with_columns(pl.lit("").alias(schema.TITLE)),
        events=events.with_columns(pl.col(schema.EVENT).replace_strict(_KINDS)),
        name="retailrocket",
        files={"items": path.name, "events": path.name},
        columns={"items": {schema.ITEM_ID: "itemid"}, "events": _COLUMNS},
    )


def _categories(folder: Path) -> pl.DataFrame | None:
    """The first known category of each item, as a path from the root of the tree."""
    parts = [path for part in _PARTS if (path := part.find(folder)) is not None]
    tree = _TREE.find(folder)
    if tree is None or not parts:
        return None
    columns = ("timestamp", "itemid", "property", "value")
    known = pl.concat(
        files.separated(part, columns).filter(pl.col("property") == "categoryid") for part in parts
    )
    parents = dict(files.separated(tree, ("categoryid", "parentid")).iter_rows())
    paths = {leaf: _path(leaf, parents) for leaf in known["value"].unique()}
    first = known.sort(pl.col("timestamp").cast(pl.Int64), maintain_order=True)
    return first.unique("itemid", keep="first", maintain_order=True).select(
        pl.col("itemid").alias(schema.ITEM_ID),
        pl.col("value").replace_strict(paths, return_dtype=pl.String).alias(schema.CATEGORY),
    )


def _path(leaf: str, parents: dict[str, str | None]) -> str:
    levels: list[str] = []
    level: str | None = leaf
    while level and level not in levels:
        levels.append(level)
        level = parents.get(level)
    return schema.CATEGORY_SEPARATOR.join(reversed(levels))


SOURCE: Final = PublicSource(
    "retailrocket",
    "RetailRocket: views, carts and purchases by id, with a tree of categories",
    load,
)
