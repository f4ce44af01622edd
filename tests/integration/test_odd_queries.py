"""What people and machines type that is no product: answered, never an error."""

import math

import pytest

from twotower.bundle import Bundle
from twotower.retrieval.retriever import Retriever

ODD = {
    "regular expression": r"(.*)+[a-z]{1,9}\d|^$ \\ ?! *",
    "ten thousand letters": "sofa" * 2_500,
    "two thousand words": "red sofa pillow " * 600,
    "emoji": "\N{COUCH AND LAMP}\N{HEAVY BLACK HEART}\N{VARIATION SELECTOR-16} \N{FAMILY}",
    "right to left": "\u05e1\u05e4\u05d4 \u05d0\u05d3\u05d5\u05de\u05d4 \u0623\u0631\u064a",
    "direction marks": "\u202ered sofa\u202c\u200f",
    "no spaces between words": "\u8d64\u3044\u30bd\u30d5\u30a1",
    "accents apart": "cafe\u0301 ta\u0302ble",
    "stop words": "the of and in a",
    "numbers": "12345 007 3.5 1/2",
    "signs": "!!! ??? --- %%% ___",
    "zero byte": "red\x00sofa",
    "white space": "\t red \n sofa \u00a0\u3000 ",
    "markup": "<script>alert(1)</script> red &amp; sofa",
    "query language": "title:red AND price:[1 TO 5] -- ' OR 1=1",
}


@pytest.fixture(scope="module")
def shop(tiny_bundle):
    return Retriever(Bundle.load(tiny_bundle))


@pytest.mark.parametrize("query", ODD.values(), ids=ODD)
@pytest.mark.parametrize("mode", ["hybrid", "semantic", "lexical"])
def test_an_odd_query_has_an_answer_in_order(shop, query, mode):
    found = shop.search(query, k=10, mode=mode)
    scores = [hit.score for hit in found.hits]
    assert scores == sorted(scores, reverse=True)
    assert all(map(math.isfinite, scores))
    assert len({hit.item_id for hit in found.hits}) == len(found.hits) <= found.total


@pytest.mark.parametrize("query", ["\t red \n sofa \u00a0\u3000 ", "RED SOFA", "red\x00sofa"])
def test_what_stands_between_words_and_capitals_change_nothing(shop, query):
    plain = [hit.item_id for hit in shop.search("red sofa", k=10, mode="lexical").hits]
    assert plain
    assert [hit.item_id for hit in shop.search(query, k=10, mode="lexical").hits] == plain


@pytest.mark.parametrize("query", ODD.values(), ids=ODD)
def test_suggestions_to_an_odd_query_are_no_error(shop, query):
    assert len(shop.suggest(query, k=5)) <= 3 * 5
