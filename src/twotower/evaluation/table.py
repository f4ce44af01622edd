"""The report in a terminal: what is ours, what has to be beaten, with intervals."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from rich import box
from rich.table import Table
from rich.text import Text

from twotower.evaluation.cases import counted
from twotower.evaluation.results import MODEL
from twotower.evaluation.significance import FEWEST
from twotower.evaluation.slices import ALL

COLUMNS: Final = ("recall@10", "ndcg@10", "recall@100", "mrr")
LISTS: Final = ("coverage@10", "gini@10", "overlap@10", "novelty@10", "diversity@10")


def shown(report: Mapping[str, Any]) -> Iterator[Table | str]:
    """A whole report, part by part: each task, its health, and the verdict."""
    for task, section in report["tasks"].items():
        yield task_table(task, section)
        yield lists_table(section)
        yield slice_table(section)
        for name, reason in section["protocol"].get("baselines_left_out", {}).items():
            yield f"The baseline {name} is left out: {reason}."
        yield from _left_out(task, section["skipped"])
    for task, health in report.get("health", {}).items():
        yield f"Health of {task}: {health['sentence']}"
    yield report["verdict"]["sentence"]


def task_table(
    task: str,
    section: Mapping[str, Any],
    *,
    slice_name: str = ALL,
    columns: Sequence[str] = COLUMNS,
) -> Table:
    """One task as a table: rows are our systems, then the baselines; columns are metrics.

    Args:
        task: "recommendation" or "search".
        section: The task's section of the report.
        slice_name: Which slice.
        columns: Metric names.
    """
    protocol = section["protocol"]
    table = Table(
        title=f"{task}: {counted(protocol['cases'])}, {counted(protocol['catalogue'], 'item')}, "
        f"{protocol['split']}" + ("" if slice_name == ALL else f", slice {slice_name}"),
        caption="mean, half of the 95 % interval"
        + (" (?: too few cases to say)" if protocol["cases"] < FEWEST else "")
        + "; ranked against the whole catalogue",
        box=box.SIMPLE_HEAD,
        pad_edge=False,
        title_justify="left",
        caption_justify="left",
    )
    table.add_column("", no_wrap=True)
    for metric in columns:
        table.add_column(metric, justify="right", no_wrap=True)
    rivals = list(section["baselines"].items())
    ours = [(MODEL, section["metrics"]), *section["variants"].items()]
    for name, summary in ours:
        served = name == section["served"]
        label = Text(f"{name} (served)" if served else name, style="bold")
        last = not rivals or name == ours[-1][0]
        table.add_row(label, *_cells(summary, slice_name, columns), end_section=last)
    for name, summary in rivals:
        table.add_row(Text(name), *_cells(summary, slice_name, columns))
    return table


def lists_table(section: Mapping[str, Any]) -> Table:
    """What the lists are like, right or not: rows are systems, columns coverage and diversity."""
    table = Table(
        title="whether lists differ", box=box.SIMPLE_HEAD, pad_edge=False, title_justify="left"
    )
    table.add_column("", no_wrap=True)
    ours = {MODEL: section["metrics"], **section["variants"]}
    columns = [metric for metric in LISTS if metric in section["metrics"].get(ALL, {})]
    for metric in columns:
        table.add_column(metric, justify="right", no_wrap=True)
    for name, summary in {**ours, **section["baselines"]}.items():
        cells = [_mean(summary.get(ALL, {}).get(metric)) for metric in columns]
        table.add_row(Text(name, style="bold" if name in ours else ""), *cells)
    return table


def trials_table(study: Mapping[str, Any]) -> Table:
    """The trials of a search for settings, best first."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for name in ("trial", study["metric"], "epochs", "seconds"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("settings")
    for trial in sorted(study["trials"], key=lambda trial: -trial["value"]):
        told = ", ".join(
            f"{path} {value:.4g}" if isinstance(value, float) else f"{path} {value}"
            for path, value in trial["settings"].items()
        )
        is_best = trial["number"] == study["best"]
        label = f"{trial['number'] + 1}" + (" (given up)" if trial["state"] == "pruned" else "")
        numbers = (_short(trial["value"]), str(trial["epochs"]), f"{trial['seconds']:.0f}")
        table.add_row(label, *numbers, told, style="bold" if is_best else "")
    return table


def slice_table(section: Mapping[str, Any], *, metric: str = "ndcg@10") -> Table:
    """One metric by slice: rows are slices, columns the served system and each baseline."""
    served = section["variants"].get(section["served"], section["metrics"])
    systems = {section["served"]: served, **section["baselines"]}
    table = Table(
        title=f"{metric} by slice", box=box.SIMPLE_HEAD, pad_edge=False, title_justify="left"
    )
    table.add_column("", no_wrap=True)
    table.add_column("cases", justify="right")
    for name in systems:
        table.add_column(name.replace("_", " "), justify="right")
    for slice_name, size in section["protocol"]["slices"].items():
        cells = [_mean(summary.get(slice_name, {}).get(metric)) for summary in systems.values()]
        table.add_row(slice_name, f"{size:,}", *cells)
    return table


def _left_out(task: str, skipped: Mapping[str, int]) -> Iterator[str]:
    found = [f"{name.replace('_', ' ')} {count:,}" for name, count in skipped.items() if count]
    if found:
        yield f"Left out of {task}: {', '.join(found)}."


def _cells(summary: Mapping[str, Any], slice_name: str, columns: Sequence[str]) -> list[Text]:
    return [_cell(summary.get(slice_name, {}).get(metric)) for metric in columns]


def _cell(number: Mapping[str, float] | None) -> Text:
    mean = _mean(number)
    if number is None or number["low"] == number["high"]:
        return mean
    if number["n"] < FEWEST:
        return mean.append(" ±?", style="dim")
    return mean.append(f" ±{_short((number['high'] - number['low']) / 2)}", style="dim")


def _mean(number: Mapping[str, float] | None) -> Text:
    return Text("-", style="dim") if number is None else Text(_short(number["mean"]))


def _short(value: float) -> str:
    """Four digits without the zero before the point, so that a table fits 80 columns."""
    return f"{value:.4f}".removeprefix("0")
