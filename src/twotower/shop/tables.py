"""The tables of the shop database, as its newest migration leaves them.

A change here comes with a revision in `migrations/versions`; a test compares the two.
"""

from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ColumnElement,
    FromClause,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    false,
    literal_column,
    text,
)

metadata = MetaData()

_NUMBER: Final = BigInteger().with_variant(Integer, "sqlite")
"""64 bits; SQLite has no other integers, and counts rows by this name only."""

_HAPPENED: Final[dict[str, Any]] = dict.fromkeys(
    ("sqlite_where", "postgresql_where"), text("event <> 'impression'")
)

_SEEN: Final[dict[str, Any]] = dict.fromkeys(
    ("sqlite_where", "postgresql_where"), text("event = 'impression'")
)

events = Table(
    "events",
    metadata,
    Column("sequence", _NUMBER, primary_key=True, autoincrement=True),
    Column("event_id", String, nullable=False, unique=True),
    Column("visitor_id", String, nullable=False),
    Column("user_id", String),
    Column("item_id", String, nullable=False),
    Column("event", String, nullable=False),
    Column("time", _NUMBER, nullable=False),
    Column("received", _NUMBER, nullable=False),
    Column("request_id", String),
    Index("events_of_visitor", "visitor_id", "time", "sequence", **_HAPPENED),
    Index("events_of_user", "user_id", "time", "sequence", **_HAPPENED),
    Index("impressions_of_visitor", "visitor_id", **_SEEN),
    Index("impressions_of_user", "user_id", **_SEEN),
    Index("events_of_request", "request_id", "sequence"),
    sqlite_autoincrement=True,
)
"""`sequence` is the event's number in its feed. Impressions are in no history, so the indexes of
histories leave them out, and have their own; a query that says `happened`, or `seen`, is answered
by the one or the other, and one that says neither reads every event."""


def happened(of: FromClause) -> ColumnElement[bool]:
    """Says that an event is more than an impression, in words that partial indexes know again.

    Args:
        of: `events`, or an alias of it.

    Returns:
        The condition. A bound value in place of the literal would make the indexes useless.
    """
    return of.c.event != literal_column("'impression'")


def seen(of: FromClause) -> ColumnElement[bool]:
    """Says that an event is an impression; takes and gives what `happened` does."""
    return of.c.event == literal_column("'impression'")


products = Table(
    "products",
    metadata,
    Column("sequence", _NUMBER, primary_key=True, autoincrement=True),
    Column("item_id", String, nullable=False, unique=True),
    Column("body", Text, nullable=False),
    Column("updated", _NUMBER, nullable=False),
    Column("change", _NUMBER, nullable=False, server_default="0"),
    Column("deleted", Boolean, nullable=False, server_default=false()),
    Index("products_by_change", "change", unique=True),
    sqlite_autoincrement=True,
)
"""One row per product that was ever put in, patched or deleted; a deleted one keeps its row.

`change` is the number of the product's newest change in its feed.
"""

feeds = Table(
    "feeds",
    metadata,
    Column("name", String, primary_key=True),
    Column("last", _NUMBER, nullable=False),
)
"""The number given out last in each feed. Who adds to a feed updates its row first: that makes
the others wait until this transaction is over, so numbers become visible in their order."""

keys = Table(
    "keys",
    metadata,
    Column("key_id", String, primary_key=True),
    Column("name", String, nullable=False),
    Column("digest", String, nullable=False, unique=True),
    Column("scopes", String, nullable=False),
    Column("per_minute", _NUMBER),
    Column("created", _NUMBER, nullable=False),
    Column("revoked", _NUMBER),
)
"""`digest` is the SHA-256 of a key, which is itself kept nowhere. A revoked key keeps its row."""

rules = Table(
    "rules",
    metadata,
    Column("rule_id", String, primary_key=True),
    Column("body", Text, nullable=False),
    Column("updated", _NUMBER, nullable=False),
)
"""What the shop wants in its lists; `body` is a rule as JSON."""

erasures = Table(
    "erasures",
    metadata,
    Column("digest", String, primary_key=True),
    Column("erased", _NUMBER, nullable=False),
)
"""Whom a bundle's log is silent about: the SHA-256 of an id, as the id itself is gone."""
