"""Amazon Reviews 2014, 2018 and 2023: reviews and product metadata of one category.

Source: 2014: R. He, J. McAuley, "Ups and Downs", WWW 2016,
https://cseweb.ucsd.edu/~jmcauley/datasets/amazon/links.html. 2018: J. Ni, J. Li, J. McAuley,
"Justifying Recommendations using Distantly-Labeled Reviews and Fine-Grained Aspects", EMNLP 2019,
https://nijianmo.github.io/amazon/. 2023: Y. Hou and others, "Bridging Language and Items for
Retrieval and Recommendation", 2024, https://amazon-reviews-2023.github.io/. Licence: UCSD,
research use.

Files, one object on each line, gzipped or not; the 5-core is taken where both are there. 2014:
reviews_CATEGORY_5.json.gz and meta_CATEGORY.json.gz, whose lines are Python, not JSON. 2018:
CATEGORY_5.json.gz and meta_CATEGORY.json.gz. 2023: CATEGORY.jsonl.gz and meta_CATEGORY.jsonl.gz.

Taken: every review as the event `review`, with its time (in 2014 and 2018 the day); of the
reviewed products title, description and brand (2023: store) without tags and entities, the
category path (2014: the first), features as attributes, the price where it is one, the first
image. Not taken: stars (every review is a positive, as in most published tables), review texts,
also bought and viewed, ranks. Reviews of products without metadata are left out, or kept by
`--set prepare.unknown_items=keep`.

The publisher counts 198,502 reviews by 22,363 users of 12,101 products in the 5-core of Beauty
2014, and 2,375 reviews in that of Magazine Subscriptions 2018.
"""

import ast
import gzip
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final

import orjson
import polars as pl

from twotower import schema
from twotower.data.markup import plain
from twotower.data.rule import Cleaning
from twotower.data.sources import files
from twotower.data.sources.files import PublisherFile
from twotower.data.sources.source import PublicSource
from twotower.data.tables import Tables
from twotower.errors import DataError

_TEXTS: Final = (schema.ITEM_ID, schema.TITLE, schema.BRAND, schema.PRICE, schema.IMAGE)
_LISTS: Final = (schema.CATEGORY, schema.DESCRIPTION, schema.ATTRIBUTES)
_MONEY: Final = r"^\$?\d[\d,]*(\.\d+)?$"
_AGAIN, _TITLE, _PRICE = "again", "raw_title", "raw_price"


@dataclass(frozen=True)
class _Edition:
    """How the files of one year are called and what is in them.

    Attributes:
        year: of the edition.
        home: where the publisher keeps them.
        reviews: names of the reviews file, `{}` being the category.
        suffix: of the metadata file's name.
        review: our column name to the key in a review.
        product: our column name to the key in the metadata.
        parse: a line of the metadata.
    """

    year: str
    home: str
    reviews: tuple[str, ...]
    suffix: str
    review: Mapping[str, str]
    product: Mapping[str, str]
    parse: Callable[[bytes], Any] = orjson.loads


def _python(line: bytes) -> Any:
    return ast.literal_eval(line.decode("utf-8"))


_REVIEW: Final = {
    schema.USER_ID: "reviewerID",
    schema.ITEM_ID: "asin",
    schema.TIME: "unixReviewTime",
}
_PRODUCT: Final = {
    schema.ITEM_ID: "asin",
    schema.TITLE: "title",
    schema.BRAND: "brand",
    schema.PRICE: "price",
    schema.DESCRIPTION: "description",
}
_EDITIONS: Final = (
    _Edition(
        "2014",
        "https://cseweb.ucsd.edu/~jmcauley/datasets/amazon/links.html",
        ("reviews_{}_5.json", "reviews_{}.json"),
        ".json",
        _REVIEW,
        _PRODUCT | {schema.IMAGE: "imUrl", schema.CATEGORY: "categories"},
        _python,
    ),
    _Edition(
        "2018",
        "https://nijianmo.github.io/amazon/",
        ("{}_5.json", "{}.json"),
        ".json",
        _REVIEW,
        _PRODUCT
        | {schema.IMAGE: "image", schema.CATEGORY: "category", schema.ATTRIBUTES: "feature"},
    ),
    _Edition(
        "2023",
        "https://amazon-reviews-2023.github.io/",
        ("{}.jsonl",),
        ".jsonl",
        {schema.USER_ID: "user_id", schema.ITEM_ID: "parent_asin", schema.TIME: "timestamp"},
        _PRODUCT
        | {
            schema.ITEM_ID: "parent_asin",
            schema.BRAND: "store",
            schema.IMAGE: "images",
            schema.CATEGORY: "categories",
            schema.ATTRIBUTES: "features",
        },
    ),
)


def _load(folder: Path, edition: _Edition) -> Tables:
    """Every review, and every line of the metadata."""
    meta, reviews = _paths(folder, edition)
    kind = pl.lit(schema.EventKind.REVIEW.value).alias(schema.EVENT)
    return Tables(
        items=_items(_described(meta, edition)),
        events=_reviewed(reviews, edition).with_columns(kind),
        name=f"amazon-{edition.year} {reviews.name.partition('.')[0]}",
        files={"items": meta.name, "events": reviews.name},
        columns={"items": edition.product, "events": edition.review},
    )


def _tidy(cleaning: Cleaning) -> None:
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


