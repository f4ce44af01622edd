"""The shop database: events and live products, durable before anyone is told so."""

import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import fields
from pathlib import Path
from typing import Any, Self

import orjson
from sqlalchemy import ColumnElement, and_, func, or_, select
from sqlalchemy.dialects.sqlite import insert
from sqlalchemy.engine import Connection
from sqlalchemy.exc import DBAPIError

from twotower import schema
from twotower.errors import OutputError
from twotower.shop.connection import open_engine
from twotower.shop.records import Counts, LiveEvent, LiveProduct, Rejection, Verdicts
from twotower.shop.tables import events, products

_IDS_PER_QUERY = 500
_NS_PER_MS = 1_000_000
_LARGEST = 2**63 - 1
_EVENT_COLUMNS = [events.c[field.name] for field in fields(LiveEvent)]


class ShopDatabase:
    """Events and live products in one SQLite file; safe to share between threads.

    Args:
        where: A path, or a URL `sqlite:///PATH`; made when it is not there.

    Raises:
        ConfigError: Not the address of an SQLite file.
        OutputError: The file cannot be made or written.
        DataError: The file is no shop database, or one of another schema version.

    Example:
        >>> import tempfile
        >>> folder = tempfile.TemporaryDirectory()
        >>> with ShopDatabase(Path(folder.name) / "shop.sqlite") as database:
        ...     view = LiveEvent("e1", "v1", "kettle", "view", time=1, received=2)
        ...     database.add_events([view, view]).duplicate
        ('e1',)
        >>> folder.cleanup()
    """

    def __init__(self, where: str | Path) -> None:
        self._engine = open_engine(where)
        self._writing = threading.Lock()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        self.close()

    @property
    def path(self) -> Path:
        """The file."""
        return Path(str(self._engine.url.database))

    def close(self) -> None:
        """Closes the file; what was acknowledged is already on disk."""
        self._engine.dispose()

    # -- events --------------------------------------------------------------------

    def add_events(self, batch: Sequence[LiveEvent]) -> Verdicts:
        """Stores a batch in one transaction; on disk when this returns.

        Args:
            batch: Events; an `event_id` seen before, or twice in the batch, is a duplicate.

        Returns:
            What became of each event.

        Raises:
            OutputError: The file cannot be written; nothing of the batch was stored.
        """
        rejected = tuple(
            Rejection(one.event_id, reason) for one in batch if (reason := _fault(one)) is not None
        )
        sound = [one for one in batch if _fault(one) is None]
        with self._transaction() as connection:
            seen = _known_ids(connection, [one.event_id for one in sound])
            new: dict[str, LiveEvent] = {}
            duplicate = []
            for one in sound:
                if one.event_id in seen or one.event_id in new:
                    duplicate.append(one.event_id)
                else:
                    new[one.event_id] = one
            if new:
                connection.execute(events.insert(), [vars(one) for one in new.values()])
        return Verdicts(tuple(new), tuple(duplicate), rejected)

    def recent_events(
        self, visitor_id: str | None = None, user_id: str | None = None, *, limit: int
    ) -> list[LiveEvent]:
        """Reads the newest events of a visitor, of a user, or of both as one person.

        With both, the visitor's events before login count and those of other users of the
        same browser do not. The same id for both means whoever is known by it.

        Args:
            visitor_id: The browser or device.
            user_id: The known user.
            limit: At most this many, 1 or more.

        Returns:
            The newest `limit` events, oldest first.
        """
        owned = _owned_by(visitor_id, user_id)
        if owned is None:
            return []
        newest = (
            select(*_EVENT_COLUMNS)
            .where(owned)
            .order_by(events.c.time.desc(), events.c.sequence.desc())
            .limit(limit)
        )
        with self._engine.connect() as connection:
            rows = connection.execute(newest).all()
        return [LiveEvent(*row) for row in reversed(rows)]

    def count_events(self, visitor_id: str | None = None, user_id: str | None = None) -> int:
        """Counts the events that `recent_events` reads, without a limit."""
        owned = _owned_by(visitor_id, user_id)
        if owned is None:
            return 0
        counted = select(func.count()).select_from(events).where(owned)
        with self._engine.connect() as connection:
            return connection.execute(counted).scalar_one()

    # -- products ------------------------------------------------------------------

    def upsert_product(self, item_id: str, body: dict[str, Any]) -> LiveProduct:
        """Stores a product, or replaces it whole; on disk when this returns.

        Args:
            item_id: The shop's id.
            body: Its fields by `schema` name.

        Returns:
            What was stored.

        Raises:
            OutputError: The file cannot be written; nothing was stored.
        """
        product = LiveProduct(item_id, body, time.time_ns() // _NS_PER_MS)
        row = {
            "item_id": item_id,
            "body": orjson.dumps(body).decode(),
            "updated": product.updated,
        }
        changed = insert(products).values(row)
        changed = changed.on_conflict_do_update(
            index_elements=["item_id"],
            set_={"body": changed.excluded.body, "updated": changed.excluded.updated},
        )
        with self._transaction() as connection:
            connection.execute(changed)
        return product

    def live_products(self) -> list[LiveProduct]:
        """Reads every stored product in the order of its first arrival."""
        with self._engine.connect() as connection:
            rows = connection.execute(select(products).order_by(products.c.sequence)).all()
        return [LiveProduct(row.item_id, orjson.loads(row.body), row.updated) for row in rows]

    def counts(self) -> Counts:
        """Counts the rows."""
        with self._engine.connect() as connection:
            return Counts(
                events=connection.execute(select(func.count()).select_from(events)).scalar_one(),
                products=connection.execute(
                    select(func.count()).select_from(products)
                ).scalar_one(),
            )

    @contextmanager
    def _transaction(self) -> Iterator[Connection]:
        """One writer at a time in this process; other processes wait by the busy timeout."""
        try:
            with self._writing, self._engine.connect() as connection:
                connection.exec_driver_sql("BEGIN IMMEDIATE")
                yield connection
                connection.commit()
        except DBAPIError as error:
            raise OutputError(
                f"the shop database {self.path} cannot be written: {error.orig}; "
                "nothing of this request was stored; send it again when there is room"
            ) from error


def _fault(one: LiveEvent) -> str | None:
    """Why the table cannot hold this event; None when it can."""
    if not (one.event_id and one.visitor_id and one.item_id):
        return "event_id, visitor_id and item_id must not be empty"
    if one.event not in schema.EVENT_KINDS:
        return f"event must be one of {', '.join(schema.EVENT_KINDS)}, got {one.event!r}"
    if not 0 <= one.time <= _LARGEST:
        return f"time must be UTC milliseconds since 1970, got {one.time}"
    return None


def _known_ids(connection: Connection, event_ids: Sequence[str]) -> set[str]:
    known: set[str] = set()
    for start in range(0, len(event_ids), _IDS_PER_QUERY):
        part = event_ids[start : start + _IDS_PER_QUERY]
        there = select(events.c.event_id).where(events.c.event_id.in_(part))
        known.update(connection.execute(there).scalars())
    return known


def _owned_by(visitor_id: str | None, user_id: str | None) -> ColumnElement[bool] | None:
    if visitor_id is None and user_id is None:
        return None
    if user_id is None:
        return events.c.visitor_id == visitor_id
    if visitor_id is None:
        return events.c.user_id == user_id
    if visitor_id == user_id:  # whoever is known by this id
        return or_(events.c.user_id == user_id, events.c.visitor_id == visitor_id)
    anonymous = and_(events.c.visitor_id == visitor_id, events.c.user_id.is_(None))
    return or_(events.c.user_id == user_id, anonymous)
