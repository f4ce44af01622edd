"""A filter allows exactly the products of which it holds, however the catalogue came about."""

import operator

import numpy as np
import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from twotower.filtering.columns import Columns
from twotower.filtering.masks import allowed_rows
from twotower.filtering.syntax import All, Comparison, Not, Some

BRANDS = ["Koda", "Arbo", "Lumo"]
PATHS = ["Home", "Home > Tea", "Home > Tea > Cups", "Homeware", "Garden"]
COLOURS = ["red", "blue", "oak"]
TYPES = {
    "item_id": pl.String(), "brand": pl.String(), "category": pl.String(),
    "attributes": pl.List(pl.String()), "price": pl.Float64(), "rating": pl.Float64(),
    "launched": pl.Int64(), "in_stock": pl.Boolean(),
}  # fmt: skip
ORDERS = {"<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge}


def some(*values):
    return st.none() | st.sampled_from(values)


def products(ids):
    return st.fixed_dictionaries({
        "item_id": st.sampled_from(ids), "brand": some(*BRANDS), "category": some(*PATHS),
        "attributes": st.none() | st.lists(st.sampled_from(COLOURS), max_size=4),
        "price": some(1.0, 2.5, 4.0), "rating": some(3.0, 5.0), "launched": some(1_000, 2_000),
        "in_stock": st.sampled_from([True, False, None]),
    })  # fmt: skip


def one_of(field, values):
    picked = st.lists(st.sampled_from(values), min_size=1, max_size=2)
    return picked.map(lambda found: Comparison(field, "in", tuple(found)))


IDS = [f"p{number}" for number in range(12)]
COMPARISONS = st.one_of(
    one_of("brand", [*BRANDS, "Nobody"]),
    one_of("category", [*PATHS, "Home > Te"]),
    one_of("attributes", [*COLOURS, "pink"]),
    one_of("item_id", [*IDS, "nowhere"]),
    one_of("price", [1.0, 3.0, 4.0]),
    one_of("in_stock", [True, False]),
    st.sampled_from(["brand", "category", "attributes", "price", "rating"]).map(
        lambda field: Comparison(field, "exists")
    ),
    st.builds(
        lambda field, order, bound: Comparison(field, order, (bound,)),
        st.sampled_from(["price", "rating"]),
        st.sampled_from(list(ORDERS)),
        st.sampled_from([1.0, 2.5, 3.0, 4.5]),
    ),
)
EXPRESSIONS = st.recursive(
    COMPARISONS,
    lambda inner: st.one_of(
        inner.map(Not),
        st.lists(inner, min_size=2, max_size=3).map(lambda parts: All(tuple(parts))),
        st.lists(inner, min_size=2, max_size=3).map(lambda parts: Some(tuple(parts))),
    ),
    max_leaves=5,
)


def holds(expression, product) -> bool:
    """The meaning of an expression, one product at a time."""
    match expression:
        case Not(part):
            return not holds(part, product)
        case All(parts):
            return all(holds(part, product) for part in parts)
        case Some(parts):
            return any(holds(part, product) for part in parts)
        case Comparison("in_stock", _, values):
            return (product["in_stock"] is not False) in values
        case Comparison("category", "in", values):
            path = product["category"] or ""
            return any(path == one or path.startswith(f"{one} > ") for one in values)
        case Comparison("attributes", kind, values):
            there = product["attributes"] or []
            return bool(there) if kind == "exists" else bool(set(there) & set(values))
        case Comparison(field, "exists"):
            return product[field] is not None
        case Comparison(field, "in", values):
            return product[field] in values
        case Comparison(field, order, (bound,)):
            return product[field] is not None and ORDERS[order](product[field], bound)


def table(rows):
    return pl.DataFrame(rows, schema=TYPES, orient="row")


@settings(max_examples=40)
@given(data=st.data(), size=st.sampled_from([2, 3, 16_384]))
def test_a_filter_allows_exactly_the_products_of_which_it_holds(data, size):
    """Over products of the bundle, products put in or replaced since, and removed ones."""
    base = data.draw(st.lists(products(IDS[:6]), max_size=6, unique_by=lambda one: one["item_id"]))
    there = {product["item_id"]: product for product in base}
    row_of = {item_id: row for row, item_id in enumerate(there)}
    columns = Columns.of(table(base), size=size)
    batches = st.lists(st.lists(products(IDS), min_size=1, max_size=5), max_size=3)
    for batch in data.draw(batches):
        rows = [row_of.setdefault(one["item_id"], len(row_of)) for one in batch]
        there |= {product["item_id"]: product for product in batch}
        columns = columns.put(np.array(rows), table(batch))
    for item_id in data.draw(st.lists(st.sampled_from(IDS), max_size=2)):
        if item_id in there:
            columns = columns.without(row_of[item_id])
            del there[item_id]
    expression = data.draw(EXPRESSIONS)
    allowed = allowed_rows(expression, columns, row_of.get)
    assert len(allowed) == len(columns) == len(row_of)
    expected = {row_of[name] for name, product in there.items() if holds(expression, product)}
    assert set(np.flatnonzero(allowed).tolist()) == expected
    stocked = {row_of[name] for name, one in there.items() if one["in_stock"] is not False}
    assert set(np.flatnonzero(columns.available).tolist()) == stocked
    assert set(np.flatnonzero(columns.is_there).tolist()) == {row_of[name] for name in there}
