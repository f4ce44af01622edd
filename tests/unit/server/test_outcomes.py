"""Impressions, interactions and the list that they refer to; visits."""

import pytest


def told(client, *events):
    batch = [
        {"event_id": f"e{place}", "visitor_id": "v1", "item_id": item_id, "event": kind, **more}
        for place, (kind, item_id, more) in enumerate(events)
    ]
    reply = client.post("/v1/events", {"events": batch})
    assert reply.status_code == 202, reply.text
    return reply.json()["accepted"]


def test_what_came_of_a_list_is_told_by_its_request_id(client):
    found = client.post("/v1/search", {"query": "steel"}).json()
    of_it = {"request_id": found["request_id"]}
    seen = [("impression", hit["item_id"], of_it) for hit in found["hits"]]
    told(
        client,
        *seen,
        ("view", "kettle", of_it),
        ("view", "kettle", of_it),
        ("purchase", "kettle", of_it),
        ("view", "lamp", {"request_id": "another"}),
        ("view", "lamp", {}),
    )
    outcome = client.get(f"/v1/answers/{found['request_id']}").json()
    assert (outcome["answer_id"], outcome["is_whole"]) == (found["request_id"], True)
    assert (outcome["impressions"], outcome["events"]) == (2, {"view": 2, "purchase": 1})
    assert outcome["items"] == [
        {"item_id": "kettle", "impressions": 1, "events": {"view": 2, "purchase": 1}},
        {"item_id": "a/b", "impressions": 1, "events": {}},
    ]


def test_a_list_that_nobody_referred_to_has_no_outcome_yet(client):
    outcome = client.get("/v1/answers/unknown").json()
    assert (outcome["impressions"], outcome["events"], outcome["items"]) == (0, {}, [])


def test_being_shown_a_product_changes_no_recommendation(client):
    home = {"placement": "home", "visitor_id": "v1"}
    before = client.post("/v1/recommendations", home).json()
    told(client, ("impression", "lamp", {"request_id": "r"}))
    after = client.post("/v1/recommendations", home).json()
    assert after["history_length"] == before["history_length"] == 0
    assert after["hits"] == before["hits"]


def test_an_impression_of_no_list_is_refused(client):
    one = {"event_id": "e", "visitor_id": "v", "item_id": "lamp", "event": "impression"}
    refused = client.post("/v1/events", {"events": [one]})
    assert refused.status_code == 422
    assert "seen in which list" in refused.json()["detail"]


@pytest.mark.parametrize(
    ("minutes", "visits"),
    [
        ([0], [1]),
        ([0, 29, 58], [3]),
        ([0, 30], [1, 1]),
        ([0, 1, 40, 41, 42, 100], [1, 3, 2]),
    ],
)
def test_a_visit_ends_with_half_an_hour_of_nothing(client, minutes, visits):
    began = 1_700_000_000_000
    told(client, *(("view", "lamp", {"time": began + one * 60_000}) for one in minutes))
    sessions = client.get("/v1/visitors/v1").json()["sessions"]
    assert [one["n_events"] for one in sessions] == visits
    assert sessions[-1]["began"] == began
    assert sessions[0]["ended"] == began + minutes[-1] * 60_000


def test_a_log_without_a_clock_has_no_visits(client):
    assert client.get("/v1/visitors/bob").json()["sessions"] == []
