"""Home Depot and WANDS, on judgments written by hand in the publishers' columns."""

from pathlib import Path

import pytest

from twotower.data.prepare import prepare
from twotower.data.sources.registry import published
from twotower.errors import DataError


def home_depot(place: Path, *, more: bool = True) -> Path:
    (place / "train.csv").write_bytes(
        '"id","product_uid","product_title","search_term","relevance"\n'
        '2,100001,"Simpson 12-Gauge Angle","angle bracket",3\n'
        '3,100001,"Simpson 12-Gauge Angle","l bracket",2.5\n'
        '9,100002,"Décor Tile","deck over",1\n'.encode("iso-8859-1")
    )
    if more:
        (place / "product_descriptions.csv").write_text(
            '"product_uid","product_description"\n100001,"Strong, and <b>sharp</b>."\n'
        )
        (place / "attributes.csv").write_text(
            '"product_uid","name","value"\n'
            '100001,"Bullet01","Versatile"\n'
            '100001,"MFG Brand Name","Simpson"\n'
            '100001,"Material","Steel"\n'
            '100002,"Color Family","Red"\n'
        )
    return place


def wands(place: Path, label: str = "Exact") -> Path:
    (place / "product.csv").write_text(
        "product_id\tproduct_name\tproduct_class\tcategory hierarchy\tproduct_description\t"
        "product_features\trating_count\taverage_rating\treview_count\n"
        "0\tsolid wood bed\tBeds\tFurniture / Beds & Headboards / Beds\ta <i>bed</i>\t"
        "width : 64.7|style : modern\t15.0\t4.5\t15.0\n"
        "1\trug\tRugs\t\t\t\t\t\t\n"
    )
    (place / "query.csv").write_text("query_id\tquery\tquery_class\n7\twooden bed\tBeds\n")
    (place / "label.csv").write_text(
        f"id\tquery_id\tproduct_id\tlabel\n0\t7\t0\t{label}\n1\t7\t1\tIrrelevant\n"
    )
    return place


def told(dataset) -> set[tuple]:
    ids = dataset.items["item_id"]
    columns = ("query", "item_row", "grade", "positive")
    return {(q, ids[row], *rest) for q, row, *rest in dataset.judgments.select(columns).iter_rows()}


def test_home_depot_has_its_pairs_and_what_is_known_of_products(tmp_path):
    dataset = prepare(published("home-depot", home_depot(tmp_path)))
    assert told(dataset) == {
        ("angle bracket", "100001", 3.0, True),
        ("l bracket", "100001", 2.5, True),
        ("deck over", "100002", 1.0, False),
    }
    columns = ("item_id", "title", "description", "brand", "attributes")
    assert dataset.items.select(columns).rows() == [
        ("100001", "Simpson 12-Gauge Angle", "Strong, and sharp.", "Simpson", ["Steel"]),
        ("100002", "Décor Tile", None, None, ["Red"]),
    ]


def test_home_depot_needs_only_its_pairs(tmp_path):
    dataset = prepare(published("home-depot", home_depot(tmp_path, more=False)))
    assert dataset.items.columns == ["item_id", "title"]


def test_wands_has_three_grades_and_category_paths(tmp_path):
    dataset = prepare(published("wands", wands(tmp_path)))
    assert told(dataset) == {("wooden bed", "0", 2.0, True), ("wooden bed", "1", 0.0, False)}
    assert dataset.items.row(0, named=True) == {
        "item_id": "0",
        "title": "solid wood bed",
        "category": "Furniture > Beds & Headboards > Beds",
        "description": "a bed",
        "rating": 4.5,
    }


def test_wands_names_a_label_that_is_none(tmp_path):
    with pytest.raises(DataError, match="label 'Perfect' is none of Exact, Partial, Irrelevant"):
        prepare(published("wands", wands(tmp_path, "Perfect")))


@pytest.mark.parametrize("name", ["product.csv", "query.csv", "label.csv"])
def test_wands_names_a_missing_file(tmp_path, name):
    (wands(tmp_path) / name).unlink()
    with pytest.raises(DataError, match=rf"lacks {name}.*github\.com/wayfair/WANDS"):
        prepare(published("wands", tmp_path))
