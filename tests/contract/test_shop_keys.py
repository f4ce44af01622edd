"""Keys in the database: each kind of database keeps their hash, and nothing else of them."""

import pytest
from sqlalchemy import text

from twotower.errors import ConfigError
from twotower.shop.database import ShopDatabase
from twotower.shop.keys import digest_of


@pytest.fixture
def database(shop_address):
    with ShopDatabase(shop_address) as opened:
        yield opened


def test_a_key_comes_back_as_it_was_made_but_for_itself(database):
    secret, made = database.keys.add("Größe 42", ["search", "events"], per_minute=600)
    assert database.keys.all() == [made]
    assert made.digest == digest_of(secret)
    assert (made.scopes, made.per_minute, made.revoked) == ({"search", "events"}, 600, None)
    with database.transactions.reading() as connection:
        row = connection.execute(text("SELECT * FROM keys")).one()
    assert secret not in repr(row)
    assert secret.startswith("tt_")


def test_keys_are_long_and_never_the_same(database):
    secrets = {database.keys.add("again", ["search"])[0] for _ in range(20)}
    assert len(secrets) == 20
    assert min(map(len, secrets)) >= 43, "256 bits"


def test_a_revoked_key_stays_as_revoked_and_can_be_revoked_once(database):
    _, first = database.keys.add("first", ["search"])
    _, second = database.keys.add("second", ["admin"])
    database.keys.revoke(first.key_id)
    revoked = {one.key_id: one.revoked for one in database.keys.all()}
    assert revoked[first.key_id] >= first.created
    assert revoked[second.key_id] is None
    for unknown in (first.key_id, "nobody"):
        with pytest.raises(ConfigError, match="not revoked"):
            database.keys.revoke(unknown)


@pytest.mark.parametrize(
    ("name", "scopes", "per_minute", "told"),
    [
        ("", ["search"], None, "name"),
        ("x" * 101, ["search"], None, "name"),
        ("two\nlines", ["search"], None, "name"),
        ("ann", [], None, "scope"),
        ("ann", ["root"], None, "scope"),
        ("ann", ["search"], 0, "per_minute"),
    ],
)
def test_what_a_key_cannot_be_is_named_and_not_kept(database, name, scopes, per_minute, told):
    with pytest.raises(ConfigError, match=told):
        database.keys.add(name, scopes, per_minute=per_minute)
    assert database.keys.all() == []
