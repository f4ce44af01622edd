"""What numbered feeds cost writers: batches of events per second, beside a plain sequence.

    python benchmarks/shop_writes.py ADDRESS [--seconds 5]

ADDRESS is an empty database of PostgreSQL, or a file. Writers are processes of their own, each
sending one batch after the other. Both ways take turns, so that what else the machine does
meets both. SQLite has no other way: it lets in one writer at a time.
"""

import argparse
import os
import time
import uuid

from sqlalchemy import text

from twotower.shop import events
from twotower.shop.database import ShopDatabase
from twotower.shop.records import LiveEvent


def plain_sequence(connection, feed, n):
    """Numbers of PostgreSQL's own sequence: nobody waits, and a reader with a cursor loses rows."""
    beyond = 10**12  # of the numbers that the feed gives out in the same table
    numbers = text(
        f"SELECT {beyond} + nextval('{feed}_sequence_seq') FROM generate_series(1, {n})"  # noqa: S608 - our own names
    )
    return connection.execute(numbers).scalars().all()


def batch_of(size):
    return [
        LiveEvent(uuid.uuid4().hex, "v", "kettle", "view", time=1_763_000_000_000, received=1)
        for _ in range(size)
    ]


def write(address, size, until, *, in_feed):
    """Batches stored until then, by this process."""
    if not in_feed:
        events.take_numbers = plain_sequence
    with ShopDatabase(address) as database:
        stored = 0
        while time.time() < until:
            database.events.add(batch_of(size))
            stored += 1
    return stored


def rate(address, n_writers, size, seconds, *, in_feed):
    """Batches per second of all writers together."""
    until = time.time() + 1 + seconds
    pipes = []
    for _ in range(n_writers):
        read_end, write_end = os.pipe()
        if os.fork() == 0:
            stored = write(address, size, until, in_feed=in_feed)
            os.write(write_end, str(stored).encode())
            os._exit(0)
        os.close(write_end)
        pipes.append(read_end)
    total = sum(int(os.read(one, 20)) for one in pipes)
    for _ in pipes:
        os.wait()
    return total / (seconds + 1)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("address")
    parser.add_argument("--seconds", type=float, default=5)
    asked = parser.parse_args()
    ShopDatabase(asked.address).close()
    ways = (True, False) if asked.address.startswith("postgres") else (True,)
    print("writers  events/batch  feed: batches/s  plain sequence: batches/s")
    for size in (1, 20):
        for n_writers in (1, 2, 4, 8):
            found = [
                rate(asked.address, n_writers, size, asked.seconds, in_feed=way) for way in ways
            ]
            print(f"{n_writers:7}  {size:12}  " + "  ".join(f"{one:15.0f}" for one in found))


if __name__ == "__main__":
    main()
