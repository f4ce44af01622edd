"""Beibei: carts and purchases of a Chinese shop for mothers and babies, ids only.

Source: C. Chen and others, "Graph Heterogeneous Multi-Relational Recommendation", AAAI 2021,
https://github.com/chenchongthu/GHCF, folder Data/Beibei; earlier C. Gao and others, "Neural
Multi-task Recommendation from Multi-behavior Data", ICDE 2019. Licence: academic use.

Files: train.txt, test.txt, cart.txt and pv.txt (views), each line a user and that user's items;
or interactions.parquet with the columns user, behavior (cart, purchase_train, purchase_test) and
item. Everything is taken; views where pv.txt is there.

There is no time. The order is the publisher's, items by number, with the carts of a user before
the purchases: an order, not a sequence. Test is the publisher's, one purchase of each user;
validation is the last of a user's other purchases. Items already in the history may be
recommended (`repeat`): 13,525 of the 21,716 purchases to be found are in the user's cart, and
the published tables take only purchased items out of the ranking.

The publisher counts 21,716 users, 7,977 items, 304,576 purchases and 642,622 carts.
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
from twotower.schema import EventKind, Split

_HOME: Final = "https://github.com/chenchongthu/GHCF/tree/master/Data/Beibei"
_LOOKS: Final = "each line a user and that user's items, whole numbers parted by spaces"
_ALL: Final = PublisherFile(("interactions.parquet",), "user, behavior, item", _HOME)
_TRAIN: Final = PublisherFile(("train.txt", _ALL.names[0]), _LOOKS, _HOME)
_TEST: Final = PublisherFile(("test.txt",), _LOOKS, _HOME)
_CART: Final = PublisherFile(("cart.txt",), _LOOKS, _HOME)
_VIEW: Final = PublisherFile(("pv.txt",), _LOOKS, _HOME)

_VIEWED, _CARTED, _BOUGHT, _TESTED = "view", "cart", "purchase_train", "purchase_test"
_KINDS: Final = {
    _VIEWED: EventKind.VIEW.value,
    _CARTED: EventKind.CART.value,
    _BOUGHT: EventKind.PURCHASE.value,
    _TESTED: EventKind.PURCHASE.value,
}
"""Behaviours in the order in which they come in a history."""
_COLUMNS: Final = {schema.USER_ID: "user", schema.EVENT: "behavior", schema.ITEM_ID: "item"}


def load(folder: Path) -> Tables:
    """All behaviours as events, with the publisher's test.

    Raises:
        DataError: a file is missing, or has something else than numbers or these behaviours.
    """
    path = _TRAIN.need(folder)
    found = _of_parquet(path) if path.name in _ALL.names else _of_lines(folder)
    behavior = pl.col("behavior")
    ranked = found.with_columns(
        behavior.replace_strict(list(_KINDS), list(range(len(_KINDS)))).alias("_rank")
    ).sort("user", "_rank", maintain_order=True)
    events = ranked.select(
        pl.col("user").cast(pl.String).alias(schema.USER_ID),
        pl.col("item").cast(pl.String).alias(schema.ITEM_ID),
        behavior.replace_strict(_KINDS).alias(schema.EVENT),
        pl.int_range(pl.len()).over("user").alias(schema.ORDER),
        pl.when(behavior == _TESTED)
        .then(pl.lit(Split.TEST.value))
        .otherwise(pl.lit(Split.TRAIN.value))
        .alias(schema.SPLIT),
    )
    items = found.select(pl.col("item").unique().sort().cast(pl.String).alias(schema.ITEM_ID))
    return Tables(
        items=items.with_columns(pl.lit("").alias(schema.TITLE)),
        events=events,
        name="beibei",
        repeat=True,
        files={"items": path.name, "events": path.name},
        columns={"items": {schema.ITEM_ID: "item"}, "events": _COLUMNS},
    )


def _of_parquet(path: Path) -> pl.DataFrame:
    found = files.table(path, ["user", "behavior", "item"])
    strange = found.filter(~pl.col("behavior").is_in(list(_KINDS)).fill_null(value=False))
    if len(strange):
        raise DataError(
            f"{path.name}: behavior {strange['behavior'][0]!r} is none of {', '.join(_KINDS)}. "
            "It is not the publisher's file, or another edition of it."
        )
    return found


def _of_lines(folder: Path) -> pl.DataFrame:
    kept = {_CARTED: _CART, _BOUGHT: _TRAIN, _TESTED: _TEST}
    paths = {behavior: file.need(folder) for behavior, file in kept.items()}
    views = _VIEW.find(folder)
    if views is not None:
        paths[_VIEWED] = views
    return pl.concat(
        _items_of_users(path).with_columns(pl.lit(behavior).alias("behavior"))
        for behavior, path in paths.items()
    )


def _items_of_users(path: Path) -> pl.DataFrame:
    """Columns user and item, of a file with one line for each user."""
    lines = pl.DataFrame({"line": path.read_text("utf-8").splitlines()})
    numbers = pl.col("line").str.strip_chars().str.split(" ").cast(pl.List(pl.Int64), strict=False)
    parted = lines.with_row_index("row", offset=1).with_columns(numbers)
    bad = parted.filter(pl.col("line").list.eval(pl.element().is_null().any()).list.first())
    if len(bad):
        raise DataError(
            f"{path.name}: row {bad['row'][0]} has something else than whole numbers. "
            f"Expected {_LOOKS}. Get it again from {_HOME}"
        )
    return parted.select(
        pl.col("line").list.first().alias("user"), pl.col("line").list.slice(1).alias("item")
    ).explode("item", empty_as_null=False)


SOURCE: Final = PublicSource(
    "beibei",
    "Beibei: carts and purchases by id, the publisher's test of one purchase for each user",
    load,
)
