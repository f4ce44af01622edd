"""Fine-tuning as a stage: a dataset and an encoder in, an encoder in a folder out."""

import json
import shutil
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from twotower import disk, schema
from twotower.data.dataset import Dataset
from twotower.encoders.base import TextEncoder
from twotower.encoders.packed import PackedTextEncoder
from twotower.evaluation.cases import Cases, search_cases
from twotower.evaluation.protocol import evaluate
from twotower.evaluation.vectors import vector_scorer
from twotower.features.text import item_texts
from twotower.lexical.bm25 import Bm25
from twotower.progress import Progress, steps_of
from twotower.schema import Split
from twotower.training.config import Design
from twotower.training.fine_tuning.catalogue import Catalogue
from twotower.training.fine_tuning.config import FineTuningConfig
from twotower.training.fine_tuning.encoder import TrainableEncoder
from twotower.training.fine_tuning.loop import Loop
from twotower.training.fine_tuning.mining import KEPT, Scored, mined, together
from twotower.training.fine_tuning.questions import Question, Questions
from twotower.training.fine_tuning.titles import TitleQueries

MONITOR = "ndcg@10"
DONE = "fine-tuning.json"


@dataclass(frozen=True)
class FineTuned:
    """What came out.

    Attributes:
        encoder: the best one; the one that came in, where no epoch was better.
        curve: epoch, loss and validation metrics of each epoch; epoch 0 is the encoder that
            came in. Validation ranks `fine_tuning.pool_items` items, not the catalogue.
    """

    encoder: PackedTextEncoder
    curve: list[dict[str, float]]


def fine_tuned(
    dataset: Dataset,
    design: Design,
    untrained: PackedTextEncoder,
    folder: Path,
    progress: Progress | None = None,
) -> FineTuned:
    """Trains the encoder on queries of the training split, and on titles; resumable.

    Args:
        dataset: prepared and split; judged queries are not needed.
        design: `fine_tuning` says how, `features.text_fields` what stands for an item.
        untrained: the encoder to begin with.
        folder: new, or of the same fine-tuning.
        progress: told what happens.
    """
    if not (folder / DONE).is_file():
        folder.mkdir(parents=True, exist_ok=True)
        stage = _Stage(dataset, design, untrained, folder, progress)
        curve = stage.run()
        best = best_epoch(curve)
        disk.write_text(folder / DONE, json.dumps({"best": best, "curve": curve}, indent=2) + "\n")
        _clear(folder, keep=best)
    found = json.loads((folder / DONE).read_text())
    best = found["best"]
    encoder = PackedTextEncoder(_encoder_folder(folder, best)) if best else untrained
    return FineTuned(encoder, found["curve"])


def best_epoch(curve: list[dict[str, float]]) -> int:
    """The first epoch with the best validation, 0 among them; the last one without any."""
    values = [point[MONITOR] for point in curve if MONITOR in point]
    return int(curve[values.index(max(values))]["epoch"] if values else curve[-1]["epoch"])


def _encoder_folder(folder: Path, epoch: int) -> Path:
    return folder / f"encoder-{epoch}"


def _clear(folder: Path, *, keep: int) -> None:
    """What a finished fine-tuning needs no more."""
    for path in folder.iterdir():
        if path.is_dir() and path != _encoder_folder(folder, keep):
            shutil.rmtree(path)
        elif path.is_file() and path.name != DONE:
            path.unlink()


