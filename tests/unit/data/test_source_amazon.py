"""Amazon Reviews, on lines written by hand in the publisher's three forms."""

import gzip
import json
from pathlib import Path

import pytest

from public_data import folder, left_out, rule
from twotower.data.config import PrepareConfig
from twotower.data.prepare import prepare
from twotower.data.sources.registry import published
from twotower.errors import DataError

META = [
    {
        "asin": "A",
        "title": "Cups &amp; Jugs",
        "brand": "Acme",
        "category": ["Kitchen", "Arts, Music &amp; More"],
        "description": ["A <i>fine</i> cup.", ""],
        "feature": ["Big", "<b>Blue</b>"],
        "price": "$1,299.00",
        "image": ["http://x/1.jpg", "http://x/2.jpg"],
        "rank": [],
    },
    {"asin": "B", "title": '<span class="a-size-medium"', "price": ".a-box-inner{", "rank": "7 in"},
    {"asin": "A", "title": "Cups again", "price": ""},
    {"asin": "C", "title": "Nobody's", "price": ""},
]
REVIEWS = [
    {"reviewerID": "u", "asin": "A", "overall": 5.0, "unixReviewTime": 1393372800},
    {"reviewerID": "u", "asin": "A", "overall": 5.0, "unixReviewTime": 1393372800, "vote": "3"},
    {"reviewerID": "u", "asin": "B", "overall": 1.0, "unixReviewTime": 1393459200},
    {"reviewerID": "v", "asin": "Z", "overall": 4.0, "unixReviewTime": 1393545600},
]


def lines(path: Path, rows: list[dict]) -> None:
    path.write_bytes(gzip.compress("".join(json.dumps(row) + "\n" for row in rows).encode()))


def category(place: Path, *, core: str = "_5") -> Path:
    lines(place / "meta_Cups.json.gz", META)
    lines(place / f"Cups{core}.json.gz", REVIEWS)
    return place


def read(place: Path, name: str = "amazon-2018", **how):
    return prepare(published(name, place), PrepareConfig(split="leave-one-out", **how))


def test_2014_has_python_in_its_metadata_and_several_category_paths(tmp_path):
    meta = {
        "asin": "A",
        "title": "Cups &amp; Jugs",
        "categories": [["Kitchen", "Cups"], ["Gifts"]],
        "description": "A <i>fine</i> cup.",
        "price": 12.99,
        "imUrl": "http://x/1.jpg",
        "salesRank": {"Kitchen": 3},
    }
    (tmp_path / "meta_Cups.json").write_text(repr(meta) + "\n" + "{'asin': 'B'}\n")
    lines(tmp_path / "reviews_Cups_5.json.gz", REVIEWS)
    dataset = read(tmp_path, "amazon-2014")
    assert dataset.items.row(0, named=True) == {
        "item_id": "A",
        "title": "Cups & Jugs",
        "description": "A fine cup.",
        "brand": None,
        "category": "Kitchen > Cups",
        "price": 12.99,
        "attributes": [],
        "image": "http://x/1.jpg",
    }
    assert dataset.items["title"][1] == ""
    assert len(dataset.events) == 2


def test_2023_names_parents_stores_and_milliseconds(tmp_path):
    meta = {
        "parent_asin": "A",
        "title": "Cup",
        "store": "Acme",
        "categories": ["Kitchen", "Cups"],
        "features": ["Big"],
        "description": [],
        "price": "—",
        "images": [{"thumb": "http://x/t.jpg", "large": "http://x/l.jpg"}],
    }
    review = {"user_id": "u", "asin": "A1", "parent_asin": "A", "timestamp": 1588687728923}
    lines(tmp_path / "meta_Cups.jsonl.gz", [meta])
    lines(tmp_path / "Cups.jsonl.gz", [review])
    dataset = read(tmp_path, "amazon-2023")
    item = dataset.items.row(0, named=True)
    assert (item["brand"], item["price"], item["image"]) == ("Acme", None, "http://x/l.jpg")
    assert (item["category"], item["attributes"]) == ("Kitchen > Cups", ["Big"])
    assert rule(dataset, "markup_as_price")["count"] == 1
    assert dataset.events["time"].to_list() == [1588687728923]


@pytest.mark.parametrize("core", ["_5", ""])
def test_reviews_are_events_and_reviewed_products_the_catalogue(tmp_path, core):
    dataset = read(category(tmp_path, core=core))
    assert dataset.events.select("user_id", "item_row", "event", "time").rows() == [
        ("u", 0, "review", 1393372800000),
        ("u", 1, "review", 1393459200000),
    ]
    assert dataset.items["item_id"].to_list() == ["A", "B"]
    assert left_out(dataset, "items") == {"product_again": 1, "never_reviewed": 1}
    assert left_out(dataset, "events") == {"duplicate_event": 1, "unknown_item": 1}


def test_words_are_without_markup_and_lists_are_read(tmp_path):
    item = read(category(tmp_path)).items.row(0, named=True)
    assert item == {
        "item_id": "A",
        "title": "Cups & Jugs",
        "description": "A fine cup.",
        "brand": "Acme",
        "category": "Kitchen > Arts, Music & More",
        "price": 1299.0,
        "attributes": ["Big", "Blue"],
        "image": "http://x/1.jpg",
    }


def test_markup_is_neither_a_title_nor_a_price_and_is_told_of(tmp_path):
    dataset = read(category(tmp_path))
    assert dataset.items.filter(item_id="B").select("title", "price").row(0) == ("", None)
    for name in ("markup_as_title", "markup_as_price"):
        assert rule(dataset, name)["count"] == 1


def test_products_without_metadata_stay_on_request(tmp_path):
    dataset = read(category(tmp_path), unknown_items="keep")
    assert dataset.items["item_id"].to_list() == ["A", "B", "Z"]
    assert len(dataset.events) == 3


def test_a_line_that_is_no_json_is_named(tmp_path):
    (category(tmp_path) / "Cups_5.json.gz").write_bytes(gzip.compress(b'{"asin": "A"\n'))
    with pytest.raises(DataError, match=r"Cups_5\.json\.gz cannot be read from row 1 on"):
        read(tmp_path)


def test_a_review_without_its_product_is_named(tmp_path):
    lines(category(tmp_path) / "Cups_5.json.gz", [REVIEWS[0], {"reviewerID": "u"}])
    with pytest.raises(DataError, match=r"row 2 has no 'asin' \(found: reviewerID\)"):
        read(tmp_path)


def test_two_categories_in_a_folder_are_refused(tmp_path):
    lines(category(tmp_path) / "meta_Jugs.json.gz", META)
    with pytest.raises(DataError, match=r"several categories: meta_Cups.*, meta_Jugs"):
        read(tmp_path)


def test_missing_reviews_are_named(tmp_path):
    (category(tmp_path) / "Cups_5.json.gz").unlink()
    with pytest.raises(DataError, match=r"lacks Cups_5\.json\.gz or .*nijianmo\.github\.io"):
        read(tmp_path)


@pytest.mark.real
def test_the_real_magazines_have_the_published_reviews():
    dataset = prepare(published("amazon-2018", folder("amazon_magazines_2018")))
    assert dataset.profile["read"]["events"]["rows"] == 2_375
    assert left_out(dataset, "events") == {"duplicate_event": 47, "unknown_item": 61}
    assert len(dataset.events) == 2_267
    assert dataset.n_items == 151
    words = dataset.items.select("title", "description", "brand", "category")
    assert not any(words[name].str.contains(r"<\w|&amp;").any() for name in words.columns)
