"""Rules in the database: each kind of database keeps them whole, for every server on it."""

import pytest

from twotower.errors import RetrievalError, UnknownRule
from twotower.server.rulebook import Rulebook
from twotower.shop import rules as stored_rules
from twotower.shop.database import ShopDatabase

HIDE = {"action": "hide", "filter": 'brand = "Größe & Söhne"'}
PIN = {"action": "pin", "item_ids": ["b", "a"], "position": 3, "places": ["home"], "ends": 99}


@pytest.fixture
def database(shop_address):
    with ShopDatabase(shop_address) as opened:
        yield opened


def test_rules_come_back_as_they_were_put_by_id(database):
    database.rules.put("summer", PIN)
    database.rules.put("autumn", HIDE)
    database.rules.put("summer", HIDE)
    found = {one.rule_id: one.body for one in database.rules.all()}
    assert found == {"autumn": HIDE, "summer": HIDE}
    assert [*found] == ["autumn", "summer"]


def test_a_rule_goes_once(database):
    database.rules.put("r", HIDE)
    database.rules.delete("r")
    assert database.rules.all() == []
    with pytest.raises(UnknownRule, match="'r'"):
        database.rules.delete("r")


def test_there_may_be_so_many_and_no_more(database, monkeypatch):
    monkeypatch.setattr(stored_rules, "MOST", 2)
    for name in ("a", "b"):
        database.rules.put(name, HIDE)
    with pytest.raises(RetrievalError, match="2 rules; delete one"):
        database.rules.put("c", HIDE)
    database.rules.put("a", PIN)  # replacing adds none
    assert len(database.rules.all()) == 2


def test_another_process_knows_a_rule_after_its_next_look(database, shop_address):
    with ShopDatabase(shop_address) as second:
        here, there = Rulebook(database.rules), Rulebook(second.rules)
        rule = here.put("r", PIN)
        assert here.rules == (rule,)
        assert there.rules == ()
        there.refresh()
        assert there.rules == (rule,)
        assert rule.item_ids == ("b", "a")
        there.delete("r")
        here.refresh()
        assert here.rules == ()


def test_a_rule_of_another_version_is_passed_over_and_told_of_once(database, caplog):
    database.rules.put("good", HIDE)
    database.rules.put("odd", {"action": "paint", "colour": "red"})
    book = Rulebook(database.rules)
    book.refresh()
    assert [rule.rule_id for rule in book.rules] == ["good"]
    assert [one.getMessage() for one in caplog.records if "odd" in one.getMessage()] == [
        caplog.records[0].getMessage()
    ]
