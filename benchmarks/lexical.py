"""Search by words: plain BM25 beside what is served, typos included, and raw queries of a shop.

    python benchmarks/lexical.py judged PATH/home_depot [--meaning]
    python benchmarks/lexical.py raw PATH/bestbuy_catalogue PATH/bestbuy_queries

`judged` chooses k1, b and field weights on validation queries and prints the test split (what
the folder calls validation, where it has no test split of its own). `raw` asks every query of
a search box once and counts answers. Times are of one thread, one query at a time: wall clock,
and CPU time, which a busy machine does not change.
"""

import argparse
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import numpy as np
import polars as pl

from twotower.data.prepare import prepare
from twotower.encoders.cache import CachedTextEncoder
from twotower.encoders.export import PACKAGED, text_encoder
from twotower.evaluation.cases import Cases, search_cases
from twotower.evaluation.protocol import Evaluation, Scorer, evaluate
from twotower.evaluation.significance import paired_difference
from twotower.features.text import item_texts
from twotower.lexical.bm25 import Bm25
from twotower.lexical.tuning import tune
from twotower.lexical.typos import with_typo
from twotower.lexical.word_search import WordSearch
from twotower.retrieval.blend import DEFAULT_WEIGHT, blend_scores
from twotower.retrieval.suggestions import Suggestions
from twotower.schema import Split
from twotower.serving.scorers import word_search

METRICS = ("ndcg@10", "recall@10", "recall@100")
TUNING_CASES = 500


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    commands = parser.add_subparsers(required=True)
    judged_parser = commands.add_parser("judged")
    judged_parser.add_argument("folder", type=Path)
    judged_parser.add_argument("--meaning", action="store_true", help="with the frozen encoder")
    judged_parser.add_argument("--cache", type=Path, default=Path(".cache"))
    judged_parser.set_defaults(run=judged)
    raw_parser = commands.add_parser("raw")
    raw_parser.add_argument("catalogue", type=Path)
    raw_parser.add_argument("queries", type=Path)
    raw_parser.set_defaults(run=raw)
    arguments = vars(parser.parse_args())
    arguments.pop("run")(**arguments)


# -- judged queries --------------------------------------------------------------


def judged(folder: Path, *, meaning: bool, cache: Path) -> None:
    dataset = prepare(folder)
    words = tuned(word_search(dataset), search_cases(dataset, Split.VALIDATION))
    cases = search_cases(dataset, Split.TEST)
    rng = np.random.default_rng(0)
    typed = {
        "as typed": list(cases.keys),
        "one typo each": [with_typo(query, rng) for query in cases.keys],
    }
    texts = item_texts(dataset.items, dataset.about.text_fields)
    encode = encoder(cache) if meaning else None
    items = encode(texts) if encode else None
    found: dict[str, dict[str, Evaluation]] = {}
    for name, queries in typed.items():
        scorers = {"bm25": by_words(words.bm25, queries), "lexical": by_words(words, queries)}
        if encode is not None and items is not None:
            meant = encode([words.meant(query) for query in queries])
            near = by_meaning(meant, items)
            scorers["frozen encoder, as typed"] = by_meaning(encode(queries), items)
            scorers["frozen encoder, as meant"] = near
            scorers["frozen encoder and lexical"] = blended(near, scorers["lexical"])
        found[name] = {system: evaluate(cases, scorer) for system, scorer in scorers.items()}
    print(f"{len(cases):,} queries, {dataset.n_items:,} items; {words.bm25.parameters}")
    print_quality(found)
    for name, queries in typed.items():
        print_latency(f"lexical, {name}", words.search, queries)
    print_latency("bm25, as typed", words.bm25.search, typed["as typed"])
    suggestions = Suggestions(dataset, words)
    print_latency("suggestions", suggestions.find, beginnings(cases.keys), k=5)


def tuned(words: WordSearch, cases: Cases) -> WordSearch:
    drawn = cases.sample(TUNING_CASES)

    def quality(scores: np.ndarray, part: np.ndarray) -> np.ndarray:
        found = evaluate(drawn.take(part), lambda rows: scores[rows])
        return found.per_case().values["ndcg@10"]

    return words.with_parameters(tune(words.bm25, drawn.keys, quality).parameters)


