"""What breaks around a running server, and what it does meanwhile and afterwards."""

import itertools
import re
import signal
import socket
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest
from asgi_client import opened
from fake_retriever import FakeRetriever

from postgres_server import started
from twotower.server import live_shop
from twotower.server.app import create_app
from twotower.server.settings import ServerSettings
from twotower.shop.database import ShopDatabase

PROGRAM = Path(__file__).with_name("serve_fake.py")
HOUR_MS = 3_600_000


def event(event_id, item="kettle"):
    return {"event_id": event_id, "visitor_id": "v1", "item_id": item, "event": "view"}


def send(client, *event_ids, item="kettle"):
    return client.post("/v1/events", {"events": [event(one, item) for one in event_ids]})


@pytest.fixture
def own_server():
    with started() as server:
        yield server


def test_while_the_database_is_away_searches_go_on_and_nothing_is_acknowledged(
    own_server, tmp_path
):
    database = ShopDatabase(own_server.new_database())
    settings = ServerSettings(follow_interval_s=60)
    with opened(create_app(FakeRetriever(), database, settings, pages=tmp_path)) as client:
        assert send(client, "before").status_code == 202
        own_server.stop(at_once=True)
        assert client.post("/v1/search", {"query": "steel"}).json()["total"] == 2
        home = client.post("/v1/recommendations", {"placement": "home", "visitor_id": "v1"})
        assert (home.status_code, home.json()["degraded"]) == (200, True)
        for refused in (
            send(client, "meanwhile"),
            client.put("/v1/products/new", {"title": "New"}),
            client.request("DELETE", "/v1/products/lamp"),
            client.request("DELETE", "/v1/visitors/v1"),
        ):
            assert refused.status_code == 503
            assert refused.json()["type"] == "urn:twotower:problem:storage-unavailable"
            assert int(refused.headers["Retry-After"]) > 0
        assert client.get("/v1/products/lamp").status_code == 200
        own_server.start()
        again = send(client, "before", "meanwhile").json()
        assert (again["duplicate"], again["accepted"]) == (["before"], ["meanwhile"])
        assert client.put("/v1/products/new", {"title": "New"}).status_code == 200
        assert client.get("/v1/visitors/v1").json()["n_events"] == 2


@pytest.mark.parametrize("jump_ms", [-24 * HOUR_MS, 24 * HOUR_MS])
def test_when_the_clock_jumps_every_event_is_kept_and_counts(client, monkeypatch, jump_ms):
    start_ms = 1_763_000_000_000
    ticks = itertools.count(start_ms)
    jumped = []

    def clock():
        return (next(ticks) + (jump_ms if jumped else 0)) * 1_000_000

    monkeypatch.setattr(live_shop.time, "time_ns", clock)
    assert send(client, "before").status_code == 202
    jumped.append(True)
    assert send(client, "during", item="lamp").json()["accepted"] == ["during"]
    jumped.clear()
    assert send(client, "after", item="bulb").json()["accepted"] == ["after"]
    assert send(client, "before", "during", "after").json()["accepted"] == []
    home = client.post("/v1/recommendations", {"placement": "home", "visitor_id": "v1"}).json()
    assert home["history_length"] == 3
    ids = [client.get("/health/live").headers["X-Request-ID"] for _ in range(20)]
    assert len(set(ids)) == 20


def test_clients_that_never_end_their_request_hold_up_nobody_and_not_the_end(where):
    command = [sys.executable, PROGRAM, "0", where]
    with ExitStack() as stack:
        process = stack.enter_context(subprocess.Popen(command, stdout=subprocess.PIPE, text=True))
        stack.callback(process.kill)
        ready = re.search(r"http://([\d.]+):(\d+)", process.stdout.readline())
        for _ in range(50):
            slow = stack.enter_context(socket.create_connection((ready[1], int(ready[2]))))
            slow.sendall(b"POST /v1/search HTTP/1.1\r\nHost: localhost\r\nContent-Le")
        question = {"query": "steel"}
        for _ in range(5):
            answer = httpx.post(f"{ready.group()}/v1/search", json=question, timeout=30)
            assert answer.json()["total"] == 2
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=20) == 0
