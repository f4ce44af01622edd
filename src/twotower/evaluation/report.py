"""The report: what was measured, how, on what, and the verdict; one JSON file."""

import json
import math
import os
import platform
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from twotower import __version__, disk
from twotower.errors import DataError
from twotower.evaluation.cases import RECOMMENDATION, SEARCH
from twotower.evaluation.gate import HEADLINE_METRIC, gate, task_gate
from twotower.evaluation.slices import ALL

FORMAT: Final = 1
"""Version of the report's shape."""

_NUMBERS: Final = ("mean", "low", "high", "n")
_SYSTEMS: Final = ("metrics", "variants", "baselines")
_AT_TOP: Final = ("metrics", "baselines")
"""Parts of the headline task that stand at the top of the report."""
_NEEDED: Final = ("format", "metrics", "baselines", "tasks", "headline", "verdict")


@dataclass(frozen=True)
class Origin:
    """Where the numbers come from.

    Attributes:
        name: Name of the shop or data set.
        data_hash: Content hash of the prepared dataset.
        seed: Of the run.
        synthetic: True for the made-up shop.
        split_kind: How the events were split.
        commit: Source commit, where it is known.
        command: The command that produced the numbers, where it is known.
    """

    name: str
    data_hash: str
    seed: int
    synthetic: bool = False
    split_kind: str = "none"
    commit: str | None = None
    command: str | None = None


@dataclass(frozen=True)
class Attachments:
    """What other rooms add to the report.

    Attributes:
        training: Such as `curve` (a list of {epoch or step, NAME: number}) and totals.
        index: Such as its kind and `index_recall@10`.
    """

    training: Mapping[str, Any] = field(default_factory=dict)
    index: Mapping[str, Any] = field(default_factory=dict)


def assemble(
    tasks: Mapping[str, Mapping[str, Any]],
    origin: Origin,
    attachments: Attachments | None = None,
) -> dict[str, Any]:
    """The whole report from the sections of its tasks.

    Args:
        tasks: "recommendation" and/or "search" -> `results.task_section`.
        origin: Where the numbers come from.
        attachments: Sections of training and index.

    Returns:
        A JSON-ready dict. Its top-level `metrics` and `baselines` are those of the headline
        task: recommendation when there is one, otherwise search.
    """
    attachments = attachments or Attachments()
    main = headline_task(tasks)
    sections = {
        task: {**section, "gate": task_gate(task, section).to_json()}
        for task, section in tasks.items()
    }
    return {
        "format": FORMAT,
        "twotower": __version__,
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "name": origin.name,
        "synthetic": origin.synthetic,
        "split_kind": origin.split_kind,
        "data_hash": origin.data_hash,
        "seed": origin.seed,
        "commit": origin.commit,
        "command": origin.command,
        "machine": machine(),
        "headline": headline(sections),
        "verdict": gate(tasks).to_json(),
        "health": {task: found["health"] for task, found in tasks.items() if found.get("health")},
        "metrics": sections[main]["metrics"] if main else {},
        "baselines": sections[main]["baselines"] if main else {},
        "tasks": sections,
        "training": dict(attachments.training),
        "index": dict(attachments.index),
    }


def headline_task(tasks: Mapping[str, Any]) -> str | None:
    """The task whose numbers stand at the top: recommendation before search."""
    return next((task for task in (RECOMMENDATION, SEARCH) if task in tasks), None)


