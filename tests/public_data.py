"""The public data sets beside the project, and what a profile says was left out."""

from pathlib import Path
from typing import Any

import pytest

from twotower.data.dataset import Dataset
from twotower.data.rule import LEFT_OUT

DATASETS = Path(__file__).parents[2] / "shared" / "datasets"


def folder(name: str) -> Path:
    """The folder of a data set; without it the test is skipped."""
    if not (DATASETS / name).is_dir():
        pytest.skip(f"the public data set {name} is not beside the project ({DATASETS})")
    return DATASETS / name


def rule(dataset: Dataset, name: str) -> dict[str, Any]:
    """What a cleaning rule did."""
    return next(found for found in dataset.profile["cleaning"] if found["name"] == name)


def left_out(dataset: Dataset, table: str) -> dict[str, int]:
    """Rows of a table that cleaning rules left out, by rule."""
    rules = dataset.profile["cleaning"]
    return {
        found["name"]: found["count"]
        for found in rules
        if found["table"] == table and found["action"] == LEFT_OUT
    }
