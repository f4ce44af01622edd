"""What the retriever answers, on a bundle whose right answers are known."""

import threading
from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from little_bundle import PRODUCTS, little_bundle

from twotower.errors import (
    ConfigError,
    DataError,
    IncompatibleBundle,
    RetrievalError,
    UnknownItem,
)
from twotower.features.history import History
from twotower.features.items import Feature
from twotower.index.hnsw import HnswConfig, HnswIndex
from twotower.lexical.word_search import WordSearch
from twotower.retrieval.retriever import Retriever

IDS = [product[0] for product in PRODUCTS]
EVERYTHING = {"cut_off": -10}  # a relevance by which every product matches


def ids(answer) -> list[str]:
    return [hit.item_id for hit in answer.hits]


@pytest.fixture
def shop() -> Retriever:
    return Retriever(little_bundle())


# -- search -----------------------------------------------------------------------


def test_words_find_what_holds_them(shop):
    answer = shop.search("red sofa", mode="lexical")
    assert ids(answer) == ["sofa-red", "sofa-blue"]
    assert answer.total == 2
    assert answer.hits[0].parts.semantic is None
    assert answer.hits[0].score == answer.hits[0].parts.lexical > 0


def test_meaning_finds_what_words_miss(shop):
    assert ids(shop.search("settee", mode="lexical")) == []
    assert set(ids(shop.search("settee", mode="semantic", k=2))) == {"sofa-blue", "sofa-red"}
    assert set(ids(shop.search("settee", k=2))) == {"sofa-blue", "sofa-red"}


def test_a_hybrid_hit_carries_both_parts_and_the_blend(shop):
    answer = shop.search("blue sofa", k=7)
    assert ids(answer) == ["sofa-blue", "sofa-red"]
    assert answer.total == 2
    assert answer.hits[0].score == pytest.approx(1.0), "the best in both parts"
    scores = [hit.score for hit in answer.hits]
    assert scores == sorted(scores, reverse=True)
    assert answer.mode == "hybrid"
    assert answer.fallback_used is None
    assert set(answer.took_ms) == {"lexical", "encode", "semantic", "blend", "total"}


def test_the_weight_of_the_bundle_decides_the_blend():
    words_only = Retriever(little_bundle(semantic_weight=0.0, relevance=EVERYTHING))
    assert {hit.score for hit in words_only.search("settee").hits} == {0}
    meaning_only = Retriever(little_bundle(semantic_weight=1.0, relevance=EVERYTHING))
    asked = meaning_only.search("oak chair", mode="semantic")
    assert len(asked.hits) == 7
    assert ids(meaning_only.search("oak chair")) == ids(asked)


@pytest.mark.parametrize("mode", ["hybrid", "semantic", "lexical"])
def test_pages_joined_together_equal_one_long_page(mode):
    shop = Retriever(little_bundle(relevance=EVERYTHING))
    whole = shop.search("koda lumo arbo living light", k=7, mode=mode)
    pages = [
        shop.search("koda lumo arbo living light", k=2, offset=offset, mode=mode)
        for offset in (0, 2, 4, 6)
    ]
    assert [hit for page in pages for hit in page.hits] == list(whole.hits)
    assert [hit.rank for hit in whole.hits] == list(range(1, len(whole.hits) + 1))
    assert {page.total for page in pages} == {whole.total}


def test_an_index_that_is_not_exact_gives_the_same_order():
    exact = Retriever(little_bundle(relevance=EVERYTHING))
    config = HnswConfig(scan_below=1, reproducible=True)
    index = {"index": lambda vectors: HnswIndex(vectors, config)}
    graph = Retriever(little_bundle(**index, relevance=EVERYTHING))
    for query in ("blue sofa", "lantern", "arbo", "wd40", "zebra"):
        for mode in ("hybrid", "semantic"):
            expected = exact.search(query, k=7, mode=mode)
            found = graph.search(query, k=7, mode=mode)
            assert ids(found) == ids(expected)
            np.testing.assert_allclose(
                [hit.score for hit in found.hits], [hit.score for hit in expected.hits], atol=1e-6
            )


