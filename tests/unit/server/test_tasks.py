"""Changes that are acknowledged when they are stored, and how far searches are with them."""

import json

import pytest

from twotower.server.indexing import IndexingTask
from twotower.server.settings import ServerSettings

SLOW_TO_FOLLOW = ServerSettings(follow_interval_s=60)


@pytest.fixture
def client(open_shop):
    """Of a server that looks at the feed when it is told to, and not by itself meanwhile."""
    with open_shop(SLOW_TO_FOLLOW) as opened_client:
        yield opened_client


def found(client, query):
    return [hit["item_id"] for hit in client.post("/v1/search", {"query": query}).json()["hits"]]


def task(client, task_id):
    told = client.get(f"/v1/tasks/{task_id}").json()
    return told["status"], told["progress"]


def catch_up(client):
    client.app.state.releases.current.catch_up()


def test_a_batch_that_does_not_wait_is_a_task_until_searches_know_of_it(client):
    lines = [{"item_id": f"urn-{one}", "title": "Copper urn"} for one in range(4)]
    content = b"\n".join(json.dumps(one).encode() for one in lines)
    told = client.request("POST", "/v1/products:batch?wait=stored", content=content).json()
    assert (told["stored"], told["indexed"]) == (4, False)
    assert task(client, told["task_id"]) == ("running", 0)
    assert found(client, "urn") == []
    catch_up(client)
    assert task(client, told["task_id"]) == ("done", 1)
    assert found(client, "urn") == [one["item_id"] for one in lines]


@pytest.mark.parametrize("wait", ["", "?wait=indexed"])
def test_who_waits_has_no_task_and_reads_what_was_written(client, wait):
    told = client.put(f"/v1/products/urn{wait}", {"title": "Copper urn"}).json()
    assert (told["indexed"], told["task_id"]) == (True, None)
    assert found(client, "urn") == ["urn"]
    gone = client.request("DELETE", f"/v1/products/urn{wait}").json()
    assert (gone["indexed"], gone["task_id"]) == (True, None)
    assert found(client, "urn") == []


def test_single_changes_that_do_not_wait_answer_with_the_product_as_it_is_stored(client):
    gone = client.request("DELETE", "/v1/products/lamp?wait=stored").json()
    new = client.put("/v1/products/urn?wait=stored", {"title": "Copper urn", "price": 80}).json()
    patched = client.request(
        "PATCH", "/v1/products/kettle?wait=stored", json={"price": 9.5, "brand": None}
    ).json()
    assert new["item"]["price"] == 80
    assert (patched["item"]["title"], patched["item"]["brand"]) == ("Steel kettle", None)
    assert found(client, "urn kettle lamp") == ["kettle", "lamp"], "as before"
    tasks = [one["task_id"] for one in (new, patched, gone)]
    assert {task(client, one) for one in tasks} == {("running", 0)}
    catch_up(client)
    assert {task(client, one) for one in tasks} == {("done", 1)}
    assert found(client, "urn kettle lamp") == ["kettle", "urn"]


def test_a_task_outlives_the_server_that_named_it(open_shop):
    with open_shop(SLOW_TO_FOLLOW) as client:
        told = client.put("/v1/products/urn?wait=stored", {"title": "Copper urn"}).json()
    with open_shop(SLOW_TO_FOLLOW) as client:
        assert task(client, told["task_id"]) == ("done", 1)
        assert found(client, "urn") == ["urn"]


@pytest.mark.parametrize("task_id", ["products-1-1", "products-2-1", "products-0-0", "x", "%20"])
def test_a_task_that_was_never_named_is_a_problem(client, task_id):
    missing = client.get(f"/v1/tasks/{task_id}")
    assert missing.status_code == 404
    assert missing.json()["type"] == "urn:twotower:problem:unknown-task"


def test_a_task_is_done_also_where_a_later_change_has_replaced_its_own(client):
    first = client.put("/v1/products/urn?wait=stored", {"title": "Copper urn"}).json()
    client.put("/v1/products/urn?wait=stored", {"title": "Silver urn"})
    catch_up(client)
    assert task(client, first["task_id"]) == ("done", 1)


def test_another_way_to_wait_is_refused(client):
    refused = client.put("/v1/products/urn?wait=forever", {"title": "Copper urn"})
    assert refused.status_code == 422
    assert refused.json()["errors"][0]["path"] == "query.wait"


@pytest.mark.parametrize(("cursor", "progress"), [(0, 0), (2, 0), (3, 0.25), (5, 0.75), (9, 1)])
def test_progress_is_the_share_of_its_changes_that_are_applied(cursor, progress):
    assert IndexingTask(3, 6).progress(cursor) == progress
