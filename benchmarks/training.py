"""How fast towers train: sequences a second beside two SASRecs, and memory as a log grows.

    python benchmarks/training.py DATA [--steps 20] [--rounds 5] [--only NAME ...]
    python benchmarks/training.py DATA --memory

DATA is a dataset with events written by `twotower prepare`. In one process the contestants take
turns, `--steps` training steps each, `--rounds` times over; a line gives the median of histories
a second and its ratio to the fastest other. All have width 128, two layers, two heads, read at
most 50 events, and learn from the same histories:

- `twotower`: the recipe `sequential`, item tower, text and attributes included;
- `plain, full softmax`: a SASRec written down in the usual way, ids only, every history padded
  to 50, cross-entropy over the whole catalogue at each of its places;
- `plain, one negative`: the same with the binary cross-entropy of Kang and McAuley, 2018;
- `RecTools`: its SASRec with 256 sampled negatives, if it is installed: see sasrec_rectools.py.

`--memory` trains 40 steps on the log as it is, and on 4 and 16 copies of it with visitors of
their own, each in a process of its own, and prints the largest resident set of each.
"""

import argparse
import logging
import multiprocessing
import os
import resource
import statistics
import sys
import time
import warnings
from pathlib import Path

import numpy as np
import polars as pl
import torch
from torch import nn
from torch.nn import functional as F

from twotower import schema
from twotower.data.dataset import Dataset
from twotower.encoders.cache import CachedTextEncoder
from twotower.encoders.export import text_encoder
from twotower.features.history import Histories
from twotower.recipes import sequential
from twotower.schema import Split
from twotower.towers.layers import table
from twotower.training.examples import ExampleStream
from twotower.training.material import gather
from twotower.training.train import build_learner, examples_of

WIDTH, LAYERS, HEADS, LENGTH, BATCH, DROPOUT = 128, 2, 2, 50, 256, 0.5
MEMORY_STEPS, COPIES = 40, (1, 4, 16)


def material_of(dataset, *, validation_cases=1):
    """What the recipe learns from, with so many validation cases at most."""
    cache = Path(os.environ.get("TWOTOWER_CACHE", Path.home() / ".cache" / "twotower"))
    encoder = CachedTextEncoder(text_encoder("minilm", cache), cache)
    return gather(dataset, sequential().features, encoder, validation_cases=validation_cases)


def twotower_steps(material):
    """Endless training steps of our recipe; each says how many histories it saw."""
    design = sequential().design
    examples = examples_of(material, design)
    learner = build_learner(material, design, examples).train()
    optimizer = torch.optim.AdamW(learner.model.parameters(), lr=1e-3, fused=True)
    generator, step = torch.Generator().manual_seed(0), 0
    stream = ExampleStream(list(examples.values()), seed=0)
    while True:
        batch = stream[step]
        optimizer.zero_grad(set_to_none=True)
        learner(batch, generator).backward()
        optimizer.step()
        step += 1
        yield len(batch.target_BS)


class PlainSasrec(nn.Module):
    """SASRec as it is usually written: ids, padding, one causal mask, `nn.TransformerEncoder`."""

    def __init__(self, n_items):
        super().__init__()
        self.items = table(n_items + 1, WIDTH)  # row 0 is the padding
        self.places = table(LENGTH, WIDTH)
        layer = nn.TransformerEncoderLayer(
            WIDTH, HEADS, 2 * WIDTH, DROPOUT, "gelu", batch_first=True, norm_first=True
        )
        self.layers = nn.TransformerEncoder(layer, LAYERS, nn.LayerNorm(WIDTH))
        mask = nn.Transformer.generate_square_subsequent_mask(LENGTH)
        self.register_buffer("mask", mask)

    def forward(self, item_BL):
        events = F.dropout(self.items(item_BL) + self.places.weight, DROPOUT, self.training)
        return self.layers(events, mask=self.get_buffer("mask"), is_causal=True)


def plain_steps(model, material, *, negatives):
    """Endless training steps of a plain SASRec: `all` items, or `one` negative, at each place."""
    histories, n_items = material.histories, material.n_items
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    generator = np.random.default_rng(0)
    usable = np.flatnonzero(histories.lengths > 1)
    while True:
        for part in np.split(generator.permutation(usable), range(BATCH, len(usable), BATCH)):
            rows = left_padded(histories.take(part).padded(LENGTH + 1)) + 1
            item_BL, target_BL = rows[:, :-1], rows[:, 1:]
            state_PD = model(item_BL)[target_BL > 0]
            target_P = target_BL[target_BL > 0]
            if negatives == "all":
                loss = F.cross_entropy(state_PD @ model.items.weight.T, target_P)
            else:
                other_P = torch.randint(1, n_items + 1, target_P.shape)
                right_P = (state_PD * model.items(target_P)).sum(1)
                wrong_P = (state_PD * model.items(other_P)).sum(1)
                loss = (F.softplus(-right_P) + F.softplus(wrong_P)).mean()
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            optimizer.step()
            yield len(part)


