"""Looking after a shop database of each kind: backup, restore, vacuum, erasure, export."""

import threading
from dataclasses import replace

import polars as pl
import pytest

from twotower.errors import DataError
from twotower.shop.backup import copy_shop
from twotower.shop.database import ShopDatabase
from twotower.shop.erasures import digest_of_person
from twotower.shop.event_log import live_log, whole_log
from twotower.shop.records import LiveEvent


@pytest.fixture
def database(shop_address):
    with ShopDatabase(shop_address) as opened:
        yield opened


@pytest.fixture
def copy(tmp_path):
    with ShopDatabase(tmp_path / "copy.sqlite") as opened:
        yield opened


def event(event_id, visitor="v1", *, user=None, item="kettle", time=1):
    return LiveEvent(event_id, visitor, item, "view", time=time, received=9, user_id=user)


def filled(database):
    database.events.add([event("a"), event("b", user="ann", time=2)])
    database.products.upsert("one", {"title": "Größe 42", "price": 9.5})
    database.products.delete("two")
    database.keys.add("storefront", ["search"], per_minute=60)
    database.erasures.erase("nobody")
    database.rules.put("spring", {"action": "boost"})


def held(database):
    return (
        database.events.after(0, limit=999),
        database.products.after(0, limit=999),
        database.keys.all(),
        database.erasures.digests(),
        database.rules.all(),
    )


# -- backup ---------------------------------------------------------------------------


def test_a_copy_holds_everything_and_goes_on_counting_where_the_first_was(database, copy):
    filled(database)
    rows = copy_shop(database, copy)
    assert held(copy) == held(database)
    assert rows == {
        "erasures": 1, "events": 2, "feeds": 2, "keys": 1, "products": 2, "rules": 1,
    }  # fmt: skip
    for one in (database, copy):
        one.events.add([event("c")])
        one.products.upsert("three", {"title": "Lamp"})
    assert [number for number, _ in copy.events.after(0, limit=9)] == [
        number for number, _ in database.events.after(0, limit=9)
    ]
    assert copy.products.after(0, limit=9)[-1].item_id == "three"


def test_a_copy_goes_back_into_a_new_database_which_goes_on_counting(database, copy):
    filled(copy)
    copy_shop(copy, database)
    assert held(database) == held(copy)
    database.products.upsert("three", {"title": "Lamp"})
    database.events.add([event("c")])
    assert database.counts().events == 3


def test_a_database_that_holds_something_is_not_copied_over(database, copy):
    filled(database)
    copy.events.add([event("z")])
    with pytest.raises(DataError, match="its table events has 1 rows"):
        copy_shop(database, copy)
    assert [one.event_id for _, one in copy.events.after(0, limit=9)] == ["z"]
    copy.events.add([event("y")])  # its numbers are where they were


def test_a_copy_is_of_one_moment_while_others_write(database, copy):
    over = threading.Event()

    def write():
        step = 0
        while not over.is_set():  # of each pair the product is stored first
            database.products.upsert(f"p{step}", {"title": "T"})
            database.events.add([event(f"e{step}", item=f"p{step}")])
            step += 1

    writer = threading.Thread(target=write)
    writer.start()
    while database.counts().events < 20:
        over.wait(0.01)
    copy_shop(database, copy)
    over.set()
    writer.join()
    there = {one.item_id for one in copy.products.after(0, limit=99_999)}
    named = [one.item_id for _, one in copy.events.after(0, limit=99_999)]
    assert len(named) >= 20
    assert set(named) <= there
    assert len(there) - len(named) in (0, 1)


def test_a_vacuum_loses_nothing_and_others_go_on(database):
    filled(database)
    before = held(database)
    database.vacuum()
    assert held(database) == before
    assert database.events.add([event("c")]).accepted == ("c",)


# -- erasure --------------------------------------------------------------------------


def test_an_erased_user_is_gone_with_the_visits_before_login_and_nobody_else_is(database):
    database.events.add(
        [
            event("anonymous", "laptop"),
            event("mine", "laptop", user="ann"),
            event("elsewhere", "phone", user="ann"),
            event("brother", "laptop", user="bob"),
            event("stranger", "tablet"),
        ]
    )
    assert database.erasures.erase("ann") == 3
    left = [one.event_id for _, one in database.events.after(0, limit=9)]
    assert left == ["brother", "stranger"]
    assert database.erasures.digests() == {digest_of_person("ann")}
    assert database.erasures.erase("ann") == 0
    assert database.erasures.erase("tablet") == 1, "a visitor as well as a user"


def test_after_an_erasure_no_file_holds_the_name(tmp_path):
    where = tmp_path / "shop.sqlite"
    with ShopDatabase(where) as database:
        database.events.add([event(f"e{step}", user="ann@example.org") for step in range(500)])
        database.events.add([event("other", user="bob@example.org")])

        def holding(name):
            return [file.name for file in tmp_path.iterdir() if name.encode() in file.read_bytes()]

        assert holding("ann@example.org")
        database.erasures.erase("ann@example.org")
        assert holding("ann@example.org") == [], "while it is in use"
        assert holding("bob@example.org")


# -- export ---------------------------------------------------------------------------


def test_live_events_are_a_table_in_which_a_visitor_is_the_user_that_logged_in(database):
    database.events.add(
        [
            event("1", "v1", time=5),
            event("2", "v1", user="ann", time=6),
            event("3", "shared", time=7),
            event("4", "shared", user="ann", time=8),
            event("5", "shared", user="bob", time=9),
            replace(event("6", "v1", time=10), event="impression"),
        ]
    )
    table = live_log(database)
    assert table.columns == ["user_id", "item_id", "event", "time"]
    assert table["user_id"].to_list() == ["ann", "ann", "shared", "ann", "bob"]
    assert table["time"].to_list() == [5, 6, 7, 8, 9]


def test_the_whole_log_is_the_bundles_then_the_live_one_without_who_was_erased(database):
    items = pl.DataFrame({"item_id": ["kettle", "lamp"]})
    logged = pl.DataFrame(
        {
            "user_id": ["ann", "bob", "ann"],
            "item_row": pl.Series([0, 1, 1], dtype=pl.Int32),
            "event": ["view", "cart", "purchase"],
            "time": pl.Series([1, None, 3], dtype=pl.Int64),
        }
    )
    database.events.add([event("1", user="cid", time=5)])
    assert whole_log(logged, items, database)["item_id"].to_list() == [
        "kettle",
        "lamp",
        "lamp",
        "kettle",
    ]
    database.erasures.erase("ann")
    rows = whole_log(logged, items, database).rows()
    assert rows == [("bob", "lamp", "cart", None), ("cid", "kettle", "view", 5)]
    assert whole_log(None, items, database).equals(live_log(database))
