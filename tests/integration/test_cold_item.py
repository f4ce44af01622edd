"""A product that training never saw, put in with a title only."""

import polars as pl
import pytest

from twotower.bundle import Bundle
from twotower.retrieval.retriever import Retriever


@pytest.fixture(scope="module")
def shop(tiny_bundle):
    """Kinds of product there are several of, and for each a title that is new in the shop."""
    items = pl.read_parquet(tiny_bundle / "data" / "items.parquet")
    kinds = items["category"].value_counts(sort=True).head(6)["category"].sort().to_list()
    made = {}
    for kind in kinds:
        alike = items.filter(pl.col("category") == kind)
        title = alike["title"][0].replace(" ", " Nordhavn ", 1)  # a brand nobody has seen
        made[kind] = (title, alike["item_id"].to_list())
    return made


@pytest.fixture
def retriever(tiny_bundle):
    return Retriever(Bundle.load(tiny_bundle))


def put(retriever, shop):
    for number, (title, _) in enumerate(shop.values()):
        retriever.put_item(f"new-{number}", {"title": title})
    return [f"new-{number}" for number in range(len(shop))]


def rank_of(item_id, answer):
    return next((hit.rank for hit in answer.hits if hit.item_id == item_id), 10_000)


@pytest.mark.parametrize("mode", ["hybrid", "semantic", "lexical"])
def test_it_is_found_by_its_title(retriever, shop, mode):
    put(retriever, shop)
    for number, (title, _) in enumerate(shop.values()):
        answer = retriever.search(title, k=10, mode=mode)
        assert rank_of(f"new-{number}", answer) <= 3, title


def test_it_is_among_the_products_like_one_of_its_kind(retriever, shop):
    put(retriever, shop)
    for number, (_, alike) in enumerate(shop.values()):
        assert rank_of(f"new-{number}", retriever.similar(alike[0], k=40)) <= 40


def test_it_is_recommended_to_visitors_of_its_kind_before_others(retriever, shop):
    names = put(retriever, shop)
    ranks = {}
    for kind, (_, alike) in shop.items():
        answer = retriever.recommend(retriever.history(alike[1:4]), k=retriever.n_items)
        ranks[kind] = [rank_of(name, answer) for name in names]
    own = [ranks[kind][place] for place, kind in enumerate(shop)]
    others = [rank for p, kind in enumerate(shop) for q, rank in enumerate(ranks[kind]) if p != q]
    assert sorted(own)[len(own) // 2] <= 40  # of some 400
    assert sum(own) / len(own) < sum(others) / len(others) / 2


def test_a_visitor_who_looked_at_it_is_shown_its_kind_before_other_visitors_are(retriever, shop):
    names = put(retriever, shop)
    ranks = {}
    for name in names:
        answer = retriever.recommend(retriever.history([name]), k=retriever.n_items)
        ranks[name] = {hit.item_id: hit.rank for hit in answer.hits}
    own, others = [], []
    for name, (_, alike) in zip(names, shop.values(), strict=True):
        for asked, found in ranks.items():
            places = [found[item] for item in alike if item in found]
            (own if asked == name else others).extend(places)
    assert sum(own) / len(own) < 0.7 * sum(others) / len(others)


def test_the_bundle_on_disk_stays_as_it_was(retriever, shop, tiny_bundle):
    put(retriever, shop)
    assert Retriever(Bundle.load(tiny_bundle)).n_items == retriever.n_items - len(shop)
