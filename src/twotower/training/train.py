"""Training from a prepared dataset to a run folder, resumable."""

from collections.abc import Callable, Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from twotower import disk
from twotower.bundle import write_model
from twotower.data.dataset import Dataset
from twotower.encoders.base import TextEncoder
from twotower.encoders.packed import PackedTextEncoder
from twotower.features.again import Again
from twotower.features.history import Seen
from twotower.features.items import id_rows
from twotower.progress import Progress
from twotower.towers.export import export_towers, tensors
from twotower.towers.exported import ExportedTowers
from twotower.towers.two_tower import TwoTower
from twotower.training.again import again_of
from twotower.training.checkpoint import save_weights
from twotower.training.config import Design, TrainingConfig
from twotower.training.cooccurrence import cooccurrence_vectors
from twotower.training.examples import (
    Batch,
    ExampleStream,
    HistoryBatch,
    HistoryExamples,
    QueryBatch,
    QueryExamples,
)
from twotower.training.fine_tuning.stage import fine_tuned
from twotower.training.learner import Catalogue, Learner
from twotower.training.loop import Curve, Validate, fit
from twotower.training.material import Material, gather
from twotower.training.negatives import InBatch, NegativeSource, Uniform
from twotower.training.run import MODEL, RUN, Run, begin, write_json
from twotower.training.validation import validation_of

Examples = HistoryExamples | QueryExamples

REFIT, FINE_TUNING = "refit", "fine-tuning"
_PARITY_ITEMS = 1000


def train(
    dataset: Dataset,
    design: Design,
    encoder: TextEncoder,
    packed_encoder: PackedTextEncoder,
    folder: Path,
    *,
    about: Mapping[str, Any] | None = None,
    replaces: bool = False,
    cached: Callable[[PackedTextEncoder], TextEncoder] = lambda encoder: encoder,
    progress: Progress | None = None,
) -> Run:
    """Trains, or goes on with an interrupted run; writes the exported towers.

    Args:
        dataset: prepared and split.
        design: what and how.
        encoder: of texts, usually with a cache.
        packed_encoder: the encoder itself, which the run keeps a copy of.
        folder: new, or an interrupted run of the same design and data.
        about: more to be kept in `run.json`, such as the recipe and where the data lies.
        replaces: a run of another design or of other data in the folder makes way.
        cached: puts a cache around an encoder that was fine-tuned.
        progress: told what happens.

    Raises:
        ConfigError: the folder holds a run of another design or of other data.
        OutputError: the folder holds something else or cannot be written.
    """
    asked = {
        "data_hash": dataset.content_hash,
        "design": asdict(design),
        "text_encoder": encoder.hash,
        **(about or {}),
    }
    if begin(folder, asked, replaces=replaces) == "complete":
        return Run.load(folder)
    with disk.kept(folder):
        tuned: dict[str, Any] = {}
        if design.fine_tuning.epochs:
            made = fine_tuned(dataset, design, packed_encoder, folder / FINE_TUNING, progress)
            packed_encoder, encoder = made.encoder, cached(made.encoder)
            tuned["fine_tuning_curve"] = made.curve
        found = _trained(dataset, design, encoder, packed_encoder, folder, progress)
    write_json(folder / RUN, asked | tuned | found | {"state": "complete"})
    return Run.load(folder)


def _trained(
    dataset: Dataset,
    design: Design,
    encoder: TextEncoder,
    packed_encoder: PackedTextEncoder,
    folder: Path,
    progress: Progress | None,
) -> dict[str, Any]:
    """Towers trained and written into the folder; what `run.json` says of it."""
    told: dict[str, Any] = {
        "validation_cases": design.training.validation_cases,
        "catalogue_alone": design.fine_tuning.epochs > 0,
        "progress": progress,
    }
    material = gather(dataset, design.features, encoder, **told)
    learner, curve = fit_towers(material, design, folder, progress, validated=True)
    again = again_of(learner, material)
    found: dict[str, Any] = {
        "curve": curve.points,
        "epochs": curve.best_epoch,
        "again": again.to_json(),
    }
    if design.training.refit and material.histories is not None:
        material = gather(dataset, design.features, encoder, with_validation_events=True, **told)
        as_long = replace(design, training=replace(design.training, epochs=curve.best_epoch))
        learner, curve = fit_towers(material, as_long, folder / REFIT, progress, validated=False)
        found["refit_curve"] = curve.points
    found["export_difference"] = _write(folder, learner, material, packed_encoder, again)
    return found


