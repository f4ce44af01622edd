"""Requests at a given rate, whatever the answers do: an open loop over real HTTP.

A request is sent when its moment has come, on a connection of its own where all others wait for
answers. Latency counts from that moment, so a server that falls behind is seen to.
"""

import asyncio
import json
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import numpy as np

MOST_CONNECTIONS = 400
WAIT_S = 20.0


@dataclass(frozen=True)
class Request:
    """What is sent: a path, and a body where it is a POST."""

    path: str
    body: object = None

    def encoded(self, host: str) -> bytes:
        content = b"" if self.body is None else json.dumps(self.body).encode()
        method = "GET" if self.body is None else "POST"
        head = (
            f"{method} {self.path} HTTP/1.1\r\nHost: {host}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(content)}\r\n\r\n"
        )
        return head.encode() + content


@dataclass
class Outcome:
    """Milliseconds of the answers, and how many there were of each status; 0 is none at all."""

    took_ms: list[float] = field(default_factory=list)
    statuses: dict[int, int] = field(default_factory=dict)

    def add(self, status: int, took_ms: float) -> None:
        self.statuses[status] = self.statuses.get(status, 0) + 1
        self.took_ms.append(took_ms)

    def percentile(self, share: float) -> float:
        return float(np.percentile(self.took_ms, share))


def loaded(addresses: Sequence[str], requests: Sequence[Request], per_s: float) -> Outcome:
    """Sends requests at a rate, to the addresses in turn, and waits for all answers."""
    return asyncio.run(_loaded(addresses, requests, per_s))


async def _loaded(addresses: Sequence[str], requests: Sequence[Request], per_s: float) -> Outcome:
    outcome = Outcome()
    places = [_Connections(address) for address in addresses]
    began = time.perf_counter() + 0.05
    running = []
    for number, request in enumerate(requests):
        due = began + number / per_s
        await asyncio.sleep(max(0.0, due - time.perf_counter()))
        place = places[number % len(places)]
        running.append(asyncio.create_task(_one(place, request, due, outcome)))
    await asyncio.gather(*running)
    for place in places:
        place.close()
    return outcome


async def _one(place: "_Connections", request: Request, due: float, outcome: Outcome) -> None:
    try:
        status = await asyncio.wait_for(place.ask(request), WAIT_S)
    except (OSError, TimeoutError, asyncio.IncompleteReadError, ValueError):
        status = 0
    outcome.add(status, (time.perf_counter() - due) * 1_000)


class _Connections:
    """Connections to one server; one that is not waiting for an answer is used again."""

    def __init__(self, address: str) -> None:
        parts = urlsplit(address)
        self._host, self._port = str(parts.hostname), int(parts.port or 80)
        self._free: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = []
        self._room = asyncio.Semaphore(MOST_CONNECTIONS)

    async def ask(self, request: Request) -> int:
        async with self._room:
            if self._free:
                reader, writer = self._free.pop()
            else:
                reader, writer = await asyncio.open_connection(self._host, self._port)
            writer.write(request.encoded(f"{self._host}:{self._port}"))
            head = await reader.readuntil(b"\r\n\r\n")
            length = _header(head, b"content-length")
            await reader.readexactly(length)
            if b"connection: close" in head.lower() or head.startswith(b"HTTP/1.0"):
                writer.close()
            else:
                self._free.append((reader, writer))
            return int(head.split(b" ", 2)[1])

    def close(self) -> None:
        for _, writer in self._free:
            writer.close()


def _header(head: bytes, name: bytes) -> int:
    for line in head.lower().split(b"\r\n"):
        key, _, value = line.partition(b":")
        if key == name:
            return int(value)
    raise ValueError("an answer without a length")
