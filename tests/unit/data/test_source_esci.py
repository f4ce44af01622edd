"""ESCI, on judgments written by hand in the official columns."""

from pathlib import Path

import polars as pl
import pytest

from public_data import folder, left_out, rule
from twotower.data.prepare import prepare
from twotower.data.sources.registry import published
from twotower.errors import DataError

JUDGED = [  # query, product, locale, label, small, large, split
    ("red cup", "A", "us", "E", 1, 1, "train"),
    ("red cup", "B", "us", "S", 1, 1, "train"),
    ("jug", "B", "us", "E", 1, 1, "test"),
    ("jug", "A", "us", "C", 1, 1, "test"),
    ("mug", "C", "us", "E", 0, 1, "train"),
    ("taza", "A", "es", "E", 1, 1, "train"),
    ("bowl", "A", "us", "I", 1, 1, None),
]
PRODUCTS = [  # product, locale, title, description, bullets, brand, colour
    (
        "A",
        "us",
        "Red &amp; round cup",
        "<p>A cup<br>to drink</p>",
        "Dishwasher safe",
        "Acme",
        "Red",
    ),
    ("B", "us", "Jug", None, None, None, None),
    ("C", "us", "Mug", None, "Big", None, None),
    ("A", "es", "Taza roja", None, None, None, None),
]


def official(place: Path) -> Path:
    examples = [
        "query", "product_id", "product_locale", "esci_label", "small_version", "large_version",
        "split",
    ]  # fmt: skip
    products = [
        "product_id", "product_locale", "product_title", "product_description",
        "product_bullet_point", "product_brand", "product_color",
    ]  # fmt: skip
    judged = pl.DataFrame(JUDGED, schema=examples, orient="row")
    judged.write_parquet(place / "shopping_queries_dataset_examples.parquet")
    described = pl.DataFrame(PRODUCTS, schema=products, orient="row")
    described.write_parquet(place / "shopping_queries_dataset_products.parquet")
    return place


def told(dataset) -> set[tuple]:
    ids = dataset.items["item_id"]
    columns = ("query", "item_row", "gain", "split")
    return {(q, ids[row], *rest) for q, row, *rest in dataset.judgments.select(columns).iter_rows()}


def test_the_small_version_of_the_us_keeps_the_official_exam(tmp_path):
    dataset = prepare(published("esci", official(tmp_path)))
    exam = {row for row in told(dataset) if row[3] == "test"}
    assert exam == {("jug", "B", 1.0, "test"), ("jug", "A", 0.01, "test")}
    assert dataset.items["item_id"].to_list() == ["A", "B"]
    assert left_out(dataset, "judgments") == {"other_locale": 1, "other_version": 1}
    assert left_out(dataset, "items") == {"other_locale": 1, "not_judged": 1}


def test_the_large_version_has_more(tmp_path):
    dataset = prepare(published("esci-large", official(tmp_path)))
    assert dataset.items["item_id"].to_list() == ["A", "B", "C"]
    assert left_out(dataset, "judgments") == {"other_locale": 1}


def test_another_locale_has_its_own_products_and_language(tmp_path):
    dataset = prepare(published("esci-es", official(tmp_path)))
    assert dataset.items["title"].to_list() == ["Taza roja"]
    assert dataset.items["item_id"].to_list() == ["A"]
    assert told(dataset) == {("taza", "A", 1.0, "train")}
    assert dataset.about.language == "spanish"


def test_words_are_without_markup_and_bullets_follow_the_description(tmp_path):
    item = prepare(published("esci", official(tmp_path))).items.row(0, named=True)
    assert item["title"] == "Red & round cup"
    assert item["description"] == "A cup to drink Dishwasher safe"
    assert (item["brand"], item["attributes"]) == ("Acme", ["Red"])


def test_a_judgment_without_a_split_is_for_training_and_is_told_of(tmp_path):
    dataset = prepare(published("esci", official(tmp_path)))
    found = rule(dataset, "judgment_without_split")
    assert (found["count"], found["action"]) == (1, "taken for training")
    assert dataset.judgments.filter(query="bowl")["split"][0] != "test"


def test_missing_products_are_named(tmp_path):
    (official(tmp_path) / "shopping_queries_dataset_products.parquet").unlink()
    with pytest.raises(DataError, match=r"lacks shopping_queries_dataset_products\.parquet"):
        prepare(published("esci", tmp_path))


@pytest.mark.real
def test_the_real_sample_is_read():
    dataset = prepare(published("esci-large", folder("esci_sample")))
    assert (dataset.n_items, len(dataset.judgments)) == (153, 153)
    assert dataset.judgments["query"].n_unique() == 58
    assert dict(dataset.judgments["gain"].value_counts().iter_rows()) == {1.0: 135, 0.1: 16, 0.0: 2}
    small = prepare(published("esci", folder("esci_sample")))
    assert left_out(small, "judgments") == {"other_version": 30}
