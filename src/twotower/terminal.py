"""What the command line shows: progress while it works, and tables of what came out."""

import json
import os
import shlex
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from twotower.errors import MissingExtra, installing
from twotower.progress import PlainLines


def stages() -> Any:
    """The offline flow, imported when it is asked for: serving is installed without it."""
    try:
        from twotower import pipeline
    except ModuleNotFoundError as missing:
        raise MissingExtra(
            f"this needs {missing.name}, which serving does not; {installing('train')}"
        ) from missing
    return pipeline


@contextmanager
def workshop(*, quiet: bool) -> Iterator[Any]:
    """A workshop that shows its progress: a bar on a terminal, lines where there is none."""
    os.environ.setdefault("HF_HUB_DISABLE_PROGRESS_BARS", "1")  # transformers draws its own
    command = f"twotower {shlex.join(sys.argv[1:])}"
    cache = Path(os.environ.get("TWOTOWER_CACHE", Path.home() / ".cache" / "twotower"))
    console = Console(stderr=True, quiet=quiet)
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
    )
    lines = PlainLines(lambda line: console.print(line, soft_wrap=True, highlight=False))
    if not console.is_terminal:
        yield stages().Workshop(cache, lines, _commit(), command)
        return
    with Progress(*columns, console=console, transient=True, disable=quiet) as bars:
        yield stages().Workshop(cache, _Bars(bars), _commit(), command)


class _Bars:
    """One bar for the stage at work."""

    def __init__(self, bars: Progress) -> None:
        self._bars, self._task = bars, bars.add_task("start", total=None)

    def __call__(self, stage: str, done: int, total: int) -> None:
        self._bars.update(self._task, description=stage, completed=done, total=total)


def _commit() -> str | None:
    """The commit of the source, when it runs from a clone."""
    git = ["git", "-C", str(Path(__file__).parent), "rev-parse", "--short", "HEAD"]
    try:
        found = subprocess.run(git, capture_output=True, text=True, timeout=5, check=True)  # noqa: S603 - fixed words
    except (OSError, subprocess.SubprocessError):
        return None
    return found.stdout.strip()


def print_json(content: Any) -> None:
    """One line, for machines."""
    sys.stdout.write(json.dumps(content, ensure_ascii=False) + "\n")


def print_report(report: Any, *, as_json: bool) -> None:
    """The report as tables and verdicts, or whole as JSON."""
    from twotower.evaluation.report import whole
    from twotower.evaluation.table import shown

    if as_json:
        print_json(whole(report))
    else:
        Console().print(*shown(whole(report)), sep="\n")


def print_prepared(dataset: Any) -> None:
    """Rows of each table and split, what each cleaning rule did, and warnings."""
    console = Console()
    table = Table("table", "rows", title=escape(dataset.about.name))
    table.columns[1].justify = "right"
    for row, count in dataset.counts.items():
        table.add_row(row, f"{count:,}")
    console.print(table)
    for rule in dataset.profile.get("cleaning", []):
        console.print(
            f"  cleaned: {rule['name']}, {rule['count']:,} of {rule['table']} ({rule['action']})",
            soft_wrap=True,
        )
    for warning in dataset.profile["warnings"]:
        console.print(f"  [yellow]warning:[/] {escape(warning)}", soft_wrap=True)


def print_dry_run(found: Any) -> None:
    """What each column is taken for and why, then what would be prepared or why it is refused."""
    console = Console()
    if found.guess is not None:
        for name, file in found.guess.files.items():
            table = Table(
                "column", "looks like", "because", "read as", title=escape(f"{name}: {file}")
            )
            for one in found.guess.columns:
                if one.table == name:
                    by = {"values": "guessed", "name": "its name"}.get(one.by, one.by)
                    ours = f"{one.ours} ({by})" if one.ours else "-"
                    table.add_row(*map(escape, (one.column, one.role.name, one.role.reason, ours)))
            console.print(table)
        console.print(found.shop_toml, markup=False, highlight=False, soft_wrap=True)
    if found.dataset is not None:
        print_prepared(found.dataset)
        console.print("Nothing was written.")
    else:
        console.print(f"[red]Would be refused:[/] {escape(found.refused)}", soft_wrap=True)


def print_training(training: Any, *, as_json: bool) -> None:
    """Validation after each epoch of the first fit, the best one marked."""
    if as_json:
        print_json({"training": training})
        return
    table = Table("epoch", "loss", "NDCG@10 on validation", title="First fit, without validation")
    found = [point.get("ndcg@10", float("nan")) for point in training["curve"]]
    for point, value in zip(training["curve"], found, strict=True):
        row = (str(point["epoch"]), f"{point['loss']:.3f}", f"{value:.4f}")
        table.add_row(*row, style="bold" if value == max(found) else None)
    Console().print(table)


def print_bundle(out: Path, folder: Path, *, promoted: bool) -> None:
    """Where the bundle that was asked for in `out` lies, and whether to serve it."""
    console, name = Console(), escape(str(folder))
    if promoted:
        console.print(f"Bundle in [bold]{name}[/]. Next: twotower serve {name}", soft_wrap=True)
        return
    if folder.name != out.absolute().name:
        console.print(f"The better bundle in [bold]{escape(str(out))}[/] stays.", soft_wrap=True)
    console.print(
        f"This one is in [bold]{name}[/]. Read {name}/report.html before you serve it.",
        soft_wrap=True,
    )


def print_answer(answer: Any, *, as_json: bool) -> None:
    """The hits of a search or a recommendation."""
    if as_json:
        print_json(asdict(answer))
        return
    console = Console()
    if answer.corrected_query:
        console.print(f"Results for [bold]{escape(answer.corrected_query)}[/]", soft_wrap=True)
    if answer.hits:
        console.print(_table(answer.hits))
    elif not answer.weak:
        console.print("Nothing found.")
    if answer.weak:
        console.print("Close, but no match:" if answer.hits else "Nothing quite fits. Nearest:")
        console.print(_table(answer.weak))
    if answer.fallback_used:
        console.print(f"fallback used: {answer.fallback_used}")


def _table(hits: Sequence[Any]) -> Table:
    table = Table("rank", "score", "item", "title")
    for hit in hits:
        table.add_row(
            str(hit.rank), f"{hit.score:.3f}", escape(hit.item_id), escape(hit.item["title"])
        )
    return table
