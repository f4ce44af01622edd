"""H&M: two years of purchases of a fashion chain, with words of every article.

Source: H&M Group, "H&M Personalized Fashion Recommendations", Kaggle 2022,
https://www.kaggle.com/competitions/h-and-m-personalized-fashion-recommendations. Licence: the
competition's rules, which have to be agreed to first.

Files: transactions_train.csv (t_dat, customer_id, article_id, price, sales_channel_id),
articles.csv (article_id of ten digits, prod_name, names of groups and colours, detail_desc), and
where it is customers.csv (customer_id, club_member_status, fashion_news_frequency, age, ...).

Taken: every transaction as a purchase on its day; every article, its category from the index
group down to the product type, its colour, look, department and garment group as attributes; age
and membership of customers. Not taken: prices, which are scaled by an unknown number, the sales
channel, postal codes, and the pictures. Whoever bought several pieces of an article on one day
has a line for each: the rule `duplicate_event` leaves one. Articles bought before are a part of
what the competition asks for, so they may be recommended (`repeat`).

The publisher counts 31,788,324 transactions, 1,371,980 customers, 105,542 articles.
"""

from pathlib import Path
from typing import Final

import polars as pl

from twotower import schema
from twotower.data.shop_toml import TableMapping
from twotower.data.sources import files
from twotower.data.sources.files import PublisherFile
from twotower.data.sources.source import PlainLog, PublicSource
from twotower.data.tables import Tables
from twotower.schema import EventKind

_HOME: Final = (
    "https://www.kaggle.com/competitions/h-and-m-personalized-fashion-recommendations/data"
)
_TRANSACTIONS: Final = PublisherFile(
    ("transactions_train.csv",), "t_dat, customer_id, article_id, price, sales_channel_id", _HOME
)
_ARTICLES: Final = PublisherFile(
    ("articles.csv",), "article_id, prod_name, product_type_name, ..., detail_desc", _HOME
)
_CUSTOMERS: Final = PublisherFile(
    ("customers.csv",), "customer_id, club_member_status, fashion_news_frequency, age", _HOME
)
_OF_EVENTS: Final = {
    schema.USER_ID: "customer_id",
    schema.ITEM_ID: "article_id",
    schema.TIME: "t_dat",
}
_OF_ITEMS: Final = {
    schema.ITEM_ID: "article_id",
    schema.TITLE: "prod_name",
    schema.DESCRIPTION: "detail_desc",
}
_LEVELS: Final = ("index_group_name", "product_group_name", "product_type_name")
_ATTRIBUTES: Final = (
    "colour_group_name",
    "graphical_appearance_name",
    "department_name",
    "garment_group_name",
)
_OF_USERS: Final = {
    schema.USER_ID: "customer_id",
    "age": "age",
    "club_member_status": "club_member_status",
    "fashion_news_frequency": "fashion_news_frequency",
}


def load(folder: Path) -> Tables:
    """Every purchase, every article, and the customers where their file is.

    Raises:
        DataError: a file is missing, cannot be read, or lacks a column.
    """
    log = files.separated(_TRANSACTIONS.need(folder), tuple(_OF_EVENTS.values()))
    events = log.rename({theirs: ours for ours, theirs in _OF_EVENTS.items()})
    kind = pl.lit(EventKind.PURCHASE.value).alias(schema.EVENT)
    return _others(folder).with_frames({"events": events.with_columns(kind)})


def _others(folder: Path) -> Tables:
    articles, customers = _ARTICLES.need(folder), _CUSTOMERS.find(folder)
    return Tables(
        items=_items(articles),
        users=_users(customers) if customers else None,
        name="hm",
        repeat=True,
        files={
            "items": articles.name,
            "events": _TRANSACTIONS.names[0],
            "users": _CUSTOMERS.names[0],
        },
        columns={
            "items": {
                **_OF_ITEMS,
                schema.CATEGORY: " + ".join(_LEVELS),
                schema.ATTRIBUTES: " + ".join(_ATTRIBUTES),
            },
            "events": _OF_EVENTS,
            "users": _OF_USERS,
        },
    )


def _items(path: Path) -> pl.DataFrame:
    found = files.separated(path, (*_OF_ITEMS.values(), *_LEVELS, *_ATTRIBUTES))
    return found.select(
        *(pl.col(theirs).alias(ours) for ours, theirs in _OF_ITEMS.items()),
        pl.concat_str(_LEVELS, separator=schema.CATEGORY_SEPARATOR, ignore_nulls=True).alias(
            schema.CATEGORY
        ),
        pl.concat_list(_ATTRIBUTES)
        .list.drop_nulls()
        .list.unique(maintain_order=True)
        .alias(schema.ATTRIBUTES),
    )


def _users(path: Path) -> pl.DataFrame:
    found = files.separated(path, tuple(_OF_USERS.values()))
    return found.rename({theirs: ours for ours, theirs in _OF_USERS.items()})


SOURCE: Final = PublicSource(
    "hm",
    "H&M: two years of purchases of fashion, with words of every article",
    load,
    log=PlainLog(
        _TRANSACTIONS, TableMapping(columns=_OF_EVENTS, kind=EventKind.PURCHASE.value), _others
    ),
)
