"""The whole offline flow. Read `build` first: one line for each stage.

Every stage takes what the one before gives and can be run alone; the command line has a verb
for each.
"""

import hashlib
import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from twotower.bundle import Bundle, write_bundle
from twotower.data.dataset import Dataset
from twotower.data.prepare import prepare as prepare_tables
from twotower.encoders.cache import CachedTextEncoder
from twotower.encoders.export import text_encoder
from twotower.errors import DataError
from twotower.evaluation import page
from twotower.evaluation import report as reports
from twotower.evaluation.cases import recommendation_cases, search_cases
from twotower.evaluation.report import Attachments, Origin
from twotower.index.build import build_index
from twotower.lexical.bm25 import Bm25
from twotower.lexical.documents import item_documents
from twotower.measurement import Serving, Subject, choose_serving, measure
from twotower.recipes import Recipe
from twotower.schema import Split
from twotower.training.train import Run
from twotower.training.train import train as train_towers

Progress = Callable[[str, int, int], None]
"""Called with (stage, done, total)."""

Report = dict[str, Any]
REPORT, PAGE = "report.json", "report.html"
_INDEX_QUERIES = 500


@dataclass(frozen=True)
class Workshop:
    """Where the pipeline works, and who is told.

    Attributes:
        cache: keeps exported text encoders and text vectors between runs.
        progress: told what is being done.
        commit: of the source, printed in reports, where it is known.
        command: that was given, printed in reports, where it is known.
    """

    cache: Path
    progress: Progress | None = None
    commit: str | None = None
    command: str | None = None


def build(source: str, recipe: Recipe, out: Path, workshop: Workshop) -> Bundle:
    """A shop's tables become a bundle. Interrupted, it goes on where it was.

    Args:
        source: a folder of tables, or `synthetic`.
        recipe: every setting.
        out: where the bundle goes; work in progress lies beside it.
        workshop: cache and progress.

    Returns:
        The bundle, opened. Whether it may be promoted stands in its report.
    """
    work = _work_folder(out, source, recipe)
    dataset = prepare(source, recipe, work / "data", workshop)
    run = train(work / "data", recipe, work / "run", workshop)
    serving = choose_serving(_subject(run, dataset, workshop))
    report = evaluate(run, dataset, serving, workshop)
    bundle = release(run, dataset, serving, report, out)
    shutil.rmtree(work)
    return bundle


def prepare(source: str, recipe: Recipe, out: Path, workshop: Workshop) -> Dataset:
    """Tables read, checked, cleaned, split and saved."""
    dataset = prepare_tables(source, recipe.prepare, progress=workshop.progress)
    dataset.save(out)
    return dataset


def train(data: Path, recipe: Recipe, out: Path, workshop: Workshop) -> Run:
    """Towers trained on a prepared dataset, or an interrupted run taken up again."""
    encoder = text_encoder(recipe.text_encoder, workshop.cache)
    return train_towers(
        Dataset.load(data),
        recipe.design,
        CachedTextEncoder(encoder, workshop.cache),
        encoder,
        out,
        about={"recipe": recipe.to_json(), "data": str(data.resolve())},
        progress=workshop.progress,
    )


def evaluate(
    run: Run,
    dataset: Dataset,
    serving: Serving,
    workshop: Workshop,
    split: str = Split.TEST,
) -> Report:
    """The run measured on held-out cases beside its baselines; written into the run."""
    sections = measure(
        _subject(run, dataset, workshop),
        serving,
        split,
        seed=_seed(run),
        progress=workshop.progress,
    )
    report = reports.assemble(sections, _origin(run, dataset, workshop), _attachments(run))
    reports.save(report, run.folder / REPORT)
    page.save_page(report, run.folder / PAGE)
    return report


def release(
    run: Run, dataset: Dataset, serving: Serving, report: Report, out: Path
) -> Bundle:
    """The run exported, indexed, verified and written as a bundle."""
    vectors = run.model.item_vectors
    index = build_index(vectors, queries=_index_queries(run, dataset))
    lexical = Bm25.fit(item_documents(dataset.items), k1=serving.k1, b=serving.b)
    measured = {"kind": index.kind, **index.measured}
    bundle = write_bundle(
        out,
        run.model,
        dataset,
        index=index,
        lexical=lexical,
        report={**report, "index": measured},
        settings=serving.to_json(),
        recipe=run.about["recipe"],
    )
    page.save_page(bundle.report, out / PAGE)
    return bundle


def open_run(folder: Path) -> tuple[Run, Dataset]:
    """A finished run with the dataset it was trained on.

    Raises:
        DataError: the dataset has moved or is another one now.
    """
    run = Run.load(folder)
    dataset = Dataset.load(Path(run.about["data"]))
    if dataset.content_hash != run.about["data_hash"]:
        raise DataError(
            f"run {folder} was trained on data {run.about['data_hash'][:12]}, "
            f"{run.about['data']} now holds {dataset.content_hash[:12]}; train again"
        )
    return run, dataset


def serving_of(run: Run, dataset: Dataset, workshop: Workshop) -> Serving:
    """How a run answers, chosen on validation."""
    return choose_serving(_subject(run, dataset, workshop))


def _subject(run: Run, dataset: Dataset, workshop: Workshop) -> Subject:
    return Subject(run.model, dataset, CachedTextEncoder(run.model.text_encoder, workshop.cache))


def _seed(run: Run) -> int:
    return int(run.about["recipe"]["training"]["seed"])


def _origin(run: Run, dataset: Dataset, workshop: Workshop) -> Origin:
    return Origin(
        name=dataset.about.name,
        data_hash=dataset.content_hash,
        seed=_seed(run),
        synthetic=dataset.about.synthetic,
        split_kind=dataset.about.split_kind,
        commit=workshop.commit,
        command=workshop.command,
    )


def _attachments(run: Run) -> Attachments:
    towers = {"recipe": run.about["recipe"]["name"], "width": run.model.towers.width}
    return Attachments(
        training={
            "curve": run.about["curve"],
            "export_difference": run.about["export_difference"],
            **towers,
        }
    )


def _index_queries(run: Run, dataset: Dataset) -> NDArray[np.float32]:
    """Vectors that shoppers would ask with: of validation visitors and queries."""
    towers, items = run.model.towers, run.model.item_vectors
    found = [np.zeros((0, towers.width), np.float32)]
    if towers.has_users and dataset.events is not None:
        visitors = recommendation_cases(dataset, Split.VALIDATION).sample(_INDEX_QUERIES)
        if visitors.histories is not None and len(visitors):
            found.append(towers.users(items, visitors.histories, visitors.now_ms))
    if towers.has_queries and dataset.judgments is not None:
        queries = search_cases(dataset, Split.VALIDATION).sample(_INDEX_QUERIES).keys
        found.append(towers.queries(run.model.text_encoder.encode(queries)))
    return np.concatenate(found)


def _work_folder(out: Path, source: str, recipe: Recipe) -> Path:
    """Beside the bundle, its own for every source and recipe, so that none mixes with another."""
    asked = json.dumps([source, recipe.to_json()], sort_keys=True, default=str)
    name = hashlib.sha256(asked.encode()).hexdigest()[:8]
    return out.parent / f".{out.name}.build-{name}"
