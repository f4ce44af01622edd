"""Slices of search: what a query is like, and what it has in common with what is right."""

from dataclasses import replace

import polars as pl
import pytest

from twotower.evaluation.cases import search_cases

from .conftest import make_dataset

TITLES = ["Koda rain coat", "Wool hat", "WD-40 spray", "Board 2 in. x 4 in.", "Lamp", "Chair"]
ASKED = {
    "koda raincoat for men": 0,
    "beanie": 1,
    "wd40": 2,
    "2 inch board": 3,
    "18v lamp": 4,
    "office chairs": 5,
}


@pytest.fixture(scope="module")
def cases():
    judged = [(query, row, 3.0, 7.0, True, "test") for query, row in ASKED.items()]
    judged.append(("beanie", 4, 1.0, 1.0, False, "test"))
    log = [("ann", 0, 1, "train"), ("bob", 0, 2, "train"), ("bob", 1, 3, "train")]
    shop = make_dataset(log, n_items=6, judgments=judged)
    items = shop.items.with_columns(
        title=pl.Series(TITLES), brand=pl.Series(["Koda", None, None, None, None, "Arbo"])
    )
    return search_cases(replace(shop, items=items), "test")


def asked(cases, name: str) -> set[str]:
    return {
        cases.keys[case]
        for case in range(len(cases))
        if cases.slices[name][cases.targets(case)].any()
    }


def test_queries_with_a_brand_of_the_shop_or_a_code_are_told(cases):
    assert asked(cases, "brand_or_code") == {"koda raincoat for men", "wd40"}


def test_queries_with_a_number_are_told(cases):
    assert asked(cases, "number_or_unit") == {"wd40", "2 inch board", "18v lamp"}


def test_queries_that_share_no_word_with_what_is_right_are_told(cases):
    assert asked(cases, "no_shared_word") == {"beanie"}, "stems and codes in parts are shared"


def test_the_head_is_what_the_log_has_most_of_and_only_where_there_is_a_log(cases):
    assert asked(cases, "head") == {"koda raincoat for men"}
    assert len(asked(cases, "tail")) == 5
    bare = make_dataset(None, n_items=2, judgments=[("q", 0, 3.0, 7.0, True, "test")])
    assert "head" not in search_cases(bare, "test").slices
