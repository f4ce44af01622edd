"""The index beside what one would take instead, and whole searches on a bundle.

    python benchmarks/retrieval.py index [--rows 48000] [--width 64] [--engines "our exact,numpy"]
    python benchmarks/retrieval.py search BUNDLE QUERIES.txt [--questions 300]

Every engine runs on one thread and is timed in processor time of this process, so that other
work on the machine counts little: read ratios. A graph is searched with the least effort that
finds .99 of the 10 best. Vectors are clusters with a falling spectrum, as embeddings have;
queries are products of the catalogue with noise. `floor` is one pass of BLAS over the vectors,
the least that looking at all of them can cost. Engines that are not installed are left out, and
named: pip install hnswlib usearch scann, which are no dependencies of twotower.
"""

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

import faiss
import numpy as np

from twotower.index.exact import ExactIndex
from twotower.index.hnsw import HnswConfig, HnswIndex

LINKS, BUILD_EFFORT, EFFORTS, TARGET = 32, 128, (32, 64, 128, 256, 512, 1024), 0.99
QUERIES, K, DEEP, ALLOWED = 200, 10, 100, 0.01
FACETS = ("brand", "category", "price", "in_stock")
Answering = Callable[[np.ndarray, int], np.ndarray]
"""Queries [Q, D] and k -> rows [Q, k]."""


@dataclass
class Engine:
    """A built index.

    Attributes:
        search: Answers.
        effort: Sets how much it looks at; None where it looks at all.
        n_bytes: On disk.
        filtered: Answers from the allowed rows of a mask; None where it cannot.
    """

    search: Answering
    effort: Callable[[int], None] | None = None
    n_bytes: int = 0
    filtered: Callable[[np.ndarray, int, np.ndarray], np.ndarray] | None = None


