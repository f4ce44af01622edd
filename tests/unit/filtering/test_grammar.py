"""The filter language: what is read, and what is said where it cannot be."""

import pytest

from twotower.errors import FilterError
from twotower.filtering.fields import FIELDS
from twotower.filtering.grammar import MAX_DEPTH, read_filter
from twotower.filtering.syntax import All, Comparison, Not, Some, conjuncts, every, fields_in

SONY = Comparison("brand", "in", ("Sony",))
CHEAP = Comparison("price", "<", (100.0,))
STOCKED = Comparison("in_stock", "in", (True,))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('brand = "Sony"', SONY),
        ("brand='Sony'", SONY),
        ("price<100", CHEAP),
        ("in_stock", STOCKED),
        ("in_stock = true", STOCKED),
        ("in_stock = FALSE", Comparison("in_stock", "in", (False,))),
        ('brand != "Sony"', Not(SONY)),
        ("not in_stock", Not(STOCKED)),
        ('brand = "Sony" AND price < 100 AND in_stock', All((SONY, CHEAP, STOCKED))),
        ('brand = "Sony" and (price < 100 and in_stock)', All((SONY, CHEAP, STOCKED))),
        ('brand = "Sony" OR price < 100 AND in_stock', Some((SONY, All((CHEAP, STOCKED))))),
        ('(brand = "Sony" OR price < 100) AND in_stock', All((Some((SONY, CHEAP)), STOCKED))),
        ("NOT in_stock AND price < 100", All((Not(STOCKED), CHEAP))),
        ("NOT (in_stock AND price < 100)", Not(All((STOCKED, CHEAP)))),
        ('brand IN ["Sony", "Aeg"]', Comparison("brand", "in", ("Sony", "Aeg"))),
        ('item_id NOT IN ["a"]', Not(Comparison("item_id", "in", ("a",)))),
        ("rating EXISTS", Comparison("rating", "exists")),
        ("price >= -1.5", Comparison("price", ">=", (-1.5,))),
        ("price <= .5", Comparison("price", "<=", (0.5,))),
        (r'brand = "a \"b\" \\"', Comparison("brand", "in", ('a "b" \\',))),
        ('launched > "2024-01-31"', Comparison("launched", ">", (1706659200000.0,))),
        ('launched = "2024-01-31T02:00+02:00"', Comparison("launched", "in", (1706659200000.0,))),
        ("launched < 1706659200000", Comparison("launched", "<", (1706659200000.0,))),
    ],
)
def test_a_filter_is_read_as_it_is_meant(text, expected):
    assert read_filter(text) == expected


@pytest.mark.parametrize(
    ("text", "position", "reason"),
    [
        ("", 1, "got nothing"),
        ("  ", 1, "got nothing"),
        ("prize < 9", 1, "unknown field 'prize': did you mean 'price'"),
        ("in_stock AND Brand = 'x'", 14, "did you mean 'brand'"),
        ("colour = 'red'", 1, "there are item_id, brand"),
        ("price < 'ten'", 9, "price is compared with a number, got 'ten'"),
        ("brand = 7", 9, "brand is compared with a text in quotes, got '7'"),
        ("brand = Sony", 9, "a text in quotes, got 'Sony'"),
        ("in_stock = 'yes'", 12, "true or false"),
        ("launched > 'soon'", 12, "a date in quotes such as"),
        ("brand > 'a'", 7, "brand has no order"),
        ("price", 6, "expected a comparison after price .* got the end of the filter"),
        ("price <", 8, "got the end"),
        ("price < 3 4", 11, "expected AND, OR or the end"),
        ("price < 3 AND", 14, "expected a field, NOT or \\(, got the end"),
        ("(price < 3", 11, "expected '\\)' to close"),
        ("price < 3)", 10, "expected AND, OR or the end of the filter, got '\\)'"),
        ("brand IN 'a'", 10, "expected '\\['"),
        ("brand IN []", 11, "a text in quotes"),
        ("brand IN ['a'", 14, "expected '\\]'"),
        ("brand NOT 'a'", 11, "expected IN"),
        ("brand = 'a", 9, "must end with it"),
        ("price < 1.2.3", 9, "one point"),
        ("price < 10€", 11, "'€' means nothing"),
        ("price == 3", 7, "expected a comparison"),
        ("OR in_stock", 1, "expected a field"),
        ("in_stock;", 9, "';' means nothing"),
        ("(" * (MAX_DEPTH + 1) + "in_stock", MAX_DEPTH + 1, "deep"),
        ("NOT " * 1_000 + "in_stock", 4 * MAX_DEPTH + 1, "deep"),
        ("x" * 20_001, 1, "at most 20000 characters, got 20001"),
        ("item_id IN [" + ",".join(["'a'"] * 1_001) + "]", 13, "at most 1000 values, got 1001"),
    ],
)
def test_what_cannot_be_read_is_named_with_its_place(text, position, reason):
    with pytest.raises(FilterError, match=reason) as caught:
        read_filter(text)
    assert caught.value.position == position
    assert f"character {position})" in str(caught.value)


def test_an_expression_says_its_fields_and_comes_apart_into_what_must_hold():
    whole = read_filter("(brand = 'a' OR NOT price < 3) AND in_stock AND rating > 3")
    assert fields_in(whole) == {"brand", "price", "in_stock", "rating"} <= set(FIELDS)
    parts = conjuncts(whole)
    assert [fields_in(part) for part in parts] == [{"brand", "price"}, {"in_stock"}, {"rating"}]
    assert every(parts) == whole
    assert conjuncts(STOCKED) == (STOCKED,)
    assert every((STOCKED,)) == STOCKED
    assert conjuncts(None) == ()
    assert every(()) is None
