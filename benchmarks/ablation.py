"""One change at a time: what each setting of a recipe is worth, on validation.

    python benchmarks/ablation.py DATA TABLE --out RUNS [--seed 0] [--only NAME --only NAME]
        [--set field=value ...]

DATA is a dataset written by `twotower prepare`; TABLE is one of those below. Every row trains
the recipe with its settings on the training split alone, and ranks all validation cases:
visitors, and queries where the table has a column for them; the test split is never read. What
is given after `--set` holds for all rows.
Differences are paired, against the first row, with bootstrap intervals. Rows that are done in
RUNS are not trained again, and an interrupted one goes on. Prints a Markdown table, and writes
it as `RUNS/TABLE.md` with the numbers in `RUNS/TABLE.json`.
"""

import argparse
import json
from dataclasses import asdict, dataclass
from pathlib import Path

from runs import provenance, trained, workshop
from tables import shown, signed

from twotower import disk
from twotower.data.dataset import Dataset
from twotower.evaluation.cases import RECOMMENDATION, SEARCH, recommendation_cases, search_cases
from twotower.evaluation.protocol import evaluate
from twotower.evaluation.significance import intervals, paired_difference
from twotower.evaluation.slices import ALL
from twotower.evaluation.vectors import vector_scorer
from twotower.schema import Split
from twotower.serving.scorers import user_scorer
from twotower.training.run import Run

METRICS = ("recall@10", "ndcg@10")


@dataclass(frozen=True)
class Table:
    """What is tried.

    Attributes:
        recipe: the name of where to start from.
        rows: name -> settings on top; the first row is what the others are compared with.
        slices: more columns: slices of the visitors' cases, or `search` for those of queries.
    """

    recipe: str
    rows: dict[str, tuple[str, ...]]
    slices: tuple[str, ...] = ()


ID, TEXT, BOTH = (f'features.use=["{names}"]' for names in ("id", "text", 'id","text'))

TABLES = {
    "histories": Table(
        "sequential",
        {
            "the recipe": (),
            "ids start at random": ("training.start_from_histories=false",),
            "text map starts at random": ("training.start_from_text=false",),
            "weights not averaged": ("training.average_steps=0",),
            "full softmax": ("training.negatives=all",),
            "256 negatives": ("training.uniform_negatives=256",),
            "in-batch negatives too": ("training.negatives=mixed",),
            "cosine, learned temperature": ("towers.similarity=cosine",),
            "width 64": ("towers.width=64",),
            "width 256": ("towers.width=256",),
            "1 layer": ("towers.layers=1",),
            "3 layers": ("towers.layers=3",),
            "dropout .3": ("towers.dropout=0.3",),
            "id dropout .2": ("towers.id_dropout=0.2",),
            "features weighed by attention": ("towers.fusion=attention",),
            "a layer above the features": ("towers.item_layers=1",),
            "histories without ids of their own": ("towers.history_ids=false",),
            "4 heads": ("towers.heads=4",),
            "learning rate 2e-3": ("training.learning_rate=0.002",),
            "weight decay .1": ("training.weight_decay=0.1",),
        },
    ),
    "joint": Table(
        "joint",
        {
            "the recipe": (),
            "ids start near what they are seen with": ("training.start_from_histories=true",),
            "averaged weights": ("training.average_steps=200",),
            "features added up, no layer above": ("towers.fusion=sum", "towers.item_layers=0"),
            "histories with ids of their own": ("towers.history_ids=true",),
            "sum, no layer, ids of their own": (
                "towers.fusion=sum",
                "towers.item_layers=0",
                "towers.history_ids=true",
            ),
        },
        slices=("warm", "cold", SEARCH),
    ),
    "kinds": Table(
        "sequential",
        {
            "every kind weighs 1": (),
            "cart 2, purchase 3": ('training.kind_weights={"cart":2,"purchase":3}',),
            "purchase 5": ('training.kind_weights={"purchase":5}',),
            "purchases only": ('training.kind_weights={"view":0,"cart":0}',),
        },
        slices=("kind_view", "kind_cart", "kind_purchase"),
    ),
    "features": Table(
        "sequential",
        {
            f"{name}, {fusion}": (use, f"towers.fusion={fusion}")
            for name, use in (("id", ID), ("text", TEXT), ("id + text", BOTH), ("all", ""))
            for fusion in ("attention", "concat", "sum")
            if name in ("id + text", "all") or fusion == "attention"
        },
        slices=("warm", "cold"),
    ),
}


