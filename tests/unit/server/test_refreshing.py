"""What a process knows of the database, while several of its threads read it."""

import threading
from functools import partial

import pytest

from twotower.server import rulebook
from twotower.server.erased import Erased
from twotower.server.rulebook import Rulebook
from twotower.shop.database import ShopDatabase

HIDE = {"action": "hide", "filter": 'brand = "Koda"'}


class SlowFollower:
    """Stands in for stored rows: the thread named `follower` reads, and is slow to come back."""

    def __init__(self, stored):
        self._stored = stored
        self.has_read, self.may_go_on = threading.Event(), threading.Event()

    def __getattr__(self, name):
        return getattr(self._stored, name)

    def all(self):
        return self._slowly(self._stored.all())

    def digests(self):
        return self._slowly(self._stored.digests())

    def _slowly(self, rows):
        if threading.current_thread().name == "follower":
            self.has_read.set()
            assert self.may_go_on.wait(30)
        return rows

    def overtaken_by(self, change, refresh):
        """Runs a change while the follower holds rows of before it; it goes on after that."""
        follower = threading.Thread(target=refresh, name="follower")
        changer = threading.Thread(target=change)
        follower.start()
        assert self.has_read.wait(30)
        changer.start()
        changer.join(0.5)  # waits for the follower, where it should
        self.may_go_on.set()
        for thread in (follower, changer):
            thread.join(30)


@pytest.fixture
def database(tmp_path):
    with ShopDatabase(tmp_path / "shop.sqlite") as opened:
        yield opened


def test_a_follower_that_read_old_rows_undoes_no_rule_that_was_just_put_or_deleted(database):
    for change, expected in (("put", ["r"]), ("delete", [])):
        stored = SlowFollower(database.rules)
        book = Rulebook(stored)
        words = ("r", HIDE) if change == "put" else ("r",)
        stored.overtaken_by(partial(getattr(book, change), *words), book.refresh)
        assert [rule.rule_id for rule in book.rules] == expected


def test_a_follower_that_read_old_erasures_tells_of_nobody_who_was_just_erased(database):
    stored = SlowFollower(database.erasures)
    erased = Erased(stored)
    stored.overtaken_by(partial(erased.erase, "ann"), erased.refresh)
    assert "ann" in erased


def test_a_rule_is_read_again_only_after_it_was_stored_again(database, monkeypatch):
    read = []

    def as_rule(rule_id, body):
        read.append(rule_id)
        return original(rule_id, body)

    original = rulebook.as_rule
    monkeypatch.setattr(rulebook, "as_rule", as_rule)
    for rule_id in ("a", "b"):
        database.rules.put(rule_id, HIDE)
    book = Rulebook(database.rules)
    book.refresh()
    assert read == ["a", "b"]
    other = {**HIDE, "filter": 'brand = "Lumo"'}
    database.rules.put("b", other)
    book.refresh()
    assert read == ["a", "b", "b"]
    assert [rule.filter for rule in book.rules] == [HIDE["filter"], other["filter"]]
