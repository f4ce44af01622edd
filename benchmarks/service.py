"""The server under load: latency by route at rising rates, by stage, processor time, memory.

    python benchmarks/service_shop.py PATH/bestbuy_catalogue SHOP    # once
    twotower build SHOP --out BUNDLE --set training.epochs=1 --set training.negatives=uniform
    python benchmarks/service.py BUNDLE PATH/bestbuy_queries [--seconds 10] [--workers 1 2]

The load comes from this process; each server is one of its own, over real HTTP. Queries are what
people typed at Best Buy. A rate that is not kept up with is the last one of its route. Beside it
stands the classic approach (`classic_shop.py`), where Flask and pandas are installed.

Processor time is that of the servers alone, by request. It is the number to compare where a
machine has other work; latencies then tell of that work too.
"""

import argparse
import importlib.util
import os
import re
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from urllib.parse import quote

import numpy as np
import polars as pl
from open_loop import Outcome, Request, loaded

FACETS = ["brand", "category", "price", "in_stock"]
RATES = {
    "search": (5, 10, 20, 40, 60, 90),
    "recommendations": (20, 50, 100, 150),
    "suggest": (20, 50, 100),
    "classic": (2, 5, 10, 20),
}
TOO_LATE_MS = 2_000
TICKS = os.sysconf("SC_CLK_TCK")
SERVE = "from twotower.cli import main; main()"
HEAD = (
    "| route | workers | asked/s | answered/s | p50 ms | p95 | p99 | not 200 | processor ms "
    "a request | memory MB |\n|---|---|---|---|---|---|---|---|---|---|"
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("bundle", type=Path)
    parser.add_argument("queries", type=Path, help="folder of queries.parquet")
    parser.add_argument("--seconds", type=float, default=10.0, help="of each rate")
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2])
    asked = parser.parse_args()
    plan = Plan(asked.queries, asked.bundle)
    print(HEAD)
    for workers in asked.workers:
        with servers(asked.bundle, workers) as running:
            for route in ("search", "recommendations", "suggest"):
                climb(route, plan, running, asked.seconds)
            stages = stages_of(running[0])
    if importlib.util.find_spec("flask") and importlib.util.find_spec("pandas"):
        with classic(asked.bundle) as running:
            climb("classic", plan, [running], asked.seconds)
    print("\n| stage, of the first server | mean ms |\n|---|---|", *stages, sep="\n")


class Plan:
    """Requests of each route, always the same ones."""

    def __init__(self, queries: Path, bundle: Path) -> None:
        typed = pl.read_parquet(queries / "queries.parquet")["query"].str.strip_chars()
        self._typed = typed.filter(typed.str.len_chars() > 0).to_list()
        self._items = pl.read_parquet(bundle / "data" / "items.parquet")["item_id"].to_list()

    def requests(self, route: str, n: int) -> list[Request]:
        rng = np.random.default_rng(n)
        typed = [self._typed[one] for one in rng.integers(len(self._typed), size=n)]
        if route == "search":
            return [Request("/v1/search", {"query": one, "facets": FACETS}) for one in typed]
        if route == "suggest":
            return [Request(f"/v1/suggest?q={quote(one[:4])}") for one in typed]
        if route == "classic":
            return [Request(f"/api/recommend?q={quote(one)}&top_k=10") for one in typed]
        seen = rng.integers(len(self._items), size=(n, 8))
        return [
            Request(
                "/v1/recommendations",
                {"placement": "home", "history": [self._items[one] for one in row]},
            )
            for row in seen
        ]


def climb(route: str, plan: Plan, running: Sequence["Server"], seconds: float) -> None:
    """One line of the table for each rate, until one is not kept up with."""
    addresses = [one.address for one in running]
    loaded(addresses, plan.requests(route, 20), 5)
    for per_s in RATES[route]:
        requests = plan.requests(route, int(per_s * seconds))
        before, began = sum(one.processor_s() for one in running), time.perf_counter()
        outcome = loaded(addresses, requests, per_s)
        lasted = time.perf_counter() - began
        spent = sum(one.processor_s() for one in running) - before
        print(line(route, running, per_s, outcome, lasted, spent), flush=True)
        if outcome.percentile(50) > TOO_LATE_MS:
            return


