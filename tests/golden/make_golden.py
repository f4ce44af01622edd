"""Makes the golden bundle: python tests/golden/make_golden.py, from the root of the clone.

To be run when bundles get another format, in the release that brings it. Bundles of older formats
stay where they are: what was released opens forever. Until 0.1.0 is released, format 1 may change.
"""

import json
import os
import shutil
import sys
import tempfile
from itertools import pairwise
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from small_encoder import save_small_encoder  # noqa: E402 - found by the line above
from twotower import pipeline  # noqa: E402
from twotower.bundle import FORMAT, Bundle  # noqa: E402
from twotower.data.prepare import prepare  # noqa: E402
from twotower.recipes import derive, tiny  # noqa: E402
from twotower.retrieval.retriever import Retriever  # noqa: E402

SHOP = "synthetic:products=40,shoppers=60,seed=1"
SETTINGS = ("text_encoder=letters", "towers.width=16", "towers.history=8", "training.epochs=3")
FIRST = 5
"""Hits of an answer that are kept."""
APART = 1e-4
"""Scores nearer than this may change places on another machine; such answers are not kept."""


def main() -> None:
    """Writes `format-N/` and, beside it, the answers that it has to give."""
    made = HERE / f"format-{FORMAT}"
    with tempfile.TemporaryDirectory() as scratch:
        os.chdir(scratch)  # the encoder's name stands in the bundle: it must not say where we are
        save_small_encoder(Path("letters"))
        bundle = _bundle(Path("bundle"))
        answers = _answers(Retriever(bundle))
        shutil.rmtree(made, ignore_errors=True)
        shutil.copytree(bundle.folder, made)
    (made / pipeline.PAGE).unlink()
    made.with_suffix(".json").write_text(json.dumps(answers, indent=1) + "\n")


def _bundle(folder: Path) -> Bundle:
    workshop = pipeline.Workshop(Path("cache"))
    recipe = derive(tiny(), SETTINGS)
    dataset = prepare(SHOP, recipe.prepare)
    dataset.save(Path("data"))
    run = pipeline.train(Path("data"), recipe, Path("run"), workshop)
    serving = pipeline.tune(run, dataset, workshop)
    report = pipeline.evaluate(run, dataset, serving, workshop)
    return pipeline.release(run, dataset, serving, _short(report), folder)


def _short(report: pipeline.Report) -> pipeline.Report:
    """The report of all cases, without slices and examples, which are most of it."""

    def overall(found):
        return {name: part for name, part in found.items() if name == "all"}

    tasks = {
        task: {
            **section,
            "metrics": overall(section["metrics"]),
            "variants": {name: overall(one) for name, one in section["variants"].items()},
            "baselines": {name: overall(one) for name, one in section["baselines"].items()},
            "examples": [],
        }
        for task, section in report["tasks"].items()
    }
    main = tasks[report["headline"]["task"]]
    top = {"metrics": main["metrics"], "baselines": main["baselines"]}
    return {**report, **top, "tasks": tasks}


def _answers(shop: Retriever) -> dict[str, dict[str, list[str]]]:
    items = shop.bundle.dataset.items
    ids, titles = items["item_id"].to_list(), items["title"].to_list()
    asked = {
        "hybrid": {title: shop.search(title, k=FIRST + 1) for title in titles},
        "semantic": {title: shop.search(title, k=FIRST + 1, mode="semantic") for title in titles},
        "lexical": {title: shop.search(title, k=FIRST + 1, mode="lexical") for title in titles},
        "similar": {item_id: shop.similar(item_id, k=FIRST + 1) for item_id in ids},
        "recommend": {
            ",".join(past): shop.recommend(shop.history(past), k=FIRST + 1)
            for past in zip(ids, ids[3:], ids[11:], strict=False)
        },
    }
    return {kind: _certain(found) for kind, found in asked.items()}


def _certain(found):
    """Questions and the ids of their first hits, where no two scores are close."""
    kept = {}
    for question, answer in found.items():
        scores = [hit.score for hit in answer.hits]
        gaps = [high - low for high, low in pairwise(scores)]
        if len(gaps) == FIRST and min(gaps) > APART:
            kept[question] = [hit.item_id for hit in answer.hits[:FIRST]]
    return dict(list(kept.items())[:10])


if __name__ == "__main__":
    main()
