import sqlite3
import threading
from pathlib import Path

import pytest

from twotower.errors import ConfigError, DataError, OutputError
from twotower.shop.connection import beside
from twotower.shop.database import ShopDatabase
from twotower.shop.records import Counts, LiveEvent


def event(event_id, *, visitor="v1", user=None, item="kettle", time=1_000, kind="view"):
    return LiveEvent(event_id, visitor, item, kind, time=time, received=time, user_id=user)


@pytest.fixture
def database(tmp_path):
    with ShopDatabase(tmp_path / "live" / "shop.sqlite") as opened:
        yield opened


def ids(events):
    return [one.event_id for one in events]


def test_an_event_is_stored_once_however_often_it_is_sent(database):
    assert database.add_events([event("a"), event("b")]).accepted == ("a", "b")
    again = database.add_events([event("b"), event("c"), event("c")])
    assert (again.accepted, again.duplicate) == (("c",), ("b", "c"))
    assert database.counts() == Counts(events=3, products=0)


def test_a_repeated_id_does_not_change_what_was_stored_first(database):
    database.add_events([event("a", item="kettle")])
    database.add_events([event("a", item="lamp")])
    assert [one.item_id for one in database.recent_events("v1", limit=9)] == ["kettle"]


def test_events_the_table_cannot_hold_are_rejected_by_name_and_the_others_stay(database):
    verdicts = database.add_events(
        [event("a"), event("b", kind="stare"), event("c", time=-1), event("d", item="")]
    )
    assert verdicts.accepted == ("a",)
    assert [one.event_id for one in verdicts.rejected] == ["b", "c", "d"]
    assert "view, cart, purchase, review" in verdicts.rejected[0].reason


def test_recent_events_are_the_newest_by_their_own_time_oldest_first(database):
    database.add_events([event(f"e{time}", time=time) for time in (30, 10, 20)])
    assert ids(database.recent_events("v1", limit=2)) == ["e20", "e30"]


def test_an_event_comes_back_as_it_went_in(database):
    sent = LiveEvent("a", "v1", "kettle", "cart", time=5, received=6, user_id="u", request_id="r")
    database.add_events([sent])
    assert database.recent_events("v1", limit=1) == [sent]


def test_a_user_brings_the_visit_before_login_and_not_the_other_users_of_the_browser(database):
    database.add_events(
        [
            event("anonymous", time=1),
            event("mine", user="ann", time=2),
            event("elsewhere", visitor="phone", user="ann", time=3),
            event("brother", user="bob", time=4),
            event("stranger", visitor="v2", time=5),
        ]
    )
    assert ids(database.recent_events("v1", "ann", limit=9)) == ["anonymous", "mine", "elsewhere"]
    assert ids(database.recent_events(None, "ann", limit=9)) == ["mine", "elsewhere"]
    assert ids(database.recent_events("v1", limit=9)) == ["anonymous", "mine", "brother"]
    assert ids(database.recent_events(limit=9)) == []
    assert database.count_events("v1", "ann") == 3


def test_a_product_is_replaced_whole_and_keeps_its_place(database):
    database.upsert_product("one", {"title": "Kettle", "price": 9.5})
    database.upsert_product("two", {"title": "Lamp"})
    database.upsert_product("one", {"title": "Steel kettle"})
    bodies = [(one.item_id, one.body) for one in database.live_products()]
    assert bodies == [("one", {"title": "Steel kettle"}), ("two", {"title": "Lamp"})]


def test_everything_is_there_after_opening_again(tmp_path):
    where = tmp_path / "shop.sqlite"
    with ShopDatabase(where) as first:
        first.add_events([event("a")])
        first.upsert_product("one", {"title": "Größe 42 \u2603"})
    with ShopDatabase(f"sqlite:///{where}") as second:
        assert second.add_events([event("a")]).duplicate == ("a",)
        assert second.live_products()[0].body == {"title": "Größe 42 \u2603"}


