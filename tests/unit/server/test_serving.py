"""The server as a process of its own: its port, its ready line, its end."""

import re
import signal
import socket
import sqlite3
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
        time.sleep(0.2)
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


def send_until_it_dies(address, run, acknowledged):
    with httpx.Client() as client:
        for step in range(100_000):
            batch = {"events": [view(f"{run}-{step}-{place}") for place in range(3)]}
            try:
                response = client.post(f"{address}/v1/events", json=batch)
            except httpx.TransportError:
                return
            acknowledged.extend(response.json()["accepted"])


@pytest.mark.parametrize("kills", [4])
def test_every_event_acknowledged_over_http_survives_a_kill_exactly_once(where, kills):
    acknowledged = []
    for run in range(kills):
        with started(where) as (process, address):
            sending = threading.Thread(target=send_until_it_dies, args=(address, run, acknowledged))
            sending.start()
            time.sleep(0.15 + 0.05 * run)
            process.send_signal(signal.SIGKILL)
            sending.join()
    with sqlite3.connect(where) as file:
        stored = [event_id for (event_id,) in file.execute("SELECT event_id FROM events")]
    file.close()
    assert len(acknowledged) > 3 * kills
    assert len(stored) == len(set(stored))
    assert set(acknowledged) <= set(stored)
