"""What a shop database promises, whichever one it is."""

import subprocess
import sys
import threading
from dataclasses import replace
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import create_engine, text

from twotower.errors import DataError, StorageUnavailable, UnknownItem
from twotower.shop.database import ShopDatabase
from twotower.shop.migrations.upgrade import REVISION_TABLE, revisions
from twotower.shop.records import Counts, LiveEvent
from twotower.shop.tables import metadata


def event(event_id, *, visitor="v1", user=None, item="kettle", time=1_000, kind="view"):
    return LiveEvent(event_id, visitor, item, kind, time=time, received=time, user_id=user)


@pytest.fixture
def database(shop_address):
    with ShopDatabase(shop_address) as opened:
        yield opened


@pytest.fixture
def plain(shop_address):
    """A function: runs SQL beside the shop database, on a connection of its own."""
    url = shop_address if "://" in shop_address else f"sqlite:///{shop_address}"
    engine = create_engine(url.replace("postgresql://", "postgresql+psycopg://"))

    def run(statement):
        with engine.begin() as connection:
            result = connection.execute(text(statement))
            return result.all() if result.returns_rows else []

    yield run
    engine.dispose()


def ids(events):
    return [one.event_id for one in events]


def stored(database):
    return [(one.item_id, one.body) for one in database.products.after(0, limit=99)]


# -- events -------------------------------------------------------------------------


def test_an_event_is_stored_once_however_often_it_is_sent(database):
    assert database.events.add([event("a"), event("b")]).accepted == ("a", "b")
    again = database.events.add([event("b"), event("c"), event("c")])
    assert (again.accepted, again.duplicate) == (("c",), ("b", "c"))
    assert database.counts() == Counts(events=3, products=0)


def test_a_repeated_id_does_not_change_what_was_stored_first(database):
    database.events.add([event("a", item="kettle")])
    database.events.add([event("a", item="lamp")])
    assert [one.item_id for one in database.events.recent("v1", limit=9)] == ["kettle"]


def test_events_the_table_cannot_hold_are_rejected_by_name_and_the_others_stay(database):
    verdicts = database.events.add(
        [
            event("a"),
            event("b", kind="stare"),
            event("c", time=-1),
            event("d", item=""),
            event("e", user="nul\x00"),
            event("f", visitor="half \ud83d"),
            event("g", time=2**63),
        ]
    )
    assert verdicts.accepted == ("a",)
    assert [one.event_id for one in verdicts.rejected] == ["b", "c", "d", "e", "f", "g"]
    assert "view, cart, purchase, review" in verdicts.rejected[0].reason
    assert "user_id must be text" in verdicts.rejected[3].reason
    assert database.counts().events == 1


def test_recent_events_are_the_newest_by_their_own_time_oldest_first(database):
    database.events.add([event(f"e{time}", time=time) for time in (30, 10, 20)])
    assert ids(database.events.recent("v1", limit=2)) == ["e20", "e30"]


def test_events_of_one_moment_keep_the_order_they_came_in(database):
    database.events.add([event("z"), event("a"), event("m")])
    database.events.add([event("b")])
    assert ids(database.events.recent("v1", limit=3)) == ["a", "m", "b"]


def test_an_event_comes_back_as_it_went_in(database):
    sent = LiveEvent(
        "Größe ☃ 'quoted' %s :x",
        "v1",
        "a/b",
        "cart",
        time=1_763_000_000_123,
        received=2**63 - 1,
        user_id="u",
        request_id="r",
    )
    database.events.add([sent])
    assert database.events.recent("v1", limit=1) == [sent]


def test_lately_counts_different_visitors_of_the_newest_events(database):
    database.events.add(
        [
            event("a", visitor="v1", item="old", time=1),
            event("b", visitor="v1", item="kettle", time=5),
            event("c", visitor="v1", item="kettle", time=6),
            event("d", visitor="v2", item="kettle", time=7),
            event("e", visitor="v2", item="lamp", time=8),
        ]
    )
    lately = database.events.visitors_lately
    assert lately(5, after_ms=0, latest=9) == {"kettle": 2, "lamp": 1}
    assert lately(0, after_ms=0, latest=2) == {"kettle": 1, "lamp": 1}
    assert lately(9, after_ms=0, latest=9) == {}
    assert lately(0, after_ms=6, latest=9) == {"kettle": 1, "lamp": 1}


def test_ids_that_differ_in_case_only_are_two(database):
    assert database.events.add([event("a"), event("A")]).accepted == ("a", "A")
    assert database.events.recent("V1", limit=1) == []


