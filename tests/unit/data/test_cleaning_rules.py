"""Cleaning rules beyond single values: each leaves out what it names, and says so."""

import polars as pl
import pytest
from little_shop import ITEMS, shop

from public_data import rule
from twotower.data.config import PrepareConfig
from twotower.data.kcore import k_core
from twotower.data.outliers import threshold
from twotower.data.prepare import prepare

HEADER = "user_id,item_id,event,time\n"


def log(*rows):
    return HEADER + "".join(f"{row},2025-03-0{n % 9 + 1}\n" for n, row in enumerate(rows))


USUAL = ("u1,a,view", "u2,b,view", "u3,c,purchase")


def test_tags_and_entities_become_words(tmp_path):
    shop(tmp_path, items=ITEMS.replace("Wool Rug", "<b>Wool</b> &amp; Jute Rug"))
    dataset = prepare(tmp_path)
    assert dataset.items["title"].to_list() == ["Oak Table", "Wool & Jute Rug", "Desk Lamp"]
    found = rule(dataset, "markup")
    assert (found["count"], found["examples"][0]["item_id"]) == (1, "b")


@pytest.mark.parametrize("title", ["Screw <5 mm", "Fish & Chips", "A&B;C", "1 < 2 > 0"])
def test_signs_that_are_no_markup_stay(tmp_path, title):
    dataset = prepare(shop(tmp_path, items=ITEMS.replace("Wool Rug", title)))
    assert dataset.items["title"][1] == title


TWINS = ITEMS + "d,table (OAK),1\ne,?,1\nf,?,1\n"


def test_items_with_the_same_title_are_kept_and_reported(tmp_path):
    dataset = prepare(shop(tmp_path, items=TWINS))
    found = rule(dataset, "near_identical_title")
    assert (found["count"], found["action"]) == (1, "kept")
    assert found["examples"][0]["same_title_as"] == "a"
    assert dataset.n_items == 6


def test_merged_items_give_their_events_to_the_first(tmp_path):
    shop(
        tmp_path,
        items=TWINS,
        events=log(*USUAL, "u1,d,purchase"),
        judgments="query,item_id,grade\nt,d,1\nt,b,0\n",
    )
    dataset = prepare(tmp_path, PrepareConfig(near_identical="merge"))
    assert dataset.items["item_id"].to_list() == list("abcef")
    of_u1 = dataset.events.filter(pl.col("user_id") == "u1")["item_row"].to_list()
    assert of_u1 == [0, 0]
    assert rule(dataset, "of_near_identical_item")["count"] == 1


def test_a_title_of_two_brands_is_two_items(tmp_path):
    shop(tmp_path, items="item_id,title,brand\na,Wool rug,X\nb,wool Rug,Y\nc,Rug: wool,x\n")
    assert rule(prepare(tmp_path), "near_identical_title")["count"] == 1


def test_postage_and_fees_are_never_recommended(tmp_path):
    services = ["POSTAGE", "Bank charges", "Shipping and handling", "Gift voucher", "DHL"]
    rows = "".join(f"s{n},{title},1\n" for n, title in enumerate(services))
    shop(tmp_path, items=ITEMS + rows, events=log(*USUAL, "u1,s0,purchase", "u1,s4,view"))
    dataset = prepare(tmp_path)
    assert dataset.items["item_id"].to_list() == ["a", "b", "c", "s4"]
    counts = {
        found["table"]: found["count"]
        for found in dataset.profile["cleaning"]
        if found["name"] == "never_to_recommend"
    }
    assert counts == {"items": 4, "events": 1}


@pytest.mark.parametrize(
    "title", ["Shipping container lamp", "Postage stamp album", "Card", "Bank"]
)
def test_products_that_sound_like_a_service_stay(tmp_path, title):
    assert prepare(shop(tmp_path, items=ITEMS + f"d,{title},1\n")).n_items == 4


