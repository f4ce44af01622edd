"""What a served search makes of queries as people type them.

    python benchmarks/robustness.py raw BUNDLE QUERIES [--at-most 1000]
    python benchmarks/robustness.py typos BUNDLE [--split validation]

`raw` asks every query of a table (column `query`), or a sample of them drawn by seed 0: errors,
answers that are empty though a product shares a word with the query, queries that nothing fits,
times. With queries of another trade it says how often the shop sees that it has no such thing.
`typos` asks every judged query of a split, as it is and with one typing mistake, and compares
recall@10. One query at a time, on one thread: wall clock, and CPU time, which a busy machine
does not change.
"""

import argparse
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import polars as pl

from twotower.bundle import Bundle
from twotower.errors import TwoTowerError
from twotower.evaluation.cases import Cases, search_cases
from twotower.evaluation.significance import paired_difference
from twotower.lexical.typos import with_typo
from twotower.retrieval.answers import Answer
from twotower.retrieval.retriever import Retriever

SHOWN = 10


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    commands = parser.add_subparsers(required=True)
    raw_parser = commands.add_parser("raw")
    raw_parser.add_argument("bundle", type=Path)
    raw_parser.add_argument("queries", type=Path)
    raw_parser.add_argument("--at-most", type=int)
    raw_parser.set_defaults(run=raw)
    typos_parser = commands.add_parser("typos")
    typos_parser.add_argument("bundle", type=Path)
    typos_parser.add_argument("--split", default="validation")
    typos_parser.set_defaults(run=typos)
    arguments = vars(parser.parse_args())
    arguments.pop("run")(**arguments)


# -- raw queries -------------------------------------------------------------------


def raw(bundle: Path, queries: Path, at_most: int | None) -> None:
    shop = Retriever(Bundle.load(bundle))
    asked = pl.read_parquet(queries)["query"].drop_nulls().unique(maintain_order=True)
    asked = asked.filter(asked.str.strip_chars() != "")
    if at_most is not None and at_most < len(asked):
        asked = asked.sample(at_most, seed=0)
    errors: list[str] = []
    answers: dict[str, Answer] = {}
    wall, cpu = [], []
    for query in asked:
        begun, worked = time.perf_counter(), time.thread_time()
        try:
            answers[query] = shop.search(query)
        except TwoTowerError as error:
            errors.append(f"{query!r}: {error}")
        wall.append(time.perf_counter() - begun)
        cpu.append(time.thread_time() - worked)
    print_answers(shop, answers)
    print(f"errors: {len(errors)}", *errors[:5], sep="\n  ")
    for name, times in (("CPU", cpu), ("wall", wall)):
        told = "/".join(f"{ms:.1f}" for ms in np.percentile(np.array(times) * 1000, (50, 95, 99)))
        print(f"ms p50/p95/p99, {name}: {told}")


def print_answers(shop: Retriever, answers: dict[str, Answer]) -> None:
    lexical = shop.bundle.lexical
    silent = [query for query, found in answers.items() if not found.hits and not found.weak]
    lost = [query for query in silent if lexical.bm25.scores(query).any()]
    unfit = [query for query, found in answers.items() if not found.hits]
    print(f"{len(answers):,} queries answered by {shop.n_items:,} products")
    print(f"empty though a product shares a word: {len(lost)}", *lost[:5], sep="\n  ")
    print(f"empty: {len(silent):,}; nothing fits, weak matches or none: {len(unfit):,}")
    totals = [found.total for found in answers.values()]
    print(
        "matches p10/p50/p90: " + "/".join(f"{n:.0f}" for n in np.percentile(totals, (10, 50, 90)))
    )


# -- typing mistakes ---------------------------------------------------------------


def typos(bundle: Path, split: str) -> None:
    shop = Retriever(Bundle.load(bundle))
    cases, rng = search_cases(shop.bundle.dataset, split), np.random.default_rng(0)
    mistyped = [with_typo(query, rng) for query in cases.keys]
    for mode in ("lexical", "hybrid"):
        before = recall(shop, cases, cases.keys, mode)
        after = recall(shop, cases, mistyped, mode)
        gap = paired_difference(after, before)
        print(
            f"{mode}: recall@{SHOWN} of {len(cases):,} queries {before.mean():.4f} as typed, "
            f"{after.mean():.4f} with one typo each ({gap.mean:+.4f}; {gap.low:+.4f}, "
            f"{gap.high:+.4f}), {1 - after.mean() / before.mean():.1%} lost"
        )


def recall(shop: Retriever, cases: Cases, queries: Sequence[str], mode: str) -> np.ndarray:
    """Share of the right products among the first that are shown, weak matches included."""
    found = np.empty(len(cases))
    for case, query in enumerate(queries):
        answer = shop.search(query, k=SHOWN, mode=mode)
        shown = [hit.item_row for hit in (*answer.hits, *answer.weak)[:SHOWN]]
        targets = cases.targets(case)
        right = cases.rows[targets][cases.positive[targets]]
        found[case] = np.isin(right, shown).mean()
    return found


if __name__ == "__main__":
    main()
