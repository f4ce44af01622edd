"""Filters, facets, orders and pages of a search, on a bundle whose right answers are known."""

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from itertools import pairwise

import pytest
from little_bundle import little_bundle

from twotower.errors import ConfigError, ExpiredCursor, FilterError, RetrievalError
from twotower.features.history import History
from twotower.index.hnsw import HnswConfig, HnswIndex
from twotower.retrieval.retriever import Retriever

EVERYTHING = "koda lumo arbo living light kitchen sofa mug"
LIVE = [
    ("new-sofa", {"title": "Green sofa", "brand": "Koda", "price": 90.0, "rating": 4.5,
                  "category": "Living > Seats", "launched": 3_000, "attributes": ["oak", "green"]}),
    ("new-lamp", {"title": "Table lamp", "brand": "Lumo", "price": 20.0, "rating": 4.5,
                  "category": "Light > Table", "launched": 1_000, "in_stock": False}),
    ("new-mug", {"title": "Oak mug", "price": 5.0, "category": "Kitchen", "attributes": ["oak"],
                 "launched": 2_000}),
]  # fmt: skip


def graph(vectors):
    return HnswIndex(vectors, HnswConfig(scan_below=1, reproducible=True))


ALL_MATCH = {"cut_off": -100.0}
"""So that every product is in the matched set of searches by meaning."""


def opened(relevance=ALL_MATCH, **bundle) -> Retriever:
    shop = Retriever(little_bundle(relevance=relevance, **bundle))
    assert shop.put_items(LIVE) == {}
    return shop


@pytest.fixture(params=["exact", "graph"])
def shop(request) -> Retriever:
    return opened() if request.param == "exact" else opened(index=graph)


def ids(answer) -> list[str]:
    return [hit.item_id for hit in answer.hits]


def found(shop, filter, **asked) -> set[str]:
    return set(ids(shop.search(EVERYTHING, k=100, filter=filter, mode="lexical", **asked)))


# -- filters ------------------------------------------------------------------------


@pytest.mark.parametrize("mode", ["hybrid", "semantic", "lexical"])
@pytest.mark.parametrize(
    ("filter", "expected"),
    [
        ('brand = "Koda"', {"sofa-blue", "sofa-red", "new-sofa"}),
        ('category = "Light"', {"lamp", "lamp-floor", "new-lamp"}),
        ('category = "Living" AND price < 100', {"new-sofa"}),
        ("NOT in_stock", {"lamp-floor", "new-lamp"}),
        ('attributes = "oak" AND NOT brand EXISTS', {"new-mug"}),
        ('item_id IN ["mug", "kettle", "nothing"]', {"mug", "kettle"}),
        ("price > 1000", set()),
    ],
)
def test_only_what_a_filter_allows_is_found_counted_and_all_of_it(shop, mode, filter, expected):
    answer = shop.search(EVERYTHING, k=100, filter=filter, mode=mode)
    assert set(ids(answer)) == expected
    assert answer.total == len(expected)


@pytest.mark.parametrize("mode", ["hybrid", "semantic", "lexical"])
def test_a_filter_takes_products_away_and_changes_no_score(shop, mode):
    whole = shop.search(EVERYTHING, k=100, mode=mode)
    kept = shop.search(EVERYTHING, k=100, mode=mode, filter='NOT brand = "Koda"')
    scores = {hit.item_id: hit.score for hit in whole.hits}
    brands = {hit.item_id: hit.item.get("brand") for hit in whole.hits}
    assert ids(kept) == [one for one in ids(whole) if brands[one] != "Koda"]
    assert [hit.score for hit in kept.hits] == [scores[one] for one in ids(kept)]


