"""The whole offline flow. Read `build` first: one line for each stage.

Every stage takes what the one before gives and can be run alone; the command line has a verb
for each.
"""

import json
import shlex
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from twotower import disk
from twotower.bundle import MANIFEST, REJECTED, Bundle, refuse_foreign, write_bundle
from twotower.data import dataset as dataset_files
from twotower.data.dataset import Dataset, Summary
from twotower.data.outside import read_outside
from twotower.data.prepare import Source
from twotower.data.prepare import prepare as prepare_tables
from twotower.data.streaming.prepare import large_log
from twotower.data.streaming.prepare import prepare as prepare_large
from twotower.encoders.export import text_encoder
from twotower.errors import ConfigError, DataError, MissingExtra, installing
from twotower.evaluation import page
from twotower.evaluation import report as reports
from twotower.evaluation.baselines.lineup import Lineup
from twotower.evaluation.report import Attachments
from twotower.index.build import build_index
from twotower.lexical.analysis import Analyser
from twotower.lexical.synonyms import Synonyms
from twotower.measurement import asked_vectors, measure, measure_outside
from twotower.recipes import Recipe, as_words, derive, space
from twotower.schema import Split
from twotower.serving.choose import choose_serving
from twotower.serving.scorers import Subject, word_search
from twotower.serving.settings import Serving
from twotower.training import run as runs
from twotower.training.run import Run
from twotower.workshop import Workshop

Report = dict[str, Any]
REPORT, PAGE, SERVING = "report.json", "report.html", "serving.json"


def build(source: Source, recipe: Recipe, out: Path, workshop: Workshop) -> Bundle:
    """A shop's tables become a bundle. Interrupted, it goes on where it was.

    Args:
        source: a folder of tables, a public data set, or `synthetic`.
        recipe: every setting.
        out: where the bundle goes, see `release`; work in progress lies beside it, in
            `.NAME.build`, which another source or recipe takes over.
        workshop: cache and progress.

    Returns:
        The bundle, opened. Whether it may be promoted stands in its report.
    """
    refuse_foreign(out)
    work = out.absolute().with_name(f".{out.absolute().name}.build")
    with disk.kept(work):
        prepare(source, recipe, work / "data", workshop)
        dataset = Dataset.load(work / "data")
        run = train(work / "data", recipe, work / "run", workshop, replaces=True)
        serving = tune(run, dataset, workshop)
        report = evaluate(run, dataset, serving, workshop)
        bundle = release(run, dataset, serving, report, out, workshop)
    shutil.rmtree(work)
    return bundle


def prepare(
    source: Source, recipe: Recipe, out: Path, workshop: Workshop, *, incremental: bool = False
) -> Summary:
    """Tables read, checked, cleaned, split and saved; a large log a part at a time.

    Args:
        source: a folder of tables, a public data set, or `synthetic`.
        recipe: its settings of `prepare`.
        out: folder to write.
        workshop: progress.
        incremental: keep the log's typed rows in `out`, and read only files that are not there.
    """
    disk.refuse_foreign(out, dataset_files.MANIFEST, "prepared dataset")
    log = large_log(source, recipe.prepare, smallest=0 if incremental else None)
    if incremental and (log is None or recipe.prepare.on_error == "skip"):
        raise ConfigError(
            "--incremental is for the events of a folder of tables, split by time or by user, and "
            "needs --on-error stop; docs/shop-toml.md says more. Leave it out."
        )
    if log is not None:
        Synonyms.read(log.synonyms, Analyser(log.shop.language))  # refused early
        try:
            return prepare_large(
                log, recipe.prepare, out, keeps=incremental, progress=workshop.progress
            )
        except pl.exceptions.PolarsError as error:  # read as a whole it is, or its fault is named
            unread = str(error)
    dataset = prepare_tables(source, recipe.prepare, progress=workshop.progress)
    if incremental:
        raise DataError(
            f"--incremental cannot read this log in parts: {unread}. Leave it out: as a whole it "
            "can be read."
        )
    Synonyms.read(dataset.about.synonyms, Analyser(dataset.about.language))  # refused early
    dataset.save(out)
    return dataset.summary


