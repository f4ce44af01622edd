"""Counts of values among rows: exact, and blind to what was chosen of the field itself."""

import numpy as np
import polars as pl
import pytest

from twotower.filtering.columns import Columns
from twotower.filtering.facets import Facet, facet_of, without_field
from twotower.filtering.grammar import read_filter

ITEMS = pl.DataFrame({
    "item_id": ["a", "b", "c", "d", "e"],
    "brand": ["Koda", "Koda", "Arbo", None, "Lumo"],
    "category": ["Home > Tea", "Home > Tea > Cups", "Home", "Garden", None],
    "attributes": [["red", "oak"], ["red", "red"], [], None, ["blue"]],
    "price": [1.0, 5.0, None, 9.0, 2.0],
    "in_stock": [True, False, None, True, True],
})  # fmt: skip
EVERY = np.ones(5, dtype=bool)


@pytest.fixture(params=[2, 16_384])
def columns(request) -> Columns:
    return Columns.of(ITEMS, size=request.param)


def counted(facet: Facet) -> list[tuple[str | bool, int]]:
    return [(one.value, one.count) for one in facet.values]


def test_values_are_counted_the_most_frequent_first(columns):
    brand = facet_of("brand", columns, EVERY, limit=9)
    assert counted(brand) == [("Koda", 2), ("Arbo", 1), ("Lumo", 1)]
    assert brand.n_values == 3
    assert counted(facet_of("attributes", columns, EVERY, limit=9)) == [
        ("red", 2), ("oak", 1), ("blue", 1),
    ]  # fmt: skip
    assert counted(facet_of("in_stock", columns, EVERY, limit=9)) == [(True, 4), (False, 1)]


def test_a_category_counts_what_is_below_it(columns):
    assert counted(facet_of("category", columns, EVERY, limit=9)) == [
        ("Home", 3), ("Home > Tea", 2), ("Home > Tea > Cups", 1), ("Garden", 1),
    ]  # fmt: skip


def test_numbers_tell_between_what_they_lie(columns):
    price = facet_of("price", columns, EVERY, limit=9)
    assert (price.low, price.high, price.n_values, price.values) == (1.0, 9.0, 4, ())
    nothing = facet_of("rating", columns, EVERY, limit=9)
    assert (nothing.low, nothing.high, nothing.n_values) == (None, None, 0)


def test_only_the_rows_at_hand_count_and_live_ones_do(columns):
    new = pl.DataFrame({"item_id": ["f"], "brand": ["Zorb"], "category": ["Home > Tea"]})
    columns = columns.put(np.array([5]), new).without(0)
    assert counted(facet_of("brand", columns, columns.is_there, limit=9)) == [
        ("Koda", 1), ("Arbo", 1), ("Lumo", 1), ("Zorb", 1),
    ]  # fmt: skip
    only = np.array([False, True, True])
    assert counted(facet_of("brand", columns, only, limit=9)) == [("Koda", 1), ("Arbo", 1)]
    assert facet_of("category", columns, only, limit=9).n_values == 3


def test_chosen_values_are_shown_even_when_they_are_rare_or_gone(columns):
    chosen = read_filter('brand IN ["Lumo", "Nobody"] AND NOT brand = "Arbo"')
    brand = facet_of("brand", columns, EVERY, limit=1, chosen=chosen)
    assert [(one.value, one.count, one.is_chosen) for one in brand.values] == [
        ("Koda", 2, False), ("Lumo", 1, True), ("Nobody", 0, True),
    ]  # fmt: skip
    assert brand.n_values == 3


def test_what_a_filter_demands_of_a_field_itself_is_left_out():
    whole = read_filter("brand = 'a' AND price < 3 AND (brand = 'b' OR in_stock)")
    assert without_field(whole, "brand") == read_filter("price < 3 AND (brand = 'b' OR in_stock)")
    assert without_field(read_filter("brand = 'a'"), "brand") is None
    assert without_field(whole, "rating") == whole
    assert without_field(None, "brand") is None