def main() -> None:
    """Read the arguments and print one table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    verbs = parser.add_subparsers(dest="verb", required=True)
    index = verbs.add_parser("index")
    index.add_argument("--rows", type=int, default=48_000)
    index.add_argument("--width", type=int, default=64)
    index.add_argument("--engines", default=",".join(ENGINES))
    search = verbs.add_parser("search")
    search.add_argument("bundle", type=Path)
    search.add_argument("queries", type=Path, help="one query on each line")
    search.add_argument("--questions", type=int, default=300)
    asked = parser.parse_args()
    if asked.verb == "search":
        whole_searches(asked.bundle, asked.queries.read_text().splitlines(), asked.questions)
    else:
        engines(asked.rows, asked.width, asked.engines.split(","))


# -- engines ---------------------------------------------------------------------------


def engines(n_rows: int, width: int, names: list[str]) -> None:
    """One row of the table for each engine."""
    faiss.omp_set_num_threads(1)
    vectors, queries = made(n_rows, width)
    allowed = np.random.default_rng(2).random(n_rows) < ALLOWED
    right = _numpy(vectors).search(queries, DEEP)
    right_allowed = np.flatnonzero(allowed)[_numpy(vectors[allowed]).search(queries, K)]
    floor = min(_spent(lambda: np.dot(vectors.ravel(), vectors.ravel()))[0] for _ in range(5))
    print(f"{n_rows:,} x {width}, floor of one pass {floor * 1000:.2f} ms\n")
    print("| engine | build, s | bytes a product | effort | recall@10 | @100 | p50, ms | p99 | "
          "queries/s in batches | 1 % allowed: recall@10 | p50, ms |\n|" + "---|" * 11)  # fmt: skip
    for name in names:
        try:
            spent, engine = _spent(lambda build=ENGINES[name]: build(vectors))
        except ModuleNotFoundError as missing:
            print(f"| {name} | {missing.name} is not installed |" + " |" * 9)
            continue
        effort = tuned(engine, queries, right)
        row = [f"{spent:.1f}", f"{engine.n_bytes / n_rows:.0f}", effort or "all"]
        row += [f"{recall(engine.search(queries, k), right[:, :k]):.4f}" for k in (K, DEEP)]
        row += [*timed(engine.search, queries), rate(engine.search, queries)]
        if engine.filtered is None:
            row += ["-", "-"]
        else:
            ask = engine.filtered
            found = np.stack([ask(one[None], K, allowed)[0] for one in queries])
            row += [f"{recall(found, right_allowed):.4f}"]
            row += timed(lambda query, k, ask=ask: ask(query, k, allowed), queries)[:1]
        print(f"| {name} | " + " | ".join(map(str, row)) + " |", flush=True)


def made(n_rows: int, width: int) -> tuple[np.ndarray, np.ndarray]:
    """float32 vectors of length 1, and queries near some of them."""
    random = np.random.default_rng(0)
    spectrum = np.arange(1, width + 1, dtype=np.float32) ** -0.5
    centres = random.normal(size=(max(n_rows // 50, 1), width)).astype(np.float32) * spectrum
    vectors = centres[random.integers(len(centres), size=n_rows)]
    vectors += 0.5 * random.normal(size=vectors.shape).astype(np.float32) * spectrum
    queries = vectors[random.integers(n_rows, size=QUERIES)]
    queries = queries + 0.5 * random.normal(size=queries.shape).astype(np.float32) * spectrum
    return _unit(vectors), _unit(queries)


def tuned(engine: Engine, queries: np.ndarray, right: np.ndarray) -> int | None:
    """The least effort that reaches the target, set; the greatest where none does."""
    if engine.effort is None:
        return None
    for effort in EFFORTS:
        engine.effort(effort)
        if recall(engine.search(queries, K), right[:, :K]) >= TARGET:
            break
    return effort


def recall(found: np.ndarray, right: np.ndarray) -> float:
    """The share of the right rows that were found."""
    pairs = zip(found, right, strict=True)
    return float(np.mean([len({*one} & {*other}) / len(other) for one, other in pairs]))


def timed(search: Answering, queries: np.ndarray) -> list[str]:
    """p50 and p99 of one query, milliseconds."""
    for query in queries[:10]:
        search(query[None], K)
    spent = [_spent(lambda query=query: search(query[None], K))[0] for query in queries]
    return [f"{np.percentile(spent, q) * 1000:.3f}" for q in (50, 99)]


def rate(search: Answering, queries: np.ndarray) -> str:
    """Queries answered in a second, all of them asked at once."""
    return f"{len(queries) / min(_spent(lambda: search(queries, K))[0] for _ in range(3)):,.0f}"


def _spent(task: Callable[[], Any]) -> tuple[float, Any]:
    started = time.process_time()
    result = task()
    return time.process_time() - started, result


def _unit(vectors: np.ndarray) -> np.ndarray:
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def _on_disk(write: Callable[[str], None]) -> int:
    with tempfile.TemporaryDirectory() as folder:
        write(str(Path(folder) / "index"))
        return sum(one.stat().st_size for one in Path(folder).rglob("*") if one.is_file())


# -- the peers -------------------------------------------------------------------------


def _ours(index: Any) -> Engine:
    def saved(path: str) -> None:
        Path(path).mkdir()
        index.save(Path(path))

    return Engine(
        lambda queries, k: index.search(queries, k).rows,
        n_bytes=_on_disk(saved),
        filtered=lambda queries, k, allowed: index.search(queries, k, allowed=allowed).rows,
    )


def _our_graph(vectors: np.ndarray) -> Engine:
    config = HnswConfig(links=LINKS, build_effort=BUILD_EFFORT, scan_below=2_000)
    index = HnswIndex(vectors, config)
    engine = _ours(index)
    engine.effort = lambda effort: setattr(index._graph.hnsw, "efSearch", effort)
    return engine


def _numpy(vectors: np.ndarray) -> Engine:
    def search(queries: np.ndarray, k: int) -> np.ndarray:
        found = []
        for part in np.array_split(queries, max(1, len(queries) // 20)):
            scores = part @ vectors.T
            near = np.argpartition(-scores, k - 1)[:, :k]
            order = np.argsort(-np.take_along_axis(scores, near, 1))
            found.append(np.take_along_axis(near, order, 1))
        return np.concatenate(found)

    return Engine(search, n_bytes=vectors.nbytes)


def _flat(vectors: np.ndarray) -> Engine:
    return _of_faiss(faiss.IndexFlatIP(vectors.shape[1]), vectors, faiss.SearchParameters)


def _faiss_graph(vectors: np.ndarray) -> Engine:
    graph = faiss.IndexHNSWFlat(vectors.shape[1], LINKS, faiss.METRIC_INNER_PRODUCT)
    graph.hnsw.efConstruction = BUILD_EFFORT
    engine = _of_faiss(graph, vectors, faiss.SearchParametersHNSW)
    engine.effort = lambda effort: setattr(graph.hnsw, "efSearch", effort)
    return engine


def _of_faiss(index: Any, vectors: np.ndarray, parameters: Any) -> Engine:
    index.add(vectors)

    def filtered(queries: np.ndarray, k: int, allowed: np.ndarray) -> np.ndarray:
        chosen = faiss.IDSelectorBitmap(np.packbits(allowed, bitorder="little"))
        return index.search(queries, k, params=parameters(sel=chosen))[1]

    size = _on_disk(lambda path: faiss.write_index(index, path))
    return Engine(lambda queries, k: index.search(queries, k)[1], None, size, filtered)


def _hnswlib(vectors: np.ndarray) -> Engine:
    import hnswlib

    index = hnswlib.Index("ip", vectors.shape[1])
    index.init_index(len(vectors), ef_construction=BUILD_EFFORT, M=LINKS)
    index.set_num_threads(1)
    index.add_items(vectors)
    size = _on_disk(index.save_index)

    def search(queries: np.ndarray, k: int) -> np.ndarray:
        index.set_ef(max(index.ef, k))
        return index.knn_query(queries, k)[0]

    return Engine(search, index.set_ef, size)


def _usearch(vectors: np.ndarray) -> Engine:
    from usearch.index import Index

    index = Index(
        ndim=vectors.shape[1], metric="ip", dtype="f32",
        connectivity=LINKS, expansion_add=BUILD_EFFORT,
    )  # fmt: skip
    index.add(np.arange(len(vectors)), vectors, threads=1)

    def search(queries: np.ndarray, k: int) -> np.ndarray:
        return np.atleast_2d(index.search(queries, k, threads=1).keys).astype(np.int64)

    effort = lambda effort: setattr(index, "expansion_search", effort)  # noqa: E731 - like the others
    return Engine(search, effort, _on_disk(index.save))


def _scann(vectors: np.ndarray) -> Engine:
    import scann

    leaves = int(np.sqrt(len(vectors)) * 2)
    builder = scann.scann_ops_pybind.builder(vectors, DEEP, "dot_product")
    builder = builder.tree(leaves, leaves // 10, training_sample_size=min(len(vectors), 250_000))
    index = builder.score_ah(2, anisotropic_quantization_threshold=0.2).reorder(300).build()
    looked_at = [100]

    def search(queries: np.ndarray, k: int) -> np.ndarray:
        more = {"leaves_to_search": min(leaves, looked_at[0]), "pre_reorder_num_neighbors": 300}
        return index.search_batched(queries, final_num_neighbors=k, **more)[0].astype(np.int64)

    def saved(path: str) -> None:
        Path(path).mkdir()
        index.serialize(path)

    return Engine(search, lambda effort: looked_at.__setitem__(0, effort), _on_disk(saved))


ENGINES: dict[str, Callable[[np.ndarray], Engine]] = {
    "our exact": lambda vectors: _ours(ExactIndex(vectors)),
    "our graph": _our_graph,
    "numpy": _numpy,
    "faiss flat": _flat,
    "faiss HNSW": _faiss_graph,
    "hnswlib": _hnswlib,
    "usearch": _usearch,
    "ScaNN": _scann,
}


# -- whole searches ----------------------------------------------------------------------


def whole_searches(folder: Path, queries: list[str], n: int) -> None:
    """p50 and p99 of searches as they are asked for, query text in and hits out."""
    from twotower.bundle import Bundle
    from twotower.retrieval.retriever import Retriever

    started = time.perf_counter()
    shop = Retriever(Bundle.load(folder))
    opened = time.perf_counter() - started
    print(f"{shop.n_items:,} products, opened in {opened:.1f} s\n")
    print("| 24 hits, with | p50, ms | p99 | slowest stages at p50, ms |\n|---|---|---|---|")
    for name, asked in questions():
        for query in queries[:20]:
            shop.search(query, **asked)
        spent, stages = [], []
        for query in queries[20 : 20 + n]:
            took, answer = _spent(lambda query=query, asked=asked: shop.search(query, **asked))
            spent.append(took * 1000)
            stages.append(answer.took_ms)
        shown = f"{np.percentile(spent, 50):.2f} | {np.percentile(spent, 99):.2f}"
        print(f"| {name} | {shown} | {_slowest(stages)} |", flush=True)


def questions() -> Iterator[tuple[str, dict[str, Any]]]:
    """What is asked beside the words."""
    everything = {"filter": "in_stock AND price < 300", "facets": FACETS, "explain": True}
    yield "nothing", {}
    yield "a filter", {"filter": everything["filter"]}
    yield "four facets", {"facets": FACETS}
    yield "explanations", {"explain": True}
    yield "all three", everything
    yield "all three, by words alone", {**everything, "mode": "lexical"}


def _slowest(stages: list[Any]) -> str:
    names = [name for name in stages[0] if name != "total"]
    middle = {name: float(np.median([one.get(name, 0.0) for one in stages])) for name in names}
    order = sorted(middle, key=lambda name: -middle[name])
    return ", ".join(f"{name} {middle[name]:.2f}" for name in order)


if __name__ == "__main__":
    sys.exit(main())