def fit_towers(
    material: Material,
    design: Design,
    folder: Path,
    progress: Progress | None,
    *,
    validated: bool,
    watch: Callable[[Validate], Validate] = lambda validate: validate,
) -> tuple[Learner, Curve]:
    """Fresh towers trained, or taken up from the folder's checkpoint; and how it went.

    Where there is nothing to learn from they stay fresh.

    Args:
        material: what there is to learn from, and to validate on.
        design: what and how.
        folder: keeps the checkpoints and the log.
        progress: told what happens.
        validated: whether validation ends the training; otherwise all epochs are trained.
        watch: put around the validation of each epoch.
    """
    examples = examples_of(material, design)
    learner = build_learner(material, design, examples)
    if not examples:
        return learner.eval(), Curve()
    stream = ExampleStream(list(examples.values()), seed=design.training.seed)
    is_validated = validated and bool(material.validation)
    validate = watch(validation_of(learner, material)) if is_validated else None
    curve = fit(learner, stream, design.training, validate, folder=folder, progress=progress)
    return learner, curve


def examples_of(material: Material, design: Design) -> dict[type[Batch], Examples]:
    """The examples of every task there is material for, by the class of their batches."""
    config, found = design.training, dict[type[Batch], Examples]()
    if material.histories is not None:
        found[HistoryBatch] = HistoryExamples(
            material.histories,
            kind_weights=config.kind_weights,
            max_length=design.towers.history,
            batch_histories=config.batch_histories,
            batch_events=config.batch_events,
        )
    if material.judgments is not None:
        found[QueryBatch] = QueryExamples(
            material.judgments,
            material.query_vectors,
            max_judged=config.max_judged,
            batch_size=config.batch_queries,
        )
    return found


def build_learner(
    material: Material, design: Design, examples: Mapping[type[Batch], Examples]
) -> Learner:
    """Fresh towers with their losses, the same for the same seed.

    Args:
        material: what there is to learn from.
        design: the shape and the settings.
        examples: whose positives are the in-batch negatives of their task.
    """
    torch.manual_seed(design.training.seed)
    model = TwoTower(
        design.towers,
        material.features.features,
        text_width=material.text_width,
        with_users=material.histories is not None,
        with_queries=material.with_queries,
    )
    arrays = tensors(material.arrays)
    if design.training.start_from_text and "text" in arrays:
        model.start_from_text(arrays["text"])
    if design.training.start_from_histories and material.histories is not None and "id" in arrays:
        found = cooccurrence_vectors(material.histories, material.n_items, design.towers.width)
        model.start_from_ids(arrays["id"], torch.from_numpy(found))
    sources = {
        kind: _sources(found.positives, material.n_items, design.training)
        for kind, found in examples.items()
    }
    warm = torch.zeros(material.n_items, dtype=torch.bool)
    if HistoryBatch in examples:
        warm[torch.from_numpy(examples[HistoryBatch].positives).long()] = True
    groups = torch.from_numpy(material.groups)
    return Learner(model, Catalogue(arrays, warm, groups), design.training, sources)


def _sources(
    positives: NDArray[np.integer], n_items: int, config: TrainingConfig
) -> list[NegativeSource]:
    uniform = Uniform(n_items, config.uniform_negatives)
    counts = torch.from_numpy(np.bincount(positives, minlength=n_items))
    return [InBatch(counts), uniform] if config.negatives == "mixed" else [uniform]


def _write(
    folder: Path, learner: Learner, material: Material, encoder: PackedTextEncoder, again: Again
) -> float:
    """The exported model, whole or not at all; the largest difference of the export."""
    rows = np.unique(np.linspace(0, material.n_items - 1, _PARITY_ITEMS).astype(int))
    some = {name: array[rows] for name, array in material.arrays.items()}
    seen = None if material.histories is None else Seen.of(material.histories)
    with disk.whole_folder(folder / MODEL) as staging:
        difference = export_towers(learner.model, some, staging / "towers", seen)
        vectors, attention = ExportedTowers(staging / "towers").items(material.arrays)
        ids = id_rows(material.arrays)
        write_model(staging, material.features, encoder, vectors, attention, ids, again)
        save_weights(learner.model.state_dict(), staging / "towers.safetensors")
    return difference
