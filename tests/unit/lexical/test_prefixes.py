"""Beginnings of words find texts, the most popular first."""

import numpy as np
import pytest

from twotower.lexical.prefixes import PrefixIndex, words_in

TEXTS = ["Desk lamp", "Floor lamp", "Lamp shade", "Lampion", "Crème kettle", "Desk"]


@pytest.fixture
def index() -> PrefixIndex:
    return PrefixIndex(TEXTS, np.array([1, 5, 3, 0, 0, 0]))


def texts(index: PrefixIndex, typed: str, limit: int = 9) -> list[str]:
    return [index.text(key) for key in index.find(words_in(typed), limit)]


def test_any_word_may_begin_so_and_popular_texts_come_first(index):
    assert texts(index, "lam") == ["Floor lamp", "Lamp shade", "Desk lamp", "Lampion"]
    assert texts(index, "lam", 2) == ["Floor lamp", "Lamp shade"]


def test_of_equally_popular_texts_the_shorter_comes_first():
    assert texts(PrefixIndex(["lamp shade", "lamp"], np.zeros(2)), "l") == ["lamp", "lamp shade"]


def test_every_word_must_be_there_in_any_order(index):
    assert texts(index, "la de") == ["Desk lamp"]
    assert texts(index, "desk lamp shade") == []


def test_accents_and_case_do_not_matter(index):
    assert texts(index, "CRÈ") == texts(index, "cre") == ["Crème kettle"]


@pytest.mark.parametrize("typed", ["kettel", "ketl", "kttle", "kettlee", "keltle"])
def test_a_mistyped_beginning_is_forgiven(index, typed):
    assert texts(index, typed) == ["Crème kettle"]


def test_a_beginning_that_there_is_is_not_guessed_at(index):
    assert "Desk lamp" not in texts(index, "lampi")
    assert texts(index, "lampi") == ["Lampion"]


@pytest.mark.parametrize(
    "typed", ["", "  ", "!!", "(", "zzz", "🔥", "\\", "x" * 10_000, "a " * 5_000]
)
def test_nothing_fitting_is_no_error(index, typed):
    assert texts(index, typed) == []


def test_changes_are_seen_at_once(index):
    index.put(6, "Lamp post", 4)
    index.put(1, "Floor mat", 5)
    index.remove(2)
    assert texts(index, "lam") == ["Lamp post", "Desk lamp", "Lampion"]
    assert texts(index, "floor") == ["Floor mat"]
    assert texts(index, "shade") == []
    index.remove(6)
    assert texts(index, "post") == []
    assert texts(index, "pots") == []


def test_an_empty_index_can_grow():
    index = PrefixIndex([], np.zeros(0))
    assert texts(index, "a") == []
    index.put(0, "anvil")
    assert texts(index, "an") == ["anvil"]
    assert texts(index, "anvli") == ["anvil"]