def test_out_of_stock_products_are_found_and_say_so():
    shop = Retriever(little_bundle(relevance=EVERYTHING))
    hits = {hit.item_id: hit.item for hit in shop.search("lamp").hits}
    assert hits["lamp-floor"]["in_stock"] is False
    assert hits["lamp"]["in_stock"] is True
    assert hits["mug"]["in_stock"] is None


def test_without_a_query_tower_words_answer_and_that_is_said():
    shop = Retriever(little_bundle(queries=False))
    for mode in ("hybrid", "semantic"):
        answer = shop.search("blue sofa", mode=mode)
        assert answer.fallback_used == answer.mode == "lexical"
        assert ids(answer)[0] == "sofa-blue"
    assert shop.search("blue sofa", mode="lexical").fallback_used is None


def test_bad_searches_are_refused_with_the_reason(shop):
    with pytest.raises(RetrievalError, match="at least one word"):
        shop.search("  ")
    with pytest.raises(RetrievalError, match="at most 10000 characters, got 10001"):
        shop.search("x" * 10_001)
    with pytest.raises(ConfigError, match=r"k must be in 1\.\.1000 .*got 0"):
        shop.search("sofa", k=0)
    with pytest.raises(ConfigError, match=r"offset must be in 0\.\.10000"):
        shop.search("sofa", offset=-1)
    with pytest.raises(ConfigError, match="hybrid, semantic, lexical"):
        shop.search("sofa", mode="magic")


@pytest.mark.parametrize("query", ["(", "%_", "\x00", "☕☕", "the of", "'; drop", "a" * 1000])
def test_strange_queries_are_answered(shop, query):
    for mode in ("hybrid", "semantic", "lexical"):
        shop.search(query, mode=mode)


# -- recommendations --------------------------------------------------------------


def test_recommendations_follow_the_history_and_leave_it_out(shop):
    answer = shop.recommend(History.of([3, 0]), k=3)
    assert ids(answer)[0] == "sofa-red"
    assert not {"lamp", "sofa-blue"} & set(ids(answer))
    assert answer.history_length == 2
    assert answer.fallback_used is None
    assert answer.mode == "recommend"


def test_products_out_of_stock_are_never_recommended(shop):
    assert "lamp-floor" not in ids(shop.recommend(History.of([3]), k=100))
    assert "lamp-floor" not in ids(shop.similar("lamp", k=100))
    assert "mug" in ids(shop.recommend(History.of([3]), k=100)), "unknown stock counts as there"


def test_a_history_may_come_back_where_shoppers_repeat(shop):
    again = shop.recommend(History.of([0]), k=1, repeat=True)
    assert ids(again) == ["sofa-blue"]


def test_excluded_products_stay_out_and_unknown_ones_are_ignored(shop):
    answer = shop.recommend(History.of([0]), k=100, exclude=["sofa-red", "nonsense"])
    assert sorted(ids(answer)) == sorted(set(IDS) - {"sofa-blue", "sofa-red", "lamp-floor"})
    assert answer.total == 4


def test_a_visitor_without_events_gets_the_towers_start_state(shop):
    answer = shop.recommend(History.of([]), k=1)
    assert ids(answer) == ["kettle"]
    assert answer.fallback_used is None
    assert answer.history_length == 0


def test_without_a_user_tower_an_empty_history_gets_what_most_users_touched():
    answer = Retriever(little_bundle(users=False)).recommend(History.of([]), k=3)
    assert ids(answer) == ["sofa-red", "kettle", "sofa-blue"], "three users before two"
    assert [hit.score for hit in answer.hits] == [3, 2, 0]
    assert answer.fallback_used == "popularity"


def test_without_a_user_tower_and_events_the_catalogues_order_is_all_there_is():
    answer = Retriever(little_bundle(users=False, events=False)).recommend(History.of([]), k=2)
    assert ids(answer) == IDS[:2]
    assert answer.fallback_used == "catalogue"


def test_without_a_user_tower_a_history_is_averaged_and_that_is_said():
    shop = Retriever(little_bundle(users=False))
    answer = shop.recommend(History.of([0]), k=1)
    assert ids(answer) == ["sofa-red"]
    assert answer.fallback_used == "item_average"