def test_test_accounts_are_left_out(tmp_path):
    tests = ("test", "QA-user-7", "test_account", "someone@example.com", "me@shop.test")
    people = ("testa rossa", "protest", "contest1", "latest@shop.de")
    events = log(*USUAL, *(f"{user},a,view" for user in (*tests, *people)))
    dataset = prepare(shop(tmp_path, events=events))
    assert rule(dataset, "test_account")["count"] == len(tests)
    assert set(people) < set(dataset.events["user_id"])


def test_a_cancellation_takes_back_the_latest_purchase_before_it(tmp_path):
    events = log(
        "u1,a,purchase", "u1,a,purchase", "u1,a,refund", "u1,b,purchase", "u2,a,purchase",
        "u2,c,return", "u1,a,purchase", "u1,c,view",
    )  # fmt: skip
    dataset = prepare(shop(tmp_path, events=events))
    of_u1 = dataset.events.filter(pl.col("user_id") == "u1")
    assert of_u1["item_row"].to_list() == [0, 1, 0, 2]
    names = ("cancelled_purchase", "cancellation", "cancellation_of_no_known_purchase")
    assert [rule(dataset, name)["count"] for name in names] == [1, 1, 1]
    assert rule(dataset, names[0])["examples"][0]["row"] == 2


def test_a_bot_is_reported_or_left_out(tmp_path):
    people = [f"u{n},a,view" for n in range(30)]
    bot = [f"crawler,{'abc'[n % 3]},view" for n in range(150)]
    rows = "".join(f"{row},{1700000000 + n}\n" for n, row in enumerate([*people, *bot]))
    shop(tmp_path, events=HEADER + rows)
    kept, dropped = prepare(tmp_path), prepare(tmp_path, PrepareConfig(bots="drop"))
    found = rule(kept, "busy_user")
    assert (found["count"], found["action"]) == (150, "kept")
    assert found["examples"] == [{"user_id": "crawler", "events_above_100": 150}]
    assert (len(kept.events), len(dropped.events)) == (180, 30)
    assert rule(dropped, "busy_user")["action"] == "left out"


def test_the_threshold_of_bots_is_not_moved_by_the_bots():
    people = pl.Series([5, 10, 20, 40, 10, 10, 20, 5, 40])
    bots = pl.Series([10**6, 10**7])
    alone, together = threshold(people), threshold(pl.concat([people, bots]))
    assert 100 <= alone < 10**4
    assert together < 10 * alone
    assert threshold(pl.Series([], dtype=pl.UInt32)) == 100


def test_the_k_core_is_of_training_alone(tmp_path):
    rows = [("u1", 0), ("u1", 1), ("u2", 0), ("u2", 1), ("u3", 1), ("u3", 2), ("u4", 2)]
    frame = pl.DataFrame(
        {"user_id": [u for u, _ in rows], "item_row": [i for _, i in rows], "order": 0,
         "split": ["train"] * 6 + ["test"]}
    )  # fmt: skip
    core, [found] = k_core(frame, 2)
    train = core.filter(pl.col("split") == "train")
    assert train.select("user_id", "item_row").rows() == rows[:4]  # u3 falls after item 2 has
    assert core.filter(pl.col("split") == "test")["user_id"].to_list() == ["u4"]
    assert found.count == 2
    assert core["order"].to_list() == [0, 1, 0, 1, 0]
    assert k_core(core, 2)[1] == ()


def test_prepare_takes_the_k_core_on_request(tmp_path):
    events = log("u1,a,view", "u1,a,view", "u2,b,view", "u3,c,view", "u1,a,view", "u4,b,view")
    shop(tmp_path, events=events)
    whole, core = prepare(tmp_path), prepare(tmp_path, PrepareConfig(k_core=2))
    assert core.counts["events.test"] == whole.counts["events.test"]
    assert core.counts["events.train"] < whole.counts["events.train"]
    assert rule(core, "k_core")["count"] == whole.counts["events"] - core.counts["events"]


def test_nothing_is_found_in_clean_tables(tmp_path):
    dataset = prepare(shop(tmp_path), PrepareConfig(near_identical="merge", bots="drop"))
    assert dataset.profile["cleaning"] == []
    assert dataset.counts["events"] == 5
