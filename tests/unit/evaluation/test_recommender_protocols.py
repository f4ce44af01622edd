"""Protocols of published tables: who is tested on what, and what may stand in a list."""

import importlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from twotower.data.tables import Tables
from twotower.evaluation.cases import recommendation_cases
from twotower.evaluation.protocol import Evaluation, evaluate

from .conftest import make_dataset

BENCHMARKS = Path(__file__).parents[3] / "benchmarks"


@pytest.fixture
def protocols(monkeypatch):
    monkeypatch.syspath_prepend(BENCHMARKS)
    return importlib.import_module("protocols")


@pytest.fixture
def two_visitors():
    """One with three targets, one with one; ranks are put in by the tests."""
    rows = [("a", 0, "train"), ("b", 0, "train")]
    rows += [("a", 1, "test"), ("a", 2, "test"), ("a", 3, "test"), ("b", 1, "test")]
    events = [(user, item, n, split) for n, (user, item, split) in enumerate(rows)]
    cases = recommendation_cases(make_dataset(events, n_items=200), "test")
    return Evaluation(cases, np.array([1.0, 4.0, 11.0, 5.0]), np.zeros((2, 10), np.int64))


def test_top_k_counts_ratings_and_not_visitors(protocols, two_visitors):
    found = protocols.top_k(two_visitors)

    assert {name: number["mean"] for name, number in found.items()} == {
        "top-1": 0.25,
        "top-5": 0.75,
        "top-10": 0.75,
        "top-50": 1.0,
        "top-100": 1.0,
    }
    assert found["top-1"]["low"] == 0 < found["top-1"]["high"] <= 1 / 3


def test_map_at_10_divides_by_all_that_was_to_be_found(protocols, two_visitors):
    found = protocols.map_at_10(two_visitors)["map@10"]

    assert found["mean"] == pytest.approx(((1 / 1 + 2 / 4) / 3 + 1 / 5) / 2)


def test_the_split_of_microsoft_takes_a_quarter_of_each_film_as_its_seed_draws_it(
    protocols, monkeypatch
):
    names = {"user_id": [f"u{n}" for n in range(9)], "item_id": ["x"] * 8 + ["y"]}
    ratings = pl.DataFrame({**names, "time": range(9)})
    monkeypatch.setattr(protocols.movielens, "load_100k", lambda folder: Tables(ratings, ratings))

    found = protocols.split_as_microsoft(Path()).events

    # after np.random.seed(42), np.random.rand(9) has its largest two of eight at 1 (.95), 7 (.87)
    assert found.filter(pl.col("split") == "test")["user_id"].to_list() == ["u1", "u7"]


def test_histories_of_a_split_without_time_have_a_drawn_order(protocols, monkeypatch):
    ratings = pl.DataFrame({"user_id": ["a"] * 20 + ["b"] * 20, "item_id": [*range(20)] * 2})
    timed = ratings.with_columns(time=pl.col("item_id"))
    monkeypatch.setattr(protocols.movielens, "load_100k", lambda folder: Tables(timed, timed))

    found = protocols.without_times(Path()).events

    orders = [part["order"].to_list() for _, part in found.group_by("user_id", maintain_order=True)]
    assert "time" not in found.columns
    assert sorted(orders[0]) == sorted(orders[1]) == list(range(20))
    assert orders[0] != orders[1] != list(range(20))


@pytest.fixture
def carts(protocols, monkeypatch):
    """Visitors with carts of all they bought, what is to be found among them."""
    rows = [
        row
        for user in "abcd"
        for row in [
            *((user, f"i{item}", "cart", "train") for item in range(6)),
            *((user, f"i{item}", "purchase", "train") for item in range(3)),
            (user, "i5", "purchase", "test"),
        ]
    ]
    events = pl.DataFrame(rows, ["user_id", "item_id", "event", "split"], orient="row")
    numbered = events.with_columns(order=pl.int_range(pl.len()).over("user_id"))
    monkeypatch.setattr(protocols.beibei, "load", lambda folder: Tables(numbered, numbered))
    return numbered


def test_beibei_is_put_in_a_drawn_order_that_ends_with_what_is_held_out(protocols, carts):
    found = protocols.in_drawn_order(Path()).events.sort("user_id", "order")

    for _, theirs in found.group_by("user_id"):
        assert theirs["order"].to_list() == list(range(10))
        assert theirs["split"].to_list() == ["train"] * 8 + ["validation", "test"]
        assert theirs["event"].to_list()[-2:] == ["purchase", "purchase"]
    orders = found["item_id"].to_numpy().reshape(4, 10)
    assert len({tuple(row) for row in orders}) == 4, "each visitor has an order of their own"


def test_no_cart_gives_away_what_is_to_be_found(protocols, carts):
    found = protocols.without_carts_of_what_is_held_out(Path()).events

    for _, theirs in found.group_by("user_id"):
        held = set(theirs.filter(pl.col("split") != "train")["item_id"])
        assert len(held) == 2
        assert not held & set(theirs.filter(pl.col("split") == "train")["item_id"])
        assert theirs.height == 10 - 2, "only the carts of the two are left out"


@pytest.fixture
def bought_and_carted():
    events = [("a", item, None, "train") for item in (0, 1, 2)] + [("a", 3, None, "test")]
    dataset = make_dataset(events, n_items=6, repeat=True)
    kinds = pl.Series(["purchase", "cart", "cart", "purchase"])
    return dataset, kinds


def test_published_beibei_takes_only_purchases_out_and_unbought_carts_come_first(
    protocols, bought_and_carted
):
    dataset, kinds = bought_and_carted
    dataset = replace(dataset, events=dataset.events.with_columns(event=kinds))
    cases = protocols.PROTOCOLS["beibei-published"].asked(recommendation_cases(dataset, "test"))

    found = evaluate(cases, protocols.unbought_carts(dataset, cases))

    assert cases.hidden(0).tolist() == [0]
    assert set(found.lists[0][:2]) == {1, 2}
    assert 0 not in found.lists[0]


def test_fewer_visitors_are_drawn_with_all_of_their_events(protocols, carts):
    source = protocols.fewer_visitors(protocols.PROTOCOLS["beibei-honest"].source, 2)

    found = source.load(Path()).events

    assert found["user_id"].n_unique() == 2
    assert found.height == 2 * 8
