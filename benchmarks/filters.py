"""Filters: what they lose by selectivity and place, and what columns and facets cost.

    python benchmarks/filters.py [ROWS]

Recall is that of the 10 best under a filter, against exact search: `ours` is the index that
serves, `IDSelector` walks faiss's graph over allowed rows only. Times are processor time of
one thread.
"""

import sys
import time
from collections.abc import Callable

import faiss
import numpy as np
import polars as pl

from twotower.filtering.columns import Columns
from twotower.filtering.facets import facet_of
from twotower.filtering.grammar import read_filter
from twotower.filtering.masks import allowed_rows
from twotower.index.exact import ExactIndex
from twotower.index.hnsw import HnswConfig, HnswIndex

WIDTH, QUERIES, K, ROUNDS = 24, 40, 10, 7
SHARES = (0.5, 0.1, 0.01, 0.001, 0.0001)
FILTERS = (
    'brand = "b1"',
    'category = "A3"',
    "price < 20",
    'attributes = "c7"',
    'brand IN ["b1", "b2"] AND price < 50 AND in_stock AND category = "A1"',
)


def main(n_rows: int) -> None:
    """Print both tables."""
    random = np.random.default_rng(0)
    print("| allows | of the catalogue | ours | IDSelector | ours, ms |\n|---|---|---|---|---|")
    recalls(random, min(n_rows, 10_000))
    print(f"\n| {n_rows:,} products | ms |\n|---|---|")
    columns(random, n_rows)


def recalls(random: np.random.Generator, n_rows: int) -> None:
    """One row of the table for each place and share."""
    centres = random.normal(size=(n_rows // 10, WIDTH))
    vectors = centres[random.integers(len(centres), size=n_rows)]
    vectors = (vectors + 0.5 * random.normal(size=vectors.shape)).astype(np.float32)
    queries = random.normal(size=(QUERIES, WIDTH)).astype(np.float32)
    config = HnswConfig(links=16, build_effort=64, search_effort=64, scan_below=50)
    ours, exact = HnswIndex(vectors, config), ExactIndex(vectors)
    graph = faiss.IndexHNSWFlat(WIDTH, 16, faiss.METRIC_INNER_PRODUCT)
    graph.hnsw.efConstruction = 64
    graph.add(vectors)
    for place in ("any", "nearest", "farthest"):
        for share in SHARES:
            found, walked, spent = [], [], 0.0
            for query in queries:
                allowed = _allowed(vectors @ query, place, share, random)
                right = exact.search(query, K, allowed=allowed).rows[0]
                started = time.process_time()
                mine = ours.search(query, K, allowed=allowed).rows[0]
                spent += time.process_time() - started
                found.append(_recall(mine, right))
                walked.append(_recall(_walked(graph, query, allowed, share), right))
            shown = f"{np.mean(found):.3f} | {np.mean(walked):.3f} | {spent / QUERIES * 1000:.2f}"
            print(f"| {place} | {share:.2%} | {shown} |", flush=True)


def _allowed(scores: np.ndarray, place: str, share: float, random: np.random.Generator):
    sign = {"nearest": -1, "farthest": 1}.get(place, 0)
    order = np.lexsort((random.random(len(scores)), sign * scores))
    allowed = np.zeros(len(scores), bool)
    allowed[order[: max(1, round(share * len(scores)))]] = True
    return allowed


def _walked(graph, query: np.ndarray, allowed: np.ndarray, share: float) -> np.ndarray:
    chosen = faiss.IDSelectorBitmap(np.packbits(allowed, bitorder="little"))
    effort = int(min(4_000, 64 / share))
    parameters = faiss.SearchParametersHNSW(efSearch=effort, sel=chosen)
    return graph.search(query[None], K, params=parameters)[1][0]


def _recall(found: np.ndarray, right: np.ndarray) -> float:
    real = right[right >= 0]
    return float(np.isin(real, found).mean())


def columns(random: np.random.Generator, n_rows: int) -> None:
    """One row of the table for each thing that is timed."""
    tags = zip(*(random.integers(0, 50, n_rows).tolist() for _ in range(3)), strict=True)
    places = random.integers(0, 1_000, n_rows).tolist()
    items = pl.DataFrame({
        "item_id": [f"p{row}" for row in range(n_rows)],
        "brand": [f"b{one % 5_000}" for one in random.zipf(1.3, n_rows).tolist()],
        "category": [f"A{one % 10} > B{one % 100} > C{one}" for one in places],
        "attributes": [[f"c{a}", f"m{b}", f"s{c}"] for a, b, c in tags],
        "price": random.lognormal(3, 1, n_rows),
        "in_stock": random.random(n_rows) < 0.9,
    })  # fmt: skip
    started = time.process_time()
    held = Columns.of(items)
    print(f"| columns are made | {(time.process_time() - started) * 1000:.0f} |")
    for text in FILTERS:
        expression = read_filter(text)
        print(f"| `{text}` | {_timed(lambda e=expression: allowed_rows(e, held, {}.get)):.2f} |")
    one, last = items[:1], np.array([n_rows - 1])
    print(f"| one product is put in | {_timed(lambda: held.put(last, one)):.2f} |")
    for field in ("brand", "category", "attributes", "price", "in_stock"):
        spent = _timed(lambda f=field: facet_of(f, held, held.is_there, limit=20))
        print(f"| facet {field}, all products match | {spent:.2f} |", flush=True)


def _timed(run: Callable[[], object]) -> float:
    """Median milliseconds."""
    taken = []
    for _ in range(ROUNDS):
        started = time.process_time()
        run()
        taken.append(time.process_time() - started)
    return float(np.median(taken)) * 1000


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000)
