"""Recipes beside every baseline on one data set: accuracy, and whether lists differ.

    python benchmarks/recommenders.py DATA --out RUNS
        [--recipes sequential,sasrec,pointwise,contrastive]
        [--set field=value ...] [--baselines all] [--seed 0]

DATA is a dataset written by `twotower prepare`. Each recipe is trained, with the settings after
`--set`, and ranks the test split, which is read for nothing else. Each baseline with settings
tries twelve on the same validation cases; recipes are taken as they are. What is finished in RUNS
is not made again, and an interrupted training goes on.

Prints a Markdown table, and writes it as `RUNS/table.md`, with the whole of it, every trial of
every baseline and the slices included, as `RUNS/report.json` and `RUNS/report.html`.
"""

import argparse
import json
import sys
import time
import warnings
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from runs import command, commit, provenance, trained, workshop
from tables import shown, signed

from twotower import disk
from twotower.data.dataset import Dataset
from twotower.errors import ConfigError
from twotower.evaluation import page
from twotower.evaluation import report as reports
from twotower.evaluation.baselines.lineup import LINEUPS, baselines
from twotower.evaluation.cases import recommendation_cases
from twotower.evaluation.diversity import Traits
from twotower.evaluation.health import health
from twotower.evaluation.protocol import Evaluation, evaluate
from twotower.evaluation.results import MODEL, TaskResult, task_section
from twotower.evaluation.slices import ALL
from twotower.schema import Split
from twotower.serving.scorers import user_scorer

ACCURACY = ("recall@10", "ndcg@10", "mrr")
LISTS = ("coverage@10", "gini@10", "overlap@10", "novelty@10")
RECIPES = "sequential,sasrec,pointwise,contrastive"
DECISIVE = "ndcg@10"


@dataclass(frozen=True)
class Field:
    """Everyone, ranked on the same cases.

    Attributes:
        ours: evaluation of each recipe by name, the first one first.
        rivals: evaluation of each baseline by name.
        minutes: of training, or of tuning and fitting, by name.
        settings: of the baselines: chosen, and every trial.
        left_out: baselines that were not run, and why.
        health: of the first recipe's user tower.
    """

    ours: dict
    rivals: dict
    minutes: dict
    settings: dict = field(default_factory=dict)
    left_out: dict = field(default_factory=dict)
    health: dict = field(default_factory=dict)


def ranked(dataset, cases, validation, asked):
    """Trains and ranks everyone; what is done in `asked.out` is only read.

    Args:
        dataset: that lies in `asked.data`.
        cases: of the test split.
        validation: cases that choose the settings of the baselines.
        asked: data, out, recipes, set, baselines and seed, as `arguments` gives them.
    """
    ours, minutes, signs = {}, {}, {}
    for name in asked.recipes.split(","):
        settings = [*asked.set, f"training.seed={asked.seed}"]
        run, minutes[name] = trained(asked.data, name, settings, asked.out / f"{name}-{asked.seed}")
        scorer = user_scorer(run.model, cases)
        ours[name] = evaluate(cases, scorer)
        signs = signs or health(ours[name], scorer, run.model.item_vectors)
    found = Field(ours, {}, minutes, health=signs)
    for baseline in baselines(asked.baselines):
        if reason := baseline.why_not(dataset):
            found.left_out[baseline.name] = reason
            continue
        about, found.rivals[baseline.name] = ranked_baseline(
            baseline, dataset, cases, validation, asked.out / "baselines"
        )
        found.minutes[baseline.name] = about["minutes"]
        if baseline.grid:
            found.settings[baseline.name] = about["tuned"]
    return found


def ranked_baseline(baseline, dataset, cases, validation, folder):
    """What was tuned, and the evaluation: made, or read where they were made before."""
    kept, told = folder / f"{baseline.name}.npz", folder / f"{baseline.name}.json"
    if told.is_file():
        about = json.loads(told.read_text())
        if about["data_hash"] != dataset.content_hash:
            raise ConfigError(f"{folder} holds baselines of other data; choose another --out")
        with np.load(kept, allow_pickle=False) as arrays:
            return about, Evaluation(cases, arrays["ranks"], arrays["lists"])
    print(f"{baseline.name} ...", file=sys.stderr, flush=True)
    started = time.perf_counter()
    tuned = baseline.tuned(dataset, validation)
    found = evaluate(cases, baseline.fit(dataset, Split.TEST)(tuned.settings, cases))
    about = {
        "data_hash": dataset.content_hash,
        "minutes": (time.perf_counter() - started) / 60,
        "tuned": tuned.to_json() if baseline.grid else {},
    }
    folder.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(kept, ranks=found.ranks, lists=found.lists, allow_pickle=False)
    disk.write_text(told, json.dumps(about, indent=2) + "\n")
    return about, found


