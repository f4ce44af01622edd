"""How fast texts become vectors beside sentence-transformers' encode, and what 8 bits cost.

    python benchmarks/encoding.py speed PATH/bestbuy_catalogue [--texts 512] [--whole]
    python benchmarks/encoding.py quality PATH/home_depot

`speed` reads the first table of the folder: names, or with `--whole` names and descriptions. All
systems encode the same sample and take turns, so that what else the machine does meets all of
them; printed are medians over the rounds, by wall clock and by CPU time, then single queries (the
first three words of names). All read at most as many tokens as the packaged encoder does.
`quality` ranks the whole catalogue for the validation queries by the frozen encoder alone, items
and queries each in 8 bits or in full precision, with paired intervals.
"""

import argparse
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from twotower.data.prepare import prepare
from twotower.encoders.cache import CachedTextEncoder
from twotower.encoders.export import PACKAGED, packaged_folder, text_encoder
from twotower.encoders.packed import usable_cores
from twotower.evaluation.cases import search_cases
from twotower.evaluation.protocol import evaluate
from twotower.evaluation.significance import paired_difference
from twotower.evaluation.vectors import vector_scorer
from twotower.features.text import item_texts
from twotower.schema import Split

METRICS = ("ndcg@10", "recall@10", "recall@100")
Encode = Callable[[Sequence[str]], NDArray[np.float32]]
PLAIN, FULL, OURS = "sentence-transformers", "ours, fp32", "ours, int8"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cache", type=Path, default=Path(".cache"))
    commands = parser.add_subparsers(required=True)
    speed_parser = commands.add_parser("speed")
    speed_parser.add_argument("folder", type=Path)
    speed_parser.add_argument("--texts", type=int, default=512)
    speed_parser.add_argument("--rounds", type=int, default=7)
    speed_parser.add_argument("--whole", action="store_true", help="with descriptions")
    speed_parser.set_defaults(run=speed)
    quality_parser = commands.add_parser("quality")
    quality_parser.add_argument("folder", type=Path)
    quality_parser.set_defaults(run=quality)
    arguments = vars(parser.parse_args())
    arguments.pop("run")(**arguments)


# -- speed -----------------------------------------------------------------------


def speed(folder: Path, cache: Path, *, texts: int, rounds: int, whole: bool) -> None:
    products = pl.read_parquet(min(folder.glob("*.parquet"))).sample(texts, seed=0)
    names = products["name"].to_list()
    asked = wholes(products) if whole else names
    systems = {
        PLAIN: plain_encode(),
        FULL: text_encoder(PACKAGED, cache, "fp32").encode,
        OURS: text_encoder(PACKAGED, cache, "int8").encode,
    }
    for encode in systems.values():
        encode(asked[:64])  # what happens once only is not timed
    vectors = {name: encode(asked) for name, encode in systems.items()}
    times = {name: [] for name in systems}
    for _ in range(rounds):
        for name, encode in systems.items():
            times[name].append(timed(encode, asked))
    print(f"{texts} texts, {rounds} rounds, {usable_cores()} cores")
    print_speed(times, texts)
    print_cosines(vectors)
    print_single(systems, [" ".join(name.split()[:3]) for name in names[:300]])


def plain_encode() -> Encode:
    from sentence_transformers import SentenceTransformer

    model = SentenceTransformer(str(packaged_folder()), device="cpu")
    model.max_seq_length = 128
    return lambda texts: model.encode(list(texts), show_progress_bar=False)


def wholes(products: pl.DataFrame) -> list[str]:
    columns = ("name", "manufacturer", "short_description", "long_description")
    return [". ".join(filter(None, row)) for row in products.select(columns).iter_rows()]


def timed(encode: Encode, texts: Sequence[str]) -> tuple[float, float]:
    """Seconds by wall clock and of CPU."""
    wall, cpu = time.perf_counter(), time.process_time()
    encode(texts)
    return time.perf_counter() - wall, time.process_time() - cpu


def print_speed(times: dict[str, list[tuple[float, float]]], texts: int) -> None:
    medians = {name: np.median(found, axis=0) for name, found in times.items()}
    print(f"{'':24}{'texts/s':>9}{'ratio':>7}{'texts / CPU s':>15}{'ratio':>7}")
    for name, (wall, cpu) in medians.items():
        plain_wall, plain_cpu = medians[PLAIN]
        print(
            f"{name:24}{texts / wall:9.0f}{plain_wall / wall:7.2f}"
            f"{texts / cpu:15.0f}{plain_cpu / cpu:7.2f}"
        )


def print_cosines(vectors: dict[str, NDArray[np.float32]]) -> None:
    for name in (FULL, OURS):
        cosines = np.sum(vectors[name] * vectors[PLAIN], axis=1)
        print(
            f"cosine of {name} to the original: mean {cosines.mean():.5f}, min {cosines.min():.5f}"
        )


def print_single(systems: dict[str, Encode], queries: Sequence[str]) -> None:
    times = {name: [] for name in systems}
    for query in queries:
        for name, encode in systems.items():
            times[name].append(timed(encode, [query]))
    print("one query at a time, ms        p50    p95   p50 of CPU")
    for name, found in times.items():
        wall, cpu = 1e3 * np.array(found).T
        half, most = np.percentile(wall, [50, 95])
        print(f"{name:28}{half:6.2f}{most:7.2f}{np.median(cpu):9.2f}")


# -- quality ---------------------------------------------------------------------


def quality(folder: Path, cache: Path) -> None:
    dataset = prepare(folder)
    cases = search_cases(dataset, Split.VALIDATION)
    texts = item_texts(dataset.items, dataset.about.text_fields)
    encoders = {name: text_encoder(PACKAGED, cache, name) for name in ("fp32", "int8")}
    items = {name: CachedTextEncoder(one, cache).encode(texts) for name, one in encoders.items()}
    queries = {name: one.encode(cases.keys) for name, one in encoders.items()}
    print(f"{len(cases)} validation queries, {len(texts)} items; above fp32 for both")
    pairs = [(i, q) for i in items for q in queries]
    found = {
        pair: evaluate(cases, vector_scorer(queries[pair[1]], items[pair[0]])).per_case().values
        for pair in pairs
    }
    for pair in pairs:
        print(f"items {pair[0]}, queries {pair[1]}")
        for metric in METRICS:
            ours, theirs = found[pair][metric], found["fp32", "fp32"][metric]
            apart = paired_difference(ours, theirs)
            print(
                f"    {metric:11}{np.mean(ours):.4f}  "
                f"{apart.mean:+.4f} ({apart.low:+.4f}, {apart.high:+.4f})"
            )


if __name__ == "__main__":
    main()
