"""WANDS, the Wayfair annotation data set: queries of a furniture shop with judged products.

Source: Y. Chen and others, "WANDS: Dataset for Product Search Relevance Assessment", ECIR 2022,
https://github.com/wayfair/WANDS. Licence: MIT.

Files, parted by tabs: product.csv (product_id, product_name, product_class, category hierarchy,
product_description, product_features, rating_count, average_rating, review_count), query.csv
(query_id, query, query_class) and label.csv (id, query_id, product_id, label).

Taken: all products with name, description, category path and average rating; all labels as
grades: Exact 2, Partial 1, Irrelevant 0, of which Exact counts as right. Not taken:
product_class, product_features, query_class. There is no official split: queries are drawn, see
`prepare.seed`.

The publisher counts 42,994 products, 480 queries and 233,448 labels.
"""

from pathlib import Path
from typing import Final

import polars as pl

from twotower import schema
from twotower.data.markup import plain
from twotower.data.sources import files
from twotower.data.sources.files import PublisherFile
from twotower.data.sources.remote import Remote
from twotower.data.sources.source import PublicSource
from twotower.data.tables import Tables
from twotower.errors import DataError

_HOME: Final = "https://github.com/wayfair/WANDS/tree/main/dataset"
_PRODUCTS: Final = PublisherFile(
    ("product.csv",), "product_id, product_name, category hierarchy, ..., by tabs", _HOME
)
_QUERIES: Final = PublisherFile(("query.csv",), "query_id, query, query_class, by tabs", _HOME)
_LABELS: Final = PublisherFile(("label.csv",), "id, query_id, product_id, label, by tabs", _HOME)
_DESCRIBED: Final = {
    schema.ITEM_ID: "product_id",
    schema.TITLE: "product_name",
    schema.CATEGORY: "category hierarchy",
    schema.DESCRIPTION: "product_description",
    schema.RATING: "average_rating",
}
_GRADES: Final = {"Exact": 2.0, "Partial": 1.0, "Irrelevant": 0.0}


def load(folder: Path) -> Tables:
    """All products, and all labels with the words of their query.

    Raises:
        DataError: a file is missing or lacks a column, or a label is none of the three.
    """
    products, queries, labels = (file.need(folder) for file in (_PRODUCTS, _QUERIES, _LABELS))
    judged = _read(labels, ("query_id", "product_id", "label"))
    strange = judged.filter(~pl.col("label").is_in(list(_GRADES)).fill_null(value=False))
    if len(strange):
        raise DataError(
            f"{labels.name}: label {strange['label'][0]!r} is none of {', '.join(_GRADES)}. "
            "It is not the publisher's file, or another edition of it."
        )
    asked = judged.join(
        _read(queries, ("query_id", "query")), on="query_id", how="left", maintain_order="left"
    )
    return Tables(
        items=_items(_read(products, tuple(_DESCRIBED.values()))),
        judgments=asked.select(
            pl.col("query").alias(schema.QUERY),
            pl.col("product_id").alias(schema.ITEM_ID),
            pl.col("label").replace_strict(_GRADES).alias(schema.GRADE),
        ),
        name="wands",
        files={"items": products.name, "judgments": labels.name},
        columns={"items": _DESCRIBED, "judgments": {schema.ITEM_ID: "product_id"}},
    )


def _read(path: Path, columns: tuple[str, ...]) -> pl.DataFrame:
    return files.separated(path, columns, separator="\t")


def _items(products: pl.DataFrame) -> pl.DataFrame:
    named = products.rename({theirs: ours for ours, theirs in _DESCRIBED.items()})
    levels = pl.col(schema.CATEGORY).str.replace_all(r"\s*/\s*", schema.CATEGORY_SEPARATOR)
    return named.with_columns(levels, plain(pl.col(schema.DESCRIPTION)).alias(schema.DESCRIPTION))


SOURCE: Final = PublicSource(
    "wands",
    "WANDS: Wayfair's queries with products judged exact, partial or irrelevant",
    load,
    remotes=tuple(
        Remote(f"https://raw.githubusercontent.com/wayfair/WANDS/main/dataset/{name}", name)
        for file in (_PRODUCTS, _QUERIES, _LABELS)
        for name in file.names[:1]
    ),
    licence="MIT",
)