def measured(run: Run, cases):
    """The evaluation of the run's towers by task."""
    found = {}
    for task, asked in cases.items():
        if task == SEARCH:
            encoder = workshop().cached(run.model.text_encoder)
            vectors = run.model.towers.queries(encoder.encode(asked.keys))
            scorer = vector_scorer(vectors, run.model.item_vectors)
        else:
            scorer = user_scorer(run.model, asked)
        found[task] = evaluate(asked, scorer)
    return found


def columns(found, first, slices):
    """Numbers of visitors, of slices of them, and of queries where they were measured."""
    visitors = numbers(found[RECOMMENDATION], first and first[RECOMMENDATION], slices)
    if SEARCH not in found:
        return visitors
    return visitors | {SEARCH: numbers(found[SEARCH], first and first[SEARCH], ())[ALL]}


def numbers(found, first, slices):
    """Metrics with intervals by slice, and the paired difference from the first row."""
    result = {}
    for slice_name in (ALL, *slices):
        if slice_name not in found.cases.slices:
            continue
        ours = found.per_case(slice_name)
        if not len(ours.cases):
            continue
        result[slice_name] = {
            metric: asdict(intervals(ours.values[metric][:, None])[0]) for metric in METRICS
        }
        if first is not None:
            base = first.per_case(slice_name).values["ndcg@10"]
            difference = paired_difference(ours.values["ndcg@10"], base)
            result[slice_name]["difference"] = asdict(difference)
    return result


def as_markdown(rows, slices):
    """The table: NDCG@10 with its interval, and what the change did to it."""
    head = "| | recall@10 | NDCG@10 | difference | " + "".join(f"{name} | " for name in slices)
    lines = [head + "epochs | minutes |", "|---" * (6 + len(slices)) + "|"]
    for name, row in rows.items():
        every = row["slices"][ALL]
        mean = every["ndcg@10"]
        parts = [
            name,
            f"{every['recall@10']['mean']:.4f}",
            shown(mean),
            signed(every.get("difference")),
            *(of_slice(row["slices"].get(part)) for part in slices),
            str(row["epochs"]),
            f"{row['minutes']:.0f}",
        ]
        lines.append("| " + " | ".join(parts) + " |")
    return "\n".join(lines) + "\n"


def of_slice(found):
    """NDCG@10 of a slice, and what the change did to it; nothing where there is no such slice."""
    if found is None:
        return ""
    return f"{found['ndcg@10']['mean']:.4f} {signed(found.get('difference'))}".strip()


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("data", type=Path)
    parser.add_argument("table", choices=TABLES)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", action="append", help="a row by its name, beside the first")
    parser.add_argument("--set", action="append", default=[], help="a setting of every row")
    asked = parser.parse_args()
    table, dataset = TABLES[asked.table], Dataset.load(asked.data)
    cases = {RECOMMENDATION: recommendation_cases(dataset, Split.VALIDATION)}
    if SEARCH in table.slices and dataset.judgments is not None:
        cases[SEARCH] = search_cases(dataset, Split.VALIDATION)
    wanted = [
        name
        for place, name in enumerate(table.rows)
        if place == 0 or not asked.only or name in asked.only
    ]
    first, rows = None, {}
    for name in wanted:
        settings = [*asked.set, *filter(None, table.rows[name]), "training.refit=false"]
        settings.append(f"training.seed={asked.seed}")
        folder = asked.out / f"{asked.table}-{name.replace(' ', '-')}-{asked.seed}"
        run, minutes = trained(asked.data, table.recipe, settings, folder)
        found = measured(run, cases)
        rows[name] = {
            "settings": settings,
            "slices": columns(found, first, table.slices),
            "epochs": run.about["epochs"],
            "minutes": minutes,
        }
        first = first or found
        origin = provenance(dataset, asked.seed)
        counted = ", ".join(f"{len(part):,} of {task}" for task, part in cases.items())
        text = f"{as_markdown(rows, table.slices)}\nValidation cases: {counted}. {origin}\n"
        about = {"origin": origin, "data_hash": dataset.content_hash, "rows": rows}
        disk.write_text(asked.out / f"{asked.table}.json", json.dumps(about, indent=2) + "\n")
        disk.write_text(asked.out / f"{asked.table}.md", text)
        print(text, flush=True)


if __name__ == "__main__":
    main()