class _Stage:
    """One fine-tuning at work."""

    def __init__(
        self,
        dataset: Dataset,
        design: Design,
        untrained: PackedTextEncoder,
        folder: Path,
        progress: Progress | None,
    ) -> None:
        self._config, self._untrained = design.fine_tuning, untrained
        self._folder, self._progress = folder, progress
        self._language = dataset.about.language
        fields = [name for name in design.features.text_fields if name in dataset.about.text_fields]
        self._catalogue = Catalogue(item_texts(dataset.items, fields))
        self._questions = _questions(dataset, self._config)
        self._cases, self._pool = _validation(
            dataset, self._config, design.training.validation_cases
        )

    def run(self) -> list[dict[str, float]]:
        """All epochs, or those that were left; gives the curve."""
        config = self._config
        encoder = TrainableEncoder(self._untrained.name, memory_tokens=config.memory_tokens)
        loop = Loop(encoder, self._questions, self._catalogue, config, self._folder, self._progress)
        if not loop.curve:
            loop.end_epoch({"epoch": 0, **self._validated(0)})
        while not _is_over(loop.curve, config):
            epoch = loop.epochs_done + 1
            loss = loop.train_epoch(self._mine)
            with disk.whole_folder(_encoder_folder(self._folder, epoch)) as staging:
                encoder.write(staging)
            loop.end_epoch({"epoch": epoch, "loss": loss, **self._validated(epoch)})
            self._forget(loop.curve)
        return loop.curve

    def _encoder(self, epoch: int) -> TextEncoder:
        return PackedTextEncoder(_encoder_folder(self._folder, epoch)) if epoch else self._untrained

    def _validated(self, epoch: int) -> dict[str, float]:
        """How well the encoder alone finds what validation queries want in the pool."""
        if self._cases is None:
            return {}
        encoder = self._encoder(epoch)
        queries = encoder.encode(self._cases.keys)
        items = self._encoded(encoder, self._pool, "validate")
        found = evaluate(self._cases, vector_scorer(queries, items))
        return {MONITOR: found.mean(MONITOR), "recall@100": found.mean("recall@100")}

    def _mine(self, questions: list[Question], epoch: int) -> NDArray[np.int64]:
        if not self._config.mined_items:
            return np.full((len(questions), KEPT), schema.PAD, np.int64)
        rows = np.union1d(self._pool, np.array([question.best for question in questions]))
        found = {
            "encoder": lambda: self._mined(questions, rows, self._nearest(questions, rows, epoch)),
            "words": lambda: self._mined(questions, rows, self._by_words(questions, rows)),
        }
        if self._config.mined_by == "both":
            return together(found["encoder"](), found["words"]())
        return found[self._config.mined_by]()

    def _mined(
        self, questions: list[Question], rows: NDArray[np.int64], scored: Scored
    ) -> NDArray[np.int64]:
        told = steps_of(self._progress, "mine, rank")
        return mined(questions, scored, self._catalogue, rows, self._config, told)

    def _nearest(self, questions: list[Question], rows: NDArray[np.int64], epoch: int) -> Scored:
        """Scores by the encoder that an epoch left."""
        encoder = self._encoder(epoch)
        queries = encoder.encode([question.query for question in questions])
        items = self._encoded(encoder, rows, "mine")
        return lambda part: queries[part] @ items.T

    def _by_words(self, questions: list[Question], rows: NDArray[np.int64]) -> Scored:
        """Scores by BM25 over the texts that the encoder reads."""
        texts = [self._catalogue.texts[row] for row in rows]
        words = Bm25.fit({schema.TITLE: texts}, language=self._language)
        return lambda part: words.batch_scores([question.query for question in questions[part]])

    def _encoded(
        self, encoder: TextEncoder, rows: NDArray[np.int64], why: str
    ) -> NDArray[np.float32]:
        texts = [self._catalogue.texts[row] for row in rows]
        return encoder.encode(texts, steps_of(self._progress, f"{why}, encode items"))

    def _forget(self, curve: list[dict[str, float]]) -> None:
        """Encoders that are neither the latest nor the best, and what was mined before."""
        latest = int(curve[-1]["epoch"])
        for epoch in range(1, latest):
            if epoch != best_epoch(curve):
                shutil.rmtree(_encoder_folder(self._folder, epoch), ignore_errors=True)
        for epoch in range(1, latest + 1):
            (self._folder / f"mined-{epoch}.npy").unlink(missing_ok=True)


def _is_over(curve: list[dict[str, float]], config: FineTuningConfig) -> bool:
    done = int(curve[-1]["epoch"])
    return done >= config.epochs or (
        MONITOR in curve[-1] and done - best_epoch(curve) >= config.patience
    )


def _questions(dataset: Dataset, config: FineTuningConfig) -> Questions:
    judged = dataset.judgments
    if judged is not None:
        judged = judged.filter(pl.col(schema.SPLIT) == Split.TRAIN)
    items = dataset.items
    titles = items[schema.TITLE].fill_null("").to_list()
    brands: Any = items[schema.BRAND].to_list() if schema.BRAND in items.columns else None
    return Questions(judged, TitleQueries(titles, brands), config)


def _validation(
    dataset: Dataset, config: FineTuningConfig, at_most: int
) -> tuple[Cases | None, NDArray[np.int64]]:
    """Validation cases among the items of the pool, and the [R] rows of the pool."""
    rng = np.random.default_rng(config.seed)
    drawn = rng.permutation(dataset.n_items)[: config.pool_items].astype(np.int64)
    if dataset.judgments is None:
        return None, np.sort(drawn)
    cases = search_cases(dataset, Split.VALIDATION).sample(at_most)
    if not len(cases):
        return None, np.sort(drawn)
    pool = np.union1d(drawn, cases.rows[cases.rows >= 0])
    rows = np.where(cases.rows >= 0, np.searchsorted(pool, cases.rows), cases.rows)
    return replace(cases, n_items=len(pool), rows=rows), pool
