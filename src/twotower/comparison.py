"""The verb `twotower compare`: may B take the place of A?"""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from twotower import __version__
from twotower.errors import ConfigError, DataError
from twotower.options import AsJson
from twotower.terminal import print_json, stages, workshop


def compare(
    before: Annotated[Path, typer.Argument(metavar="A", help="A run or a bundle: what there is.")],
    after: Annotated[Path, typer.Argument(metavar="B", help="What may take its place.")],
    split: Annotated[
        str, typer.Option(help="test, or validation to choose between settings.")
    ] = "test",
    out: Annotated[Path, typer.Option("--out", help="The HTML file to write.")] = Path(
        "comparison.html"
    ),
    as_json: AsJson = False,
) -> None:
    """Compare two runs or bundles of the same data, case by case: wins, losses, worse slices."""
    with workshop(quiet=as_json) as here:
        found = compared(before, after, split, here)
    from twotower.evaluation.comparison_page import save_page
    from twotower.evaluation.comparison_table import shown

    save_page(found, out)
    if as_json:
        return print_json(found)
    Console().print(*shown(found), sep="\n")
    return Console().print(f"All of it, with lists, is in {out.resolve()}", soft_wrap=True)


def compared(before: Path, after: Path, split: str, here: Any) -> dict[str, Any]:
    """A and B on the held-out cases of their data.

    Args:
        before: folder of A, a run or a bundle.
        after: folder of B.
        split: `test` or `validation`.
        here: the workshop.

    Raises:
        ConfigError: there is no such split.
        DataError: A and B are of different data, or have no task with a case in common.
    """
    if split not in ("test", "validation"):
        raise ConfigError(f"--split must be test or validation, got {split!r}")
    a, b = (stages().opened(folder, here) for folder in (before, after))
    from twotower.measurement import compare as compare_cases

    data, other = a.subject.dataset, b.subject.dataset
    if data.content_hash != other.content_hash:
        raise DataError(
            f"A and B must be of the same data to be compared case by case: {before} is of "
            f"{data.about.name} ({data.content_hash[:12]}), {after} of {other.about.name} "
            f"({other.content_hash[:12]}); build both from the same tables, with the same "
            "settings of prepare and the same split"
        )
    tasks = compare_cases(
        (a.subject, a.serving), (b.subject, b.serving), split, progress=here.progress
    )
    if not tasks:
        raise DataError(
            f"A and B have no task in common with a case in {split}: {before} {_serves(a.subject)}"
            f", {after} {_serves(b.subject)}; train both for one task, or give another --split"
        )
    return {
        "name": data.about.name,
        "synthetic": data.about.synthetic,
        "data_hash": data.content_hash,
        "split": split,
        "a": {"folder": str(before), "towers": a.subject.model.hash, "seed": a.seed},
        "b": {"folder": str(after), "towers": b.subject.model.hash, "seed": b.seed},
        "twotower": __version__,
        "commit": here.commit,
        "command": here.command,
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "tasks": tasks,
    }


def _serves(subject: Any) -> str:
    tasks = {"recommends": subject.can_recommend, "searches": subject.can_search}
    return (
        " and ".join(name for name, can in tasks.items() if can) or "has nothing to be measured on"
    )
