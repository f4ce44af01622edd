"""Many products in one request: each line is judged by itself, the sound ones count together."""

import json

import pytest

from twotower.server.requests import MAX_PRODUCTS
from twotower.server.settings import ServerSettings

NDJSON = {"Content-Type": "application/x-ndjson"}


def send(client, *lines):
    raw = [one if isinstance(one, bytes) else json.dumps(one).encode() for one in lines]
    address = "/v1/products:batch"
    return client.request("POST", address, content=b"\n".join(raw), headers=NDJSON)


def found(client, query):
    return [hit["item_id"] for hit in client.post("/v1/search", {"query": query}).json()["hits"]]


def test_sound_lines_are_found_by_the_next_search_and_the_others_are_named(client):
    answer = send(
        client,
        {"item_id": "urn", "title": "Copper urn", "price": 80},
        b"",
        b"{bad",
        {"item_id": "kettle", "deleted": True},
        {"item_id": "mug"},
        {"item_id": "jug", "title": "Jug", "price": -1, "colour": "red"},
        {"item_id": "unicorn", "deleted": True},
        [1, 2],
        {"item_id": "lamp", "deleted": False},
    )
    told = answer.json()
    assert answer.status_code == 200
    assert (told["stored"], told["deleted"], told["indexed"]) == (1, 1, True)
    assert {one["line"]: one["reason"].split(":")[0] for one in told["rejected"]} == {
        3: "the line must be a JSON object",
        5: "title",
        6: "price",
        7: "there is no item 'unicorn' to take out; check its id",
        8: "the line must be a JSON object",
        9: "deleted",
    }
    assert found(client, "urn steel") == ["a/b", "urn"]


def test_lines_count_in_their_order_and_also_after_a_restart(open_shop):
    with open_shop() as client:
        told = send(
            client,
            {"item_id": "urn", "title": "Copper urn"},
            {"item_id": "urn", "deleted": True},
            {"item_id": "urn", "title": "Silver urn"},
            {"item_id": "urn", "deleted": True},
            {"item_id": "urn", "deleted": True},
            {"item_id": "pan", "title": "Pan"},
            {"item_id": "pan", "title": "Iron pan"},
        ).json()
        assert (told["stored"], told["deleted"]) == (4, 2)
        assert [one["line"] for one in told["rejected"]] == [5], "it was gone by then"
    with open_shop() as client:
        assert found(client, "urn iron") == ["pan"]


def test_a_batch_that_cannot_be_stored_changes_nothing(client):
    with client.app.state.releases.current.database.transactions.outside() as connection:
        connection.exec_driver_sql("DROP TABLE products")
    refused = send(client, {"item_id": "urn", "title": "Copper urn"})
    assert refused.status_code == 503
    assert found(client, "urn") == []


@pytest.mark.parametrize("lines", [[], [b"", b"  "], [b"{}"] * (MAX_PRODUCTS + 1)])
def test_no_lines_and_too_many_are_refused_whole(client, lines):
    refused = send(client, *lines)
    assert refused.status_code == 422
    assert refused.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(
    "line",
    [b"[" * 100_000, b'{"item_id":' * 50_000, b"9" * 100_000, b'{"item_id": "\xff", "title": "x"}'],
)
def test_a_line_made_to_hurt_is_one_that_is_rejected(client, line):
    told = send(client, line, {"item_id": "urn", "title": "Copper urn"}).json()
    assert ([one["line"] for one in told["rejected"]], told["stored"]) == ([1], 1)
    assert len(told["rejected"][0]["reason"]) < 500


def test_a_batch_above_the_limit_of_bodies_is_refused(open_shop):
    with open_shop(ServerSettings(max_body_bytes=1_000)) as client:
        assert send(client, {"item_id": "urn", "title": "x" * 2_000}).status_code == 413
