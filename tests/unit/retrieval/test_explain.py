"""Explanations: parts that sum to the score, and no part that the score does not hold."""

import numpy as np
import pytest
from little_bundle import little_bundle

from twotower.features.history import History
from twotower.retrieval.retriever import Retriever


@pytest.fixture(params=[True, False], ids=["user tower", "average"])
def shop(request) -> Retriever:
    return Retriever(little_bundle(users=request.param))


def sums(hits) -> None:
    assert hits
    for hit in hits:
        assert sum(reason.value for reason in hit.reasons) == pytest.approx(hit.score, abs=1e-5)
        assert sum(hit.attention.values()) == pytest.approx(1, abs=1e-5)


def words_of(hit) -> dict[str, float]:
    return {reason.words: reason.value for reason in hit.reasons if reason.kind == "words"}


@pytest.mark.parametrize(
    ("mode", "kinds"),
    [("hybrid", {"meaning", "words"}), ("semantic", {"meaning"}), ("lexical", {"words"})],
)
def test_the_reasons_of_a_search_sum_to_the_score_the_greatest_first(shop, mode, kinds):
    answer = shop.search("blue sofa lamp", k=100, mode=mode, explain=True)
    sums((*answer.hits, *answer.weak))
    for hit in answer.hits:
        values = [reason.value for reason in hit.reasons]
        assert values == sorted(values, reverse=True)
    assert {reason.kind for hit in answer.hits for reason in hit.reasons} == kinds


def test_each_word_of_the_query_that_a_product_holds_is_a_reason_of_its_own(shop):
    answer = shop.search("Blue sofas lamp", k=100, explain=True)
    held = {hit.item_id: set(words_of(hit)) for hit in (*answer.hits, *answer.weak)}
    assert held["sofa-blue"] == {"blue", "sofas"}
    assert held["sofa-red"] == {"sofas"}
    assert held["lamp"] == {"lamp"}
    assert not any(held[hit.item_id] for hit in answer.weak if hit.parts.lexical == 0)
    [best] = [hit for hit in answer.hits if hit.item_id == "sofa-blue"]
    assert words_of(best)["blue"] > words_of(best)["sofas"] > 0  # one sofa is blue, two are sofas


def test_a_mistyped_word_and_a_code_are_told_as_they_were_typed(shop):
    [hit] = shop.search("ketle", k=1, mode="lexical", explain=True).hits
    assert (hit.item_id, set(words_of(hit))) == ("kettle", {"ketle"})
    [hit] = shop.search("a WD-40", k=1, mode="lexical", explain=True).hits
    assert (hit.item_id, set(words_of(hit))) == ("mug", {"wd 40"})


def test_the_reasons_of_recommendations_sum_to_the_score_and_name_the_items(shop):
    history = History.of([3, 0, 3, 0])
    answer = shop.recommend(history, k=100, explain=True)
    sums(answer.hits)
    for hit in answer.hits:
        assert {r.item_id for r in hit.reasons if r.kind == "history"} == {"lamp", "sofa-blue"}
        assert hit.reasons[-1].kind == "rest"
    top = {hit.item_id: hit.reasons[0] for hit in answer.hits}
    assert top["sofa-red"].item_id == "sofa-blue"
    assert top["sofa-red"].value > 0


def test_without_a_user_tower_nothing_is_left_over():
    shop = Retriever(little_bundle(users=False))
    for hit in shop.recommend(History.of([3, 0, 0]), k=100, explain=True).hits:
        assert hit.reasons[-1].value == pytest.approx(0, abs=1e-6)


def test_an_item_that_the_tower_did_not_heed_has_no_share():
    """The little tower heeds the last item only."""
    answer = Retriever(little_bundle()).recommend(History.of([5, 3, 0]), k=100, explain=True)
    for hit in answer.hits:
        shares = {reason.item_id: reason.value for reason in hit.reasons}
        assert shares["kettle"] == pytest.approx(0, abs=1e-9)
        assert shares["lamp"] == pytest.approx(0, abs=1e-9)


def test_popularity_and_likeness_are_reasons_of_their_own(shop):
    stranger = Retriever(little_bundle(users=False)).recommend(History.of([]), k=3, explain=True)
    sums(stranger.hits)
    assert stranger.hits[0].reasons[0].kind == "popularity"
    alike = shop.similar("sofa-blue", k=3, explain=True)
    sums(alike.hits)
    assert alike.hits[0].reasons[0].kind == "meaning"


def test_live_products_are_explained_and_nothing_is_unless_asked_for(shop):
    shop.put_item("zorb", {"title": "Zorblax couch"})
    answer = shop.recommend(shop.history(["zorb"]), k=3, repeat=True, explain=True)
    sums(answer.hits)
    assert "zorb" in {hit.item_id for hit in answer.hits}
    for plain in (shop.search("sofa"), shop.recommend(History.of([0])), shop.similar("lamp")):
        assert all(hit.reasons == () and hit.attention is None for hit in plain.hits)


def test_of_a_long_history_the_newest_items_are_named_and_the_rest_still_sums():
    shop = Retriever(little_bundle())
    for number in range(60):
        shop.put_item(f"n{number}", {"title": f"thing {number}"})
    rows = np.arange(7, 67)
    [hit] = shop.recommend(History.of(rows), k=1, explain=True).hits
    named = [reason.item_id for reason in hit.reasons if reason.kind == "history"]
    assert set(named) == {f"n{number}" for number in range(10, 60)}
    sums([hit])
