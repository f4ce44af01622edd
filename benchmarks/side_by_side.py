"""Twenty queries with what every system finds first, good and bad, as a page.

    python benchmarks/side_by_side.py BUNDLE --out docs/search-examples.md [--split validation]

The queries are twenty at even steps from the best answered to the worst, by NDCG@10 of hybrid
search. Titles are the shop's: of a shop that is not yours to show,
leave the page where it is.
"""

import argparse
from pathlib import Path

import numpy as np

from twotower import schema
from twotower.bundle import Bundle
from twotower.encoders.cache import CachedTextEncoder
from twotower.encoders.export import text_encoder
from twotower.evaluation.cases import Cases, search_cases
from twotower.evaluation.protocol import Evaluation, evaluate
from twotower.serving.scorers import (
    Subject,
    blended,
    frozen_scorer,
    query_scorer,
    word_scorer,
    word_search,
)
from twotower.serving.settings import Serving

QUERIES, SHOWN, LONGEST = 20, 3, 60


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("bundle", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--split", default="validation")
    parser.add_argument("--cache", type=Path, default=Path(".cache"))
    given = parser.parse_args()
    bundle = Bundle.load(given.bundle)
    subject = subject_of(bundle, given.cache)
    cases = search_cases(bundle.dataset, given.split)
    found = ranked(subject, Serving.from_json(bundle.settings), cases)
    given.out.write_text(page(bundle, cases, found, given.split))


def subject_of(bundle: Bundle, cache: Path) -> Subject:
    untrained = text_encoder(bundle.manifest["recipe"]["text_encoder"], cache)
    return Subject(
        bundle.model,
        bundle.dataset,
        CachedTextEncoder(bundle.model.text_encoder, cache),
        CachedTextEncoder(untrained, cache),
    )


def ranked(subject: Subject, serving: Serving, cases: Cases) -> dict[str, Evaluation]:
    words = word_search(subject.dataset, serving.words)
    meant = [words.meant(query) for query in cases.keys]
    semantic, lexical = query_scorer(subject, meant), word_scorer(words, cases)
    scorers = {
        "BM25": word_scorer(words.bm25, cases),
        "frozen encoder": frozen_scorer(subject, meant),
        "query tower": semantic,
        "hybrid": blended(semantic, lexical, serving.semantic_weight),
    }
    return {name: evaluate(cases, scorer) for name, scorer in scorers.items()}


def page(bundle: Bundle, cases: Cases, found: dict[str, Evaluation], split: str) -> str:
    quality = {name: each.per_case().values["ndcg@10"] for name, each in found.items()}
    best_first = np.argsort(-quality["hybrid"], kind="stable")
    places = np.linspace(0, len(cases) - 1, min(QUERIES, len(cases))).round().astype(int)
    about = bundle.dataset.about
    made_up = ", whose products and queries are made up" if about.synthetic else ""
    lines = [
        "# Twenty queries, side by side",
        "",
        f"Written by `benchmarks/side_by_side.py BUNDLE`, here of {about.name}{made_up}.",
        f"Of its {len(cases):,} {split} queries, {len(places)} at even steps from the best",
        "answered to the worst, by NDCG@10 of hybrid search, whose settings were chosen on",
        "validation. Shown are the first three products of each system; right ones are **bold**.",
    ]
    titles = bundle.dataset.items[schema.TITLE].to_list()
    for case in best_first[places]:
        scores = ", ".join(f"{name} {quality[name][case]:.2f}" for name in found)
        lines += ["", f"## {cases.keys[case]}", "", f"NDCG@10: {scores}.", ""]
        lines += [f"| {' | '.join(found)} |", "|" + "---|" * len(found)]
        for place in range(SHOWN):
            row = (cell(cases, each, case, place, titles) for each in found.values())
            lines.append(f"| {' | '.join(row)} |")
    return "\n".join(lines) + "\n"


def cell(cases: Cases, found: Evaluation, case: int, place: int, titles: list[str]) -> str:
    row = found.lists[case][place]
    if row < 0:
        return ""
    targets = cases.targets(case)
    title = titles[row].replace("|", "/")
    short = title if len(title) <= LONGEST else title[: LONGEST - 1].rstrip() + "…"
    return f"**{short}**" if row in cases.rows[targets][cases.positive[targets]] else short


if __name__ == "__main__":
    main()