@pytest.mark.parametrize("unit", [True, False])
def test_similar_is_the_cosine_whatever_the_lengths(unit):
    bundle = little_bundle(unit=unit)
    shop = Retriever(bundle)
    vectors = bundle.model.item_vectors
    lengths = np.linalg.norm(vectors, axis=1)
    assert (np.ptp(lengths) < 1e-5) == unit
    cosine = vectors @ vectors[0] / lengths / lengths[0]
    answer = shop.similar("sofa-blue", k=100)
    rows = [row for row in np.argsort(-cosine) if row not in (0, 4)]
    assert [hit.item_row for hit in answer.hits] == rows
    np.testing.assert_allclose([hit.score for hit in answer.hits], cosine[rows], atol=1e-5)
    assert answer.mode == "similar"
    assert ids(shop.similar("sofa-blue", k=1, exclude=["sofa-red"])) != ["sofa-red"]


def test_bad_recommendations_are_refused_with_the_reason(shop):
    with pytest.raises(UnknownItem, match="'nothing'"):
        shop.similar("nothing")
    with pytest.raises(ConfigError, match=r"k must be in 1\.\.1000"):
        shop.recommend(History.of([]), k=0)
    with pytest.raises(ConfigError, match=r"0\.\.6"):
        shop.recommend(History.of([7]))
    with pytest.raises(UnknownItem):
        shop.history(["sofa-red", "nothing"])


# -- live products ----------------------------------------------------------------


def test_a_new_product_with_a_title_only_is_found_and_recommended_at_once(shop):
    row = shop.put_item("zorb", {"title": "Zorblax couch"})
    assert (row, shop.n_items, shop.item_row("zorb")) == (7, 8, 7)
    assert ids(shop.search("zorblax", mode="lexical")) == ["zorb"]
    assert ids(shop.search("zorblax settee", mode="semantic"))[0] == "zorb"
    assert ids(shop.search("zorblax"))[0] == "zorb"
    assert "zorb" in ids(shop.similar("sofa-red", k=3))
    assert "zorb" in ids(shop.recommend(History.of([0]), k=3))
    assert ids(shop.similar("zorb", k=7))
    assert shop.recommend(shop.history(["zorb"]), k=2).history_length == 1


def test_a_history_is_read_with_the_ids_of_its_items_and_new_products_have_none(shop):
    new = shop.put_item("zorb", {"title": "Zorblax couch"})
    shop.recommend(History.of([3, 0, new, 3]), k=3)
    assert shop.bundle.model.towers.asked_ids[-1] == [103, 100, 0, 103]


def test_a_known_product_is_replaced_whole(shop):
    shop.put_item("kettle", {"title": "Garden hose", "price": 12, "in_stock": False})
    assert shop.n_items == 7
    product = shop.product("kettle")
    assert (product["title"], product["price"], product.get("brand")) == ("Garden hose", 12.0, None)
    assert ids(shop.search("steel kettle", mode="lexical")) == []
    assert ids(shop.search("garden hose"))[0] == "kettle"
    assert "kettle" not in ids(shop.recommend(History.of([0]), k=100))


def counting(bundle) -> list[int]:
    """How many texts each later call of the bundle's encoder is given."""
    encoder, encoded = bundle.model.text_encoder, []
    encode = encoder.encode
    encoder.encode = lambda texts: encoded.append(len(texts)) or encode(texts)
    return encoded


