"""A comparison of two systems in a terminal."""

from collections.abc import Iterator, Mapping
from itertools import zip_longest
from typing import Any, Final

from rich import box
from rich.table import Table
from rich.text import Text

from twotower.evaluation.cases import counted
from twotower.evaluation.comparison import MANY_SLICES
from twotower.evaluation.gate import HEADLINE_METRIC
from twotower.evaluation.slices import ALL

SIDE_BY_SIDE: Final = 3
"""Losses, and wins, whose lists are shown; the page shows more."""

_PLACES: Final = 5
"""First places of these lists."""


def shown(comparison: Mapping[str, Any]) -> Iterator[Table | Text | str]:
    """A whole comparison, task by task; the verdicts at the end."""
    for task, section in comparison["tasks"].items():
        yield _metrics(task, section)
        yield _slices(section)
        yield MANY_SLICES
        for name in ("losses", "wins"):
            for one in section[name][:SIDE_BY_SIDE]:
                yield _lists(f"{name}: ", one)
    for section in comparison["tasks"].values():
        yield section["sentence"]


def _metrics(task: str, section: Mapping[str, Any]) -> Table:
    table = _table(f"{task}: {counted(section['cases'])}, B minus A", "")
    for metric, found in section["slices"][ALL].items():
        table.add_row(metric, f"{found['n']:,}", *_cells(found))
    return table


def _slices(section: Mapping[str, Any]) -> Table:
    table = _table(f"{HEADLINE_METRIC} by slice", "")
    for name, metrics in section["slices"].items():
        found = metrics[HEADLINE_METRIC]
        style = "bold" if name in (*section["better"], *section["worse"]) else ""
        table.add_row(name, f"{found['n']:,}", *_cells(found), style=style)
    return table


def _table(title: str, first: str) -> Table:
    table = Table(title=title, box=box.SIMPLE_HEAD, pad_edge=False, title_justify="left")
    table.add_column(first, no_wrap=True)
    for name in ("cases", "A", "B", "difference", "95 % interval"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("verdict")
    return table


def _cells(found: Mapping[str, Any]) -> list[str]:
    interval = f"{found['low']:+.4f} to {found['high']:+.4f}"
    return [
        f"{found['a']:.4f}",
        f"{found['b']:.4f}",
        f"{found['mean']:+.4f}",
        interval,
        found["verdict"].partition(":")[0],
    ]


def _lists(before: str, one: Mapping[str, Any]) -> Table:
    """The first places of both lists side by side, right ones marked."""
    title = Text(f"{before}{one['key']} ({one['difference']:+.4f})")
    table = Table(title=title, box=box.SIMPLE_HEAD, pad_edge=False, title_justify="left")
    for name in ("A", "B"):
        rank = one[name.lower()]["best_rank"]
        told = "not found" if rank is None else f"first right at {rank:,}"
        table.add_column(f"{name}: {told}", ratio=1, no_wrap=True)
    columns = [one[name]["hits"][:_PLACES] for name in ("a", "b")]
    for places in zip_longest(*columns):
        table.add_row(*(_hit(hit) for hit in places))
    return table


def _hit(hit: Mapping[str, Any] | None) -> Text:
    if hit is None:
        return Text("-")
    return Text(f"✓ {hit['title']}", "bold") if hit["relevant"] else Text(f"  {hit['title']}")