def _paths(folder: Path, edition: _Edition) -> tuple[Path, Path]:
    """Metadata and reviews of the one category of a folder."""
    files.check_folder(folder)
    endings = (f"{edition.suffix}.gz", edition.suffix)
    found = sorted(path for end in endings for path in folder.glob(f"meta_*{end}"))
    if len(found) > 1:
        several = ", ".join(path.name for path in found)
        raise DataError(f"{folder} has several categories: {several}. Give each its own folder.")
    names = tuple(f"meta_CATEGORY{end}" for end in endings)
    looks = f"a product on each line, with {edition.product[schema.ITEM_ID]}"
    meta = found[0] if found else PublisherFile(names, looks, edition.home).need(folder)
    category = meta.name.removeprefix("meta_").partition(edition.suffix)[0]
    names = tuple(f"{name.format(category)}{gz}" for name in edition.reviews for gz in (".gz", ""))
    looks = f"a review on each line, with {', '.join(edition.review.values())}"
    return meta, PublisherFile(names, looks, edition.home).need(folder)


def _lines(path: Path, home: str, parse: Callable[[bytes], Any]) -> Iterator[dict[str, Any]]:
    row = 0
    try:
        with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as lines:
            for row, line in enumerate(lines, start=1):
                found = parse(line)
                if not isinstance(found, dict):
                    raise DataError(f"{path.name}: row {row} is no object. Get it from {home}")
                yield found
    except (OSError, EOFError, ValueError, SyntaxError) as error:
        raise DataError(
            f"{path.name} cannot be read from row {max(row, 1)} on ({error}). Get it from {home}"
        ) from error


def _needed(line: dict[str, Any], name: str, file: str, row: int) -> Any:
    if name not in line:
        raise DataError(
            f"{file}: row {row} has no {name!r} (found: {', '.join(line)}). "
            "It is not the publisher's file, or another edition of it."
        )
    return line[name]


def _reviewed(path: Path, edition: _Edition) -> pl.DataFrame:
    rows = (
        [_needed(line, name, path.name, row) for name in edition.review.values()]
        for row, line in enumerate(_lines(path, edition.home, orjson.loads), start=1)
    )
    return pl.DataFrame(
        rows, schema=list(edition.review), orient="row", infer_schema_length=None, strict=False
    )


def _described(path: Path, edition: _Edition) -> pl.DataFrame:
    """What is taken of each product; values of another kind than the publisher's are missing."""
    keys, rows = edition.product, []
    for row, line in enumerate(_lines(path, edition.home, edition.parse), start=1):
        _needed(line, keys[schema.ITEM_ID], path.name, row)
        texts = [_text(line.get(keys.get(name, ""))) for name in _TEXTS]
        lists = [_list(line.get(keys.get(name, ""))) for name in _LISTS]
        rows.append([*texts, *lists])
    kinds = dict.fromkeys(_TEXTS, pl.String()) | dict.fromkeys(_LISTS, pl.List(pl.String))
    return pl.DataFrame(rows, schema=kinds, orient="row")


def _text(value: Any) -> str | None:
    """Text as it is, a number as text; of a list the first, of an image's sizes the large one."""
    if isinstance(value, list) and value:
        return _text(value[0])
    if isinstance(value, dict):
        return _text(value.get("large"))
    return str(value) if isinstance(value, str | int | float) else None


def _list(value: Any) -> list[str]:
    """A list of texts; of several lists the first."""
    if isinstance(value, list):
        inner = value[0] if value and isinstance(value[0], list) else value
        return [part for part in inner if isinstance(part, str)]
    return [value] if isinstance(value, str) else []


def _items(described: pl.DataFrame) -> pl.DataFrame:
    """One row for each line; a product that comes again has a number behind its id."""
    item = pl.col(schema.ITEM_ID)
    time = pl.int_range(1, pl.len() + 1).over(schema.ITEM_ID)
    numbered = pl.concat_str([item, pl.lit("#"), time.cast(pl.String)])
    price = pl.col(schema.PRICE).str.strip_chars()
    path = pl.col(schema.CATEGORY).list.join(schema.CATEGORY_SEPARATOR)
    features = pl.col(schema.ATTRIBUTES).list.eval(plain(pl.element()).drop_nulls())
    return described.select(
        pl.when(time == 1).then(item).otherwise(numbered).alias(schema.ITEM_ID),
        plain(pl.col(schema.TITLE)).alias(schema.TITLE),
        plain(pl.col(schema.DESCRIPTION).list.join(" ")).alias(schema.DESCRIPTION),
        plain(pl.col(schema.BRAND)).alias(schema.BRAND),
        plain(path).alias(schema.CATEGORY),
        pl.when(price.str.contains(_MONEY)).then(price).alias(schema.PRICE),
        features,
        schema.IMAGE,
        (time > 1).alias(_AGAIN),
        pl.col(schema.TITLE).fill_null("").alias(_TITLE),
        price.fill_null("").alias(_PRICE),
    )


def _source(edition: _Edition) -> PublicSource:
    told = f"Amazon Reviews {edition.year}: reviews and metadata of a category"
    return PublicSource(f"amazon-{edition.year}", told, partial(_load, edition=edition), _tidy)


SOURCES: Final = tuple(_source(edition) for edition in _EDITIONS)
