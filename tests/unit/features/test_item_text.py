"""The text of an item."""

import polars as pl

from twotower.features.text import item_texts, same_text_groups


def test_fields_are_joined_title_first_and_empty_ones_left_out():
    items = pl.DataFrame(
        {
            "attributes": [["oak", "brown"], [], None],
            "brand": ["Arbo", None, "  "],
            "title": ["Oak table", " Wool rug ", ""],
        }
    )
    assert item_texts(items) == ["Oak table. Arbo. oak, brown", "Wool rug", ""]


def test_fields_come_in_the_order_asked():
    items = pl.DataFrame({"title": ["Rug"], "brand": ["Arbo"]})
    assert item_texts(items, ("brand", "title")) == ["Arbo. Rug"]


def test_a_catalogue_without_any_of_the_fields_has_empty_texts():
    assert item_texts(pl.DataFrame({"title": ["Rug", "Lamp"]}), ("description",)) == ["", ""]


def test_items_of_the_same_words_are_of_one_group_and_items_without_words_are_alone():
    texts = ["Red sofa", "Lamp", " red  SOFA ", "", "red sofa.", "  ", "Lamp"]
    assert same_text_groups(texts).tolist() == [0, 1, 0, 3, 4, 5, 1]
    assert same_text_groups([]).tolist() == []
