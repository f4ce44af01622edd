"""Where the offline flow works: what it keeps between runs, and who is told."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from twotower.bundle import Model
from twotower.data.dataset import Dataset
from twotower.encoders.cache import CachedTextEncoder
from twotower.encoders.export import text_encoder
from twotower.encoders.packed import PackedTextEncoder
from twotower.evaluation.report import Origin
from twotower.progress import Progress
from twotower.serving.scorers import Subject


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

    def subject(self, model: Model, dataset: Dataset, recipe: Mapping[str, Any]) -> Subject:
        """What is measured, its text vectors cached; the recipe is the one it was made by."""
        untrained = None
        if recipe.get("fine_tuning", {}).get("epochs"):
            untrained = self.cached(text_encoder(recipe["text_encoder"], self.cache))
        return Subject(model, dataset, self.cached(model.text_encoder), untrained)

    def cached(self, encoder: PackedTextEncoder) -> CachedTextEncoder:
        """The encoder with its vectors kept."""
        return CachedTextEncoder(encoder, self.cache)

    def origin(self, dataset: Dataset, seed: int) -> Origin:
        """Where the numbers of a report come from."""
        return Origin(
            name=dataset.about.name,
            data_hash=dataset.content_hash,
            seed=seed,
            synthetic=dataset.about.synthetic,
            split_kind=dataset.about.split_kind,
            commit=self.commit,
            command=self.command,
        )
