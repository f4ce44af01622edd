"""Training from a prepared dataset to a run folder, resumable."""

import json
import shutil
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from twotower.bundle import Model, write_model
from twotower.data.dataset import Dataset
from twotower.encoders.base import TextEncoder
from twotower.encoders.onnx import OnnxTextEncoder
from twotower.errors import ConfigError, DataError, OutputError
from twotower.evaluation.protocol import evaluate
from twotower.evaluation.vectors import vector_scorer
from twotower.features.history import Histories
from twotower.features.items import ItemFeaturesConfig
from twotower.towers.export import export_towers, tensors
from twotower.towers.two_tower import TowersConfig, TwoTower
from twotower.training.checkpoint import save_weights
from twotower.training.config import TrainingConfig
from twotower.training.examples import (
    Batch,
    ExampleStream,
    HistoryBatch,
    HistoryExamples,
    QueryBatch,
    QueryExamples,
)
from twotower.training.learner import Learner
from twotower.training.loop import MONITOR, Validate, fit
from twotower.training.material import Material, Progress, gather
from twotower.training.negatives import InBatch, NegativeSource, Uniform

RUN = "run.json"
_MODEL = "model"


@dataclass(frozen=True)
class Design:
    """What is trained and how: the part of a recipe that training needs.

    Attributes:
        features: what the item tower sees.
        towers: the shape of the model.
        training: how it learns.
    """

    features: ItemFeaturesConfig
    towers: TowersConfig
    training: TrainingConfig


@dataclass(frozen=True)
class Run:
    """A finished training run.

    Attributes:
        folder: where it lies.
        model: the best towers, exported.
        about: design, data and curve, as `run.json` says.
    """

    folder: Path
    model: Model
    about: dict[str, Any]

    @property
    def report_file(self) -> Path:
        """Where the run's report is."""
        return self.folder / "report.json"

    @classmethod
    def load(cls, folder: Path) -> "Run":
        """Opens a finished run.

        Raises:
            DataError: there is no run, or it has not finished.
        """
        about = read_run(folder)
        if about["state"] != "complete":
            raise DataError(f"run {folder} has not finished; resume it with 'twotower train'")
        return cls(folder, Model.load(folder / _MODEL), about)


def read_run(folder: Path) -> dict[str, Any]:
    """What `run.json` says.

    Raises:
        DataError: there is no readable run.
    """
    try:
        about: dict[str, Any] = json.loads((folder / RUN).read_text())
    except (OSError, ValueError) as error:
        raise DataError(
            f"expected a run in {folder}, got: {error}; make one with 'twotower train'"
        ) from error
    return about