def headline(tasks: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """The one number of the report: NDCG@10 of what is served, over all cases of the main task."""
    main = headline_task(tasks)
    if main is None:
        return {"task": None, "metric": HEADLINE_METRIC, "slice": ALL, "system": None}
    served = tasks[main]["served"]
    summary = tasks[main]["variants"].get(served, tasks[main]["metrics"])
    number = summary.get(ALL, {}).get(HEADLINE_METRIC, {})
    return {"task": main, "metric": HEADLINE_METRIC, "slice": ALL, "system": served, **number}


def machine() -> dict[str, Any]:
    """What the numbers were computed on, as far as they depend on it."""
    return {
        "system": platform.system(),
        "architecture": platform.machine(),
        "cores": os.cpu_count(),
        "python": platform.python_version(),
    }


def stored(report: Mapping[str, Any]) -> dict[str, Any]:
    """The report as it is written: what stands at its top is not repeated under the headline task.

    Args:
        report: whole, see `assemble`.
    """
    main = report["headline"]["task"]
    if main is None:
        return dict(report)
    section = {name: part for name, part in report["tasks"][main].items() if name not in _AT_TOP}
    return {**report, "tasks": {**report["tasks"], main: section}}


def whole(report: Mapping[str, Any]) -> dict[str, Any]:
    """The inverse of `stored`; a report that is whole stays as it is."""
    main = report["headline"]["task"]
    if main is None:
        return dict(report)
    section = {**report["tasks"][main], **{name: report[name] for name in _AT_TOP}}
    return {**report, "tasks": {**report["tasks"], main: section}}


def save(report: Mapping[str, Any], path: Path) -> None:
    """Writes the report: the whole file or none of it.

    Raises:
        OutputError: the file cannot be written.
        DataError: the report is not of its own shape.
    """
    validate(report, str(path))
    text = json.dumps(stored(report), indent=2, ensure_ascii=False, allow_nan=False)
    disk.write_text(path, text + "\n")


def load(path: Path) -> dict[str, Any]:
    """Reads and checks a report.

    Raises:
        DataError: the file is missing, not JSON, or not of the report's shape.
    """
    try:
        report = json.loads(path.read_text("utf-8"))
    except FileNotFoundError as error:
        raise DataError(
            f"expected a run or a bundle in {path.parent}, found no {path.name}; check the folder, "
            "or make it with 'twotower build'"
        ) from error
    except (OSError, ValueError) as error:
        raise DataError(
            f"{path} is unreadable ({error}); make it again with 'twotower evaluate'"
        ) from error
    with suppress(KeyError, TypeError):  # not of its shape: told next
        report = whole(report)
    validate(report, str(path))
    checked: dict[str, Any] = report
    return checked


def validate(report: Any, where: str = "report") -> None:
    """Checks the shape: needed keys, this format, and low <= mean <= high of every number.

    Raises:
        DataError: names the first fault and where it is.
    """
    if not isinstance(report, Mapping):
        raise DataError(
            f"{where} must be a JSON object, got {type(report).__name__}; make it again"
        )
    missing = [key for key in _NEEDED if key not in report]
    if missing:
        raise DataError(f"{where} lacks {', '.join(missing)}; make it with 'twotower evaluate'")
    if report["format"] != FORMAT:
        raise DataError(
            f"{where} has format {report['format']}, this release reads {FORMAT}; "
            "make it again with 'twotower evaluate'"
        )
    try:
        numbers = list(_intervals(report))
    except (KeyError, TypeError, AttributeError) as error:
        raise DataError(f"{where} is not of its shape ({error!r}); make it again") from error
    for path, number in numbers:
        if not _is_interval(number):
            raise DataError(
                f"{where}: {path} must be {{mean, low, high, n}} with low <= mean <= high, "
                f"got {number!r}; make it again with 'twotower evaluate'"
            )


def _intervals(report: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    yield from _numbers("metrics", report["metrics"])
    for name, summary in report["baselines"].items():
        yield from _numbers(f"baselines.{name}", summary)
    for task, section in report["tasks"].items():
        yield from _numbers(f"tasks.{task}.metrics", section["metrics"])
        for group in _SYSTEMS[1:]:
            for name, summary in section[group].items():
                yield from _numbers(f"tasks.{task}.{group}.{name}", summary)


def _numbers(path: str, summary: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for slice_name, by_metric in summary.items():
        for metric, number in by_metric.items():
            yield f"{path}.{slice_name}.{metric}", number


def _is_interval(number: Any) -> bool:
    if not isinstance(number, Mapping) or any(key not in number for key in _NUMBERS):
        return False
    mean, low, high = (number[key] for key in _NUMBERS[:3])
    return all(isinstance(v, float | int) and math.isfinite(v) for v in (mean, low, high)) and (
        low <= mean <= high
    )
