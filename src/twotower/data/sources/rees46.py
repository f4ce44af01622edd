"""REES46: what visitors of a large shop viewed, put into the cart and bought, 2019-2020.

Source: M. Kechinov, "eCommerce behavior data from multi category store", and "eCommerce Events
History in Cosmetics Shop", REES46 Open CDP, https://rees46.com/en/datasets. Licence: free with
credit to REES46.

Files: one for each month, such as 2019-Oct.csv, gzipped or not; all that are in the folder are
taken. Columns: event_time (UTC), event_type, product_id, category_id, category_code (a path,
missing for a third), brand, price, user_id, user_session.

Taken: views, carts and purchases, with their time and session; of each product the first brand
and category path that the log has, and its median price. There are no names of products: the
title is the brand and the last level of the category, and blank where both are missing. Not
taken: `remove_from_cart`, and category_id, a number.

The publisher counts 42,448,764 events in October 2019 and 285 million in seven months.
"""

import re
from pathlib import Path
from time import strptime
from typing import Final

import polars as pl

from twotower import schema
from twotower.data.rule import Cleaning
from twotower.data.sources import files
from twotower.data.sources.files import PublisherFile
from twotower.data.sources.remote import Remote
from twotower.data.sources.source import PublicSource
from twotower.data.tables import Tables
from twotower.data.words import IGNORE

_LOG: Final = PublisherFile(
    ("2019-Oct.csv", "2019-Nov.csv", "..."),
    "events of a month, with event_time, event_type, product_id, category_code, brand, price, "
    "user_id, user_session",
    "https://rees46.com/en/datasets",
)
_MONTH: Final = re.compile(r"(\d{4}-[A-Z][a-z]{2})\.csv(\.gz)?$")
_COLUMNS: Final = {
    schema.TIME: "event_time",
    schema.EVENT: "event_type",
    schema.ITEM_ID: "product_id",
    schema.CATEGORY: "category_code",
    schema.BRAND: "brand",
    schema.PRICE: "price",
    schema.USER_ID: "user_id",
    schema.SESSION_ID: "user_session",
}
_CUT_OFF: Final = "cut_off"
_OF_ITEMS: Final = (schema.ITEM_ID, schema.CATEGORY, schema.BRAND, schema.PRICE)


def load(folder: Path) -> Tables:
    """All months of the folder, in their order.

    Raises:
        DataError: there is no month, or one lacks a column or has no number for a price.
    """
    months = _months(folder)
    log = pl.concat(_month(path) for path in months)
    removed = pl.col(schema.EVENT) == "remove_from_cart"
    kind = pl.when(removed).then(pl.lit(IGNORE)).otherwise(pl.col(schema.EVENT)).alias(schema.EVENT)
    called = months[0].name if len(months) == 1 else f"{months[0].name} and later"
    events = [name for name in _COLUMNS if name not in _OF_ITEMS or name == schema.ITEM_ID]
    return Tables(
        items=_items(log),
        events=log.with_columns(kind).select(*events, _CUT_OFF),
        name="rees46",
        files={"items": called, "events": called},
        columns={
            "items": {name: _COLUMNS[name] for name in _OF_ITEMS},
            "events": {name: _COLUMNS[name] for name in events},
        },
    )


def tidy(cleaning: Cleaning) -> None:
    """A month that was cut off ends in the middle of a line."""
    cleaning.drop("line_cut_off", "events", pl.col(_CUT_OFF))
    events = cleaning.tables.frames["events"].drop(_CUT_OFF)
    cleaning.tables = cleaning.tables.with_frames({"events": events})


def _months(folder: Path) -> list[Path]:
    files.check_folder(folder)
    found = [path for path in folder.iterdir() if _MONTH.match(path.name)]
    if not found:
        _LOG.need(folder)
    return sorted(found, key=lambda path: strptime(path.name[:8], "%Y-%b"))


def _month(path: Path) -> pl.DataFrame:
    log = files.separated(path, list(_COLUMNS.values()))
    is_last = pl.int_range(pl.len()) == pl.len() - 1
    return (
        log.with_columns(files.numbers(log, "price", path.name))
        .rename({theirs: ours for ours, theirs in _COLUMNS.items()})
        .with_columns((is_last & pl.col(schema.SESSION_ID).is_null()).alias(_CUT_OFF))
    )


def _items(log: pl.DataFrame) -> pl.DataFrame:
    """One row for each product, its title made of its brand and category."""
    first = [pl.col(name).drop_nulls().first() for name in (schema.CATEGORY, schema.BRAND)]
    items = log.group_by(schema.ITEM_ID, maintain_order=True).agg(
        *first, pl.col(schema.PRICE).median()
    )
    levels = pl.col(schema.CATEGORY).str.replace_all("_", " ").str.split(".")
    title = pl.concat_str(
        [pl.col(schema.BRAND), levels.list.last()], separator=" ", ignore_nulls=True
    )
    return items.with_columns(
        title.alias(schema.TITLE), levels.list.join(schema.CATEGORY_SEPARATOR)
    )


SOURCE: Final = PublicSource(
    "rees46",
    "REES46: views, carts and purchases of a large shop, one file for each month",
    load,
    tidy,
    remotes=(
        Remote("https://data.rees46.com/datasets/marketplace/2019-Oct.csv.gz", "2019-Oct.csv.gz"),
    ),
    licence="free with credit to REES46",
)
