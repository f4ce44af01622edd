"""New products and new visitors: what a model does for whom it has never seen.

    python benchmarks/cold_start.py DATA --out RUNS [--recipe sequential] [--set field=value ...]
        [--share 0.2] [--visitors 0.1] [--seed 0]

DATA is a dataset with events written by `twotower prepare`. A share of the items is hidden: no
event of theirs is in training or validation. A share of the visitors is hidden too: training
sees none of their events. The recipe is trained on what is left, and the test split is ranked,
against the whole catalogue:

- `all`, `warm` and `cold`: the test events of the visitors that were not hidden, by whether the
  item was; `among cold` ranks the hidden items only against each other;
- `1`, `2`, `3`, `5` and `every` event: the test events of the hidden visitors, who come with only
  that many of their latest earlier events. Who asks, and what is to be found, is the same in all.

Nobody is dropped: a visitor whose earlier events were all of hidden items has an empty history.
Beside the model: popularity, item-kNN, and the mean of the frozen text vectors of a history,
which needs no training. Prints Markdown tables, and writes them to `RUNS/cold_start.md`.
"""

import argparse
import sys
import time
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import polars as pl
from runs import provenance, workshop
from tables import shown

from twotower import disk, schema
from twotower.data.dataset import Dataset
from twotower.encoders.export import text_encoder
from twotower.evaluation.baselines.item_knn import ItemKnn, ItemKnnConfig
from twotower.evaluation.baselines.popularity import popularity_scorer
from twotower.evaluation.cases import recommendation_cases, visitor_cases
from twotower.evaluation.protocol import evaluate
from twotower.evaluation.significance import intervals
from twotower.evaluation.vectors import vector_scorer
from twotower.features.text import item_texts
from twotower.recipes import derive, recipe
from twotower.schema import Split
from twotower.serving.scorers import user_scorer

METRICS = ("recall@10", "recall@20", "ndcg@10")
EVENTS = (1, 2, 3, 5, None)


@dataclass(frozen=True)
class Hidden:
    """What training must not see.

    Attributes:
        items: [N] which items.
        visitors: user ids.
    """

    items: np.ndarray
    visitors: list[str]

    @classmethod
    def draw(cls, dataset, share, visitors, seed):
        generator = np.random.default_rng(seed)
        everyone = dataset.events[schema.USER_ID].unique().sort().to_list()
        drawn = generator.random(len(everyone)) < visitors
        items = generator.random(dataset.n_items) < share
        return cls(items, [user for user, taken in zip(everyone, drawn, strict=True) if taken])

    @property
    def of_items(self):
        return pl.col(schema.ITEM_ROW).is_in(np.flatnonzero(self.items).tolist())

    @property
    def of_visitors(self):
        return pl.col(schema.USER_ID).is_in(self.visitors)

    def left_out_of(self, dataset):
        """The dataset without them; hidden items stay in the test split."""
        is_test = pl.col(schema.SPLIT) == Split.TEST
        kept = dataset.events.filter(~self.of_visitors & (is_test | ~self.of_items))
        return replace(dataset, events=kept)


def new_visitors(dataset, hidden, n_events):
    """Cases of the hidden visitors, with at most `n_events` of their latest earlier events."""
    theirs = dataset.events.filter(hidden.of_visitors)
    held = theirs.filter(pl.col(schema.SPLIT) == Split.TEST)
    past = theirs.filter((pl.col(schema.SPLIT) != Split.TEST) & ~hidden.of_items)
    if not dataset.about.repeat:
        held = held.join(past, on=[schema.USER_ID, schema.ITEM_ROW], how="anti")
    if n_events is not None:
        past = past.group_by(schema.USER_ID, maintain_order=True).tail(n_events)
    return visitor_cases(held, past, hidden.left_out_of(dataset), repeat=None)