def test_price_and_stock_change_at_once_and_without_the_encoder():
    bundle = little_bundle()
    shop = Retriever(bundle)
    lamp = {"title": "Desk lamp", "brand": "Lumo", "category": "Light"}
    encoded = counting(bundle)
    shop.put_item("lamp", {**lamp, "price": 40.0, "in_stock": False})
    assert encoded == []
    assert ids(shop.search("desk lamp", filter="price = 40 AND NOT in_stock")) == ["lamp"]
    assert "lamp" not in ids(shop.similar("lamp-floor", k=100))
    encoded.clear()
    shop.put_items([("lamp", {**lamp, "price": 30.0}), ("new", {"title": "Bed", "price": 30.0})])
    assert encoded == [1], "the new one alone is encoded"
    assert set(ids(shop.search("lamp bed", mode="lexical", filter="price = 30"))) == {"lamp", "new"}
    assert "lamp" in ids(shop.similar("lamp-floor", k=100))
    encoded.clear()
    shop.put_item("lamp", {**lamp, "title": "Green lamp"})
    shop.remove_item("lamp")
    shop.put_item("lamp", {**lamp, "title": "Green lamp"})
    assert encoded == [1, 1], "a new title is read, and what was removed is entered again"
    assert ids(shop.search("green lamp", mode="lexical"))[0] == "lamp"


def test_a_price_that_the_towers_read_is_encoded_anew():
    bundle = little_bundle()
    features = bundle.model.features
    features.features += (Feature("price", "number", 1),)
    features.quantiles["price"] = np.linspace(0, 100, 32)
    shop, encoded = Retriever(bundle), counting(bundle)
    shop.put_item("chair", {"title": "Oak chair", "brand": "Arbo", "category": "Living > Seats",
                            "price": 9.0})  # fmt: skip
    assert len(encoded) == 1


def test_readers_never_see_half_a_change_of_price_and_stock(shop):
    faults: list[object] = []
    stop = threading.Event()
    states = [{"price": 1.0, "in_stock": True}, {"price": 2.0, "in_stock": False}]
    shop.put_item("mug", {"title": "Mug", **states[0]})

    def ask() -> None:
        while not stop.is_set():
            for filter, fits in (
                ("price = 1 AND NOT in_stock", 0),
                ("price = 2 AND in_stock", 0),
                ("price = 1 OR NOT in_stock AND price = 2", 1),
            ):
                found = shop.search("mug", mode="lexical", filter=filter)
                if found.total != fits:
                    faults.append((filter, found.total))

    readers = [threading.Thread(target=ask) for _ in range(2)]
    for reader in readers:
        reader.start()
    for number in range(100):
        shop.put_item("mug", {"title": "Mug", **states[number % 2]})
    stop.set()
    for reader in readers:
        reader.join()
    assert faults == []


def test_stock_that_comes_back_is_recommended_again(shop):
    shop.put_item("lamp-floor", {"title": "Floor lamp", "brand": "Lumo", "in_stock": True})
    assert ids(shop.similar("lamp", k=1)) == ["lamp-floor"]


MANY = [
    ("zorb", {"title": "Zorblax couch", "brand": "Koda"}),
    ("kettle", {"title": "Garden hose", "in_stock": False}),
    ("new", {"title": "Blue lantern", "category": "Light"}),
    ("zorb", {"title": "Zorblax settee", "price": 3}),
    ("lamp-floor", {"title": "Floor lamp", "in_stock": True}),
]


@pytest.mark.parametrize("unit", [True, False])
def test_many_at_once_answer_as_one_after_the_other_and_are_encoded_together(unit):
    one_by_one, together = (Retriever(little_bundle(unit=unit)) for _ in range(2))
    for item_id, fields in MANY:
        one_by_one.put_item(item_id, fields)
    encoded = counting(together.bundle)
    assert together.put_items(MANY) == {}
    assert encoded == [5]

    def told(shop):
        return [
            *(shop.product(item_id) for item_id, _ in MANY),
            *(
                [(hit.item_id, hit.item_row, hit.score) for hit in found.hits]
                for found in (
                    shop.search("zorblax settee", k=100),
                    shop.search("lantern lamp hose", k=100, mode="lexical"),
                    shop.similar("new", k=100),
                    shop.recommend(History.of([0, 8]), k=100),
                )
            ),
            shop.suggest("zor"),
            shop.n_items,
        ]

    assert told(together) == told(one_by_one)


