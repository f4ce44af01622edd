"""Amazon Reviews 2018: reviews and product metadata of one category.

Source: J. Ni, J. Li, J. McAuley, "Justifying Recommendations using Distantly-Labeled Reviews and
Fine-Grained Aspects", EMNLP 2019, https://nijianmo.github.io/amazon/. Licence: UCSD, research
use.

Files, one JSON object on each line, gzipped or not: CATEGORY_5.json.gz (the 5-core) or
CATEGORY.json.gz with reviewerID, asin, overall, unixReviewTime (a day) and texts, and
meta_CATEGORY.json.gz with asin, title, brand, category (a list), description (a list), feature
(a list), price (text, mostly empty) and image (a list). The 5-core is taken where both are there.

Taken: every review as the event `review`, with its day; of the reviewed products title,
description and brand without tags and entities, the category path, features as attributes, the
price where it is one, the first image. Not taken: stars (every review is a positive, as in most
published tables), review texts, also_buy, also_view, ranks. Reviews of products without metadata
are left out, or kept by `--set prepare.unknown_items=keep`.

The publisher counts 2,375 reviews in the 5-core of Magazine Subscriptions.
"""

import gzip
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import orjson
import polars as pl

from twotower import schema
from twotower.data.clean import Cleaning
from twotower.data.sources import files
from twotower.data.sources.files import PublisherFile
from twotower.data.sources.markup import plain
from twotower.data.sources.source import PublicSource
from twotower.data.tables import Tables
from twotower.errors import DataError

_HOME: Final = "https://nijianmo.github.io/amazon/"
_META: Final = PublisherFile(
    ("meta_CATEGORY.json.gz",), "a product on each line, as a JSON object with asin", _HOME
)
_REVIEW: Final = {
    schema.USER_ID: "reviewerID",
    schema.ITEM_ID: "asin",
    schema.TIME: "unixReviewTime",
}
_TEXTS: Final = ("asin", "title", "brand", "price")
_LISTS: Final = ("category", "description", "feature", "image")
_MONEY: Final = r"^\$\d[\d,]*(\.\d+)?$"
_AGAIN, _TITLE, _PRICE = "again", "raw_title", "raw_price"


def load(folder: Path) -> Tables:
    """Every review, and every line of the metadata.

    Raises:
        DataError: a file is missing, or a line is no JSON object with what it should have.
    """
    meta, reviews = _paths(folder)
    events = pl.DataFrame(
        ([_needed(line, name, reviews, row) for name in _REVIEW.values()]
         for row, line in _lines(reviews)),
        schema=list(_REVIEW), orient="row", infer_schema_length=None,
    )  # fmt: skip
    kind = pl.lit(schema.EventKind.REVIEW.value).alias(schema.EVENT)
    return Tables(
        items=_items(_described(meta)),
        events=events.with_columns(kind),
        name=f"amazon-2018 {reviews.name.partition('.')[0]}",
        files={"items": meta.name, "events": reviews.name},
        columns={"items": {schema.ITEM_ID: "asin"}, "events": _REVIEW},
    )


def tidy(cleaning: Cleaning) -> None:
    """Leaves each reviewed product once."""
    cleaning.drop("product_again", "items", pl.col(_AGAIN))
    reviewed = cleaning.tables.frames["events"][schema.ITEM_ID].unique()
    cleaning.drop("never_reviewed", "items", ~pl.col(schema.ITEM_ID).is_in(reviewed.implode()))
    for raw, name in ((_TITLE, schema.TITLE), (_PRICE, schema.PRICE)):
        rest = cleaning.tables.items.filter(pl.col(name).is_null() & (pl.col(raw) != ""))
        if len(rest):
            cleaning.note(f"markup_as_{name}", "items", len(rest), f"no {name}", rest)
    items = cleaning.tables.items.drop(_AGAIN, _TITLE, _PRICE)
    cleaning.tables = cleaning.tables.with_frames({"items": items})


def _paths(folder: Path) -> tuple[Path, Path]:
    """Metadata and reviews of the one category of a folder."""
    files.check_folder(folder)
    found = sorted(folder.glob("meta_*.json*"))
    if len(found) > 1:
        several = ", ".join(path.name for path in found)
        raise DataError(f"{folder} has several categories: {several}. Give each its own folder.")
    meta = found[0] if found else _META.need(folder)
    category = meta.name.removeprefix("meta_").partition(".json")[0]
    names = tuple(f"{category}{core}.json{gz}" for core in ("_5", "") for gz in (".gz", ""))
    looks = "a review on each line, as a JSON object with reviewerID, asin and unixReviewTime"
    return meta, PublisherFile(names, looks, _HOME).need(folder)


def _lines(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """Each line with its number, counted from 1."""
    row = 0
    try:
        with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as lines:
            for row, line in enumerate(lines, start=1):
                found = orjson.loads(line)
                if not isinstance(found, dict):
                    raise DataError(f"{path.name}: row {row} is no JSON object.")
                yield row, found
    except (OSError, EOFError, ValueError) as error:
        raise DataError(
            f"{path.name} cannot be read from row {max(row, 1)} on ({error}). "
            f"Get it again from {_HOME}"
        ) from error


def _needed(line: dict[str, Any], name: str, path: Path, row: int) -> Any:
    if name not in line:
        raise DataError(
            f"{path.name}: row {row} has no {name!r} (found: {', '.join(line)}). "
            "It is not the publisher's file, or another edition of it."
        )
    return line[name]


def _described(path: Path) -> pl.DataFrame:
    """What is taken of each product; values of another kind than the publisher's are missing."""
    rows = []
    for row, line in _lines(path):
        _needed(line, "asin", path, row)
        texts = [value if isinstance(value := line.get(n), str) else None for n in _TEXTS]
        lists = [value if isinstance(value := line.get(n), list) else [] for n in _LISTS]
        rows.append([*texts, *([str(part) for part in parts] for parts in lists)])
    kinds = dict.fromkeys(_TEXTS, pl.String()) | dict.fromkeys(_LISTS, pl.List(pl.String))
    return pl.DataFrame(rows, schema=kinds, orient="row")


def _items(described: pl.DataFrame) -> pl.DataFrame:
    """One row for each line; a product that comes again has a number behind its id."""
    asin = pl.col("asin")
    time = pl.int_range(1, pl.len() + 1).over("asin")
    numbered = pl.concat_str([asin, pl.lit("#"), time.cast(pl.String)])
    price = pl.col("price").str.strip_chars()
    return described.select(
        pl.when(time == 1).then(asin).otherwise(numbered).alias(schema.ITEM_ID),
        plain(pl.col("title")).alias(schema.TITLE),
        plain(pl.col("description").list.join(" ")).alias(schema.DESCRIPTION),
        plain(pl.col("brand")).alias(schema.BRAND),
        plain(pl.col("category").list.join(schema.CATEGORY_SEPARATOR)).alias(schema.CATEGORY),
        pl.when(price.str.contains(_MONEY)).then(price).alias(schema.PRICE),
        pl.col("feature").list.eval(plain(pl.element()).drop_nulls()).alias(schema.ATTRIBUTES),
        pl.col("image").list.first().alias(schema.IMAGE),
        (time > 1).alias(_AGAIN),
        pl.col("title").fill_null("").alias(_TITLE),
        price.fill_null("").alias(_PRICE),
    )


SOURCE: Final = PublicSource(
    "amazon-2018", "Amazon Reviews 2018: reviews and metadata of a category, JSON lines", load, tidy
)