@pytest.mark.parametrize("filter", ['brand = "Koda"', "NOT in_stock", "price > 1000"])
def test_a_filter_holds_for_weak_matches_too_and_moves_no_cut_off(filter):
    shop = opened(relevance={})
    whole, kept = (shop.search("blue sofa", k=100, filter=one) for one in (None, filter))
    assert whole.total < shop.n_items
    assert whole.weak
    allowed = found(opened(), filter)
    assert ids(kept) == [one for one in ids(whole) if one in allowed]
    assert {hit.item_id for hit in kept.weak} <= allowed


def test_a_filter_follows_the_live_products(shop):
    assert found(shop, "price < 50") == {"new-lamp", "new-mug"}
    shop.put_item("new-lamp", {"title": "Table lamp", "price": 70.0})
    assert found(shop, "price < 50") == {"new-mug"}
    shop.remove_item("new-mug")
    assert found(shop, "price < 50") == set()


@pytest.mark.parametrize("users", [True, False])
def test_recommendations_and_similar_products_are_filtered_and_never_too_few(users):
    shop = opened(users=users)
    for answer in (
        shop.recommend(History.of([0]), k=3, filter='category = "Kitchen"'),
        shop.recommend(History.of([]), k=3, filter='category = "Kitchen"'),
        shop.similar("sofa-blue", k=3, filter='category = "Kitchen"'),
    ):
        assert set(ids(answer)) == {"kettle", "mug", "new-mug"}
        assert answer.total == 3


def test_a_filter_that_cannot_be_read_is_refused(shop):
    with pytest.raises(FilterError, match="did you mean 'price'"):
        shop.search("sofa", filter="prize < 3")
    with pytest.raises(FilterError):
        shop.recommend(History.of([0]), filter="price <")


# -- facets -------------------------------------------------------------------------


@pytest.mark.parametrize("mode", ["hybrid", "lexical"])
def test_facets_count_the_matched_set(shop, mode):
    answer = shop.search(EVERYTHING, k=1, mode=mode, facets=("brand", "category", "price"))
    brand, category, price = answer.facets
    counts = {one.value: one.count for one in brand.values}
    whole = shop.search(EVERYTHING, k=100, mode=mode)
    brands = [hit.item.get("brand") for hit in whole.hits]
    assert counts == {name: brands.count(name) for name in set(brands) - {None}}
    assert sum(counts.values()) + brands.count(None) == answer.total
    assert {one.value: one.count for one in category.values}["Light"] == 3
    assert (price.low, price.high) == (5.0, 90.0)
    assert answer.is_exact


@pytest.mark.parametrize("mode", ["hybrid", "lexical"])
def test_a_count_is_what_choosing_that_value_would_give(shop, mode):
    filter = 'brand = "Koda" AND NOT price < 10'
    answer = shop.search(EVERYTHING, mode=mode, filter=filter, facets=("brand", "in_stock"))
    brand, stock = answer.facets
    assert [one.is_chosen for one in brand.values if one.value == "Koda"] == [True]
    assert len(brand.values) > 1, "the others are still offered"
    for one in brand.values:
        chosen = f'brand = "{one.value}" AND NOT price < 10'
        assert shop.search(EVERYTHING, mode=mode, filter=chosen).total == one.count
    for one in stock.values:
        chosen = f"{filter} AND in_stock = {one.value}"
        assert shop.search(EVERYTHING, mode=mode, filter=chosen).total == one.count


# -- orders -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("sort", "expected"),
    [
        ("price_ascending", ["new-mug", "new-lamp", "new-sofa"]),
        ("price_descending", ["new-sofa", "new-lamp", "new-mug"]),
        ("newest", ["new-sofa", "new-mug", "new-lamp"]),
    ],
)
def test_products_come_in_the_asked_order_and_those_without_the_number_last(shop, sort, expected):
    by_fit = ids(shop.search(EVERYTHING, k=100))
    sorted_ids = ids(shop.search(EVERYTHING, k=100, sort=sort))
    rest = [one for one in by_fit if one not in expected]
    assert sorted_ids == expected + rest, "what is equal stays in the order of the fit"


