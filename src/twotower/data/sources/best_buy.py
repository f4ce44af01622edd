"""Best Buy: the catalogue of an electronics shop, and what its visitors typed, 2011.

Source: the Data Mining Hackathon on Best Buy's mobile site, San Francisco, 2012,
https://www.kaggle.com/c/acm-sf-chapter-hackathon-big. Licence: none is known; for evaluation
only.

Files: products (upc, name, manufacturer, short_description, long_description) and, where there
is one, queries (user, category, query, click_time, query_time), as Parquet or CSV.

Taken: every product once, tags and entities taken out by the rule `markup`, both descriptions in
a row; every typed query as the event `search`, at query_time, taken for UTC. Not taken: category
and click_time, since what was clicked is not in the file. There are no events with products and
no judgments: it is a catalogue alone.

The publisher counts nothing; the file that was read has 48,194 products with 46,156 codes.
"""

from pathlib import Path
from typing import Final

import polars as pl

from twotower import schema
from twotower.data.rule import Cleaning
from twotower.data.sources import files
from twotower.data.sources.files import PublisherFile
from twotower.data.sources.source import PublicSource
from twotower.data.tables import Tables

_HOME: Final = "https://www.kaggle.com/c/acm-sf-chapter-hackathon-big"
_PRODUCTS: Final = PublisherFile(
    ("products.parquet", "products.csv"),
    "upc, name, manufacturer, short_description, long_description",
    _HOME,
)
_QUERIES: Final = PublisherFile(("queries.parquet", "queries.csv"), "user, query, ...", _HOME)
_DESCRIBED: Final = {
    schema.ITEM_ID: "upc",
    schema.TITLE: "name",
    schema.BRAND: "manufacturer",
    "short": "short_description",
    schema.DESCRIPTION: "long_description",
}
_TYPED: Final = {schema.USER_ID: "user", schema.QUERY: "query", schema.TIME: "query_time"}
_AGAIN: Final = "again"


def load(folder: Path) -> Tables:
    """All products, and the typed queries where their file is in the folder.

    Raises:
        DataError: the file of products is missing, or a file lacks a column.
    """
    products, queries = _PRODUCTS.need(folder), _QUERIES.find(folder)
    paths = {"items": products} | ({"events": queries} if queries else {})
    return Tables(
        items=_items(files.table(products, list(_DESCRIBED.values()))),
        events=_searches(queries) if queries else None,
        name="best-buy",
        catalogue_only=True,
        files={table: path.name for table, path in paths.items()},
        columns={"items": _DESCRIBED, "events": _TYPED},
    )


def tidy(cleaning: Cleaning) -> None:
    """Leaves each product once."""
    cleaning.drop("product_again", "items", pl.col(_AGAIN))
    items = cleaning.tables.items.drop(_AGAIN)
    cleaning.tables = cleaning.tables.with_frames({"items": items})


def _items(products: pl.DataFrame) -> pl.DataFrame:
    """One row for each line; a product that comes again has a number behind its code."""
    named = products.rename({theirs: ours for ours, theirs in _DESCRIBED.items()})
    item = pl.col(schema.ITEM_ID)
    time = pl.int_range(1, pl.len() + 1).over(schema.ITEM_ID)
    numbered = pl.concat_str([item, pl.lit("#"), time.cast(pl.String)])
    return named.with_columns(
        pl.when(time == 1).then(item).otherwise(numbered).alias(schema.ITEM_ID),
        pl.concat_str(["short", schema.DESCRIPTION], separator=" ", ignore_nulls=True).alias(
            schema.DESCRIPTION
        ),
        (time > 1).alias(_AGAIN),
    ).drop("short")


def _searches(path: Path) -> pl.DataFrame:
    typed = files.table(path, list(_TYPED.values()))
    return typed.rename({theirs: ours for ours, theirs in _TYPED.items()}).with_columns(
        pl.lit(None, pl.String).alias(schema.ITEM_ID), pl.lit(schema.SEARCH).alias(schema.EVENT)
    )


SOURCE: Final = PublicSource(
    "best-buy", "Best Buy: a catalogue of electronics, and typed queries", load, tidy
)
