"""Home Depot search relevance: search terms with judged products.

Source: "Home Depot Product Search Relevance", Kaggle, 2016,
https://www.kaggle.com/c/home-depot-product-search-relevance/data. Licence: the competition's
rules, for evaluation only.

Files (ISO-8859-1): train.csv with product_uid, product_title, search_term and relevance (1 to 3,
the mean of three raters), and where they are product_descriptions.csv (product_uid,
product_description) and attributes.csv (product_uid, name, value).

Taken: every pair of train.csv as a judgment and its products as the catalogue, with title,
description, brand (`MFG Brand Name`) and as attributes colour and material. Not taken: test.csv,
whose grades the competition kept; the other attributes. There is no official split: queries are
drawn, see `prepare.seed`.

The publisher counts 74,067 pairs in train.csv and 124,428 descriptions.
"""

from pathlib import Path
from typing import Final

import polars as pl

from twotower import schema
from twotower.data.markup import plain
from twotower.data.sources import files
from twotower.data.sources.files import PublisherFile
from twotower.data.sources.source import PublicSource
from twotower.data.tables import Tables

_HOME: Final = "https://www.kaggle.com/c/home-depot-product-search-relevance/data"
_PAIRS: Final = PublisherFile(
    ("train.csv",), "id, product_uid, product_title, search_term, relevance", _HOME
)
_DESCRIPTIONS: Final = PublisherFile(
    ("product_descriptions.csv",), "product_uid, product_description", _HOME
)
_ATTRIBUTES: Final = PublisherFile(("attributes.csv",), "product_uid, name, value", _HOME)
_JUDGED: Final = {
    schema.QUERY: "search_term",
    schema.ITEM_ID: "product_uid",
    schema.GRADE: "relevance",
}
_BRAND: Final = "MFG Brand Name"
_SHOWN: Final = ("Color Family", "Color/Finish", "Material")


def load(folder: Path) -> Tables:
    """Every judged pair, and the products that are judged.

    Raises:
        DataError: train.csv is missing, or a file lacks a column.
    """
    path = _PAIRS.need(folder)
    pairs = _read(path, ("product_uid", "product_title", "search_term", "relevance"))
    products = pairs.unique("product_uid", keep="first", maintain_order=True)
    items = products.select(
        pl.col("product_uid").alias(schema.ITEM_ID),
        plain(pl.col("product_title")).alias(schema.TITLE),
    )
    for more in (_descriptions(folder), _brands_and_attributes(folder)):
        if more is not None:
            items = items.join(more, on=schema.ITEM_ID, how="left", maintain_order="left")
    return Tables(
        items=items,
        judgments=pairs.select(pl.col(theirs).alias(ours) for ours, theirs in _JUDGED.items()),
        name="home-depot",
        files={"items": path.name, "judgments": path.name},
        columns={"judgments": _JUDGED},
    )


def _read(path: Path, columns: tuple[str, ...]) -> pl.DataFrame:
    return files.separated(path, columns, encoding="iso-8859-1")


def _descriptions(folder: Path) -> pl.DataFrame | None:
    path = _DESCRIPTIONS.find(folder)
    if path is None:
        return None
    return _read(path, ("product_uid", "product_description")).select(
        pl.col("product_uid").alias(schema.ITEM_ID),
        plain(pl.col("product_description")).alias(schema.DESCRIPTION),
    )


def _brands_and_attributes(folder: Path) -> pl.DataFrame | None:
    path = _ATTRIBUTES.find(folder)
    if path is None:
        return None
    name, value = pl.col("name"), pl.col("value")
    return (
        _read(path, ("product_uid", "name", "value"))
        .group_by(pl.col("product_uid").alias(schema.ITEM_ID), maintain_order=True)
        .agg(
            value.filter(name == _BRAND).first().alias(schema.BRAND),
            value.filter(name.is_in(_SHOWN))
            .drop_nulls()
            .unique(maintain_order=True)
            .alias(schema.ATTRIBUTES),
        )
    )


SOURCE: Final = PublicSource(
    "home-depot", "Home Depot search relevance: search terms with judged products", load
)
