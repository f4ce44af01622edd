"""Forgetting people: their live events go, and the logs of bundles stay silent about them."""

import hashlib
import time

from sqlalchemy import Delete, and_, delete, func, select, union, update

from twotower.shop.dialect import truncate_log
from twotower.shop.tables import erasures, events, happened, seen
from twotower.shop.transactions import Transactions

_NS_PER_MS = 1_000_000


class Erasures:
    """Who was erased from one database; safe to share between threads and processes.

    Args:
        transactions: Of the open database.
    """

    def __init__(self, transactions: Transactions) -> None:
        self._transactions = transactions

    def erase(self, person_id: str) -> int:
        """Deletes the events of a person, and remembers to be silent about older logs.

        Theirs are the events under this id, as user or as visitor, and those without a user of
        every browser in which this user was known. The bytes go too, not only the rows.

        Args:
            person_id: A user or a visitor.

        Returns:
            How many events were deleted.

        Raises:
            StorageUnavailable: It cannot be written; erase again.
        """
        digest, now = digest_of_person(person_id), time.time_ns() // _NS_PER_MS
        again = update(erasures).where(erasures.c.digest == digest).values(erased=now)
        with self._transactions.writing() as connection:
            gone = sum(connection.execute(one).rowcount for one in _deletions(person_id))
            if connection.execute(again).rowcount == 0:
                connection.execute(erasures.insert().values(digest=digest, erased=now))
        with self._transactions.outside() as connection:
            truncate_log(connection)
        return gone

    def digests(self) -> frozenset[str]:
        """Reads whom the logs are silent about, as `digest_of_person` spells them.

        Raises:
            StorageUnavailable: It cannot be read.
        """
        with self._transactions.reading() as connection:
            return frozenset(connection.execute(select(erasures.c.digest)).scalars())


def _deletions(person_id: str) -> list[Delete]:
    """What deletes the events of a person, in this order; each is answered by one index."""
    kinds = (happened(events), seen(events))
    there = events.alias("there")
    browsers = union(
        *(
            select(there.c.visitor_id).where(there.c.user_id == person_id, kind)
            for kind in (happened(there), seen(there))
        )
    )
    # Asked as IS NULL, SQLite would go through everyone's events without a user by their index.
    anonymous = func.coalesce(events.c.user_id, "") == ""
    before_login = and_(events.c.visitor_id.in_(browsers), anonymous)
    theirs = (before_login, events.c.user_id == person_id, events.c.visitor_id == person_id)
    return [delete(events).where(whose, kind) for whose in theirs for kind in kinds]


def digest_of_person(person_id: str) -> str:
    """What is kept of the id of somebody who was erased; 64 hex digits."""
    return hashlib.sha256(person_id.encode(errors="surrogatepass")).hexdigest()
