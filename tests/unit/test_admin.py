"""`twotower admin`: what it makes, shows and ends."""

import polars as pl

from twotower.shop.address import beside
from twotower.shop.database import ShopDatabase
from twotower.shop.keys import digest_of
from twotower.shop.records import LiveEvent


def test_a_key_is_made_shown_and_revoked(twotower, tmp_path):
    bundle = tmp_path / "demo"
    made = twotower("admin", "keys", "add", bundle, "storefront", "--scope", "search")
    assert made.code == 0, made.err
    with ShopDatabase(beside(bundle)) as database:
        [key] = database.keys.all()
    assert key.digest == digest_of(made.out.strip()), "the key alone is on standard output"
    shown = twotower("admin", "keys", "list", bundle)
    assert key.key_id in shown.out
    assert "storefront" in shown.out
    assert made.out.strip() not in shown.out
    assert twotower("admin", "keys", "revoke", bundle, key.key_id).code == 0
    again = twotower("admin", "keys", "revoke", bundle, key.key_id)
    assert again.code == 1
    assert "admin keys list" in again.err


def test_the_database_may_be_another_one(twotower, tmp_path):
    where = tmp_path / "other.sqlite"
    words = ("admin", "keys", "add", tmp_path / "demo", "x", "--scope", "admin")
    assert twotower(*words, "--database", where).code == 0
    with ShopDatabase(where) as database:
        assert len(database.keys.all()) == 1
    assert not beside(tmp_path / "demo").exists()


def test_a_shop_is_backed_up_erased_vacuumed_and_restored(twotower, tmp_path):
    bundle, file = tmp_path / "demo", tmp_path / "backup.sqlite"
    sent = LiveEvent("e1", "v1", "kettle", "view", time=1, received=2, user_id="ann")
    with ShopDatabase(beside(bundle)) as database:
        database.events.add([sent])
    backed_up = twotower("admin", "backup", bundle, "--out", file)
    assert "1 events" in backed_up.out
    assert [one.name for one in tmp_path.iterdir() if "backup" in one.name] == ["backup.sqlite"]
    assert "1 events deleted" in twotower("admin", "erase", bundle, "ann").out
    assert twotower("admin", "vacuum", bundle).code == 0
    again = twotower("admin", "restore", tmp_path / "new", file)
    assert again.code == 0, again.err
    with ShopDatabase(beside(bundle)) as erased, ShopDatabase(beside(tmp_path / "new")) as new:
        assert erased.counts().events == 0
        assert [one for _, one in new.events.after(0, limit=9)] == [sent]


def test_live_events_are_written_as_a_table_that_prepare_reads(twotower, tmp_path):
    bundle, out = tmp_path / "demo", tmp_path / "events.parquet"
    with ShopDatabase(beside(bundle)) as database:
        database.events.add([LiveEvent("e1", "v1", "kettle", "view", time=1, received=2)])
    assert "1 events" in twotower("admin", "export", bundle, "--out", out, "--live-only").out
    assert pl.read_parquet(out).rows() == [("v1", "kettle", "view", 1)]


def test_a_database_that_is_not_there_is_not_exported_and_not_made(twotower, tmp_path):
    served, out = tmp_path / "releases", tmp_path / "events.parquet"
    with ShopDatabase(beside(served)) as database:
        database.events.add([LiveEvent("e1", "v1", "kettle", "view", time=1, received=2)])
    words = ("admin", "export", served / "monday", "--live-only", "--out", out)
    refused = twotower(*words)
    assert refused.code == 1
    assert "no shop database" in refused.err
    assert "--database" in refused.err
    assert not out.exists()
    assert not beside(served / "monday").exists()
    assert "1 events" in twotower(*words, "--database", beside(served)).out
