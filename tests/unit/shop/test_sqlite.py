"""The file: durable, adopted from its first form, and refused where it is something else."""

import re
import sqlite3
from pathlib import Path

import pytest
from sqlalchemy import event as sql_event

from twotower.errors import DataError, OutputError, StorageUnavailable
from twotower.shop.connection import open_engine
from twotower.shop.database import ShopDatabase
from twotower.shop.migrations.upgrade import REVISION_TABLE, revisions
from twotower.shop.records import LiveEvent

VERSION_1 = Path(__file__).parents[2] / "golden" / "shop_version_1.sql"


def event(event_id, item="kettle"):
    return LiveEvent(event_id, "v1", item, "view", time=1_000, received=1_000)


@pytest.fixture
def where(tmp_path):
    return tmp_path / "shop.sqlite"


@pytest.fixture
def run(where):
    """A function: runs SQL on the file as another program would."""

    def run(script):
        with sqlite3.connect(where) as file:
            file.executescript(script)
        file.close()

    return run


def rows(where, query):
    with sqlite3.connect(where) as file:
        found = file.execute(query).fetchall()
    file.close()
    return found


def test_commits_are_made_durable_and_readers_do_not_block(where):
    engine = open_engine(where)
    with engine.connect() as connection:
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"
        assert connection.exec_driver_sql("PRAGMA synchronous").scalar() == 2
    engine.dispose()


def test_on_a_full_disk_nothing_of_the_batch_is_stored_and_later_it_is(where):
    limit = {"pages": 1_000_000}

    def limited(connection, _record, _proxy):
        connection.execute(f"PRAGMA max_page_count = {limit['pages']}")

    with ShopDatabase(where) as database:
        sql_event.listen(database.transactions._engine, "checkout", limited)
        limit["pages"] = rows(where, "PRAGMA page_count")[0][0] + 1
        batch = [event(f"e{place}", item="x" * 100) for place in range(1_000)]
        with pytest.raises(StorageUnavailable, match=r"full.*nothing of this request"):
            database.events.add(batch)
        assert database.counts().events == 0
        limit["pages"] = 1_000_000
        assert len(database.events.add(batch).accepted) == 1_000


def test_erasing_a_person_reads_the_events_of_nobody_else(where):
    asked = []

    def noted(connection, _cursor, statement, parameters, _context, _many):
        if statement.startswith("DELETE FROM events"):
            plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)
            asked.extend(row[3] for row in plan)

    with ShopDatabase(where) as database:
        sql_event.listen(database.transactions._engine, "before_cursor_execute", noted)
        database.erasures.erase("ann")
    of_events = [step for step in asked if re.match(r"(SCAN|SEARCH) (events|there)\b", step)]
    assert {step.split(" INDEX ")[-1] for step in of_events} == {
        f"{index}_of_{whose} ({whose}_id=?)"
        for index in ("events", "impressions")
        for whose in ("visitor", "user")
    }
    assert not [step for step in asked if step.startswith("SCAN events")]


# -- the first form ---------------------------------------------------------------------


def test_a_file_of_schema_version_1_is_adopted_without_loss(where, run):
    run(VERSION_1.read_text("utf-8"))
    with ShopDatabase(where) as database:
        assert database.products.after(0, limit=9)[0].body == {"title": "Kettle", "price": 9.5}
        assert [one.item_id for one in database.products.after(0, limit=9)] == ["one", "two"]
        assert [(number, one.event_id) for number, one in database.events.after(0, limit=9)] == [
            (1, "a"),
            (2, "b"),
            (5, "c"),
        ]
        view, cart = database.events.recent(None, "ann", limit=9)
        assert view.event_id == "a"  # of the same visitor, before ann logged in
        assert (cart.request_id, cart.time, cart.received) == ("r1", 1763000000100, 1763000000101)
        assert database.events.add([event("a"), event("d")]).duplicate == ("a",)
        assert database.events.after(5, limit=9)[0][1].event_id == "d"
        assert database.products.upsert("three", {"title": "Mug"}).number > 3
    assert rows(where, "SELECT version_num FROM shop_revision") == [(revisions()[-1],)]


def test_a_file_that_cannot_be_adopted_whole_stays_as_it_was(where, run):
    run(VERSION_1.read_text("utf-8"))
    run("CREATE TABLE feeds (mine INTEGER)")
    before = rows(where, "SELECT name, sql FROM sqlite_master ORDER BY name")
    with pytest.raises(OutputError, match="already exists"):
        ShopDatabase(where)
    assert rows(where, "SELECT name, sql FROM sqlite_master ORDER BY name") == before


def test_the_first_revision_makes_the_tables_of_schema_version_1(where, run, tmp_path):
    from alembic.operations import Operations
    from alembic.runtime.migration import MigrationContext

    from twotower.shop.migrations.versions import r0001_events_and_products as first

    run(VERSION_1.read_text("utf-8"))
    run("DROP TABLE schema_version")
    made = tmp_path / "made.sqlite"
    engine = open_engine(made)
    with engine.begin() as connection:
        for table in ("events", "products", "feeds", "keys", "erasures", "rules", REVISION_TABLE):
            connection.exec_driver_sql(f"DROP TABLE {table}")
        with Operations.context(MigrationContext.configure(connection)):
            first.upgrade()
    engine.dispose()
    schema = "SELECT name, sql FROM sqlite_master WHERE name <> 'sqlite_sequence' ORDER BY name"
    assert rows(made, schema) == rows(where, schema)


def test_a_file_of_another_schema_version_is_refused_naming_both(where, run):
    run(VERSION_1.read_text("utf-8"))
    run("UPDATE schema_version SET version = 7")
    with pytest.raises(DataError, match="has schema version 7, this twotower reads version 1"):
        ShopDatabase(where)


# -- what is no shop database -------------------------------------------------------------


def test_a_file_that_is_no_database_is_refused_and_left_as_it_is(tmp_path):
    where = tmp_path / "notes.txt"
    where.write_text("dear diary " * 100)
    with pytest.raises(DataError, match="is no shop database"):
        ShopDatabase(where)
    assert where.read_text().startswith("dear diary")


def test_a_folder_that_cannot_be_made_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="cannot make the folder"):
        ShopDatabase(tmp_path / "file" / "shop.sqlite")


def test_a_path_that_is_a_folder_is_named(tmp_path):
    with pytest.raises(OutputError, match=re.escape(f"cannot open the shop database {tmp_path}")):
        ShopDatabase(tmp_path)