def report_of(found, dataset, seed):
    """The report of everyone; `model` in it is the first recipe."""
    first, *others = found.ours
    result = TaskResult(
        Split.TEST,
        {MODEL: found.ours[first], **{name: found.ours[name] for name in others}},
        found.rivals,
        settings=found.settings,
        left_out=found.left_out,
        traits=Traits.of(dataset.items),
        health=found.health,
    )
    origin = workshop(commit=commit(), command=command()).origin(dataset, seed)
    training = {"recipe": first, "minutes": found.minutes}
    section = task_section(result, seed=seed)
    attached = reports.Attachments(training=training)
    return reports.assemble({"recommendation": section}, origin, attached)


def as_markdown(report, origin, columns=ACCURACY, published=None):
    """The table, and below it where the numbers come from.

    Args:
        report: as `report_of` makes it.
        origin: where it comes from, in a line.
        columns: accuracy metrics; those of lists stand beside them always.
        published: more rows, name -> metric -> number.
    """
    section, told = report["tasks"]["recommendation"], report["training"]
    rivals = section["baselines"]
    best = max(rivals, key=lambda name: rivals[name][ALL][DECISIVE]["mean"])
    head = ["", *columns, f"{DECISIVE} above {best}", *LISTS, "minutes"]
    lines = [f"| {' | '.join(head)} |", "|---" * len(head) + "|"]
    for name, summary in {
        MODEL: section["metrics"],
        **section["variants"],
        **rivals,
    }.items():
        label = told["recipe"] if name == MODEL else name
        above = section["comparisons"].get(name, {}).get(best, {}).get(DECISIVE)
        cells = [
            f"**{label}**" if above else label,
            *(shown(summary[ALL].get(metric)) for metric in columns),
            signed(above),
            *(f"{summary[ALL][metric]['mean']:.3f}" for metric in LISTS),
            f"{told['minutes'][label]:.1f}",
        ]
        lines.append(f"| {' | '.join(cells)} |")
    for name, numbers in (published or {}).items():
        cells = [name, *(f"{numbers[m]:.4f}" if m in numbers else "" for m in columns)]
        lines.append(f"| {' | '.join(cells)}{' |' * (len(head) - len(cells))} |")
    return "\n".join([*lines, "", *below(report, section, origin)]) + "\n"


def below(report, section, origin):
    """What stands below a table."""
    protocol = section["protocol"]
    trials = {name: told["trials"] for name, told in protocol["baseline_settings"].items()}
    counted = next(iter(protocol["baseline_settings"].values()), {}).get("validation_cases", 0)
    yield (
        f"{protocol['cases']:,} visitors x {protocol['catalogue']:,} items. {protocol['seen']} "
        f"{origin}"
    )
    yield f"Trials on {counted:,} validation cases: {json.dumps(trials)}; recipes as they are."
    for name, told in protocol["baseline_settings"].items():
        yield f"- {name}: {json.dumps(told['chosen'])}"
    for name, reason in protocol["baselines_left_out"].items():
        yield f"- {name} is left out: {reason}"
    if section["health"]:
        yield f"- health of {report['training']['recipe']}: {section['health']['sentence']}"


def written(report, table, out):
    """The report as JSON and HTML, and its table, which is printed too."""
    reports.save(report, out / "report.json")
    page.save_page(report, out / "report.html")
    disk.write_text(out / "table.md", table)
    print(table, flush=True)


def arguments(words=None):
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("data", type=Path)
    options(parser)
    return parser.parse_args(words)


def options(parser):
    """What every table of recommenders is asked with."""
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--recipes", default=RECIPES)
    parser.add_argument("--set", action="append", default=[])
    parser.add_argument("--baselines", choices=LINEUPS, default="all")
    parser.add_argument("--seed", type=int, default=0)


def main(asked):
    dataset = Dataset.load(asked.data)
    cases, validation = (
        recommendation_cases(dataset, split) for split in (Split.TEST, Split.VALIDATION)
    )
    report = report_of(ranked(dataset, cases, validation, asked), dataset, asked.seed)
    written(report, as_markdown(report, provenance(dataset, asked.seed)), asked.out)


if __name__ == "__main__":
    warnings.filterwarnings("ignore")
    main(arguments())
