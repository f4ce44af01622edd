"""A PostgreSQL server: its sessions, its absence, its crash."""

import threading

import pytest

from postgres_server import started
from twotower.errors import StorageUnavailable
from twotower.shop.connection import open_engine
from twotower.shop.database import ShopDatabase
from twotower.shop.records import LiveEvent


def event(event_id):
    return LiveEvent(event_id, "v1", "kettle", "view", time=1_000, received=1_000)


@pytest.fixture
def own_server():
    """A server that this test may stop."""
    with started() as server:
        yield server


@pytest.mark.parametrize(("set_to", "used"), [("off", "on"), ("local", "on"), ("on", "on")])
def test_a_commit_is_on_disk_before_it_returns_whatever_the_server_is_set_to(
    postgres, set_to, used
):
    address = f"{postgres.new_database()}%20-csynchronous_commit%3D{set_to}"
    engine = open_engine(address)
    with engine.connect() as connection:
        assert connection.exec_driver_sql("SHOW synchronous_commit").scalar() == used
        assert connection.exec_driver_sql("SHOW transaction_isolation").scalar() == "read committed"
    engine.dispose()


def test_a_stronger_promise_of_the_server_is_kept(postgres):
    engine = open_engine(f"{postgres.new_database()}%20-csynchronous_commit%3Dremote_apply")
    with engine.connect() as connection:
        assert connection.exec_driver_sql("SHOW synchronous_commit").scalar() == "remote_apply"
    engine.dispose()


def test_a_writer_that_vanished_is_not_waited_for_without_end(postgres):
    engine = open_engine(postgres.new_database())
    with engine.connect() as connection:
        for setting in ("lock_timeout", "idle_in_transaction_session_timeout"):
            assert connection.exec_driver_sql(f"SHOW {setting}").scalar() == "10s"
    engine.dispose()


def test_a_server_that_cannot_be_reached_is_named_without_the_password():
    with pytest.raises(StorageUnavailable) as caught:
        ShopDatabase("postgresql://shop:secret@127.0.0.1:9/live")
    assert "postgresql://shop@127.0.0.1:9/live" in str(caught.value)
    assert "check that the server runs" in str(caught.value)
    assert "\n" not in str(caught.value)
    assert "secret" not in str(caught.value)
    assert "secret" not in str(caught.value.__cause__)


def test_while_the_server_is_away_nothing_is_acknowledged_and_then_all_goes_on(own_server):
    with ShopDatabase(own_server.new_database()) as database:
        database.events.add([event("before")])
        own_server.stop(at_once=True)
        with pytest.raises(StorageUnavailable, match="nothing of this request is acknowledged"):
            database.events.add([event("meanwhile")])
        with pytest.raises(StorageUnavailable, match="cannot be read"):
            database.events.recent("v1", limit=1)
        own_server.start()
        assert database.events.add([event("before"), event("meanwhile")]).accepted == ("meanwhile",)
        assert database.counts().events == 2


def test_what_was_acknowledged_survives_a_crash_of_the_server_exactly_once(own_server):
    address = own_server.new_database()
    acknowledged, enough = [], threading.Event()

    def write(worker):
        with ShopDatabase(address) as database:
            for step in range(1_000_000):
                try:
                    told = database.events.add([event(f"{worker}-{step}"), event(f"both-{step}")])
                except StorageUnavailable:
                    return
                acknowledged.extend(told.accepted)
                if step == 20:
                    enough.set()

    writers = [threading.Thread(target=write, args=(worker,)) for worker in range(2)]
    for writer in writers:
        writer.start()
    assert enough.wait(timeout=60)
    own_server.stop(at_once=True)
    for writer in writers:
        writer.join()
    own_server.start()
    with ShopDatabase(address) as database:
        stored = [one.event_id for _, one in database.events.after(0, limit=1_000_000)]
    assert len(acknowledged) > 20
    assert len(stored) == len(set(stored))
    assert set(acknowledged) <= set(stored)