def test_a_user_brings_the_visit_before_login_and_not_the_other_users_of_the_browser(database):
    database.events.add(
        [
            event("anonymous", time=1),
            event("mine", user="ann", time=2),
            event("elsewhere", visitor="phone", user="ann", time=3),
            event("brother", user="bob", time=4),
            event("stranger", visitor="v2", time=5),
        ]
    )
    recent, limit = database.events.recent, 9
    assert ids(recent("v1", "ann", limit=limit)) == ["anonymous", "mine", "elsewhere"]
    assert ids(recent(None, "ann", limit=limit)) == ["mine", "elsewhere"]
    assert ids(recent("v1", limit=limit)) == ["anonymous", "mine", "brother"]
    assert ids(recent(limit=limit)) == []
    assert database.events.count("v1", "ann") == 3


def test_a_user_brings_the_visits_before_login_to_the_next_device(database):
    database.events.add(
        [
            event("before", visitor="laptop", time=1),
            event("login", visitor="laptop", user="ann", time=2),
            event("after", visitor="laptop", time=3),
            event("shared, before", visitor="library", time=4),
            event("shared, hers", visitor="library", user="ann", time=5),
            event("shared, his", visitor="library", user="bob", time=6),
            event("new phone", visitor="phone", time=7),
        ]
    )
    recent, limit = database.events.recent, 9
    hers = ["before", "login", "after", "shared, hers"]
    assert ids(recent(None, "ann", limit=limit)) == hers
    assert ids(recent("phone", "ann", limit=limit)) == [*hers, "new phone"]
    assert ids(recent("ann", "ann", limit=limit)) == hers
    assert ids(recent(None, "bob", limit=limit)) == ["shared, his"]
    assert database.events.count("phone", "ann") == 5
    assert ids(recent("phone", "ann", limit=2)) == ["shared, hers", "new phone"]


def test_impressions_are_kept_by_their_list_and_in_nobodys_history(database):
    seen = [
        replace(event(f"seen-{one}", user="ann", kind="impression", item=one), request_id="r1")
        for one in ("kettle", "lamp")
    ]
    clicked = replace(event("click", user="ann", item="lamp", time=2_000), request_id="r1")
    database.events.add([*seen, clicked, event("other", user="ann", time=3_000)])
    for who in (("v1", None), (None, "ann"), ("v1", "ann"), ("ann", "ann")):
        assert ids(database.events.recent(*who, limit=9)) == ["click", "other"]
        assert database.events.count(*who) == 2
    assert database.counts().events == 2
    assert ids(database.events.of_request("r1", limit=9)) == ["seen-kettle", "seen-lamp", "click"]
    assert ids(database.events.of_request("r1", limit=1)) == ["seen-kettle"]
    assert database.events.of_request("r2", limit=9) == []
    assert ids([one for _, one in database.events.after(0, limit=9)])[:2] == ids(seen)


def test_an_impression_alone_makes_nobody_known_in_a_browser(database):
    database.events.add(
        [
            event("before", visitor="laptop", time=1),
            event("login", visitor="laptop", user="ann", time=2),
            event("seen", visitor="laptop", user="bob", kind="impression", time=3),
        ]
    )
    assert ids(database.events.recent(None, "ann", limit=9)) == ["before", "login"]


def test_a_batch_larger_than_one_statement_takes_is_stored_whole(database):
    batch = [event(f"e{place}") for place in range(5_000)]
    assert len(database.events.add(batch).accepted) == 5_000
    assert len(database.events.add([*batch, event("new")]).duplicate) == 5_000


# -- products -----------------------------------------------------------------------


def test_a_product_is_replaced_whole(database):
    database.products.upsert("one", {"title": "Kettle", "price": 9.5})
    database.products.upsert("two", {"title": "Lamp"})
    database.products.upsert("one", {"title": "Steel kettle"})
    assert stored(database) == [("two", {"title": "Lamp"}), ("one", {"title": "Steel kettle"})]
    assert database.counts().products == 2


def test_a_patch_changes_what_it_names_and_takes_away_what_is_none(database):
    database.products.upsert("one", {"title": "Kettle", "price": 9.5, "brand": "Koda"})
    change = database.products.patch("one", {"price": 8.0, "brand": None}, base=None)
    assert change.body == {"title": "Kettle", "price": 8.0}
    assert stored(database) == [("one", change.body)]


def test_a_patch_of_a_product_of_the_bundle_starts_from_the_bundle_once(database):
    database.products.patch("one", {"price": 8.0}, base={"title": "Kettle"})
    database.products.patch("one", {"in_stock": False}, base={"title": "Kettle"})
    assert stored(database) == [("one", {"title": "Kettle", "price": 8.0, "in_stock": False})]


