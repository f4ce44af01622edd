"""What goes into the shop database and what comes out."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class LiveEvent:
    """One thing a visitor did.

    Attributes:
        event_id: Made by the sender; the same id is the same event.
        visitor_id: The browser or device; survives login.
        item_id: The shop's id.
        event: One of `schema.EVENT_KINDS`, or `schema.IMPRESSION`.
        time: When it happened, UTC milliseconds.
        received: When the server got it, UTC milliseconds.
        user_id: Who it was, once known.
        request_id: The list in which the item was seen.
    """

    event_id: str
    visitor_id: str
    item_id: str
    event: str
    time: int
    received: int
    user_id: str | None = None
    request_id: str | None = None


@dataclass(frozen=True)
class Rejection:
    """An event that was not stored, and why."""

    event_id: str
    reason: str


@dataclass(frozen=True)
class Verdicts:
    """What became of each event of a batch, by event id, in the batch's order.

    Attributes:
        accepted: On disk now.
        duplicate: Already there before; nothing changed.
        rejected: Not stored, with the reason.
    """

    accepted: tuple[str, ...]
    duplicate: tuple[str, ...]
    rejected: tuple[Rejection, ...] = ()


@dataclass(frozen=True)
class ProductChange:
    """A product as its newest change since the bundle was built left it.

    Attributes:
        number: The change's place in the feed of products.
        item_id: The shop's id.
        body: Its fields by `schema` name, as JSON holds them; None when it was deleted.
        updated: When it was stored, UTC milliseconds.
    """

    number: int
    item_id: str
    body: dict[str, Any] | None
    updated: int


@dataclass(frozen=True)
class ApiKey:
    """What is kept of a key of the HTTP interface.

    Attributes:
        key_id: Names it without giving it away.
        name: Who or what uses it.
        digest: SHA-256 of the key.
        scopes: What it may do.
        created: UTC milliseconds.
        per_minute: Requests that each server process answers it in a minute; None for all.
        revoked: When it ended, UTC milliseconds; None for one that counts.
    """

    key_id: str
    name: str
    digest: str
    scopes: frozenset[str]
    created: int
    per_minute: int | None = None
    revoked: int | None = None


@dataclass(frozen=True)
class StoredRule:
    """A wish of the shop as it is kept; `retrieval.rules.Rule` reads it.

    Attributes:
        rule_id: Names it.
        body: Its fields, as JSON holds them.
        updated: When it was stored, UTC milliseconds.
    """

    rule_id: str
    body: dict[str, Any]
    updated: int


@dataclass(frozen=True)
class Counts:
    """Rows in the shop database; impressions and deleted products do not count."""

    events: int
    products: int