def test_of_many_the_sound_ones_are_put_in_and_the_others_named(shop):
    bad = [("dear", {"title": "Sofa", "price": "much"}), ("bare", {})]
    faults = shop.put_items([bad[0], ("zorb", {"title": "Zorblax couch"}), bad[1]])
    assert list(faults) == ["dear", "bare"]
    assert "price of product 'dear' must be a finite number" in str(faults["dear"])
    assert shop.item_row("zorb") == 7
    assert shop.n_items == 8
    assert list(shop.put_items(bad)) == ["dear", "bare"]
    assert shop.put_items([]) == {}
    assert shop.n_items == 8


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({}, "as title, got None"),
        ({"title": "  "}, "as title"),
        ({"title": 5}, "as title, got 5"),
        ({"title": "x", "colour": "red"}, "'colour'"),
        ({"title": "x", "price": "cheap"}, "price of product 'new' must be a finite number"),
        ({"title": "x", "price": float("nan")}, "must be a finite number, got nan"),
        ({"title": "x", "attributes": "red"}, "must be a list of texts"),
        ({"title": "x", "attributes": [1]}, "must be a list of texts"),
        ({"title": "x", "in_stock": "yes"}, "must be true or false"),
        ({"title": "x", "launched": 2**70}, "must be whole milliseconds"),
        ({"title": "x", "launched": 1.5}, "must be whole milliseconds"),
        ({"title": "x", "brand": 7}, "must be a text"),
    ],
)
def test_a_bad_product_is_refused_and_changes_nothing(shop, fields, reason):
    with pytest.raises(DataError, match=reason):
        shop.put_item("new", fields)
    assert shop.n_items == 7
    with pytest.raises(UnknownItem):
        shop.item_row("new")


@pytest.mark.parametrize(
    "bundle",
    [
        {},
        {"unit": False},
        {"users": False},
        {"queries": False},
        {"index": lambda vectors: HnswIndex(vectors, HnswConfig(scan_below=1))},
    ],
    ids=["exact", "unequal lengths", "no users", "no queries", "graph"],
)
def test_a_removed_product_is_in_no_answer(bundle):
    shop = Retriever(little_bundle(**bundle))
    shop.put_item("new", {"title": "Blue sofa bed"})
    for item_id in ("sofa-blue", "new"):
        shop.remove_item(item_id)
    out = {"sofa-blue", "new"}
    for mode in ("hybrid", "semantic", "lexical"):
        answer = shop.search("blue sofa bed", k=100, mode=mode)
        assert ids(answer)
        assert not out & set(ids(answer))
        assert answer.total == len(answer.hits)
    for answer in (
        shop.similar("sofa-red", k=100),
        shop.recommend(History.of([]), k=100),
        shop.recommend(History.of([0, 3]), k=100, repeat=True),
    ):
        assert not out & set(ids(answer))
        assert answer.total == len(answer.hits)
    assert shop.n_items == 6


def test_a_removed_product_is_unknown_until_it_is_put_in_again_as_it_is_now(shop):
    row = shop.item_row("sofa-blue")
    shop.remove_item("sofa-blue")
    for question in (shop.item_row, shop.product, shop.similar, shop.remove_item):
        with pytest.raises(UnknownItem, match="one of the 6 products"):
            question("sofa-blue")
    assert shop.put_item("sofa-blue", {"title": "Velvet sofa"}) == row
    assert shop.n_items == 7
    assert ids(shop.search("velvet"))[0] == "sofa-blue"
    assert "sofa-blue" not in ids(shop.search("blue", mode="lexical"))


def test_answers_hold_while_products_come_and_go(shop):
    faults: list[BaseException] = []
    stop = threading.Event()

    def ask() -> None:
        while not stop.is_set():
            try:
                for mode in ("hybrid", "semantic", "lexical"):
                    answer = shop.search("sofa lamp", k=50, mode=mode)
                    assert len(set(ids(answer))) == len(answer.hits)
                    assert all(hit.item["item_id"] == hit.item_id for hit in answer.hits)
                shop.similar("sofa-blue", k=50)
                shop.recommend(History.of([1, 3]), k=50)
            except BaseException as fault:
                faults.append(fault)
                return

    readers = [threading.Thread(target=ask) for _ in range(3)]
    for reader in readers:
        reader.start()
    for number in range(40):
        shop.put_item(f"new-{number % 28}", {"title": f"sofa lamp {number}"})
        if number % 10 == 9:
            shop.remove_item(f"new-{number % 28}")
            shop.put_item(f"new-{number % 28}", {"title": f"sofa lamp {number}"})
    stop.set()
    for reader in readers:
        reader.join()
    assert faults == []
    assert shop.n_items == 35
    assert len(ids(shop.search("sofa lamp", k=200, mode="lexical"))) == 32