def test_equals_are_ordered_by_how_well_they_match(shop):
    rated = ids(shop.search("green sofa", k=100, sort="rating", filter="rating EXISTS"))
    assert rated == ["new-sofa", "new-lamp"]
    rated = ids(shop.search("table lamp", k=100, sort="rating", filter="rating EXISTS"))
    assert rated == ["new-lamp", "new-sofa"]


# -- cursors ------------------------------------------------------------------------


def pages(shop, **asked):
    answer = shop.search(EVERYTHING, **asked)
    yield answer
    while answer.next_cursor:
        answer = shop.search(EVERYTHING, **asked, cursor=answer.next_cursor)
        yield answer


@pytest.mark.parametrize("sort", ["relevance", "price_ascending", "rating"])
@pytest.mark.parametrize("mode", ["hybrid", "semantic", "lexical"])
@pytest.mark.parametrize("k", [1, 3, 5])
def test_pages_by_cursor_joined_equal_one_long_page(shop, sort, mode, k):
    whole = shop.search(EVERYTHING, k=100, mode=mode, sort=sort)
    joined = [hit for page in pages(shop, k=k, mode=mode, sort=sort) for hit in page.hits]
    assert joined == list(whole.hits)
    assert whole.next_cursor is None


def test_products_that_come_and_go_between_pages_repeat_no_hit_and_hide_none(shop):
    asked = {"k": 3, "mode": "lexical", "sort": "newest"}
    walk = pages(shop, **asked)
    seen = ids(next(walk))
    before = set(ids(shop.search(EVERYTHING, k=100, mode="lexical")))
    shop.put_item("newest-sofa", {"title": "Sofa", "launched": 9_000})
    shop.remove_item(seen[0])
    for page in walk:
        seen += ids(page)
    assert len(seen) == len(set(seen))
    assert set(seen) == before, "the new one's place was already passed"


def test_a_cursor_of_another_bundle_is_expired_and_of_another_question_refused(shop):
    cursor = shop.search(EVERYTHING, k=2).next_cursor
    with pytest.raises(RetrievalError, match="another search"):
        shop.search(EVERYTHING, k=2, cursor=cursor, filter="in_stock")
    with pytest.raises(RetrievalError, match="leave offset out"):
        shop.search(EVERYTHING, k=2, cursor=cursor, offset=2)
    shop.bundle.version = "little-2"
    with pytest.raises(ExpiredCursor, match="little-1, little-2 answers now"):
        shop.search(EVERYTHING, k=2, cursor=cursor)


def test_what_is_no_cursor_is_refused(shop):
    cursor = shop.search(EVERYTHING, k=2).next_cursor
    content = json.loads(urlsafe_b64decode(cursor + "=="))
    broken = [
        urlsafe_b64encode(json.dumps(one).encode()).decode()
        for one in (content[:-1], [*content[:2], "x", 1, 2, 3], {}, 7)
    ]
    for one in ("", "x", "é", "a b", cursor[:-3], *broken):
        with pytest.raises(RetrievalError, match="next_cursor of an answer"):
            shop.search(EVERYTHING, k=2, cursor=one)


@pytest.mark.parametrize(
    ("asked", "error", "reason"),
    [
        ({"facets": ("colour",)}, RetrievalError, "facets must be of brand, .* got 'colour'"),
        ({"facets": ("item_id",)}, RetrievalError, "got 'item_id'"),
        ({"sort": "best"}, ConfigError, "sort must be one of relevance, price_ascending"),
        ({"max_values": 0}, ConfigError, r"max_values must be in 1\.\.1000, got 0"),
    ],
)
def test_bad_listings_are_refused_with_the_reason(shop, asked, error, reason):
    with pytest.raises(error, match=reason):
        shop.search("sofa", **asked)


def test_ranks_go_on_from_page_to_page(shop):
    ranks = [hit.rank for page in pages(shop, k=4) for hit in page.hits]
    assert all(after == before + 1 for before, after in pairwise([0, *ranks]))
