"""Every split keeps its law, and a split that breaks it is noticed."""

from itertools import pairwise

import polars as pl
import pytest
from little_shop import ITEMS, shop

from twotower.data import laws
from twotower.data.config import PrepareConfig
from twotower.data.prepare import prepare
from twotower.data.splits import TimeCuts
from twotower.errors import ConfigError, DataError

LETTERS = "abcdefghij"
SHOP_ITEMS = "item_id,title\n" + "".join(f"{item},Thing {item}\n" for item in LETTERS)
HEADER = "user_id,item_id,event,time\n"
LOG = HEADER + "".join(
    f"u{n % 7},{LETTERS[n * 3 % 10]},view,{1_700_000_000 + n * 60}\n" for n in range(200)
)
SPLITS = (
    "time", "rolling", "leave-one-out", "cold-start", "random", "random-by-user", "last-by-user",
)  # fmt: skip


@pytest.fixture
def source(tmp_path):
    return shop(tmp_path, items=SHOP_ITEMS, events=LOG)


@pytest.mark.parametrize("kind", SPLITS)
def test_every_split_has_all_parts_and_writes_their_numbers(source, kind):
    dataset = prepare(source, PrepareConfig(split=kind))
    parts = dataset.profile["split"]
    assert {name: part["events"] for name, part in parts.items()} == {
        name: dataset.counts[f"events.{name}"] for name in ("train", "validation", "test")
    }
    assert all(part["events"] for part in parts.values())


def test_a_cold_start_split_shares_no_item(source):
    dataset = prepare(source, PrepareConfig(split="cold-start", test_share=0.2))
    items = {
        split: set(dataset.events.filter(pl.col("split") == split)["item_row"])
        for split in ("train", "validation", "test")
    }
    assert [len(items[split]) for split in ("train", "validation", "test")] == [7, 1, 2]
    assert sum(map(len, items.values())) == len(set.union(*items.values()))
    assert dataset.profile["split"]["test"]["items_not_in_training"] == 2
    other = prepare(source, PrepareConfig(split="cold-start", test_share=0.2, seed=1))
    assert dataset.content_hash != other.content_hash


def test_rolling_windows_follow_each_other_without_a_gap(source):
    parts = [
        prepare(source, PrepareConfig(split="rolling", window=window)).profile["split"]
        for window in (0, 1, 2)
    ]
    for later, earlier in pairwise(parts):
        assert earlier["test"]["to_ms"] + 60_000 == later["test"]["from_ms"]
        assert abs(later["validation"]["from_ms"] - earlier["test"]["from_ms"]) <= 60_000
    assert [part["test"]["events"] for part in parts] == [20, 20, 20]
    trained = [part["train"]["events"] for part in parts]
    assert trained == [160, pytest.approx(140, abs=1), pytest.approx(120, abs=1)]
    latest = prepare(source, PrepareConfig(split="time")).profile["split"]
    assert latest == parts[0]


def test_what_is_later_than_a_window_is_counted(source):
    dataset = prepare(source, PrepareConfig(split="rolling", window=2))
    [found] = [one for one in dataset.profile["cleaning"] if one["name"] == "after_the_window"]
    assert (found["count"], len(dataset.events)) == (40, 160)


def test_windows_that_leave_nothing_are_refused(tmp_path):
    with pytest.raises(ConfigError, match="window"):
        PrepareConfig(split="rolling", window=9)
    shop(tmp_path, items=ITEMS, events="user_id,item_id\nu,a\nu,b\nu,c\n")
    with pytest.raises(DataError, match="--split rolling needs a time"):
        prepare(tmp_path, PrepareConfig(split="rolling", window=1))


def events(**changed):
    frame = pl.DataFrame(
        {"user_id": ["u"] * 4, "item_row": [0, 1, 2, 3], "time": [1, 2, 3, 4],
         "order": [0, 1, 2, 3], "split": ["train", "train", "validation", "test"]}
    )  # fmt: skip
    return frame.with_columns(pl.Series(name, values) for name, values in changed.items())


CUTS = TimeCuts(validation_from=3, test_from=4)


@pytest.mark.parametrize(
    ("kind", "cuts", "wrong"),
    [
        ("time", CUTS, {"time": [1, 3, 3, 4]}),
        ("time", CUTS, {"time": [1, 2, 4, 4]}),
        ("time", CUTS, {"time": [1, 2, 3, 3]}),
        ("leave-one-out", None, {"order": [0, 3, 2, 1]}),
        ("leave-one-out", None, {"split": ["train", "train", "train", "test"]}),
        ("cold-start", None, {"item_row": [0, 1, 2, 0]}),
        ("given", None, {"split": ["train", "train", "exam", "test"]}),
    ],
)
def test_a_broken_law_is_noticed(kind, cuts, wrong):
    laws.assert_events(events(), kind, cuts)
    with pytest.raises(AssertionError):
        laws.assert_events(events(**wrong), kind, cuts)


def test_a_query_in_two_parts_is_noticed():
    judged = pl.DataFrame({"query": ["a", "a", "b"], "split": ["train", "train", "test"]})
    laws.assert_judgments(judged)
    with pytest.raises(AssertionError):
        laws.assert_judgments(judged.with_columns(query=pl.lit("a")))