def line(
    route: str,
    running: Sequence["Server"],
    per_s: float,
    outcome: Outcome,
    lasted: float,
    spent: float,
) -> str:
    n = len(outcome.took_ms)
    p50, p95, p99 = (outcome.percentile(one) for one in (50, 95, 99))
    others = n - outcome.statuses.get(200, 0)
    memory = sum(one.memory_mb() for one in running)
    return (
        f"| {route} | {len(running)} | {per_s:g} | {n / lasted:.0f} | {p50:.1f} | {p95:.1f} | "
        f"{p99:.1f} | {others} | {spent * 1_000 / n:.2f} | {memory:.0f} |"
    )


class Server:
    """A process that answers at an address."""

    def __init__(self, command: Sequence[str], port: int) -> None:
        self.address = f"http://127.0.0.1:{port}"
        self._process = subprocess.Popen(command, stdout=subprocess.DEVNULL)  # noqa: S603 - our own

    def wait(self, path: str) -> None:
        """Until it answers there, whatever it answers."""
        until = time.monotonic() + 180
        while time.monotonic() < until and self._process.poll() is None:
            try:
                urllib.request.urlopen(self.address + path).close()  # noqa: S310 - our own address
                return
            except urllib.error.HTTPError:
                return
            except OSError:
                time.sleep(0.2)
        raise SystemExit(f"the server at {self.address} did not start")

    def processor_s(self) -> float:
        fields = Path(f"/proc/{self._process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICKS

    def memory_mb(self) -> float:
        status = Path(f"/proc/{self._process.pid}/status").read_text()
        return int(re.search(r"VmRSS:\s+(\d+)", status).group(1)) / 1_024

    def stop(self) -> None:
        self._process.terminate()
        self._process.wait()


@contextmanager
def servers(bundle: Path, workers: int) -> Iterator[list[Server]]:
    """Servers on one database, as `twotower serve` starts them."""
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        database = str(Path(folder) / "shop.sqlite")
        running = []
        for port in free_ports(workers):
            words = ["serve", str(bundle), "--port", str(port), "--database", database]
            running.append(Server([sys.executable, "-c", SERVE, *words], port))
            stack.callback(running[-1].stop)
        for one in running:
            one.wait("/health/ready")
        yield running


@contextmanager
def classic(bundle: Path) -> Iterator[Server]:
    """The classic approach, in a process of its own."""
    [port] = free_ports(1)
    program = Path(__file__).with_name("classic_shop.py")
    server = Server([sys.executable, str(program), str(bundle), str(port)], port)
    server.wait("/api/recommend?q=dvd")
    yield server
    server.stop()


def free_ports(n: int) -> list[int]:
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(n)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]


def stages_of(server: Server) -> list[str]:
    """Mean milliseconds of each stage since the server started, by route."""
    with urllib.request.urlopen(f"{server.address}/metrics") as answer:  # noqa: S310 - our own
        text = answer.read().decode()
    found = re.findall(
        r'twotower_stage_seconds_(sum|count){route="([^"]+)",stage="([^"]+)"} (\S+)', text
    )
    sums = {(route, stage): float(value) for kind, route, stage, value in found if kind == "sum"}
    counts = {(route, stage): float(value) for kind, route, stage, value in found if kind != "sum"}
    asked = dict(re.findall(r'cache_requests_total{cache="search",outcome="(\w+)"} (\S+)', text))
    hits, misses = float(asked.get("hit", 0)), float(asked.get("miss", 0))
    print(f"\n{hits / (hits + misses):.0%} of the searches had been asked before.")
    return [
        f"| {route} {stage} | {sums[route, stage] / count * 1_000:.2f} |"
        for (route, stage), count in counts.items()
    ]


if __name__ == "__main__":
    main()
