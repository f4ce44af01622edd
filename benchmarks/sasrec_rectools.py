"""RecTools' SASRec with 256 sampled negatives, on our data and by our protocol.

    python benchmarks/sasrec_rectools.py DATA [--trials 12] [--set n_factors=64] [--out report.json]

DATA is a dataset written by `twotower prepare`. Each trial trains on the training split and
stops when NDCG@10 on validation gets no better; the best trial is then trained again on
training and validation together for as many epochs, as our own recipe does (`--no-refit`
leaves that out). Every case is ranked against the whole catalogue, seen items are taken out,
and an item that training never saw is a miss. The report has the shape of `report.json`, with
SASRec as the model. Reads the test split once, at the end.

It is made for a GPU: 256 negatives are scored at each of 50 places, padded ones too. A step of
Amazon Beauty (175 make an epoch) took 28 s on a third of a CPU core; with `--set n_factors=64
--set session_max_len=20` it took 5 s.

RecTools asks for versions that twotower does not, so it is no extra; beside the `train` and
`baselines` extras:

    pip install --no-deps rectools==0.19.0 typeguard "pandas<3"
"""

import argparse
import copy
import json
import logging
import sys
import time
import warnings
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path

import lightning
import numpy as np
import pandas as pd
import polars as pl
import torch

from twotower import schema
from twotower.data.dataset import Dataset
from twotower.evaluation import report as reports
from twotower.evaluation.baselines.interactions import Interactions
from twotower.evaluation.baselines.popularity import popularity_scorer
from twotower.evaluation.baselines.tuning import METRIC, SAMPLE, TRIALS, drawn
from twotower.evaluation.cases import EARLIER, recommendation_cases
from twotower.evaluation.diversity import Traits
from twotower.evaluation.health import health
from twotower.evaluation.protocol import evaluate
from twotower.evaluation.results import MODEL, TaskResult, task_section
from twotower.schema import Split

BATCH = 256


@dataclass(frozen=True)
class Settings:
    """What is handed to `SASRecModel`; the defaults stand for the first trial."""

    n_factors: int = 256
    n_blocks: int = 2
    n_heads: int = 4
    dropout_rate: float = 0.2
    session_max_len: int = 50
    lr: float = 1e-3
    batch_size: int = 128
    loss: str = "sampled_softmax"
    n_negatives: int = 256


SPACE = {
    "n_factors": (64, 128, 256),
    "n_blocks": (1, 2, 3),
    "n_heads": (1, 2, 4),
    "dropout_rate": (0.2, 0.35, 0.5),
    "lr": (3e-4, 1e-3, 2e-3),
    "batch_size": (128, 256),
}


def settings_to_try(count, seed, fixed):
    """The defaults first, then a draw; what is fixed is the same in all."""
    first = replace(Settings(), **fixed)
    free = {name: values for name, values in SPACE.items() if name not in fixed}
    others = drawn(lambda **found: replace(first, **found), free, count, seed=seed)
    return (first, *(found for found in others if found != first))[:count]


def fixed_settings(words):
    kinds = {field.name: type(field.default) for field in fields(Settings)}
    pairs = (word.split("=", 1) for word in words)
    return {name: kinds[name](value) for name, value in pairs}


class Sasrec:
    """A SASRec of RecTools over the events before a split.

    Args:
        dataset: With events.
        split: To be ranked; what happened before it is learnt.
        settings: Of the model.
        seed: Of weights, order and negatives.
    """

    def __init__(self, dataset, split, settings, seed):
        from rectools import dataset as rectools_data
        from rectools.models import SASRecModel

        lightning.seed_everything(seed, verbose=False)
        before = [str(part) for part in EARLIER[Split(split)]]
        past = dataset.events.filter(pl.col(schema.SPLIT).is_in(before))
        table = pd.DataFrame(
            {
                "user_id": past[schema.USER_ID].to_list(),
                "item_id": past[schema.ITEM_ROW].to_numpy(),
                "weight": 1.0,
                "datetime": pd.to_datetime(np.arange(len(past)), unit="s"),  # in our order
            }
        )
        self._data = rectools_data.Dataset.construct(table)
        self._model = SASRecModel(**asdict(settings), epochs=1, deterministic=True)
        self._length, self._below = (
            settings.session_max_len,
            Interactions.before(dataset, split).below,
        )

    def train_epoch(self):
        self._model.fit_partial(self._data, min_epochs=1, max_epochs=1)

    def weights(self):
        return copy.deepcopy(self._model.lightning_model.torch_model.state_dict())

    def take(self, weights):
        self._model.lightning_model.torch_model.load_state_dict(weights)

    @property
    def _known(self):
        """Item rows that training saw, and RecTools' numbers for them."""
        prepared = self._model.data_preparator
        rows = np.asarray(prepared.get_known_item_ids(), np.int64)
        return rows, prepared.get_known_items_sorted_internal_ids()

    def item_vectors(self, n_items):
        """[N, D], zeros for items that training never saw."""
        rows, numbers = self._known
        _, vectors = self._vectors([])
        found = np.zeros((n_items, vectors.shape[1]), np.float32)
        found[rows] = vectors[numbers]
        return found

    def scorer(self, cases):
        """As `protocol.evaluate` asks for it: -inf for items that training never saw."""
        rows, numbers = self._known
        number_of = np.zeros(cases.n_items, np.int64)
        number_of[rows] = numbers
        everyone = [self._session(number_of[past.item_rows]) for past in cases.histories]
        sessions = np.stack(everyone) if everyone else np.zeros((0, self._length), np.int64)
        users, vectors = self._vectors(sessions)

        def score(part):
            scores = np.full((len(part), cases.n_items), -np.inf, np.float32)
            scores[:, rows] = users[part] @ vectors[numbers].T
            scores[~sessions[part].any(axis=1)] = self._below
            return scores

        return score

    def _session(self, numbers):
        kept = numbers[numbers > 0][-self._length :]
        return np.concatenate([np.zeros(self._length - len(kept), np.int64), kept])

    def _vectors(self, sessions):
        batches = [
            {"x": torch.from_numpy(np.asarray(sessions[start : start + BATCH]))}
            for start in range(0, len(sessions), BATCH)
        ] or [{"x": torch.zeros((1, self._length), dtype=torch.long)}]
        found = self._model.lightning_model._get_user_item_embeddings(batches, None)
        return tuple(part.detach().cpu().numpy().astype(np.float32) for part in found)