def test_commits_are_made_durable_and_readers_do_not_block(database):
    with database._engine.connect() as connection:
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"
        assert connection.exec_driver_sql("PRAGMA synchronous").scalar() == 2


def test_many_threads_write_and_read_at_once_and_nothing_is_lost_or_doubled(database):
    failures = []

    def work(worker):
        try:
            for step in range(10):
                sent = [event(f"{worker}-{step}", time=step), event(f"shared-{step}", time=step)]
                database.add_events(sent)
                database.upsert_product(f"p{step}", {"title": f"by {worker}"})
                assert database.recent_events("v1", limit=500)
        except Exception as error:
            failures.append(error)

    workers = [threading.Thread(target=work, args=(worker,)) for worker in range(6)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert failures == []
    assert database.counts() == Counts(events=70, products=10)


def test_two_processes_may_share_the_file(tmp_path):
    where = tmp_path / "shop.sqlite"
    with ShopDatabase(where) as one, ShopDatabase(where) as other:
        one.add_events([event("a")])
        assert other.add_events([event("a"), event("b")]).duplicate == ("a",)
        assert ids(one.recent_events("v1", limit=9)) == ["a", "b"]


def test_on_a_full_disk_nothing_of_the_batch_is_stored_and_later_it_is(database):
    with database._engine.connect() as connection:
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar()
        connection.exec_driver_sql(f"PRAGMA max_page_count = {pages + 1}")
    batch = [event(f"e{place}", item="x" * 100) for place in range(1_000)]
    with pytest.raises(OutputError, match=r"full.*nothing of this request was stored"):
        database.add_events(batch)
    assert database.counts().events == 0
    with database._engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA max_page_count = 1000000")
    assert len(database.add_events(batch).accepted) == 1_000


def test_a_product_that_cannot_be_stored_is_an_error_and_events_go_on(database):
    with database._transaction() as connection:
        connection.exec_driver_sql("DROP TABLE products")
    with pytest.raises(OutputError, match="nothing of this request was stored"):
        database.upsert_product("one", {"title": "Kettle"})
    assert database.add_events([event("c")]).accepted == ("c",)


def test_a_file_of_another_schema_version_is_refused_naming_both(tmp_path):
    where = tmp_path / "shop.sqlite"
    ShopDatabase(where).close()
    with sqlite3.connect(where) as file:
        file.execute("UPDATE schema_version SET version = 7")
    file.close()
    with pytest.raises(DataError, match="has schema version 7, this twotower reads version 1"):
        ShopDatabase(where)


def test_a_file_that_is_no_database_is_refused_and_left_as_it_is(tmp_path):
    where = tmp_path / "notes.txt"
    where.write_text("dear diary " * 100)
    with pytest.raises(DataError, match="is no shop database"):
        ShopDatabase(where)
    assert where.read_text().startswith("dear diary")


def test_another_programs_database_is_refused_by_its_tables(tmp_path):
    where = tmp_path / "other.sqlite"
    with sqlite3.connect(where) as file:
        file.execute("CREATE TABLE invoices (id INTEGER)")
    file.close()
    with pytest.raises(DataError, match="it has the tables invoices"):
        ShopDatabase(where)


@pytest.mark.parametrize(
    "url", ["postgresql://shop:secret@db/shop", "sqlite://", "sqlite:///:memory:", "://"]
)
def test_only_an_sqlite_file_is_an_address_and_a_password_is_not_repeated(url):
    with pytest.raises(ConfigError, match="sqlite:///PATH") as caught:
        ShopDatabase(url)
    assert "secret" not in str(caught.value)


def test_a_folder_that_cannot_be_made_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="cannot make the folder"):
        ShopDatabase(tmp_path / "file" / "shop.sqlite")


def test_a_path_that_is_a_folder_is_named(tmp_path):
    with pytest.raises(OutputError, match="cannot open the shop database"):
        ShopDatabase(tmp_path)


def test_the_default_place_is_beside_the_bundle_and_not_in_it():
    assert beside(Path("/shops/demo")) == Path("/shops/demo-shop/shop.sqlite")
