"""What `prepare` would do, with nothing written: columns and their roles, rows, rules, splits."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from twotower.data import guess, shop_toml
from twotower.data.config import PrepareConfig
from twotower.data.dataset import Dataset
from twotower.data.guess import Guess
from twotower.data.prepare import Source, prepare
from twotower.data.shop_toml import SHOP_FILE
from twotower.data.tables import Export, check_folder
from twotower.errors import DataError


@dataclass(frozen=True)
class DryRun:
    """What came of it.

    Attributes:
        guess: files and columns; None of a public data set or a shop made up.
        dataset: what would be written; None where it is refused.
        refused: why it is, with the remedy.
    """

    guess: Guess | None
    dataset: Dataset | None
    refused: str | None = None

    @property
    def shop_toml(self) -> str | None:
        """The mapping, as a file to edit."""
        return guess.toml(self.guess) if self.guess else None

    def to_json(self) -> dict[str, Any]:
        """Everything, as plain JSON."""
        found: Mapping[str, Any] = self.dataset.profile if self.dataset else {}
        return {
            "files": dict(self.guess.files) if self.guess else {},
            "columns": [asdict(column) for column in self.guess.columns] if self.guess else [],
            "counts": self.dataset.counts if self.dataset else {},
            "cleaning": found.get("cleaning", []),
            "warnings": found.get("warnings", []),
            "shop_toml": self.shop_toml,
            "refused": self.refused,
        }


def dry_run(source: Source, config: PrepareConfig) -> DryRun:
    """Reads, guesses, checks, cleans and splits; writes nothing.

    Args:
        source: as `prepare` takes it; of a folder, what names do not say is guessed.
        config: how.

    Raises:
        DataError: there is no such folder, a file in it cannot be read, or shop.toml is wrong.
    """
    export = _export(source)
    if export is None:
        return DryRun(None, *_tried(source, config))
    check_folder(export.folder)
    path = export.shop_file or export.folder / SHOP_FILE
    found = guess.guess(export.folder, shop_toml.read(path))
    return DryRun(found, *_tried(Export(export.folder, mapping=found.shop), config))


def _export(source: Source) -> Export | None:
    if isinstance(source, Export):
        return source
    return (
        Export(Path(source)) if isinstance(source, str | Path) and Path(source).is_dir() else None
    )


def _tried(source: Source, config: PrepareConfig) -> tuple[Dataset | None, str | None]:
    try:
        return prepare(source, config), None
    except DataError as error:
        return None, str(error)
