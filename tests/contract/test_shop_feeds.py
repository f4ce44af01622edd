"""A reader that remembers the last number it has read misses nothing and reads nothing twice."""

import threading
from contextlib import contextmanager

import psycopg
import pytest

from twotower.shop.connection import open_engine
from twotower.shop.database import ShopDatabase
from twotower.shop.events import Events
from twotower.shop.products import Products
from twotower.shop.records import LiveEvent
from twotower.shop.transactions import Transactions

PATIENCE_S = 30


def event(event_id):
    return LiveEvent(event_id, "v1", "kettle", "view", time=1_000, received=1_000)


def events_of(rows):
    return [(number, one.event_id) for number, one in rows]


def products_of(rows):
    return [(one.number, one.item_id) for one in rows]


@pytest.fixture
def database(shop_address):
    with ShopDatabase(shop_address) as opened:
        yield opened


def test_numbers_ascend_and_a_cursor_continues_where_it_was(database):
    database.events.add([event("a"), event("b")])
    database.events.add([event("b"), event("c")])
    feed = events_of(database.events.after(0, limit=99))
    assert [event_id for _, event_id in feed] == ["a", "b", "c"]
    numbers = [number for number, _ in feed]
    assert numbers == sorted(set(numbers))
    pages, cursor = [], 0
    while page := events_of(database.events.after(cursor, limit=1)):
        pages += page
        cursor = page[-1][0]
    assert pages == feed
    assert database.events.after(cursor, limit=9) == []


def test_of_a_product_the_newest_change_alone_is_in_the_feed_at_its_new_place(database):
    for item_id in ("one", "two", "three"):
        database.products.upsert(item_id, {"title": item_id})
    first = products_of(database.products.after(0, limit=99))
    database.products.patch("one", {"price": 1.0}, base=None)
    database.products.delete("two")
    changes = database.products.after(first[-1][0], limit=99)
    assert [(one.item_id, one.body) for one in changes] == [
        ("one", {"title": "one", "price": 1.0}),
        ("two", None),
    ]
    whole = products_of(database.products.after(0, limit=99))
    assert [item_id for _, item_id in whole] == ["three", "one", "two"]


def test_events_and_products_are_numbered_apart(database):
    database.events.add([event(f"e{place}") for place in range(7)])
    assert database.products.upsert("one", {"title": "One"}).number == 1


class Held(Transactions):
    """Writes, then waits to be let go before it commits."""

    def __init__(self, engine):
        super().__init__(engine)
        self.has_written, self.let_go = threading.Event(), threading.Event()

    @contextmanager
    def writing(self):
        with super().writing() as connection:
            yield connection
            self.has_written.set()
            self.let_go.wait(PATIENCE_S)


def read_beside_a_slow_writer(slow, fast, read, *, has_written, let_go):
    """What a reader gets that looks while `slow` has written but not committed, and again later.

    `fast` writes meanwhile, if it can without waiting for `slow`.
    """
    writers = [threading.Thread(target=slow), threading.Thread(target=fast)]
    writers[0].start()
    assert has_written.wait(PATIENCE_S)
    writers[1].start()
    writers[1].join(timeout=0.5)
    seen = read(0)
    let_go.set()
    for writer in writers:
        writer.join(PATIENCE_S)
    return seen + read(seen[-1][0] if seen else 0)


@pytest.mark.parametrize("feed", ["events", "products"])
def test_a_number_taken_early_and_committed_late_is_not_passed_over(shop_address, database, feed):
    held = Held(open_engine(shop_address))
    if feed == "events":
        slow = lambda: Events(held).add([event("slow")])  # noqa: E731
        fast = lambda: database.events.add([event("fast")])  # noqa: E731
        read = lambda cursor: events_of(database.events.after(cursor, limit=9))  # noqa: E731
    else:
        slow = lambda: Products(held).upsert("slow", {"title": "S"})  # noqa: E731
        fast = lambda: database.products.upsert("fast", {"title": "F"})  # noqa: E731
        read = lambda cursor: products_of(database.products.after(cursor, limit=9))  # noqa: E731
    seen = read_beside_a_slow_writer(
        slow, fast, read, has_written=held.has_written, let_go=held.let_go
    )
    held.close()
    assert [name for _, name in seen] == ["slow", "fast"]


def test_a_sequence_of_postgresql_alone_would_pass_it_over(postgres):
    """The same reader on a plain table: what the feeds are there to prevent does happen."""
    address = postgres.new_database()
    has_written, let_go = threading.Event(), threading.Event()
    with psycopg.connect(address, autocommit=True) as connection:
        connection.execute("CREATE TABLE plain (number bigserial PRIMARY KEY, name text)")

    def write(name, before_commit):
        with psycopg.connect(address) as connection:
            connection.execute("INSERT INTO plain (name) VALUES (%s)", [name])
            before_commit()

    def hold():
        has_written.set()
        let_go.wait(PATIENCE_S)

    def read(cursor):
        with psycopg.connect(address) as connection:
            rows = "SELECT number, name FROM plain WHERE number > %s ORDER BY number"
            return connection.execute(rows, [cursor]).fetchall()

    seen = read_beside_a_slow_writer(
        lambda: write("slow", hold),
        lambda: write("fast", lambda: None),
        read,
        has_written=has_written,
        let_go=let_go,
    )
    assert [name for _, name in seen] == ["fast"]


def test_a_number_that_was_not_used_after_all_holds_nobody_up(database):
    database.products.upsert("one", {"title": "One"})
    with pytest.raises(Exception, match="unicorn"):
        database.products.patch("unicorn", {"price": 1.0}, base=None)
    database.products.upsert("two", {"title": "Two"})
    assert [name for _, name in products_of(database.products.after(0, limit=9))] == ["one", "two"]


def test_a_follower_beside_many_writers_gets_every_event_once_in_order(shop_address, database):
    n_writers, n_batches = 4, 15
    finished = threading.Event()
    followed = []

    def write(writer):
        with ShopDatabase(shop_address) as own:  # as another process would
            for step in range(n_batches):
                own.events.add([event(f"{writer}-{step}-{place}") for place in range(step % 3 + 1)])

    def follow():
        while True:
            last_look = finished.is_set()
            cursor = followed[-1][0] if followed else 0
            followed.extend(events_of(database.events.after(cursor, limit=5)))
            if last_look and not database.events.after(followed[-1][0], limit=1):
                return

    writers = [threading.Thread(target=write, args=(writer,)) for writer in range(n_writers)]
    follower = threading.Thread(target=follow)
    for thread in (*writers, follower):
        thread.start()
    for writer in writers:
        writer.join()
    finished.set()
    follower.join()
    sent = sum(step % 3 + 1 for step in range(n_batches)) * n_writers
    numbers = [number for number, _ in followed]
    assert numbers == sorted(set(numbers))
    assert len({event_id for _, event_id in followed}) == len(followed) == sent
