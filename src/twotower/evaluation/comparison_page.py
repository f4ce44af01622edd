"""A comparison of two systems as one self-contained HTML page."""

from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any

from twotower import disk
from twotower.evaluation.comparison import MANY_SLICES
from twotower.evaluation.gate import HEADLINE_METRIC
from twotower.evaluation.markup import (
    asked,
    best_place,
    difference,
    document,
    facts,
    hits,
    plain,
    row,
    table,
)
from twotower.evaluation.slices import ALL


def render(comparison: Mapping[str, Any]) -> str:
    """The page of a comparison.

    Args:
        comparison: As `twotower compare --json` prints it.

    Returns:
        A complete HTML document; every text of the shop is escaped.
    """
    a, b = (f"{name.upper()}: {comparison[name]['folder']}" for name in ("a", "b"))
    opening = (
        f"<header><h1>{escape(comparison['name'])}: A and B</h1>"
        f"<p>{escape(a)}<br>{escape(b)}</p>"
        f'<p class="note">Every difference is B minus A, of the same visitor or query, on the '
        f"{escape(comparison['split'])} split.</p></header>"
    )
    tasks = (_task(task, section) for task, section in comparison["tasks"].items())
    origin = {name: value for name, value in comparison.items() if name not in ("tasks", "name")}
    body = [opening, *tasks, f"<section><h2>Origin</h2>{facts(origin)}</section>"]
    return document(f"{comparison['name']}: twotower comparison", body)


def save_page(comparison: Mapping[str, Any], path: Path) -> None:
    """Writes the page: the whole file or none of it.

    Raises:
        OutputError: the file cannot be written.
    """
    disk.write_text(path, render(comparison))


def _task(task: str, section: Mapping[str, Any]) -> str:
    verdict = section["slices"][ALL][HEADLINE_METRIC]["verdict"]
    state = "bad" if verdict == "worse" or section["worse"] else "good"
    return (
        f'<section id="{escape(task)}"><h2>{escape(task.capitalize())}</h2>'
        f'<p class="verdict {state}">{escape(section["sentence"])}</p>'
        f"{_metrics(section)}{_slices(section)}{_lists(section)}"
        f"{_cases('Losses: B does worse', section['losses'])}"
        f"{_cases('Wins: B does better', section['wins'])}</section>"
    )


def _metrics(section: Mapping[str, Any]) -> str:
    rows = [row(metric, _cells(found)) for metric, found in section["slices"][ALL].items()]
    return table("All cases", ["metric", "A", "B", "B minus A", "verdict"], rows)


def _slices(section: Mapping[str, Any]) -> str:
    rows = []
    for name, metrics in section["slices"].items():
        found = metrics[HEADLINE_METRIC]
        kind = "ours" if name in (*section["better"], *section["worse"]) else ""
        rows.append(row(plain(name), [f"{found['n']:,}", *_cells(found)], kind=kind))
    head = ["slice", "cases", "A", "B", "B minus A", "verdict"]
    return (
        f"<h3>{HEADLINE_METRIC} by slice</h3>{table('', head, rows)}"
        f'<p class="note">{escape(MANY_SLICES)}</p>'
    )


def _cells(found: Mapping[str, Any]) -> list[str]:
    means = [f"{found[name]:.4f}" for name in ("a", "b")]
    return [*means, difference(found), escape(found["verdict"])]


def _lists(section: Mapping[str, Any]) -> str:
    both = {name: found for name, found in section["lists"].items() if isinstance(found, Mapping)}
    rows = [row(name, [f"{found[one]:.4f}" for one in ("a", "b")]) for name, found in both.items()]
    shared = next(value for name, value in section["lists"].items() if name.startswith("in_both"))
    return (
        f"<h3>What lists are like</h3>{table('', ['', 'A', 'B'], rows)}"
        f'<p class="note">{shared:.0%} of what A shows, B shows the same visitor or query too.</p>'
    )


def _cases(title: str, cases: Sequence[Mapping[str, Any]]) -> str:
    if not cases:
        return f'<h3>{title}</h3><p class="note">No case.</p>'
    return f"<h3>{title}</h3>" + "".join(_case(one) for one in cases)


def _case(one: Mapping[str, Any]) -> str:
    sides = "".join(
        f"<div><p>{name}: {best_place(found['best_rank'])}</p>{hits(found['hits'])}</div>"
        for name, found in (("A", one["a"]), ("B", one["b"]))
    )
    return (
        f"<article><h4>{escape(one['key'])} <small>{HEADLINE_METRIC} {one['difference']:+.4f}"
        f'</small></h4>{asked(one)}<div class="sides">{sides}</div></article>'
    )