def train(
    data: Path, recipe: Recipe, out: Path, workshop: Workshop, *, replaces: bool = False
) -> Run:
    """Towers trained on a prepared dataset, or an interrupted run taken up again.

    Args:
        data: a prepared dataset.
        recipe: every setting.
        out: folder of the run.
        workshop: cache and progress.
        replaces: a run of another recipe or of other data in `out` makes way.
    """
    runs.refuse_foreign(out)
    encoder = text_encoder(recipe.text_encoder, workshop.cache)
    return _training_of_towers()(
        Dataset.load(data),
        recipe.design,
        workshop.cached(encoder),
        encoder,
        out,
        about={"recipe": recipe.to_json(), "data": str(data.resolve())},
        replaces=replaces,
        cached=workshop.cached,
        progress=workshop.progress,
    )


def search_settings(
    data: Path, recipe: Recipe, out: Path, workshop: Workshop, *, trials: int
) -> dict[str, Any]:
    """A recipe's settings tried on validation, or an interrupted search taken up again.

    Args:
        data: a prepared dataset.
        recipe: where to start from; fields that were set by hand stay.
        out: folder of the search.
        workshop: cache and progress.
        trials: how many, those of earlier calls counted.

    Returns:
        What `study.json` says, see `training.study.Study.run`, and `arguments`: the best
        settings as the command line takes them.
    """
    try:
        from twotower.training import study as studies
        from twotower.training.fine_tuning.stage import fine_tuned
        from twotower.training.material import gather
        from twotower.training.train import FINE_TUNING
    except ModuleNotFoundError as missing:
        raise _no_training(missing) from missing
    studies.refuse_foreign(out)
    dataset, (free, start) = Dataset.load(data), space(recipe)
    about = {"recipe": recipe.to_json(), "data_hash": dataset.content_hash}
    study = studies.Study(out, about, free, start, recipe.training.seed)
    encoder = text_encoder(recipe.text_encoder, workshop.cache)
    if recipe.fine_tuning.epochs:
        study.save()  # from now on the folder is a study's
        folder = out / FINE_TUNING
        encoder = fine_tuned(dataset, recipe.design, encoder, folder, workshop.progress).encoder
    material = gather(
        dataset,
        recipe.features,
        workshop.cached(encoder),
        validation_cases=recipe.training.validation_cases,
        progress=workshop.progress,
    )
    found = study.run(
        trials,
        lambda settings: derive(recipe, as_words(settings)).design,
        material,
        workshop.progress,
    )
    words = as_words(study.best["settings"])
    return {**found, "arguments": shlex.join(part for word in words for part in ("--set", word))}


def tune(run: Run, dataset: Dataset, workshop: Workshop) -> Serving:
    """How the run will answer, chosen on validation; written into the run."""
    kept = run.folder / SERVING
    if not kept.is_file():
        chosen = choose_serving(workshop.subject(run.model, dataset, run.about["recipe"]))
        disk.write_text(kept, json.dumps(chosen.to_json(), indent=2) + "\n")
    return Serving.from_json(json.loads(kept.read_text()))


def evaluate(
    run: Run,
    dataset: Dataset,
    serving: Serving,
    workshop: Workshop,
    split: str = Split.TEST,
    lineup: Lineup = "quick",
) -> Report:
    """The run measured on held-out cases beside its baselines; written into the run."""
    sections = measure(
        workshop.subject(run.model, dataset, run.about["recipe"]),
        serving,
        split,
        lineup=lineup,
        seed=run.seed,
        progress=workshop.progress,
    )
    report = reports.assemble(
        sections, workshop.origin(dataset, run.seed), Attachments(training=run.training)
    )
    reports.save(report, run.folder / REPORT)
    page.save_page(report, run.folder / PAGE)
    return report


def release(
    run: Run, dataset: Dataset, serving: Serving, report: Report, out: Path, workshop: Workshop
) -> Bundle:
    """The run exported, indexed, verified and written as a bundle.

    A bundle that beat its baselines is not replaced by one that does not: the new one then
    lies beside it, in `NAME.rejected`.
    """
    out = _place(out, report)
    if workshop.progress is not None:
        workshop.progress("write bundle", 0, 1)
    index = build_index(run.model.item_vectors, queries=asked_vectors(run.model, dataset))
    lexical = word_search(dataset, serving.words)
    measured = {"kind": index.kind, **index.measured}
    bundle = write_bundle(
        out,
        run.model,
        dataset,
        index=index,
        lexical=lexical,
        report=reports.stored({**report, "index": measured}),
        settings=serving.to_json(),
        recipe=run.about["recipe"],
    )
    page.save_page(reports.whole(bundle.report), out / PAGE)
    return bundle


