"""Rules over HTTP: kept, listed, replaced, taken away, tried, and given to every list."""

from typing import get_args

import pytest
from fake_retriever import FakeRetriever

from twotower.retrieval import diversity, rules
from twotower.server import requests, rule_shapes
from twotower.shop.database import ShopDatabase

HIDE = {"action": "hide", "filter": 'brand = "Koda"'}
PIN = {"action": "pin", "item_ids": ["lamp"], "position": 2, "query": "steel", "places": ["search"]}


def ids_of(client):
    return [one["rule_id"] for one in client.get("/v1/rules").json()["rules"]]


def test_a_rule_is_stored_shown_replaced_and_deleted(client):
    told = client.put("/v1/rules/no koda", HIDE).json()
    assert told["rule"]["filter"] == HIDE["filter"]
    assert told["n_products"] == 2
    assert client.get("/v1/rules/no koda").json()["rule"] == told["rule"]
    client.put("/v1/rules/a lamp", PIN)
    assert ids_of(client) == ["a lamp", "no koda"]
    client.put("/v1/rules/no koda", PIN)
    assert client.get("/v1/rules/no koda").json()["rule"]["action"] == "pin"
    assert client.request("DELETE", "/v1/rules/no koda").status_code == 200
    assert ids_of(client) == ["a lamp"]
    for method in ("GET", "DELETE"):
        missing = client.request(method, "/v1/rules/no koda")
        assert missing.json()["type"] == "urn:twotower:problem:unknown-rule"


def test_rules_outlive_the_server(open_shop):
    with open_shop() as client:
        client.put("/v1/rules/r", HIDE)
    with open_shop() as client:
        assert ids_of(client) == ["r"]


@pytest.mark.parametrize(
    ("path", "question"),
    [
        ("/v1/search", {"query": "steel"}),
        ("/v1/recommendations", {"placement": "home", "history": ["lamp"]}),
        ("/v1/recommendations", {"placement": "similar", "item_id": "lamp"}),
        ("/v1/recommendations", {"placement": "also_bought", "item_id": "lamp"}),
        ("/v1/recommendations", {"placement": "trending"}),
        ("/v1/recommendations", {"placement": "newest"}),
    ],
)
def test_every_list_is_made_under_the_rules(open_shop, path, question):
    retriever = FakeRetriever()
    with open_shop(retriever=retriever) as client:
        client.put("/v1/rules/r", HIDE)
        client.post(path, question)
        assert [rule.rule_id for rule in retriever.asked["rules"]] == ["r"]
        if "query" not in question:
            client.post(path, {**question, "diversity": 0.5, "at_most": {"brand": 2}})
            assert retriever.asked["diversity"] == diversity.Diversity(0.5, {"brand": 2})


@pytest.mark.parametrize("address", ["/api/search?q=steel", "/api/recommend?q=steel"])
def test_the_classic_lists_are_made_under_the_rules(open_shop, address):
    retriever = FakeRetriever()
    with open_shop(retriever=retriever) as client:
        client.put("/v1/rules/r", HIDE)
        assert client.get(address).status_code == 200
    assert [rule.rule_id for rule in retriever.asked["rules"]] == ["r"]


def test_a_preview_shows_both_lists_as_if_the_time_had_come_and_stores_nothing(open_shop):
    retriever = FakeRetriever()
    with open_shop(retriever=retriever) as client:
        client.put("/v1/rules/r", PIN)
        later = {**HIDE, "starts": 4_000_000_000_000}
        asked = {"rule": later, "rule_id": "r", "search": {"query": "steel"}}
        told = client.post("/v1/rules:preview", asked).json()
        [tried] = retriever.asked["rules"]
        assert (tried.rule_id, tried.action, tried.starts) == ("r", "hide", None)
        assert told["n_products"] == 2
        assert [one["item_id"] for one in told["before"]] == ["kettle", "a/b"]
        assert told["total_after"] == len(told["after"])
        assert client.get("/v1/rules/r").json()["rule"]["action"] == "pin"


@pytest.mark.parametrize(
    ("body", "named"),
    [
        ({"action": "love", "filter": "in_stock"}, "body.action"),
        ({**PIN, "position": 0}, "body.position"),
        ({"action": "boost", "filter": "in_stock", "strength": 0}, "body.strength"),
        ({"action": "boost", "filter": "in_stock"}, "strength is needed"),
        ({**HIDE, "starts": 5, "ends": 4}, "ends must be after starts"),
        ({"action": "hide", "filter": "brnd = 1"}, "body.filter"),
        ({**HIDE, "places": ["shelf"]}, "body.places"),
        ({**HIDE, "colour": "red"}, "body.colour"),
    ],
)
def test_what_is_no_rule_is_refused_by_name_and_not_stored(client, body, named):
    refused = client.put("/v1/rules/r", body)
    assert refused.status_code == 422
    assert named in refused.json()["detail"]
    assert ids_of(client) == []


@pytest.mark.parametrize(
    "lists", [{}, {"search": {"query": "a"}, "recommendation": {"placement": "home"}}]
)
def test_a_preview_is_of_one_list(client, lists):
    refused = client.post("/v1/rules:preview", {"rule": HIDE, **lists})
    assert refused.status_code == 422
    assert "either search or recommendation" in refused.json()["detail"]


def test_rules_are_for_keys_of_the_scope_admin(open_shop, where):
    with ShopDatabase(where) as database:
        page, _ = database.keys.add("page", ["search"])
    with open_shop() as client:
        refused = client.put("/v1/rules/r", HIDE, headers={"X-API-Key": page})
    assert refused.json()["type"] == "urn:twotower:problem:scope-required"


def test_the_interface_offers_what_the_retriever_can_do():
    assert get_args(rule_shapes.Action) == get_args(rules.Action)
    assert get_args(requests.Capped) == get_args(diversity.Capped)
