"""Minutes of training until recall@10 on validation is good enough, ours beside a plain SASRec.

    python benchmarks/time_to_recall.py DATA [--mark 0.095] [--minutes 60] [--only NAME ...]

DATA is a dataset with events written by `twotower prepare`. `twotower` is the recipe
`sequential`, from its first step: reading the log and encoding texts are not counted. `plain,
full softmax` and `plain, one negative` are those of training.py. All learn from the training
split; after each epoch the clock stands still while the same visitors of the validation split
are ranked (10,000 at most), and whoever reaches the mark, or the minutes, is done. The test
split is never read. Prints a Markdown table, and each epoch as it ends.
"""

import argparse
import logging
import sys
import tempfile
import time
import warnings
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from runs import provenance
from training import BATCH, LENGTH, PlainSasrec, left_padded, material_of, plain_steps

from twotower.data.dataset import Dataset
from twotower.evaluation.protocol import evaluate
from twotower.evaluation.vectors import vector_scorer
from twotower.recipes import derive, sequential
from twotower.training.train import fit_towers

METRIC = "recommendation_recall@10"
CASES = 10_000


class DoneError(Exception):
    """The mark is reached, or the time is over."""


@dataclass
class Clock:
    """Runs while towers learn, and stands still while they are measured.

    Attributes:
        name: of the contestant.
        mark: recall@10 that is good enough.
        limit: minutes.
        points: [epochs] minutes until the epoch's end, and recall@10 there.
    """

    name: str
    mark: float
    limit: float
    points: list[tuple[float, float]] = field(default_factory=list)
    _spent: float = 0.0
    _since: float = field(default_factory=time.perf_counter)

    def around(self, validate):
        """The validation of an epoch, off the clock; ends the race when it is over."""

        def measured():
            self._spent += time.perf_counter() - self._since
            found = validate()
            self.points.append((self._spent / 60, found[METRIC]))
            print(f"{self.name}: {self.said()}", file=sys.stderr, flush=True)
            if found[METRIC] >= self.mark or self._spent / 60 >= self.limit:
                raise DoneError
            self._since = time.perf_counter()
            return found

        return measured

    def said(self):
        """A line of the table."""
        minutes, recall = self.points[-1]
        return f"epoch {len(self.points)}, {minutes:.1f} minutes, {recall:.4f}"


def ours(material, clock):
    """Recipe `sequential`, as `twotower train` fits it."""
    design = derive(sequential(), ["training.patience=1000", "training.epochs=1000"]).design
    with tempfile.TemporaryDirectory() as folder:
        fit_towers(material, design, Path(folder), None, validated=True, watch=clock.around)


def plain(material, clock, negatives):
    """The plain SASRec of training.py, an epoch after the other."""
    model = PlainSasrec(material.n_items).train()
    steps = plain_steps(model, material, negatives=negatives)
    measured = clock.around(lambda: {METRIC: plain_recall(model, material)})
    batches = -(-int((material.histories.lengths > 1).sum()) // BATCH)
    while True:
        for _ in range(batches):
            next(steps)
        measured()


@torch.no_grad()
def plain_recall(model, material):
    """Recall@10 of the plain model on the validation visitors."""
    cases = material.validation["recommendation"]
    rows = left_padded(cases.histories.collapsed().padded(LENGTH)) + 1
    model.eval()
    states = [model(part)[:, -1].numpy() for part in rows.split(512)]
    model.train()
    items = model.items.weight[1:].numpy()
    return evaluate(cases, vector_scorer(np.concatenate(states), items)).mean("recall@10")


CONTESTANTS = {
    "twotower": ours,
    "plain, full softmax": lambda material, clock: plain(material, clock, "all"),
    "plain, one negative": lambda material, clock: plain(material, clock, "one"),
}


def race(material, asked):
    """Name -> the clock of each, one after the other."""
    clocks = {}
    for name in asked.only or CONTESTANTS:
        torch.manual_seed(0)
        clocks[name] = Clock(name, asked.mark, asked.minutes)
        try:
            CONTESTANTS[name](material, clocks[name])
        except DoneError:
            continue
    return clocks


def as_markdown(clocks, mark):
    lines = ["| | epochs | minutes | recall@10 then | |", "|---|---|---|---|---|"]
    for name, clock in clocks.items():
        minutes, recall = clock.points[-1]
        end = "" if recall >= mark else f"stopped below {mark}"
        lines.append(f"| {name} | {len(clock.points)} | {minutes:.1f} | {recall:.4f} | {end} |")
    return "\n".join(lines)


def arguments():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("data", type=Path)
    parser.add_argument("--mark", type=float, default=0.095)
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--only", action="append", choices=CONTESTANTS)
    return parser.parse_args()


if __name__ == "__main__":
    warnings.filterwarnings("ignore")
    logging.disable(logging.WARNING)
    asked = arguments()
    dataset = Dataset.load(asked.data)
    clocks = race(material_of(dataset, validation_cases=CASES), asked)
    print(f"{as_markdown(clocks, asked.mark)}\n\nRecall@10 on validation. {provenance(dataset, 0)}")