def test_parts_of_different_catalogues_are_refused():
    bundle = little_bundle()
    bundle.lexical = WordSearch.fit({"title": ["one"]})
    with pytest.raises(IncompatibleBundle, match=r"expected 7 items .*lexical.*found 1"):
        Retriever(bundle)


# -- mistyped queries and suggestions ---------------------------------------------


def test_a_mistyped_word_answers_as_the_word_that_was_meant_and_says_so(shop):
    for mode in ("hybrid", "semantic", "lexical"):
        mistyped, meant = (
            shop.search("steel ketle", mode=mode),
            shop.search("steel kettle", mode=mode),
        )
        assert mistyped.corrected_query == "steel kettle"
        assert meant.corrected_query is None
        assert mistyped.hits[0].item_id == meant.hits[0].item_id == "kettle"


def test_an_endless_query_is_answered_and_says_that_it_was_cut(shop):
    answer = shop.search("kettle " * 1_000)
    assert answer.degraded
    assert answer.hits[0].item_id == "kettle"
    assert not shop.search("kettle " * 10).degraded


def said(shop, typed, k=5):
    return [(one.kind, one.text) for one in shop.suggest(typed, k=k)]


def test_suggestions_are_categories_and_products_as_one_types(shop):
    assert said(shop, "li") == [("category", "Living > Seats"), ("category", "Light")]
    assert said(shop, "desk l") == [("product", "Desk lamp")]
    assert said(shop, "kettel") == [("product", "Steel kettle")]
    assert shop.suggest("kettle")[0].item_id == "kettle"
    assert said(shop, "zzz") == said(shop, "?!") == []


def test_first_words_are_let_go_where_nothing_has_all_of_them(shop):
    assert shop.suggest("winter lam") == shop.suggest("lam") != ()
    assert shop.suggest("desk lam") != shop.suggest("lam"), "some product has both"
    assert shop.suggest("lamp zebra") == ()


def test_suggestions_follow_the_live_products(shop):
    shop.put_item("new", {"title": "Copper kettle", "category": "Kitchen > Copper"})
    assert ("product", "Copper kettle") in said(shop, "kettle")
    assert ("category", "Kitchen > Copper") in said(shop, "copper")
    shop.put_item("new", {"title": "Copper pan"})
    assert said(shop, "copper") == [("product", "Copper pan")]
    shop.put_item("kettle", {"title": "Gone"})
    assert said(shop, "kettle") == []


def test_suggested_queries_are_of_training_most_typed_first_and_have_an_answer():
    bundle = little_bundle()
    searches = pl.DataFrame({
        "user_id": ["u"] * 6,
        "query": ["lamp", "Lamp", "lamp desk", "lampshade xy", "lamp  floor", "lamp later"],
        "time": [1, 2, 3, 4, 5, 100],
    })  # fmt: skip
    judgments = pl.DataFrame({
        "query": ["lamp floor", "lamp test"], "item_row": [4, 4], "positive": [True, True],
        "split": ["train", "test"],
    })  # fmt: skip
    about = replace(bundle.dataset.about, validation_from=50)
    bundle.dataset = replace(bundle.dataset, searches=searches, judgments=judgments, about=about)
    queries = [text for kind, text in said(Retriever(bundle), "lamp") if kind == "query"]
    assert queries == ["lamp", "lamp floor", "lamp desk"]


@pytest.mark.parametrize("k", [0, 51])
def test_the_number_of_suggestions_has_bounds(shop, k):
    with pytest.raises(ConfigError, match=r"k must be in 1\.\.50"):
        shop.suggest("lamp", k=k)
