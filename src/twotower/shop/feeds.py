"""Numbers for what is written, visible to readers in their order and to each reader once.

A replica remembers the last number it has read of a feed, its cursor, and asks for what comes
after. That misses nothing only if a smaller number never becomes visible after a larger one. The
numbers of a database's own sequences do not promise it: they are given out when a transaction
writes and become visible when it commits, in any order. So a transaction takes its numbers by
updating the feed's row in `feeds`, which it then holds until it has committed.
"""

from typing import Final

from sqlalchemy import select, update
from sqlalchemy.engine import Connection

from twotower.shop.tables import feeds

EVENTS: Final = "events"
PRODUCTS: Final = "products"


def take_numbers(connection: Connection, feed: str, n: int) -> range:
    """Takes the next numbers of a feed; other writers of the feed wait until this commits.

    Args:
        connection: In a transaction that writes; rolled back, the numbers are free again.
        feed: `EVENTS` or `PRODUCTS`.
        n: How many, 1 or more. Not all need to be used: readers pass over gaps.

    Returns:
        The numbers, ascending.
    """
    taken = (
        update(feeds)
        .where(feeds.c.name == feed)
        .values(last=feeds.c.last + n)
        .returning(feeds.c.last)
    )
    last = connection.execute(taken).scalar_one()
    return range(last - n + 1, last + 1)


def last_number(connection: Connection, feed: str) -> int:
    """Gives the number that was given out last in a feed, 0 before the first."""
    given = select(feeds.c.last).where(feeds.c.name == feed)
    number: int = connection.execute(given).scalar_one()
    return number
