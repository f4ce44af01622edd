"""Filters, facets, orders and pages over HTTP."""

import time
from typing import get_args

import pytest
from fake_retriever import OLD_CURSOR, FakeRetriever

from twotower.filtering.fields import FACETS
from twotower.filtering.tokens import MAX_LENGTH
from twotower.retrieval import questions
from twotower.retrieval.shelves import WEEK_MS
from twotower.server import requests


def search(client, **question):
    return client.post("/v1/search", {"query": "steel desk light glass", **question})


def recommend(client, **question):
    return client.post("/v1/recommendations", question)


def ids(response):
    return [hit["item_id"] for hit in response.json()["hits"]]


def test_a_filter_narrows_a_search_and_facets_are_told(client):
    answer = search(
        client, filter='brand = "Koda"', facets=["category", "price"], k=1, max_values=1
    ).json()
    assert answer["total"] == 2
    assert answer["next_cursor"] == "after-1"
    assert answer["is_exact"] is True
    category, price = answer["facets"]
    assert category == {
        "field": "category",
        "values": [{"value": "Kitchen", "count": 2, "is_chosen": False}],
        "n_values": 2,
        "low": None,
        "high": None,
    }
    assert (price["field"], price["values"], price["low"]) == ("price", [], None)


def test_without_facets_there_are_none_and_the_last_page_has_no_cursor(client):
    answer = search(client).json()
    assert (answer["facets"], answer["next_cursor"]) == ([], None)


def test_order_and_facets_reach_the_retriever(open_shop):
    retriever = FakeRetriever()
    with open_shop(retriever=retriever) as client:
        search(client, sort="newest", facets=["in_stock"], max_values=3)
    asked = retriever.asked
    assert (asked["sort"], asked["facets"], asked["max_values"]) == ("newest", ("in_stock",), 3)


@pytest.mark.parametrize("who", [{}, {"history": ["lamp"]}])
def test_recommendations_are_filtered(client, who):
    everything = ids(recommend(client, placement="home", **who))
    assert "bulb" in everything
    kept = ids(recommend(client, placement="home", filter='item_id != "bulb"', **who))
    assert kept == [one for one in everything if one != "bulb"]


def test_similar_products_are_filtered(client):
    question = {"placement": "similar", "item_id": "kettle"}
    assert ids(recommend(client, **question)) == ["teapot"]
    assert ids(recommend(client, **question, filter='brand = "Lumo"')) == []


def test_each_place_gets_its_own_list(client):
    def titles(**question):
        hits = recommend(client, k=2, **question).json()["hits"]
        return [hit["item"]["title"] for hit in hits]

    assert titles(placement="newest") == ["Odd steel id", "Light bulb"]
    also = titles(placement="also_bought", item_id="kettle", exclude=["teapot"])
    assert also == ["Desk lamp", "Light bulb"]


def test_trending_hears_of_what_visitors_do_now(open_shop):
    retriever = FakeRetriever()
    with open_shop(retriever=retriever) as client:
        events = [
            {"event_id": str(n), "visitor_id": f"v{n % 2}", "item_id": item, "event": "view"}
            for n, item in enumerate(["lamp", "bulb", "lamp", "lamp"])
        ]
        client.post("/v1/events", {"events": events})
        answer = recommend(client, placement="trending", k=1).json()
    assert retriever.lately == {"lamp": 2, "bulb": 1}
    assert (answer["placement"], answer["hits"][0]["item_id"]) == ("trending", "lamp")


def test_trending_counts_nobody_again_whom_the_log_tells_of(open_shop):
    now = time.time_ns() // 1_000_000
    retriever = FakeRetriever()
    retriever.log_ends = now - 3_600_000
    with open_shop(retriever=retriever) as client:
        events = [
            {"event_id": item, "visitor_id": "v", "item_id": item, "event": "view", "time": at}
            for item, at in (("lamp", retriever.log_ends), ("bulb", retriever.log_ends + 1))
        ]
        client.post("/v1/events", {"events": events})
        recommend(client, placement="trending")
    assert retriever.lately == {"bulb": 1}
    assert retriever.since_ms == pytest.approx(now - WEEK_MS, abs=600_000)


