"""Beibei, on a few users written by hand in the publisher's two forms."""

from pathlib import Path

import polars as pl
import pytest

from public_data import folder
from twotower.data.prepare import prepare
from twotower.data.sources.registry import published
from twotower.errors import DataError

LINES = {
    "train.txt": "0 5 7 9\n1 2\n",
    "test.txt": "0 8\n1 5\n",
    "cart.txt": "0 3 5 7 8 9\n1 2 4\n",
}


def lines(place: Path, **more: str) -> Path:
    for name, text in {**LINES, **more}.items():
        (place / name).write_text(text)
    return place


def told(dataset) -> list[tuple]:
    ids = dataset.items["item_id"]
    columns = ("user_id", "item_row", "event", "split")
    return [(u, ids[row], *rest) for u, row, *rest in dataset.events.select(columns).iter_rows()]


def test_carts_come_before_purchases_and_the_publishers_test_is_the_exam(tmp_path):
    dataset = prepare(published("beibei", lines(tmp_path)))
    assert told(dataset) == [
        ("0", "3", "cart", "train"),
        ("0", "5", "cart", "train"),
        ("0", "7", "cart", "train"),
        ("0", "8", "cart", "train"),
        ("0", "9", "cart", "train"),
        ("0", "5", "purchase", "train"),
        ("0", "7", "purchase", "train"),
        ("0", "9", "purchase", "validation"),
        ("0", "8", "purchase", "test"),
        ("1", "2", "cart", "train"),
        ("1", "4", "cart", "train"),
        ("1", "2", "purchase", "validation"),
        ("1", "5", "purchase", "test"),
    ]
    assert dataset.about.split_kind == "given"
    assert dataset.about.repeat


def test_views_are_taken_where_they_are(tmp_path):
    dataset = prepare(published("beibei", lines(tmp_path, **{"pv.txt": "1 9 8\n"})))
    views = [row for row in told(dataset) if row[2] == "view"]
    assert views == [("1", "9", "view", "train"), ("1", "8", "view", "train")]
    first = dataset.events.filter(user_id="1")["event"].to_list()[:3]
    assert first == ["view", "view", "cart"]


def test_the_parquet_file_gives_the_same(tmp_path):
    of_lines = prepare(published("beibei", lines(tmp_path)))
    rows = [
        {"user": int(user), "behavior": behavior, "item": int(item)}
        for name, behavior in (
            ("train.txt", "purchase_train"),
            ("test.txt", "purchase_test"),
            ("cart.txt", "cart"),
        )
        for user, *items in (line.split() for line in LINES[name].splitlines())
        for item in items
    ]
    for name in LINES:
        (tmp_path / name).unlink()
    pl.DataFrame(rows).write_parquet(tmp_path / "interactions.parquet")
    assert prepare(published("beibei", tmp_path)).content_hash == of_lines.content_hash


def test_what_is_no_number_is_named(tmp_path):
    lines(tmp_path, **{"cart.txt": "0 3\n1 two\n"})
    with pytest.raises(DataError, match=r"cart\.txt: row 2 has something else than whole numbers"):
        prepare(published("beibei", tmp_path))


def test_an_unknown_behaviour_is_named(tmp_path):
    rows = {"user": [0], "behavior": ["wish"], "item": [1]}
    pl.DataFrame(rows).write_parquet(tmp_path / "interactions.parquet")
    with pytest.raises(DataError, match="behavior 'wish' is none of view, cart"):
        prepare(published("beibei", tmp_path))


@pytest.mark.parametrize("name", LINES)
def test_a_missing_file_is_named(tmp_path, name):
    (lines(tmp_path) / name).unlink()
    with pytest.raises(DataError, match=rf"lacks {name}.*github\.com/chenchongthu/GHCF"):
        prepare(published("beibei", tmp_path))


@pytest.mark.real
def test_the_real_carts_and_purchases_are_as_many_as_published():
    dataset = prepare(published("beibei", folder("beibei")))
    assert dataset.n_items == 7_977
    assert dataset.profile["events"]["users"] == 21_716
    assert dataset.profile["events"]["kinds"] == {"cart": 642_622, "purchase": 304_576}
    assert dataset.counts["events.test"] == dataset.counts["events.validation"] == 21_716
    held = dataset.events.filter(pl.col("split") != "train")
    assert set(held["event"]) == {"purchase"}
    pair = ["user_id", "item_row"]
    exam = dataset.events.filter(split="test")
    carts = dataset.events.filter(event="cart")
    assert len(exam.join(carts, on=pair, how="semi")) == 13_525
