"""ESCI, the Shopping Queries Dataset: Amazon's difficult queries with judged products.

Source: C. K. Reddy and others, "Shopping Queries Dataset: A Large-Scale ESCI Benchmark for
Improving Product Search", 2022, https://arxiv.org/abs/2206.06588; files at
https://github.com/amazon-science/esci-data. Licence: Apache-2.0.

Files: shopping_queries_dataset_examples.parquet (query, product_id, product_locale, esci_label,
small_version, large_version, split) and shopping_queries_dataset_products.parquet
(product_id, product_locale, product_title, product_description, product_bullet_point,
product_brand, product_color); or both joined, examples_with_products.parquet.

Taken: the judgments of one locale and one version with the official split, of which test is the
exam and a share of the training queries validation; the products that are judged there; of them
the title, the description with the bullet points, tags taken out, brand, and colour as
attribute. Labels are Exact, Substitute, Complement, Irrelevant. `esci` is the small version
(task 1, ranking) in the US; `esci-large` the large one (tasks 2 and 3); `esci-es`, `esci-jp`
and their `-large` the other locales.

The publisher counts queries and judgments: small 29,844 and 601,354 (US), 8,049 and 218,774
(ES), 10,407 and 297,883 (JP); large 97,345 and 1,818,825 (US), 15,180 and 356,410 (ES), 18,127
and 446,053 (JP).
"""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Final

import polars as pl

from twotower import schema
from twotower.data.markup import plain
from twotower.data.rule import Cleaning
from twotower.data.sources import files
from twotower.data.sources.files import PublisherFile
from twotower.data.sources.remote import Remote
from twotower.data.sources.source import PublicSource
from twotower.data.tables import Tables

_HOME: Final = "https://github.com/amazon-science/esci-data"
_JOINED: Final = "examples_with_products.parquet"
_EXAMPLES: Final = PublisherFile(
    ("shopping_queries_dataset_examples.parquet", _JOINED),
    "query, product_id, product_locale, esci_label, small_version, large_version, split",
    _HOME,
)
_PRODUCTS: Final = PublisherFile(
    ("shopping_queries_dataset_products.parquet",),
    "product_id, product_locale, product_title, product_description, product_bullet_point, "
    "product_brand, product_color",
    _HOME,
)
_JUDGED: Final = {
    schema.QUERY: "query",
    schema.ITEM_ID: "product_id",
    "locale": "product_locale",
    schema.GRADE: "esci_label",
    schema.SPLIT: "split",
}
_DESCRIBED: Final = {
    schema.ITEM_ID: "product_id",
    "locale": "product_locale",
    schema.TITLE: "product_title",
    schema.DESCRIPTION: "product_description",
    "points": "product_bullet_point",
    schema.BRAND: "product_brand",
    schema.ATTRIBUTES: "product_color",
}
_TAKEN: Final = "in_version"
_UNSPLIT: Final = "unsplit"
_JUDGMENT: Final = (schema.QUERY, schema.ITEM_ID, schema.GRADE, schema.SPLIT)
_ITEM: Final = (
    schema.ITEM_ID, schema.TITLE, schema.DESCRIPTION, schema.BRAND, schema.ATTRIBUTES,
)  # fmt: skip


_LANGUAGES: Final = {"us": "english", "es": "spanish", "jp": "none"}


def _load(folder: Path, *, name: str, locale: str, version: str) -> Tables:
    examples = _EXAMPLES.need(folder)
    products = examples if examples.name == _JOINED else _PRODUCTS.need(folder)
    judged = files.table(examples, [*_JUDGED.values(), version])
    described = files.table(products, list(_DESCRIBED.values())).unique(
        ["product_id", "product_locale"], keep="first", maintain_order=True
    )
    return Tables(
        items=_named_by_locale(_items(described), locale),
        judgments=_named_by_locale(_judgments(judged, version), locale),
        name=name,
        language=_LANGUAGES[locale],
        files={"items": products.name, "judgments": examples.name},
        columns={
            "items": {ours: _DESCRIBED[ours] for ours in _ITEM},
            "judgments": {ours: _JUDGED[ours] for ours in _JUDGMENT},
        },
    )


def _tidy(cleaning: Cleaning, *, locale: str) -> None:
    """Leaves one locale and one version."""
    for table in ("items", "judgments"):
        cleaning.drop("other_locale", table, pl.col("locale") != locale)
    cleaning.drop("other_version", "judgments", ~pl.col(_TAKEN))
    judgments = cleaning.tables.frames["judgments"]
    unsplit = judgments.filter(_UNSPLIT)
    if len(unsplit):
        action = "taken for training"
        cleaning.note("judgment_without_split", "judgments", len(unsplit), action, unsplit)
    judged = judgments[schema.ITEM_ID].unique()
    cleaning.drop("not_judged", "items", ~pl.col(schema.ITEM_ID).is_in(judged.implode()))
    cleaning.tables = cleaning.tables.with_frames(
        {"items": cleaning.tables.items.select(_ITEM), "judgments": judgments.select(_JUDGMENT)}
    )


def _judgments(judged: pl.DataFrame, version: str) -> pl.DataFrame:
    ours = {theirs: ours for ours, theirs in _JUDGED.items()}
    return judged.rename(ours | {version: _TAKEN}).with_columns(
        pl.col(_TAKEN).cast(pl.Boolean),
        pl.col(schema.SPLIT).fill_null(schema.Split.TRAIN.value),
        pl.col(schema.SPLIT).is_null().alias(_UNSPLIT),
    )


def _items(described: pl.DataFrame) -> pl.DataFrame:
    words = described.rename({theirs: ours for ours, theirs in _DESCRIBED.items()})
    both = pl.concat_str([schema.DESCRIPTION, "points"], separator=" ", ignore_nulls=True)
    colour = pl.col(schema.ATTRIBUTES)
    return words.with_columns(
        plain(pl.col(schema.TITLE)).alias(schema.TITLE),
        plain(both).alias(schema.DESCRIPTION),
        pl.when(colour.is_not_null()).then(pl.concat_list(colour)).alias(schema.ATTRIBUTES),
    )


def _named_by_locale(frame: pl.DataFrame, locale: str) -> pl.DataFrame:
    """Products of two locales may share an id: that of another one has its locale before it."""
    product = pl.col(schema.ITEM_ID)
    of_another = pl.concat_str([pl.col("locale"), product], separator=":")
    return frame.with_columns(
        pl.when(pl.col("locale") == locale).then(product).otherwise(of_another)
    )


def _source(name: str, locale: str, version: str) -> PublicSource:
    load: Callable[[Path], Tables] = partial(
        _load, name=name, locale=locale, version=f"{version}_version"
    )
    told = f"ESCI, Amazon's judged shopping queries: {locale.upper()}, the {version} version"
    remotes = tuple(
        Remote(f"{_HOME}/raw/main/shopping_queries_dataset/{file}", file)
        for file in (_EXAMPLES.names[0], _PRODUCTS.names[0])
    )
    return PublicSource(
        name, told, load, partial(_tidy, locale=locale), remotes=remotes, licence="Apache-2.0"
    )


SOURCES: Final = tuple(
    _source(f"esci{place}{size}", locale, version)
    for place, locale in (("", "us"), ("-es", "es"), ("-jp", "jp"))
    for size, version in (("", "small"), ("-large", "large"))
)