@pytest.mark.parametrize(
    ("question", "fault"),
    [
        ({"placement": "also_bought"}, "needs item_id"),
        ({"placement": "trending", "item_id": "lamp"}, "leave it out of placement 'trending'"),
        ({"placement": "newest", "history": ["lamp"]}, "history belongs to placement 'home'"),
    ],
)
def test_what_a_place_does_not_read_is_refused(client, question, fault):
    answer = recommend(client, **question)
    assert answer.status_code == 422
    assert fault in answer.json()["detail"]


def test_the_report_is_that_of_the_bundle_that_answers(client):
    answer = client.get("/v1/report").json()
    assert answer["bundle_version"] == "v-test"
    assert answer["report"]["verdict"] == {"promoted": True, "sentence": "Promoted."}


def test_a_reason_names_the_product_of_the_history_and_its_title_while_it_has_one(client):
    question = {"placement": "home", "history": ["lamp"], "explain": True}
    [hit] = recommend(client, **question).json()["hits"]
    own, rest = hit["explanation"]["reasons"]
    assert (own["kind"], own["item_id"], own["title"]) == ("history", "lamp", "Desk lamp")
    assert (rest["kind"], rest["item_id"], rest["title"]) == ("rest", None, None)
    assert own["value"] + rest["value"] == hit["score"]
    assert hit["explanation"]["attention"] == {"text": 1.0}


def test_explanations_are_given_where_they_are_asked_for(open_shop):
    retriever = FakeRetriever()
    with open_shop(retriever=retriever) as client:
        plain = recommend(client, placement="home", history=["lamp"]).json()
        assert {hit["explanation"] for hit in plain["hits"]} == {None}
        search(client)
        assert retriever.asked["explain"] is False
        search(client, explain=True)
        assert retriever.asked["explain"] is True


def test_a_fault_of_a_filter_is_named_with_its_place_and_what_was_meant(client):
    for response in (
        search(client, filter="in_stock AND prize < 3"),
        recommend(client, placement="home", filter="in_stock AND prize < 3"),
    ):
        problem = response.json()
        assert response.status_code == 422
        assert problem["type"] == "urn:twotower:problem:invalid-request"
        [fault] = problem["errors"]
        assert (fault["path"], fault["position"]) == ("body.filter", 14)
        assert "unknown field 'prize': did you mean 'price'?" in fault["message"]
        assert fault["message"] in problem["detail"]


def test_a_cursor_of_another_bundle_is_gone(client):
    response = search(client, cursor=OLD_CURSOR)
    assert response.status_code == 410
    assert response.json()["type"] == "urn:twotower:problem:expired-cursor"


@pytest.mark.parametrize(
    ("question", "path"),
    [
        ({"filter": ""}, "body.filter"),
        ({"filter": "x" * (MAX_LENGTH + 1)}, "body.filter"),
        ({"filter": ["in_stock"]}, "body.filter"),
        ({"facets": ["colour"]}, "body.facets[0]"),
        ({"facets": ["brand"] * 21}, "body.facets"),
        ({"facets": "brand"}, "body.facets"),
        ({"max_values": 0}, "body.max_values"),
        ({"sort": "best"}, "body.sort"),
        ({"cursor": ""}, "body.cursor"),
        ({"explain": 1}, "body.explain"),
    ],
)
def test_each_fault_of_a_listing_is_named_by_its_path(client, question, path):
    response = search(client, **question)
    assert response.status_code == 422
    assert [fault["path"] for fault in response.json()["errors"]] == [path]


def test_the_interface_offers_what_the_retriever_can_do():
    assert get_args(requests.FacetName) == FACETS
    assert get_args(requests.Sort) == get_args(questions.Sort)
