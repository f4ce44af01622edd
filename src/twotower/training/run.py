"""The run folder: what was asked, how far it is, and the towers that came out."""

import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from twotower import disk
from twotower.bundle import Model
from twotower.errors import ConfigError, DataError

RUN, MODEL = "run.json", "model"
_SAME = ("data_hash", "design", "text_encoder")
"""What a run must share with another to be taken up by it."""


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
    def has_learnt_validation(self) -> bool:
        """Whether it was trained again on validation too, which then measures nothing."""
        return "refit_curve" in self.about

    @property
    def seed(self) -> int:
        """Of its training."""
        return int(self.about["recipe"]["training"]["seed"])

    @property
    def training(self) -> dict[str, Any]:
        """What a report says of the training."""
        return {
            "recipe": self.about["recipe"]["name"],
            "width": self.model.towers.width,
            "export_difference": self.about["export_difference"],
            "curve": self.about["curve"],
        }

    @classmethod
    def load(cls, folder: Path) -> "Run":
        """Opens a finished run.

        Raises:
            DataError: there is no run, or it has not finished.
        """
        about = read_run(folder)
        if about["state"] != "complete":
            raise DataError(f"run {folder} has not finished; resume it with 'twotower train'")
        return cls(folder, Model.load(folder / MODEL), about)


def read_run(folder: Path) -> dict[str, Any]:
    """What `run.json` says.

    Raises:
        DataError: there is no readable run.
    """
    try:
        about: dict[str, Any] = json.loads((folder / RUN).read_text())
    except FileNotFoundError as error:
        raise DataError(
            f"expected a run in {folder}, found no {RUN}; make one with 'twotower train'"
        ) from error
    except (OSError, ValueError) as error:
        raise DataError(
            f"expected a run in {folder}, {RUN} is unreadable ({error}); "
            "make one with 'twotower train'"
        ) from error
    return about


def refuse_foreign(folder: Path) -> None:
    """Refuses a place that holds something else or cannot be written, with `OutputError`."""
    disk.refuse_foreign(folder, RUN, "run", is_replaced=False)


def begin(folder: Path, asked: dict[str, Any], *, replaces: bool = False) -> str:
    """Starts a run folder, or checks that the one there is the same run.

    Args:
        folder: new, or a run's.
        asked: data, design and more; kept in `run.json`, of a run that is taken up as well.
        replaces: a run of another design or of other data makes way, instead of an error.

    Returns:
        The state of the run: `training` or `complete`.

    Raises:
        ConfigError: the folder holds a run of another design or of other data.
        OutputError: the folder holds something else or cannot be written.
    """
    asked = json.loads(json.dumps(asked))
    refuse_foreign(folder)
    found = read_run(folder) if (folder / RUN).is_file() else {"state": "training"}
    other = [name for name in _SAME if name in found and found[name] != asked.get(name)]
    if other and not replaces:
        raise ConfigError(
            f"{folder} holds a run with another {' and '.join(other)}; "
            "choose another --out, or remove it to start afresh"
        )
    if other:
        shutil.rmtree(folder)
        found = {"state": "training"}
    write_json(folder / RUN, found | asked)
    return str(found["state"])


def write_json(file: Path, content: dict[str, Any]) -> None:
    """Replaces a JSON file in one step."""
    disk.write_text(file, json.dumps(content, indent=2) + "\n")