def test_a_deleted_product_stays_deleted_until_it_is_put_in_again(database):
    database.products.upsert("one", {"title": "Kettle"})
    database.products.delete("one")
    database.products.delete("of the bundle")
    assert stored(database) == [("one", None), ("of the bundle", None)]
    assert database.counts().products == 0
    with pytest.raises(UnknownItem, match="'one'"):
        database.products.patch("one", {"price": 1.0}, base={"title": "Kettle"})
    assert stored(database) == [("one", None), ("of the bundle", None)]
    database.products.upsert("one", {"title": "New kettle"})
    assert stored(database)[-1] == ("one", {"title": "New kettle"})


def test_many_products_are_stored_in_one_step_in_their_order(database):
    kettle, lamp = {"title": "Kettle"}, {"title": "Lamp"}
    database.products.store([("one", kettle), ("two", kettle), ("one", None), ("two", lamp)])
    assert stored(database) == [("one", None), ("two", lamp)]
    numbers = [change.number for change in database.products.after(0, limit=9)]
    assert numbers == [3, 4]


def test_what_was_never_there_cannot_be_patched(database):
    with pytest.raises(UnknownItem, match="'unicorn'"):
        database.products.patch("unicorn", {"price": 1.0}, base=None)
    assert stored(database) == []


# -- durability and sharing -----------------------------------------------------------


def test_everything_is_there_after_opening_again(shop_address):
    with ShopDatabase(shop_address) as first:
        first.events.add([event("a")])
        first.products.upsert("one", {"title": "Größe 42 \u2603 \x00"})
        first.products.delete("two")
    with ShopDatabase(shop_address) as second:
        assert second.events.add([event("a")]).duplicate == ("a",)
        assert stored(second) == [("one", {"title": "Größe 42 \u2603 \x00"}), ("two", None)]


def test_many_threads_write_and_read_at_once_and_nothing_is_lost_or_doubled(shop_address, database):
    failures = []

    def work(worker, mine):
        try:
            for step in range(10):
                sent = [event(f"{worker}-{step}", time=step), event(f"shared-{step}", time=step)]
                mine.events.add(sent)
                mine.products.patch("p", {f"by {worker} {step}": step}, base={"title": "P"})
                assert mine.events.recent("v1", limit=500)
        except Exception as error:
            failures.append(error)

    with ShopDatabase(shop_address) as other:  # as another process would
        workers = [
            threading.Thread(target=work, args=(worker, (database, other)[worker % 2]))
            for worker in range(6)
        ]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
    assert failures == []
    assert database.counts() == Counts(events=70, products=1)
    [(_, body)] = stored(database)
    assert len(body) == 1 + 60, "every patch counts"


def test_when_nothing_can_be_stored_that_is_said_and_the_rest_goes_on(database, plain):
    plain("DROP TABLE products")
    with pytest.raises(StorageUnavailable, match="nothing of this request is acknowledged"):
        database.products.upsert("one", {"title": "Kettle"})
    with pytest.raises(StorageUnavailable, match="cannot be read"):
        database.products.after(0, limit=1)
    assert database.events.add([event("c")]).accepted == ("c",)


def test_a_failure_does_not_quote_what_was_to_be_stored(database, plain):
    plain("DROP TABLE events")
    with pytest.raises(StorageUnavailable) as caught:
        database.events.add([event("e", user="ann@example.org")])
    assert "ann@example.org" not in str(caught.value)
    assert "ann@example.org" not in str(caught.value.__cause__)


# -- revisions ------------------------------------------------------------------------


def test_processes_that_open_a_new_database_at_once_all_succeed(shop_address, plain):
    command = [sys.executable, Path(__file__).with_name("open_at_once.py"), shop_address, "8"]
    opened = subprocess.run(command, capture_output=True, text=True, check=False)
    assert opened.returncode == 0, opened.stdout
    assert plain("SELECT version_num FROM shop_revision") == [(revisions()[-1],)]
    assert plain("SELECT name, last FROM feeds ORDER BY name") == [("events", 0), ("products", 0)]


def test_the_revisions_leave_the_tables_as_the_code_has_them(database):
    with database.transactions.reading() as connection:
        context = MigrationContext.configure(connection, opts={"version_table": REVISION_TABLE})
        assert compare_metadata(context, metadata) == []


def test_a_database_of_a_newer_revision_is_refused_by_name_and_left_as_it_is(shop_address, plain):
    ShopDatabase(shop_address).close()
    plain("UPDATE shop_revision SET version_num = '0815'")
    with pytest.raises(DataError, match=r"has schema revision 0815, this twotower knows 0001 to"):
        ShopDatabase(shop_address)
    assert plain("SELECT version_num FROM shop_revision") == [("0815",)]


def test_another_programs_database_is_refused_by_its_tables(shop_address, plain, tmp_path):
    (tmp_path / "live").mkdir()
    plain("CREATE TABLE invoices (id INTEGER)")
    with pytest.raises(DataError, match="it has the tables invoices"):
        ShopDatabase(shop_address)
