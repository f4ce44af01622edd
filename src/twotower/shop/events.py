"""What visitors did."""

from collections.abc import Sequence
from dataclasses import fields

from sqlalchemy import ColumnElement, and_, func, select, union
from sqlalchemy.engine import Connection

from twotower import schema
from twotower.shop.feeds import EVENTS, take_numbers
from twotower.shop.records import LiveEvent, Rejection, Verdicts
from twotower.shop.tables import events, happened
from twotower.shop.transactions import Transactions

_IDS_PER_QUERY = 500
_LARGEST = 2**63 - 1
_COLUMNS = [events.c[field.name] for field in fields(LiveEvent)]
_KINDS = (*schema.EVENT_KINDS, schema.IMPRESSION)
_TEXTS = ("event_id", "visitor_id", "item_id", "user_id", "request_id")


class Events:
    """The events of one database; safe to share between threads and processes.

    Args:
        transactions: Of the open database.
    """

    def __init__(self, transactions: Transactions) -> None:
        self._transactions = transactions

    def add(self, batch: Sequence[LiveEvent]) -> Verdicts:
        """Stores a batch in one transaction; on disk when this returns.

        Args:
            batch: Events; an `event_id` seen before, or twice in the batch, is a duplicate.

        Returns:
            What became of each event.

        Raises:
            StorageUnavailable: It cannot be written; nothing of the batch is acknowledged.
        """
        faults = [(one, _fault(one)) for one in batch]
        rejected = tuple(Rejection(one.event_id, fault) for one, fault in faults if fault)
        sound = [one for one, fault in faults if not fault]
        if not sound:
            return Verdicts((), (), rejected)
        with self._transactions.writing() as connection:
            numbers = take_numbers(connection, EVENTS, len(sound))
            seen = _known_ids(connection, [one.event_id for one in sound])
            new: dict[str, LiveEvent] = {}
            duplicate = []
            for one in sound:
                if one.event_id in seen or one.event_id in new:
                    duplicate.append(one.event_id)
                else:
                    new[one.event_id] = one
            if new:
                numbered = zip(numbers, new.values(), strict=False)  # duplicates leave gaps
                rows = [{"sequence": number, **vars(one)} for number, one in numbered]
                connection.execute(events.insert(), rows)
        return Verdicts(tuple(new), tuple(duplicate), rejected)

    def recent(
        self, visitor_id: str | None = None, user_id: str | None = None, *, limit: int
    ) -> list[LiveEvent]:
        """Reads the newest events of a visitor, of a user, or of both as one person.

        A user's events before login count, in every browser in which nobody else was known;
        with both, in this browser whoever else was known. Events of other users never do. The
        same id for both means whoever is known by it. Impressions are not read.

        Args:
            visitor_id: The browser or device.
            user_id: The known user.
            limit: At most this many, 1 or more.

        Returns:
            The newest `limit` events, oldest first.

        Raises:
            StorageUnavailable: It cannot be read.
        """
        owned = _owned_by(visitor_id, user_id)
        if owned is None:
            return []
        newest = (
            select(*_COLUMNS)
            .where(owned)
            .order_by(events.c.time.desc(), events.c.sequence.desc())
            .limit(limit)
        )
        with self._transactions.reading() as connection:
            rows = connection.execute(newest).all()
        return [LiveEvent(*row) for row in reversed(rows)]

    def count(self, visitor_id: str | None = None, user_id: str | None = None) -> int:
        """Counts the events that `recent` reads, without a limit; raises what it raises."""
        owned = _owned_by(visitor_id, user_id)
        if owned is None:
            return 0
        counted = select(func.count()).select_from(events).where(owned)
        with self._transactions.reading() as connection:
            return connection.execute(counted).scalar_one()

    def visitors_lately(self, since_ms: int, *, after_ms: int, latest: int) -> dict[str, int]:
        """Counts who was at which item, among the newest events of everybody but impressions.

        Args:
            since_ms: Events received before this time do not count, UTC milliseconds.
            after_ms: Nor do those that happened until this time, as a log tells of them; 0 for
                no log.
            latest: At most this many events are looked at, 1 or more.

        Returns:
            Item id -> different visitors.

        Raises:
            StorageUnavailable: It cannot be read.
        """
        newest = (
            select(events.c.item_id, events.c.visitor_id, events.c.time, events.c.received)
            .where(happened(events))
            .order_by(events.c.sequence.desc())
            .limit(latest)
            .subquery()
        )
        counted = (
            select(newest.c.item_id, func.count(newest.c.visitor_id.distinct()))
            .where(newest.c.received >= since_ms, newest.c.time > after_ms)
            .group_by(newest.c.item_id)
        )
        with self._transactions.reading() as connection:
            return {row[0]: row[1] for row in connection.execute(counted)}

    def of_request(self, request_id: str, *, limit: int) -> list[LiveEvent]:
        """Reads what came of a list: the events that refer to it, impressions too.

        Args:
            request_id: Of the list.
            limit: At most this many, the first ones, 1 or more.

        Returns:
            Events in the order of their arrival.

        Raises:
            StorageUnavailable: It cannot be read.
        """
        referring = (
            select(*_COLUMNS)
            .where(events.c.request_id == request_id)
            .order_by(events.c.sequence)
            .limit(limit)
        )
        with self._transactions.reading() as connection:
            return [LiveEvent(*row) for row in connection.execute(referring).all()]

    def after(self, cursor: int, *, limit: int) -> list[tuple[int, LiveEvent]]:
        """Follows the feed of events.

        Args:
            cursor: The number read last; 0 begins with the first.
            limit: At most this many, 1 or more.

        Returns:
            Numbers and events, ascending; going on from the last number misses nothing.

        Raises:
            StorageUnavailable: It cannot be read.
        """
        following = (
            select(events.c.sequence, *_COLUMNS)
            .where(events.c.sequence > cursor)
            .order_by(events.c.sequence)
            .limit(limit)
        )
        with self._transactions.reading() as connection:
            rows = connection.execute(following).all()
        return [(row[0], LiveEvent(*row[1:])) for row in rows]


