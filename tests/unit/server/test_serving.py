"""The server as a process of its own: its port, its ready line, its end."""

import re
import signal
import socket
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from twotower.server.run import _listening
from twotower.server.settings import ServerSettings
from twotower.shop.database import ShopDatabase

PATIENCE_S = 30
PROGRAM = Path(__file__).with_name("serve_fake.py")


@contextmanager
def started(where, port=0):
    """Yields the process and its address once it says it is ready."""
    command = [sys.executable, PROGRAM, str(port), where]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            address = re.search(r"http://\S+", process.stdout.readline())
            yield process, address and address.group()
        finally:
            process.kill()


def test_small_answers_do_not_wait_for_more_to_send():
    with _listening(ServerSettings(port=0)) as listener:
        listener.listen()
        with socket.create_connection(listener.getsockname()), listener.accept()[0] as accepted:
            assert accepted.proto == socket.IPPROTO_TCP  # asyncio's condition for TCP_NODELAY


def view(event_id):
    return {"event_id": event_id, "visitor_id": "v", "item_id": "kettle", "event": "view"}


def test_the_ready_line_is_true_and_a_stop_signal_ends_it_with_success(where):
    with started(where) as (process, address):
        assert httpx.get(f"{address}/health/ready").status_code == 200
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=10) == 0


def test_a_running_request_is_finished_before_the_end(where):
    answers = []
    with started(where) as (process, address):
        question = {"query": "slowly"}
        asking = threading.Thread(
            target=lambda: answers.append(httpx.post(f"{address}/v1/search", json=question))
        )
        asking.start()
        assert process.stdout.readline() == "answering slowly\n"
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=10) == 0
        asking.join()
    assert [answer.status_code for answer in answers] == [200]


def test_a_port_in_use_is_said_in_one_line_with_the_remedy(where):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        command = [sys.executable, PROGRAM, port, where]
        finished = subprocess.run(command, capture_output=True, text=True, check=False)
    assert finished.returncode == 1
    assert f"cannot listen on 127.0.0.1 port {port}" in finished.stdout
    assert "--port" in finished.stdout
    assert "Traceback" not in finished.stderr


def test_a_shop_that_cannot_warm_up_does_not_start(where):
    command = [sys.executable, PROGRAM, "0", where, "fail"]
    finished = subprocess.run(command, capture_output=True, text=True, check=False)
    assert finished.returncode == 1
    assert "the server did not start" in finished.stdout
    assert "cannot warm up" in finished.stderr


class Sender:
    """Sends events and changes of one product until the server dies; knows what was told of."""

    def __init__(self, address, run):
        self.run, self.acknowledged, self.steps = run, [], []
        self._thread = threading.Thread(target=self._send, args=(address,))
        self._thread.start()

    def wait_for(self, n_answers):
        while len(self.steps) < n_answers and self._thread.is_alive():
            time.sleep(0.005)

    def join(self):
        self._thread.join()

    def _send(self, address):
        with httpx.Client(base_url=address) as client:
            for step in range(100_000):
                try:
                    self._step(client, step)
                except httpx.TransportError:
                    return

    def _step(self, client, step):
        batch = {"events": [view(f"{self.run}-{step}-{place}") for place in range(3)]}
        told = client.post("/v1/events", json=batch)
        self.acknowledged.extend(told.json()["accepted"])
        product = f"/v1/products/product-{self.run}"
        if step % 3 == 2:
            changed = client.delete(product)
        else:
            changed = client.put(product, json={"title": "T", "price": step})
        assert changed.status_code == 200, changed.text
        self.steps.append(step)


def price_left(body):
    return "deleted" if body is None else body["price"]


@pytest.mark.parametrize("kills", [3, pytest.param(30, marks=pytest.mark.slow)])
def test_all_that_was_acknowledged_over_http_survives_kills_exactly_once(shop_address, kills):
    senders = []
    for run in range(kills):
        with started(shop_address) as (process, address):
            senders.append(sender := Sender(address, run))
            sender.wait_for(3 + run % 10)
            process.send_signal(signal.SIGKILL)
            sender.join()
    with ShopDatabase(shop_address) as database:
        stored = [one.event_id for _, one in database.events.after(0, limit=1_000_000)]
        left = {one.item_id: price_left(one.body) for one in database.products.after(0, limit=99)}
    acknowledged = [event_id for sender in senders for event_id in sender.acknowledged]
    assert len(acknowledged) > 3 * kills
    assert len(stored) == len(set(stored))
    assert set(acknowledged) <= set(stored)
    for sender in senders:
        last = sender.steps[-1]
        possible = {"deleted" if step % 3 == 2 else step for step in (last, last + 1)}
        assert left[f"product-{sender.run}"] in possible


def test_two_processes_on_one_database_serve_each_others_products(shop_address):
    with started(shop_address) as (_, one), started(shop_address) as (_, other):
        put = httpx.put(f"{one}/v1/products/samovar", json={"title": "Copper samovar"})
        assert put.status_code == 200
        until = time.monotonic() + PATIENCE_S
        while httpx.get(f"{other}/v1/products/samovar").status_code == 404:
            assert time.monotonic() < until
            time.sleep(0.02)
        deleted = httpx.delete(f"{other}/v1/products/samovar")
        assert deleted.status_code == 200
        while httpx.get(f"{one}/v1/products/samovar").status_code == 200:
            assert time.monotonic() < until
            time.sleep(0.02)