def train(
    dataset: Dataset,
    design: Design,
    encoder: TextEncoder,
    packed_encoder: OnnxTextEncoder,
    folder: Path,
    *,
    about: dict[str, Any] | None = None,
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
        progress: told what happens.

    Raises:
        ConfigError: the folder holds a run of another design or of other data.
        OutputError: the folder holds something else or cannot be written.
    """
    asked = {"data_hash": dataset.content_hash, "design": asdict(design), **(about or {})}
    if _begin(folder, asked) == "complete":
        return Run.load(folder)
    config = design.training
    torch.manual_seed(config.seed)
    material = gather(
        dataset,
        design.features,
        encoder,
        validation_cases=config.validation_cases,
        progress=progress,
    )
    learner = build_learner(material, design)
    stream = ExampleStream(_tasks(material, design), seed=config.seed)
    validate = _validation(learner, material)
    curve = fit(learner, stream, config, validate, folder=folder, progress=progress)
    difference = _write(folder, learner, material, packed_encoder)
    done = {"state": "complete", "curve": curve.points, "export_difference": difference}
    _write_json(folder / RUN, asked | done)
    return Run.load(folder)


def build_learner(material: Material, design: Design) -> Learner:
    """Fresh towers for this material, with their losses."""
    model = TwoTower(
        design.towers,
        material.features.features,
        text_width=material.text_width,
        with_users=material.histories is not None,
        with_queries=material.judgments is not None,
    )
    arrays = tensors(material.arrays)
    if design.training.start_from_text and "text" in arrays:
        model.start_from_text(arrays["text"])
    sources = {
        kind: _sources(counts, material.n_items, design.training)
        for kind, counts in _counts(material, design).items()
    }
    return Learner(model, arrays, design.training, sources)


def _tasks(material: Material, design: Design) -> list[HistoryExamples | QueryExamples]:
    config = design.training
    tasks: list[HistoryExamples | QueryExamples] = []
    if material.histories is not None:
        tasks.append(
            HistoryExamples(
                material.histories,
                kind_weights=config.kind_weights,
                max_length=design.towers.history,
                batch_size=config.batch_histories,
            )
        )
    if material.judgments is not None:
        tasks.append(
            QueryExamples(
                material.judgments,
                material.query_vectors,
                max_judged=config.max_judged,
                batch_size=config.batch_queries,
            )
        )
    return tasks


def _counts(material: Material, design: Design) -> dict[type[Batch], np.ndarray[Any, Any]]:
    kinds: dict[type, type[Batch]] = {HistoryExamples: HistoryBatch, QueryExamples: QueryBatch}
    return {kinds[type(task)]: task.counts for task in _tasks(material, design)}


def _sources(
    positives: np.ndarray[Any, Any], n_items: int, config: TrainingConfig
) -> list[NegativeSource]:
    counts = torch.from_numpy(np.bincount(positives, minlength=n_items))
    return [InBatch(counts), Uniform(n_items, config.uniform_negatives)]


def _validation(learner: Learner, material: Material) -> Validate:
    """NDCG@10 of each task on its validation cases, and the mean that decides."""

    def validate() -> dict[str, float]:
        items = learner.item_vectors()
        found = {
            f"{task}_{MONITOR}": evaluate(
                cases, vector_scorer(_case_vectors(learner, material, task, items), items.cpu().numpy())
            ).mean(MONITOR)
            for task, cases in material.validation.items()
        }
        return {MONITOR: float(np.mean(list(found.values()) or [0.0])), **found}

    return validate


def _case_vectors(
    learner: Learner, material: Material, task: str, items: torch.Tensor
) -> np.ndarray[Any, np.dtype[np.float32]]:
    cases, model = material.validation[task], learner.model
    if task == "search":
        assert model.query is not None
        text = np.stack([material.query_vectors[query] for query in cases.keys])
        vectors: np.ndarray[Any, Any] = model.query(torch.from_numpy(text).to(items.device)).cpu().numpy()
        return vectors
    assert cases.histories is not None
    everyone = cases.histories.collapsed()
    parts = [
        _user_vectors(learner, items, everyone.take(users), cases.now_ms[users])
        for users in np.array_split(np.arange(len(everyone)), -(-len(everyone) // 512))
    ]
    return np.concatenate(parts)


def _user_vectors(
    learner: Learner, items: torch.Tensor, histories: Histories, now_ms: np.ndarray[Any, Any]
) -> np.ndarray[Any, Any]:
    user = learner.model.user
    assert user is not None
    padded = histories.padded(user.max_length, now_ms)
    rows, kinds, gaps, lengths = (
        torch.from_numpy(array).to(items.device)
        for array in (padded.item_rows, padded.kinds, padded.gaps, padded.lengths)
    )
    vectors: np.ndarray[Any, Any] = user(items[rows.clamp(min=0)], kinds, gaps, lengths).cpu().numpy()
    return vectors


def _begin(folder: Path, asked: dict[str, Any]) -> str:
    """Starts a run folder, or checks that the one there is the same run; its state."""
    asked = json.loads(json.dumps(asked))
    if (folder / RUN).is_file():
        found = read_run(folder)
        other = [name for name in ("data_hash", "design") if found.get(name) != asked[name]]
        if other:
            raise ConfigError(
                f"{folder} holds a run with another {' and '.join(other)}; "
                "choose another --out, or remove it to start afresh"
            )
        return str(found["state"])
    try:
        if folder.exists() and any(folder.iterdir()):
            raise OutputError(f"{folder} holds something that is no run; choose another --out")
        folder.mkdir(parents=True, exist_ok=True)
        _write_json(folder / RUN, asked | {"state": "training"})
    except OSError as error:
        raise OutputError(
            f"cannot write run {folder}: {error.strerror or error}; choose another --out"
        ) from error
    return "training"


def _write(
    folder: Path, learner: Learner, material: Material, encoder: OnnxTextEncoder
) -> float:
    part, final = folder / f".{_MODEL}", folder / _MODEL
    shutil.rmtree(part, ignore_errors=True)
    shutil.rmtree(final, ignore_errors=True)
    difference = export_towers(learner.model, _some(material), part / "towers")
    from twotower.towers.exported import ExportedTowers

    vectors, attention = ExportedTowers(part / "towers").items(material.arrays)
    write_model(part, material.features, encoder, vectors, attention)
    save_weights(learner.model.state_dict(), part / "towers.safetensors")
    part.rename(final)
    return difference


def _some(material: Material, n_items: int = 1000) -> dict[str, np.ndarray[Any, Any]]:
    """Features of some items over the whole catalogue, for the parity check."""
    rows = np.unique(np.linspace(0, material.n_items - 1, n_items).astype(int))
    return {name: array[rows] for name, array in material.arrays.items()}


def _write_json(file: Path, content: dict[str, Any]) -> None:
    part = file.with_suffix(".part")
    part.write_text(json.dumps(content, indent=2) + "\n")
    part.replace(file)