def plain_of(material, negatives):
    """Steps of a fresh plain SASRec."""
    return plain_steps(PlainSasrec(material.n_items).train(), material, negatives=negatives)


def left_padded(padded):
    """[B, L] item rows moved to the right end, -1 before them."""
    place = np.arange(padded.item_rows.shape[1]) - (
        padded.item_rows.shape[1] - padded.lengths[:, None]
    )
    moved = np.take_along_axis(padded.item_rows, np.maximum(place, 0), axis=1)
    return torch.from_numpy(np.where(place >= 0, moved, -1))


def rectools_steps(material):
    """Endless training steps of RecTools' SASRec: its own loader, module and optimizer."""
    import pandas as pd
    from rectools import dataset as rectools_data
    from rectools.models import SASRecModel

    histories = material.histories
    users = np.repeat(np.arange(len(histories)), histories.lengths)
    rows = pd.DataFrame({"user_id": users, "item_id": histories.item_rows, "weight": 1.0})
    rows["datetime"] = pd.to_datetime(np.arange(len(rows)), unit="s")
    model = SASRecModel(
        n_factors=WIDTH,
        n_blocks=LAYERS,
        n_heads=HEADS,
        dropout_rate=DROPOUT,
        session_max_len=LENGTH,
        batch_size=BATCH,
        loss="sampled_softmax",
        n_negatives=256,
    )
    model._build_model_from_dataset(rectools_data.Dataset.construct(rows))
    module = model.lightning_model.train()
    optimizer = module.configure_optimizers()
    while True:
        for batch in model.data_preparator.get_dataloader_train():
            optimizer.zero_grad(set_to_none=True)
            module.training_step(batch, 0).backward()
            optimizer.step()
            yield len(batch["x"])


CONTESTANTS = {
    "twotower": twotower_steps,
    "plain, full softmax": lambda material: plain_of(material, "all"),
    "plain, one negative": lambda material: plain_of(material, "one"),
    "RecTools": rectools_steps,
}


def rate(steps, count):
    """Histories a second over some steps."""
    started = time.perf_counter()
    seen = sum(next(steps) for _ in range(count))
    return seen / (time.perf_counter() - started)


def race(dataset, asked):
    """The table of all contestants, who take turns."""
    material = material_of(dataset)
    running, rates = {}, {}
    for name in asked.only or CONTESTANTS:
        try:
            steps = CONTESTANTS[name](material)
            rate(steps, 2)  # warm
        except ModuleNotFoundError as missing:
            print(f"{name} is left out: {missing}", file=sys.stderr)
            continue
        running[name], rates[name] = steps, []
    for turn in range(asked.rounds):
        for name, steps in running.items():
            rates[name].append(rate(steps, 2 if name == "RecTools" else asked.steps))
            print(f"round {turn + 1}, {name}: {rates[name][-1]:.0f}/s", file=sys.stderr)
    medians = {name: statistics.median(found) for name, found in rates.items()}
    ours = medians["twotower"]
    print("| | histories/s | lowest | highest | twotower is faster by |\n|---|---|---|---|---|")
    for name, found in rates.items():
        spread = f"{min(found):,.0f} | {max(found):,.0f}"
        print(f"| {name} | {medians[name]:,.0f} | {spread} | {ours / medians[name]:.2f} |")


def grown(dataset, copies):
    """The training log several times over, every copy with visitors of its own."""
    events = dataset.events.filter(pl.col(schema.SPLIT) == Split.TRAIN)
    one = Histories.from_events(events)[1].collapsed()
    return Histories.from_lists([history for _ in range(copies) for history in one])


def peak(path, copies):
    """MB of the largest resident set of a few steps, and of what was there before them."""
    from dataclasses import replace

    dataset = Dataset.load(path)
    material = replace(material_of(dataset), histories=grown(dataset, copies))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    rate(twotower_steps(material), MEMORY_STEPS)
    after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"| {copies} | {len(material.histories.item_rows):,} | {before:,.0f} | {after:,.0f} |")


def memory(path):
    """The table of peaks; a process for each, as a peak never falls."""
    print("| copies | events | peak before training, MB | with training, MB |", flush=True)
    print("|---|---|---|---|", flush=True)
    fresh = multiprocessing.get_context("spawn")
    for copies in COPIES:
        process = fresh.Process(target=peak, args=(path, copies))
        process.start()
        process.join()


def arguments():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("data", type=Path)
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--only", action="append", choices=CONTESTANTS)
    parser.add_argument("--memory", action="store_true")
    return parser.parse_args()


if __name__ == "__main__":
    warnings.filterwarnings("ignore")
    logging.disable(logging.WARNING)
    asked = arguments()
    memory(asked.data) if asked.memory else race(Dataset.load(asked.data), asked)