def train(model, cases, epochs, patience):
    """Epochs until validation gets no better; the model ends with its best weights."""
    curve, best = [], None
    for epoch in range(1, epochs + 1):
        started = time.perf_counter()
        model.train_epoch()
        value = evaluate(cases, model.scorer(cases)).mean(METRIC)
        seconds = round(time.perf_counter() - started, 1)
        curve.append({"epoch": epoch, METRIC: value, "seconds": seconds})
        print(f"  epoch {epoch}: {METRIC} {value:.4f}, {seconds} s", file=sys.stderr, flush=True)
        if best is None or value > best[0]:
            best = (value, epoch, model.weights())
        if epoch - best[1] >= patience:
            break
    model.take(best[2])
    return curve, best[0], best[1]


def search(dataset, asked):
    """The best of the trials, by validation: its settings, model, curve and epochs."""
    validation = recommendation_cases(dataset, Split.VALIDATION).sample(SAMPLE)
    trials, best = [], None
    for settings in settings_to_try(asked.trials, asked.seed, fixed_settings(asked.set)):
        print(f"trial {len(trials) + 1} of {asked.trials}: {settings}", file=sys.stderr)
        model = Sasrec(dataset, Split.VALIDATION, settings, asked.seed)
        curve, value, epochs = train(model, validation, asked.epochs, asked.patience)
        trials.append({METRIC: value, "epochs": epochs, **asdict(settings)})
        if best is None or value > best[0]:
            best = (value, settings, model, curve, epochs)
    return best[1:], trials


def main(asked):
    dataset = Dataset.load(asked.data)
    started = time.perf_counter()
    (settings, model, curve, epochs), trials = search(dataset, asked)
    if asked.refit:
        model = Sasrec(dataset, Split.TEST, settings, asked.seed)
        for _ in range(epochs):
            model.train_epoch()
    seconds = time.perf_counter() - started
    cases = recommendation_cases(dataset, Split.TEST)
    scorer = model.scorer(cases)
    found = evaluate(cases, scorer)
    printed = {"chosen": asdict(settings), "trials": len(trials), "tried": trials}
    result = TaskResult(
        Split.TEST,
        {MODEL: found},
        {"popularity": evaluate(cases, popularity_scorer(dataset, Split.TEST))},
        settings={"sasrec_rectools": printed},
        traits=Traits.of(dataset.items),
        health=health(found, scorer, model.item_vectors(dataset.n_items)),
    )
    training = {"recipe": "sasrec_rectools", "curve": curve, "epochs": epochs}
    training |= {
        "refit": asked.refit,
        "seconds": round(seconds),
        "threads": torch.get_num_threads(),
    }
    report = reports.assemble(
        {"recommendation": task_section(result, seed=asked.seed)},
        reports.Origin(
            dataset.about.name,
            dataset.content_hash,
            asked.seed,
            synthetic=dataset.about.synthetic,
            split_kind=dataset.about.split_kind,
            command="python " + " ".join(sys.argv),
        ),
        reports.Attachments(training=training),
    )
    if asked.out:
        reports.save(report, asked.out)
    print(json.dumps(report))


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path, help="a prepared dataset")
    parser.add_argument("--trials", type=int, default=TRIALS, help="settings to try")
    parser.add_argument("--set", action="append", default=[], help="fix a setting: n_factors=64")
    parser.add_argument("--epochs", type=int, default=100, help="of a trial, at most")
    parser.add_argument("--patience", type=int, default=5, help="epochs without a better one")
    parser.add_argument("--refit", action=argparse.BooleanOptionalAction, default=True)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, help="where the report is kept too")
    return parser.parse_args()


if __name__ == "__main__":
    warnings.filterwarnings("ignore")
    logging.disable(logging.WARNING)
    main(arguments())