class Systems:
    """The trained model and its rivals, by name, as scorers of any cases.

    Args:
        model: of a finished run.
        dataset: that it was trained on.
        text_ND: frozen text vectors of the items.
    """

    def __init__(self, model, dataset, text_ND):
        self._model, self._dataset, self._text_ND = model, dataset, text_ND
        self._knn = ItemKnn(dataset, Split.TEST)

    def scorers(self, cases):
        means = [self._text_ND[past.item_rows].sum(0) for past in cases.histories]
        return {
            "model": user_scorer(self._model, cases),
            "mean frozen text": vector_scorer(np.stack(means), self._text_ND),
            "item-kNN": self._knn.scorer(cases.histories, ItemKnnConfig()),
            "popularity": popularity_scorer(self._dataset, Split.TEST),
        }


def among(scorer, rows):
    """The scorer with every other item out of reach."""

    def score(part):
        found = np.array(scorer(part), np.float32)
        found[:, ~rows] = -np.inf
        return found

    return score


def row_of(found, slice_name, name):
    """One line of a table: the metrics with the interval of the last, and the coverage."""
    values = found.per_case(slice_name).values
    last = intervals(values[METRICS[-1]][:, None])[0].to_json()
    means = " | ".join(f"{values[metric].mean():.4f}" for metric in METRICS[:-1])
    coverage = found.exposure()["coverage@10"]
    return f"| {name} | {means} | {shown(last)} | {coverage:.3f} |"


def table(title, systems, cases, slice_name="all", rows=None):
    """Every system on one slice of some cases."""
    n_cases = len(np.unique(np.repeat(range(len(cases)), np.diff(cases.offsets))[
        cases.slices[slice_name]
    ]))  # fmt: skip
    heads = " | ".join(METRICS)
    lines = [f"\n{title}, {n_cases:,} visitors\n", f"| | {heads} | coverage@10 |", "|---" * 5 + "|"]
    for name, scorer in systems.scorers(cases).items():
        found = evaluate(cases, scorer if rows is None else among(scorer, rows))
        lines.append(row_of(found, slice_name, name))
    return "\n".join(lines) + "\n"


def tables(systems, dataset, hidden):
    """All tables, one after the other."""
    known = recommendation_cases(hidden.left_out_of(dataset), Split.TEST)
    for name in ("all", "warm", "cold"):
        yield table(f"Known visitors, {name} items", systems, known, name)
    yield table("Known visitors, cold items among cold items", systems, known, "cold", hidden.items)
    for n_events in EVENTS:
        cases = new_visitors(dataset, hidden, n_events)
        events = "every event" if n_events is None else f"{n_events} event{'s'[n_events == 1 :]}"
        yield table(f"New visitors with {events}", systems, cases)


def main(asked):
    from twotower.training.train import train  # here: it loads PyTorch, no table needs it

    dataset = Dataset.load(asked.data)
    hidden = Hidden.draw(dataset, asked.share, asked.visitors, asked.seed)
    left = hidden.left_out_of(dataset)
    chosen = derive(recipe(asked.recipe), [*asked.set, f"training.seed={asked.seed}"])
    place = workshop()
    encoder = text_encoder(chosen.text_encoder, place.cache)
    cached = place.cached(encoder)
    about = {"recipe": chosen.to_json(), "data": str(asked.data.resolve())}
    started = time.perf_counter()
    run = train(left, chosen.design, cached, encoder, asked.out / "run", about=about)
    text = cached.encode(item_texts(dataset.items, chosen.features.text_fields))
    minutes = (time.perf_counter() - started) / 60
    systems = Systems(run.model, left, text)
    found = (
        f"{hidden.items.sum():,} of {dataset.n_items:,} items and {len(hidden.visitors):,} "
        f"visitors are hidden. Training in this session: {minutes:.1f} minutes. "
        f"{provenance(dataset, asked.seed)}\n"
    )
    print(found)
    for part in tables(systems, dataset, hidden):
        print(part, flush=True)
        found += part
        disk.write_text(asked.out / "cold_start.md", found)


def arguments():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("data", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--recipe", default="sequential")
    parser.add_argument("--set", action="append", default=[])
    parser.add_argument("--share", type=float, default=0.2, help="of the items that is hidden")
    parser.add_argument("--visitors", type=float, default=0.1, help="share that is hidden")
    parser.add_argument("--seed", type=int, default=0)
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main(arguments()))
