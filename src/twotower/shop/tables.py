"""The tables of the shop database."""

from typing import Final

from sqlalchemy import Column, Index, Integer, MetaData, String, Table, Text

SCHEMA_VERSION: Final = 1
"""Raise it with every change of a table, and say in `database.py` how old files follow."""

metadata = MetaData()

schema_version = Table("schema_version", metadata, Column("version", Integer, nullable=False))

events = Table(
    "events",
    metadata,
    Column("sequence", Integer, primary_key=True, autoincrement=True),
    Column("event_id", String, nullable=False, unique=True),
    Column("visitor_id", String, nullable=False),
    Column("user_id", String),
    Column("item_id", String, nullable=False),
    Column("event", String, nullable=False),
    Column("time", Integer, nullable=False),
    Column("received", Integer, nullable=False),
    Column("request_id", String),
    Index("events_of_visitor", "visitor_id", "time", "sequence"),
    Index("events_of_user", "user_id", "time", "sequence"),
    sqlite_autoincrement=True,
)

products = Table(
    "products",
    metadata,
    Column("sequence", Integer, primary_key=True, autoincrement=True),
    Column("item_id", String, nullable=False, unique=True),
    Column("body", Text, nullable=False),
    Column("updated", Integer, nullable=False),
    sqlite_autoincrement=True,
)
