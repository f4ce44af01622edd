"""Trending, new, and bought together, where it is known who did what."""

import numpy as np
import polars as pl
import pytest
from little_bundle import little_bundle

from twotower.errors import ConfigError, UnknownItem
from twotower.retrieval.retriever import Retriever
from twotower.retrieval.rules import Rule
from twotower.retrieval.shelves import WEEK_MS

SOFA, RED, CHAIR, LAMP, FLOOR, KETTLE, MUG = range(7)


def shop_of(events, **more):
    """A retriever whose log has these (user, item row, event, time)."""
    bundle = little_bundle()
    log = pl.DataFrame(
        events,
        schema={"user_id": pl.String, "item_row": pl.Int32, "event": pl.String, "time": pl.Int64},
        orient="row",
    )
    items = bundle.dataset.items.with_columns(**more)
    bundle.dataset = type(bundle.dataset)(items, log, None, None, None, bundle.dataset.about)
    return Retriever(bundle)


def scores(answer):
    return {hit.item_id: pytest.approx(hit.score) for hit in answer.hits}


def test_together_is_what_the_same_users_took_and_looking_counts_for_nothing():
    shop = shop_of(
        [
            ("ann", SOFA, "purchase", 1),
            ("ann", RED, "cart", 2),
            ("ann", KETTLE, "view", 3),
            ("bob", SOFA, "cart", 1),
            ("bob", SOFA, "purchase", 2),
            ("bob", RED, "purchase", 3),
            ("cem", SOFA, "purchase", 1),
            ("cem", LAMP, "review", 2),
            ("cem", FLOOR, "purchase", 3),
        ]
    )
    # Three took the sofa; two of them the red one, one of them the lamp; FLOOR is out of stock.
    expected = {"sofa-red": 2 / (np.sqrt(3 * 2) + 5), "lamp": 1 / (np.sqrt(3) + 5)}
    answer = shop.also_bought("sofa-blue")
    assert [hit.item_id for hit in answer.hits] == ["sofa-red", "lamp"]
    assert scores(answer) == expected
    assert answer.total == 2


def test_a_product_that_nobody_took_goes_with_nothing_and_neither_does_a_live_one():
    shop = shop_of([("ann", SOFA, "view", 1), ("ann", RED, "purchase", 2)])
    shop.put_item("new", {"title": "New lamp"})
    assert [shop.also_bought(one).hits for one in ("sofa-blue", "sofa-red", "new")] == [()] * 3
    with pytest.raises(UnknownItem):
        shop.also_bought("nowhere")


def test_trending_counts_different_users_since_a_moment_and_visitors_who_are_here():
    shop = shop_of(
        [
            ("ann", LAMP, "view", 0),
            ("bob", LAMP, "view", 0),
            ("ann", SOFA, "view", WEEK_MS + 1),
            ("ann", SOFA, "cart", WEEK_MS + 2),
            ("bob", KETTLE, "view", WEEK_MS + 3),
            ("cem", KETTLE, "view", WEEK_MS + 3),
        ]
    )
    assert shop.log_ends == WEEK_MS + 3
    assert scores(shop.trending({}, 3)) == {"kettle": 2, "sofa-blue": 1}
    lively = shop.trending({"chair": 3, "sofa-blue": 2, "gone": 9}, 3)
    assert [hit.item_id for hit in lively.hits] == ["sofa-blue", "chair", "kettle"]
    assert [hit.score for hit in lively.hits] == [3, 3, 2]


def test_a_log_counts_only_as_far_as_it_reaches_into_the_last_days():
    shop = shop_of([("ann", LAMP, "view", 1), ("ann", SOFA, "view", 5), ("bob", SOFA, "cart", 8)])
    assert scores(shop.trending({}, 1)) == {"sofa-blue": 2, "lamp": 1}
    assert scores(shop.trending({}, 5)) == {"sofa-blue": 2}
    assert scores(shop.trending({}, 6)) == {"sofa-blue": 1}
    assert shop.trending({}, 9).hits == ()
    assert scores(shop.trending({"lamp": 1}, 9)) == {"lamp": 1}


def test_a_log_without_a_clock_counts_whole_and_says_so():
    shop = shop_of([("ann", LAMP, "view", None), ("bob", LAMP, "view", None)])
    answer = shop.trending({}, 9)
    assert scores(answer) == {"lamp": 2}
    assert shop.log_ends is None
    assert "seven days" not in answer.total_definition


def test_newest_is_ordered_by_the_first_day_on_sale_and_knows_live_products():
    days = [3, 1, None, 2, 9, None, None]
    shop = shop_of([("ann", LAMP, "view", 1)], launched=pl.Series(days, dtype=pl.Int64) * 10**9)
    shop.put_item("new", {"title": "New lamp", "launched": 5 * 10**9})
    answer = shop.newest()
    assert [hit.item_id for hit in answer.hits] == ["new", "sofa-blue", "lamp", "sofa-red"]


def test_a_shelf_leaves_out_what_it_is_told_to_and_says_why_when_asked():
    shop = shop_of([("ann", row, "view", 1) for row in (SOFA, RED, CHAIR, LAMP)])
    answer = shop.trending(
        {}, 0, k=1, exclude=("sofa-blue",), filter='brand = "Koda"', explain=True
    )
    [hit] = answer.hits
    assert (hit.item_id, answer.total) == ("sofa-red", 1)
    assert [(one.kind, one.value) for one in hit.reasons] == [("popularity", hit.score)]
    assert hit.attention is not None
    assert shop.trending({}, 0).hits[0].attention is None
    with pytest.raises(ConfigError):
        shop.trending({}, 0, k=0)


def test_the_shops_rules_hold_for_shelves_too():
    shop = shop_of([("ann", row, "view", 1) for row in (SOFA, RED, CHAIR)])
    rules = [
        Rule("away", "hide", filter='item_id = "sofa-blue"'),
        Rule("first", "pin", item_ids=("kettle", "sofa-blue"), position=1),
        Rule("more", "boost", filter='item_id = "chair"', strength=1.0),
    ]
    answer = shop.trending({}, 0, rules=rules, explain=True)
    assert [hit.item_id for hit in answer.hits] == ["kettle", "chair", "sofa-red"]
    assert answer.total == 3
    assert [hit.pinned_by for hit in answer.hits] == ["first", None, None]
    assert [one.kind for one in answer.hits[1].reasons] == ["rule", "popularity"]
    for hit in answer.hits:
        assert sum(one.value for one in hit.reasons) == pytest.approx(hit.score)
