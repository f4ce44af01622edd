"""The shop's wishes: what is boosted, buried, pinned and hidden, and laws that hold as before."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from little_bundle import PRODUCTS, little_bundle

from twotower.errors import ExpiredCursor, FilterError, RetrievalError
from twotower.features.history import History
from twotower.retrieval.retriever import Retriever
from twotower.retrieval.rules import Rule

EVERYTHING = "koda lumo arbo living light kitchen mug"
IDS = [product[0] for product in PRODUCTS]


@pytest.fixture(params=[True, False], ids=["unit", "any length"])
def shop(request) -> Retriever:
    return opened(unit=request.param)


def opened(**bundle) -> Retriever:
    return Retriever(little_bundle(relevance={"cut_off": -100.0}, **bundle))


def ids(answer) -> list[str]:
    return [hit.item_id for hit in answer.hits]


def lists(shop, rules, **asked):
    """The same rules on every kind of list, each of everything that may be in it."""
    history = History.of([IDS.index("chair")])
    return [
        *(shop.search("sofa", k=100, mode=mode, rules=rules, **asked)
          for mode in ("hybrid", "semantic")),
        shop.recommend(history, k=100, repeat=True, rules=rules, **asked),
        shop.similar("chair", k=100, rules=rules, **asked),
        opened(users=False).recommend(History.of([]), k=100, rules=rules, **asked),
    ]  # fmt: skip


def pin(*item_ids, position=1, **more) -> Rule:
    return Rule("a pin", "pin", item_ids=item_ids, position=position, **more)


def boost(filter, strength=10.0, **more) -> Rule:
    return Rule("a boost", "boost", filter=filter, strength=strength, **more)


HIDE = Rule("a hide", "hide", filter='brand = "Arbo"')


# -- each action ----------------------------------------------------------------------


def test_what_is_hidden_is_in_no_list_and_in_no_total(shop):
    for plain, ruled in zip(lists(shop, []), lists(shop, [HIDE]), strict=True):
        assert {"chair", "kettle"} & {*ids(plain)}
        assert ids(ruled) == [one for one in ids(plain) if one not in ("chair", "kettle")]
        assert ruled.total == len(ruled.hits)


def test_a_strong_boost_puts_its_products_first_and_keeps_the_order_among_them(shop):
    for plain, ruled in zip(lists(shop, []), lists(shop, [boost('brand = "Arbo"')]), strict=True):
        ours = [one for one in ids(plain) if one in ("chair", "kettle")]
        assert ids(ruled) == ours + [one for one in ids(plain) if one not in ours]
        assert ruled.total == plain.total


def test_a_strong_bury_puts_its_products_last(shop):
    bury = Rule("b", "bury", filter='brand = "Koda"', strength=10.0)
    for plain, ruled in zip(lists(shop, []), lists(shop, [bury]), strict=True):
        theirs = [one for one in ids(plain) if one.startswith("sofa")]
        assert ids(ruled) == [one for one in ids(plain) if one not in theirs] + theirs


def test_a_boost_of_strength_one_lifts_a_middling_product_to_the_best(shop):
    plain = shop.search("sofa", k=100, mode="semantic").hits
    vectors = shop.bundle.model.item_vectors
    middle = float(shop.bundle.model.text_encoder.encode(["sofa"])[0] @ vectors.mean(axis=0))
    ruled = shop.search("sofa", k=100, mode="semantic", rules=[boost('item_id = "mug"', 1.0)])
    [before] = [hit.score for hit in plain if hit.item_id == "mug"]
    [after] = [hit.score for hit in ruled.hits if hit.item_id == "mug"]
    assert after - before == pytest.approx(plain[0].score - middle, abs=1e-5)


def test_pinned_products_stand_at_their_places_and_the_others_keep_their_order(shop):
    rules = [pin("mug", "lamp", position=2)]
    for plain, ruled in zip(lists(shop, []), lists(shop, rules), strict=True):
        assert ids(ruled)[1:3] == ["mug", "lamp"]
        rest = [one for one in ids(ruled) if one not in ("mug", "lamp")]
        assert rest == [one for one in ids(plain) if one not in ("mug", "lamp")]
        assert ruled.total == len({*ids(ruled)}) == len(ruled.hits)
        marks = {hit.item_id: hit.pinned_by for hit in ruled.hits if hit.pinned_by}
        assert marks == {"mug": "a pin", "lamp": "a pin"}


def test_a_product_may_be_pinned_to_a_search_that_it_does_not_match():
    shop = opened()
    answer = shop.search("sofa", mode="lexical", rules=[pin("mug", position=2)], facets=["brand"])
    assert ids(answer)[1] == "mug"
    assert set(ids(answer)) == {"sofa-blue", "sofa-red", "mug"}
    assert answer.total == 3
    assert answer.facets[0].n_values == 1  # the mug has no brand


def test_pins_beyond_the_end_are_last_and_those_of_one_place_follow_each_other(shop):
    rules = [pin("mug", position=50), Rule("b", "pin", item_ids=("lamp",), position=1),
             Rule("c", "pin", item_ids=("kettle",), position=1)]  # fmt: skip
    for ruled in lists(shop, rules):
        assert ids(ruled)[:2] == ["lamp", "kettle"]
        assert ids(ruled)[-1] == "mug"


def test_filters_stock_and_exclusions_have_the_last_word(shop):
    rules = [pin("lamp-floor", "sofa-red", "mug"), boost('brand = "Koda"')]
    history = History.of([IDS.index("sofa-red")])
    assert "lamp-floor" not in ids(shop.recommend(history, rules=rules, repeat=True))  # sold out
    seen = shop.recommend(history, rules=rules, repeat=False, exclude=["mug"])
    assert not {"sofa-red", "mug"} & {*ids(seen)}
    for ruled in lists(shop, rules, filter='brand = "Arbo"'):
        assert {*ids(ruled)} <= {"chair", "kettle"}


def test_a_product_that_was_removed_or_never_there_is_not_pinned(shop):
    shop.remove_item("mug")
    for ruled in lists(shop, [pin("mug", "unicorn", "lamp")])[:4]:
        assert "mug" not in ids(ruled)
        assert "lamp" in ids(ruled)


def test_a_new_product_that_a_rule_names_is_under_it_at_once(shop):
    shop.put_item("grill", {"title": "Arbo grill", "brand": "Arbo"})
    assert ids(shop.search("sofa", k=100, rules=[boost('item_id = "grill"')]))[0] == "grill"
    assert "grill" not in ids(shop.search("grill", k=100, rules=[HIDE]))


# -- when and where ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rule", "now_ms", "holds"),
    [
        ({"starts": 1_000}, 999, False),
        ({"starts": 1_000}, 1_000, True),
        ({"ends": 1_000}, 999, True),
        ({"ends": 1_000}, 1_000, False),
        ({"places": ("home",)}, 0, True),
        ({"places": ("search", "similar")}, 0, False),
        ({"query": "sofa"}, 0, False),
    ],
)
def test_a_rule_holds_at_its_time_and_in_its_places(shop, rule, now_ms, holds):
    hide = Rule("r", "hide", filter='brand = "Koda"', **rule)
    found = ids(shop.recommend(History.of([0]), repeat=True, now_ms=now_ms, rules=[hide]))
    assert ("sofa-red" not in found) is holds


def test_a_rule_of_a_query_holds_for_these_words_alone(shop):
    rules = [pin("mug", query="Blue  SOFA")]
    assert ids(shop.search(" blue sofa ", rules=rules))[0] == "mug"
    assert ids(shop.search("blue sofas", rules=rules))[0] != "mug"


def test_in_another_order_only_what_is_hidden_counts(shop):
    rules = [HIDE, pin("mug"), boost('brand = "Koda"')]
    plain = ids(shop.search(EVERYTHING, k=100, sort="newest", filter='brand != "Arbo"'))
    assert ids(shop.search(EVERYTHING, k=100, sort="newest", rules=rules)) == plain


# -- laws -------------------------------------------------------------------------------

_filters = st.sampled_from(
    ['brand = "Koda"', 'brand = "Arbo"', "in_stock", 'category = "Living"', 'item_id = "mug"']
)
_moves = st.builds(
    lambda n, action, filter, strength: Rule(f"m{n}", action, filter=filter, strength=strength),
    st.integers(0, 9), st.sampled_from(["boost", "bury"]), _filters,
    st.sampled_from([0.1, 0.5, 1.0]),
)  # fmt: skip
_pins = st.builds(
    lambda n, items, position: Rule(f"p{n}", "pin", item_ids=tuple(items), position=position),
    st.integers(0, 9), st.lists(st.sampled_from(IDS), min_size=1, max_size=3, unique=True),
    st.integers(1, 9),
)  # fmt: skip
_hides = st.builds(lambda filter: Rule("h", "hide", filter=filter), _filters)
_rules = st.lists(_moves | _pins | _hides, max_size=4, unique_by=lambda rule: rule.rule_id)
SHOP = opened()


@settings(deadline=None, max_examples=60)
@given(_rules, st.integers(1, 4), st.sampled_from(["hybrid", "lexical"]), st.booleans())
def test_pages_joined_are_one_long_page_under_any_rules(rules, k, mode, filtered):
    asked = {"mode": mode, "rules": rules, "filter": 'item_id != "lamp"' if filtered else None}
    whole = SHOP.search(EVERYTHING, k=100, **asked)
    pages, by_offset = [SHOP.search(EVERYTHING, k=k, **asked)], []
    while pages[-1].next_cursor:
        pages.append(SHOP.search(EVERYTHING, k=k, cursor=pages[-1].next_cursor, **asked))
    for offset in range(0, max(whole.total, 1), k):
        by_offset += SHOP.search(EVERYTHING, k=k, offset=offset, **asked).hits
    joined = [hit for page in pages for hit in page.hits]
    assert [hit.item_id for hit in joined] == ids(whole) == [hit.item_id for hit in by_offset]
    assert [hit.rank for hit in joined] == list(range(1, whole.total + 1))
    assert {page.total for page in pages} == {whole.total}


@settings(deadline=None, max_examples=40)
@given(_rules)
def test_a_facet_counts_what_choosing_its_value_finds_under_any_rules(rules):
    found = SHOP.search(EVERYTHING, rules=rules, facets=["brand"])
    for value in found.facets[0].values:
        narrowed = SHOP.search(EVERYTHING, rules=rules, filter=f'brand = "{value.value}"')
        assert narrowed.total == value.count


@settings(deadline=None, max_examples=40)
@given(_rules, st.booleans())
def test_reasons_sum_to_the_score_and_name_the_rules(rules, users):
    shop = SHOP if users else opened(users=False)
    moving = {rule.rule_id for rule in rules if rule.action in ("boost", "bury")}
    history = History.of([0, 3])
    for answer in (
        shop.search("sofa", k=100, rules=rules, explain=True),
        shop.recommend(history, k=100, repeat=True, rules=rules, explain=True),
        shop.similar("chair", k=100, rules=rules, explain=True),
    ):
        for hit in answer.hits:
            assert sum(one.value for one in hit.reasons) == pytest.approx(hit.score, abs=1e-4)
            assert {one.rule_id for one in hit.reasons if one.kind == "rule"} <= moving


@settings(deadline=None, max_examples=40)
@given(_rules, st.integers(1, 7))
def test_recommendations_are_the_beginning_of_a_longer_list_and_never_too_few(rules, k):
    pinless = [rule for rule in rules if rule.action != "pin"]
    whole = SHOP.similar("chair", k=100, rules=pinless)
    short = SHOP.similar("chair", k=k, rules=pinless)
    assert ids(short) == ids(whole)[:k]
    scores = [hit.score for hit in whole.hits]
    assert all(one >= other for one, other in pairwise(scores))
    pinned = SHOP.similar("chair", k=k, rules=rules)
    assert len(pinned.hits) == min(k, pinned.total)
    assert len({*ids(pinned)}) == len(pinned.hits)


def test_rules_without_effect_leave_every_list_as_it_is(shop):
    rules = [boost('brand = "nobody"'), Rule("h", "hide", filter='brand = "nobody"')]
    for plain, ruled in zip(lists(shop, []), lists(shop, rules), strict=True):
        assert ids(plain) == ids(ruled)
        assert np.allclose([hit.score for hit in plain.hits], [hit.score for hit in ruled.hits])


def test_when_the_rules_change_between_two_pages_the_cursor_is_over():
    first = SHOP.search(EVERYTHING, k=2, rules=[pin("mug")])
    with pytest.raises(ExpiredCursor, match="other rules"):
        SHOP.search(EVERYTHING, k=2, rules=[pin("lamp")], cursor=first.next_cursor)
    assert SHOP.search(EVERYTHING, k=2, rules=[pin("mug")], cursor=first.next_cursor).hits


# -- bad input ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"action": "love", "filter": "in_stock"}, "action must be one of boost, bury, pin, hide"),
        ({"action": "hide"}, "filter is needed for action 'hide'"),
        ({"action": "boost", "filter": "in_stock"}, "strength is needed"),
        ({"action": "hide", "filter": "in_stock", "strength": 1.0}, "strength means nothing"),
        ({"action": "pin", "item_ids": ("a",)}, "position is needed"),
        ({"action": "pin", "position": 1}, "item_ids is needed"),
        ({"action": "hide", "filter": "in_stock", "starts": 2, "ends": 2}, "ends must be after"),
    ],
)
def test_what_is_no_rule_is_refused_by_its_field(fields, message):
    with pytest.raises(RetrievalError, match=message):
        Rule("r", **fields)


def test_a_filter_that_cannot_be_read_is_refused_with_its_place():
    with pytest.raises(FilterError, match="brand"):
        Rule("r", "hide", filter='brnd = "Koda"')