def _fault(one: LiveEvent) -> str | None:
    """Why the table cannot hold this event; None when it can."""
    if not (one.event_id and one.visitor_id and one.item_id):
        return "event_id, visitor_id and item_id must not be empty"
    if one.event not in _KINDS:
        return f"event must be one of {', '.join(_KINDS)}, got {one.event!r}"
    if not 0 <= one.time <= _LARGEST:
        return f"time must be UTC milliseconds since 1970, got {one.time}"
    for name in _TEXTS:
        if not _is_storable(getattr(one, name) or ""):
            return f"{name} must be text without NUL and half characters"
    return None


def _is_storable(text: str) -> bool:
    """Whether every database can hold it; PostgreSQL has no NUL, none has half a character."""
    return "\x00" not in text and not any("\ud800" <= one <= "\udfff" for one in text)


def _known_ids(connection: Connection, event_ids: Sequence[str]) -> set[str]:
    known: set[str] = set()
    for start in range(0, len(event_ids), _IDS_PER_QUERY):
        part = event_ids[start : start + _IDS_PER_QUERY]
        there = select(events.c.event_id).where(events.c.event_id.in_(part))
        known.update(connection.execute(there).scalars())
    return known


def _owned_by(visitor_id: str | None, user_id: str | None) -> ColumnElement[bool] | None:
    """Whose events are meant, without impressions; None where nobody is."""
    if visitor_id is None and user_id is None:
        return None
    in_browser = and_(events.c.visitor_id == visitor_id, happened(events))
    if user_id is None:
        return in_browser
    theirs = [and_(events.c.user_id == user_id, happened(events)), _before_login(user_id)]
    if visitor_id == user_id:  # whoever is known by this id
        theirs.append(in_browser)
    elif visitor_id is not None:
        theirs.append(and_(in_browser, events.c.user_id.is_(None)))
    # Each part by its own index: SQLite answers an OR of them by reading every row.
    return events.c.sequence.in_(union(*(select(events.c.sequence).where(one) for one in theirs)))


def _before_login(user_id: str) -> ColumnElement[bool]:
    """Events without a user, in browsers in which this user was known and nobody else."""
    there, other = events.alias("there"), events.alias("other")
    browsers = select(there.c.visitor_id).where(there.c.user_id == user_id, happened(there))
    somebody = select(other.c.sequence).where(
        other.c.visitor_id == events.c.visitor_id, other.c.user_id != user_id, happened(other)
    )
    # Asked as IS NULL, SQLite would go through everyone's events without a user by their index.
    anonymous = func.coalesce(events.c.user_id, "") == ""
    return and_(events.c.visitor_id.in_(browsers), anonymous, ~somebody.exists(), happened(events))