def by_words(words: Bm25 | WordSearch, queries: Sequence[str]) -> Scorer:
    """Ties are broken by a fixed shuffle: they would count against both."""
    apart = np.random.default_rng(0).permutation(words.n_items) / words.n_items * 1e-4
    return lambda part: words.batch_scores([queries[case] for case in part]) + apart


def by_meaning(queries: np.ndarray, items: np.ndarray) -> Scorer:
    return lambda part: queries[part] @ items.T


def blended(semantic: Scorer, lexical: Scorer) -> Scorer:
    return lambda part: blend_scores(semantic(part), lexical(part), DEFAULT_WEIGHT)


def encoder(cache: Path) -> Callable[[Sequence[str]], np.ndarray]:
    return CachedTextEncoder(text_encoder(PACKAGED, cache), cache).encode


def print_quality(found: dict[str, dict[str, Evaluation]]) -> None:
    print("\n| queries | system | " + " | ".join(METRICS) + " | ndcg@10 above bm25 |")
    print("|---|---|" + "---|" * (len(METRICS) + 1))
    for name, systems in found.items():
        base = systems["bm25"].per_case().values["ndcg@10"]
        for system, evaluation in systems.items():
            values = evaluation.per_case().values
            means = " | ".join(f"{values[metric].mean():.4f}" for metric in METRICS)
            gap = paired_difference(values["ndcg@10"], base)
            above = f"{gap.mean:+.4f} ({gap.low:+.4f}, {gap.high:+.4f})"
            print(f"| {name} | {system} | {means} | {above} |")
    first, second = found.values()
    print()
    for system in first:
        before, after = (one[system].mean("recall@10") for one in (first, second))
        print(f"recall@10 lost to one typo, {system}: {1 - after / before:.1%}")


# -- raw queries -------------------------------------------------------------------


def raw(catalogue: Path, queries: Path) -> None:
    products = pl.read_parquet(catalogue / "products.parquet")
    asked = pl.read_parquet(queries / "queries.parquet")["query"].fill_null("").to_list()
    documents = {
        "title": products["name"].to_list(),
        "brand": products["manufacturer"].to_list(),
        "description": (
            products["short_description"].fill_null("")
            + " "
            + products["long_description"].fill_null("")
        ).to_list(),
    }
    started = time.process_time()
    words = WordSearch.fit(documents)
    print(f"{words.n_items:,} products counted in {time.process_time() - started:.1f} s of CPU;")
    print(f"{len(words.vocabulary.counts):,} words, {len(asked):,} queries")
    sharing = lost = empty = corrected = 0
    for query in asked:
        reading = words.read(query)
        shares = bool(words.bm25.scores(query).any())
        answered = bool(words.scores(reading).any())
        sharing, lost = sharing + shares, lost + (shares and not answered)
        empty, corrected = empty + (not answered), corrected + (reading.corrected is not None)
    print(f"share a word with a product: {sharing:,}; of these without an answer: {lost}")
    print(f"without an answer at all: {empty:,}; corrected: {corrected:,}")
    print_latency("lexical", words.search, asked)


# -- times -------------------------------------------------------------------------


def print_latency(
    name: str, search: Callable[..., object], queries: Iterable[str], k: int = 24
) -> None:
    wall, cpu = [], []
    for query in queries:
        begun, worked = time.perf_counter(), time.thread_time()
        search(query, k)
        wall.append(time.perf_counter() - begun)
        cpu.append(time.thread_time() - worked)
    shown = [np.percentile(np.array(times) * 1000, (50, 95, 99)) for times in (cpu, wall)]
    told = ["/".join(f"{ms:.2f}" for ms in times) for times in shown]
    print(f"ms p50/p95/p99, {name}: CPU {told[0]}, wall {told[1]}")


def beginnings(queries: Sequence[str]) -> list[str]:
    """What is in the search box after each third letter."""
    return [query[:end] for query in queries for end in range(1, len(query) + 1, 3)]


if __name__ == "__main__":
    main()
