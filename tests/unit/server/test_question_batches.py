"""Several questions in one request, and a search by its address."""

import pytest

from twotower.server.requests import MAX_QUESTIONS
from twotower.shop.database import ShopDatabase


def without_times(reply):
    return {name: value for name, value in reply.items() if name not in ("took_ms", "request_id")}


def test_each_search_of_a_batch_is_answered_as_if_it_were_alone(client):
    questions = [{"query": "steel", "k": 1}, {"query": "lamp", "facets": ["brand"]}]
    told = client.post("/v1/search:batch", {"searches": questions}).json()
    alone = [client.post("/v1/search", one).json() for one in questions]
    assert [without_times(one["answer"]) for one in told["answers"]] == [
        without_times(one) for one in alone
    ]
    ids = {told["request_id"], *(one["answer"]["request_id"] for one in told["answers"])}
    assert len(ids) == 3, "each answer has an id of its own"


def test_what_is_wrong_with_one_question_is_no_matter_of_the_others(client):
    questions = [
        {"query": "steel", "filter": "price <"},
        {"query": "steel", "cursor": "old"},
        {"query": "steel"},
    ]
    told = client.post("/v1/search:batch", {"searches": questions}).json()["answers"]
    assert [one["problem"] and one["problem"]["status"] for one in told] == [422, 410, None]
    assert told[0]["problem"]["errors"][0]["position"] == 8
    assert [one["answer"] is None for one in told] == [True, True, False]


def test_places_are_filled_together_each_by_itself(client):
    places = [
        {"placement": "similar", "item_id": "kettle"},
        {"placement": "similar", "item_id": "unicorn"},
        {"placement": "home", "history": ["lamp"]},
    ]
    told = client.post("/v1/recommendations:batch", {"recommendations": places}).json()["answers"]
    hits = [one["answer"] and [hit["item_id"] for hit in one["answer"]["hits"]] for one in told]
    assert hits == [["teapot"], None, ["bulb"]]
    assert told[1]["problem"]["type"] == "urn:twotower:problem:unknown-item"


@pytest.mark.parametrize("n", [0, MAX_QUESTIONS + 1])
def test_no_questions_and_too_many_are_refused_whole(client, n):
    assert client.post("/v1/search:batch", {"searches": [{"query": "x"}] * n}).status_code == 422
    places = {"recommendations": [{"placement": "home"}] * n}
    assert client.post("/v1/recommendations:batch", places).status_code == 422


def test_a_batch_counts_as_its_questions_against_the_rate_of_a_key(open_shop, where):
    with ShopDatabase(where) as database:
        key, _ = database.keys.add("page", ["search"], per_minute=60)  # 10 at once
    shown = {"X-API-Key": key}
    batch = {"searches": [{"query": "steel"}] * 10}
    with open_shop() as client:
        assert client.post("/v1/search:batch", batch, headers=shown).status_code == 200
        assert client.post("/v1/search:batch", batch, headers=shown).status_code == 429


def test_a_search_by_address_answers_as_the_body_does(client):
    by_address = client.get(
        "/v1/search?q=steel+lamp&k=2&mode=lexical&facets=brand&facets=category&filter=brand%3D%22Koda%22"
    ).json()
    asked = {"query": "steel lamp", "k": 2, "mode": "lexical", "filter": 'brand="Koda"'}
    by_body = client.post("/v1/search", {**asked, "facets": ["brand", "category"]}).json()
    assert by_address["total"] > 0
    assert without_times(by_address) == without_times(by_body)


@pytest.mark.parametrize(
    ("address", "path"),
    [
        ("k=3", "query.q"),
        ("q=steel&k=0", "query.k"),
        ("q=steel&colour=red", "query.colour"),
        ("q=steel&filter=price%20%3C", "query.filter"),
        ("q=steel&facets=shoe", "query.facets[0]"),
    ],
)
def test_each_fault_of_an_address_is_named_by_its_path(client, address, path):
    refused = client.get(f"/v1/search?{address}")
    assert refused.status_code == 422
    assert [fault["path"] for fault in refused.json()["errors"]] == [path]
