"""`twotower admin`: what it makes, shows and ends."""

from twotower.shop.address import beside
from twotower.shop.database import ShopDatabase
from twotower.shop.keys import digest_of


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