def _place(out: Path, report: Report) -> Path:
    """Where a bundle goes that has this report."""
    if report["verdict"]["promoted"] or not (out / MANIFEST).is_file():
        return out
    try:
        is_better = reports.load(out / REPORT)["verdict"]["promoted"]
    except DataError:  # damaged: nothing to keep
        is_better = False
    if not is_better:
        return out
    beside = out.absolute().with_name(f"{out.absolute().name}{REJECTED}")
    refuse_foreign(beside)
    return beside


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


def bundle_run(folder: Path, out: Path, workshop: Workshop) -> Bundle:
    """A finished run, measured on the test split if it was not yet, as a bundle."""
    refuse_foreign(out)
    run, dataset = open_run(folder)
    serving = tune(run, dataset, workshop)
    report = reports.load(folder / REPORT) if (folder / REPORT).is_file() else None
    if report is None or any(
        section["protocol"]["split"] != Split.TEST for section in report["tasks"].values()
    ):
        report = evaluate(run, dataset, serving, workshop)
    return release(run, dataset, serving, report, out, workshop)


def evaluate_folder(
    folder: Path,
    workshop: Workshop,
    *,
    judgments: Path | None = None,
    events: Path | None = None,
    lineup: Lineup = "quick",
) -> Report:
    """A run or a bundle measured on its test split, or on tables that training never saw.

    Only a run's own test report is written; a bundle stays as it was released.

    Args:
        folder: RUN or BUNDLE.
        workshop: cache and progress.
        judgments: a table of judged queries.
        events: a table of later events.
        lineup: which baselines of recommendations: the `quick` ones, or `all`.
    """
    if not (folder / MANIFEST).is_file() and judgments is None and events is None:
        run, dataset = open_run(folder)
        serving = tune(run, dataset, workshop)
        return evaluate(run, dataset, serving, workshop, lineup=lineup)
    found = opened(folder, workshop)
    sections = measure_outside(
        found.subject,
        found.serving,
        judgments=None if judgments is None else read_outside(judgments, "judgments"),
        events=None if events is None else read_outside(events, "events"),
        lineup=lineup,
        seed=found.seed,
        progress=workshop.progress,
    ) or measure(
        found.subject, found.serving, lineup=lineup, seed=found.seed, progress=workshop.progress
    )
    origin = workshop.origin(found.subject.dataset, found.seed)
    return reports.assemble(sections, origin, Attachments(training=found.training))


@dataclass(frozen=True)
class Opened:
    """A run or a bundle, ready to be measured.

    Attributes:
        subject: what is measured.
        serving: how it answers.
        training: what its report says of training.
        seed: it was trained with.
    """

    subject: Subject
    serving: Serving
    training: Mapping[str, Any]
    seed: int


def opened(folder: Path, workshop: Workshop) -> Opened:
    """A run, with its serving chosen if it was not yet, or a bundle."""
    if (folder / MANIFEST).is_file():
        bundle = Bundle.load(folder)
        made_by, report = bundle.manifest["recipe"], bundle.report
        subject = workshop.subject(bundle.model, bundle.dataset, made_by)
        settings = Serving.from_json(bundle.settings)
        return Opened(subject, settings, report["training"], int(report["seed"]))
    run, dataset = open_run(folder)
    subject = workshop.subject(run.model, dataset, run.about["recipe"])
    return Opened(subject, tune(run, dataset, workshop), run.training, run.seed)


def _training_of_towers() -> Callable[..., Run]:
    """Imported when there is something to train: Lightning takes seconds, no other stage has it."""
    try:
        from twotower.training.train import train
    except ModuleNotFoundError as missing:
        raise _no_training(missing) from missing
    return train


def _no_training(missing: ModuleNotFoundError) -> MissingExtra:
    return MissingExtra(f"training needs {missing.name}; {installing('train')}")
