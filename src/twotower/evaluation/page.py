"""The report as one self-contained HTML page: no script, no other host, light, dark, printable."""

from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any, Final

from twotower import disk
from twotower.evaluation import charts
from twotower.evaluation.cases import counted
from twotower.evaluation.classic import INPUT
from twotower.evaluation.formulas import FORMULAS
from twotower.evaluation.markup import (
    asked,
    best_place,
    details,
    difference,
    document,
    ends,
    facts,
    hits,
    number,
    plain,
    row,
    table,
)
from twotower.evaluation.report import validate
from twotower.evaluation.results import MODEL
from twotower.evaluation.slices import ALL

COLUMNS: Final = (
    "recall@10",
    "ndcg@10",
    "recall@100",
    "mrr",
    "map",
)

LISTS: Final = (
    "coverage@10",
    "gini@10",
    "overlap@10",
    "novelty@10",
    "diversity@10",
    "category_diversity@10",
    "brand_diversity@10",
)
"""What lists are like, whether they are right or not."""

SLICE_METRIC: Final = "ndcg@10"

_Section = Mapping[str, Any]


def render(report: Mapping[str, Any]) -> str:
    """The page of a report.

    Args:
        report: As `report.assemble` makes it.

    Returns:
        A complete HTML document; every text of the shop is escaped.

    Raises:
        DataError: the report is not of its own shape.
    """
    validate(report)
    body = [
        _opening(report),
        *(_task(task, section) for task, section in report["tasks"].items()),
        _training(report.get("training", {})),
        _facts("Index", report.get("index", {})),
        details("The formula of every metric", facts(FORMULAS)),
        _facts("Origin", _origin(report)),
    ]
    return document(f"{report.get('name', 'report')}: twotower report", body)


def save_page(report: Mapping[str, Any], path: Path) -> None:
    """Writes the page: the whole file or none of it.

    Raises:
        OutputError: the file cannot be written.
        DataError: the report is not of its own shape.
    """
    disk.write_text(path, render(report))


def _opening(report: Mapping[str, Any]) -> str:
    verdict, top = report["verdict"], report["headline"]
    state = "good" if verdict["promoted"] else "bad"
    headline = ""
    if "mean" in top:
        headline = (
            f'<p class="headline"><strong>{top["mean"]:.4f}</strong> '
            f"<span>{escape(top['metric'])} of {escape(top['task'])} ({escape(top['system'])}), "
            f"95 % interval: {ends(top)}, {counted(top['n'])}</span></p>"
        )
    made_up = '<p class="note">This shop is synthetic.</p>' if report.get("synthetic") else ""
    return (
        f"<header><h1>{escape(str(report.get('name', 'report')))}</h1>{made_up}{headline}"
        f'<p class="verdict {state}">{escape(verdict["sentence"])}</p></header>'
    )


def _task(task: str, section: _Section) -> str:
    parts = [
        f"<h2>{escape(task.capitalize())}</h2>",
        _metric_table("All cases: mean and 95 % interval", section, COLUMNS),
        _metric_table("Whether lists differ, and reach into the catalogue", section, LISTS),
        _health(section.get("health", {})),
        _comparison_table(section),
        _slices(section),
        _relevance(section.get("relevance", {})),
        _classic(section),
        _counted(section),
        _examples(section["examples"]),
    ]
    return f'<section id="{escape(task)}">{"".join(parts)}</section>'


def _metric_table(caption: str, section: _Section, metrics: Sequence[str]) -> str:
    ours = {MODEL: section["metrics"], **section["variants"]}
    columns = [metric for metric in metrics if metric in section["metrics"].get(ALL, {})]
    rows = []
    for name, summary in [*ours.items(), *section["baselines"].items()]:
        label = f"{name} (served)" if name == section["served"] else name
        cells = [number(summary.get(ALL, {}).get(metric)) for metric in columns]
        rows.append(row(label, cells, kind="ours" if name in ours else ""))
    return table(caption, ["system", *columns], rows) if columns else ""


def _health(health: Mapping[str, Any]) -> str:
    if not health:
        return ""
    rows = [
        row(plain(name), [f"{sign['value']:.3f}", escape(sign["state"])])
        for name, sign in health["signs"].items()
    ]
    state = "good" if health["state"] == "good" else "bad"
    return f'<h3>Health</h3><p class="verdict {state}">{escape(health["sentence"])}</p>' + details(
        "The four signs", table("", ["sign", "value", "state"], rows)
    )


def _comparison_table(section: _Section) -> str:
    against = section["comparisons"].get(section["served"], {})
    rows = [
        row(f"{name}, {metric}", [difference(found), escape(found["verdict"])])
        for name, by_metric in against.items()
        for metric, found in by_metric.items()
    ]
    head = [f"{section['served']} minus", "difference", "verdict"]
    return details("Paired differences", table("", head, rows)) if rows else ""


def _slices(section: _Section) -> str:
    served = section["variants"].get(section["served"], section["metrics"])
    systems = {section["served"]: served, **section["baselines"]}
    sizes = section["protocol"]["slices"]
    groups = [
        (
            f"{plain(name)} ({size:,})",
            {
                system: summary[name][SLICE_METRIC]
                for system, summary in systems.items()
                if name in summary
            },
        )
        for name, size in sizes.items()
        if size
    ]
    legend = "".join(
        f'<li><i class="{charts.colour(place)}"></i>{escape(name)}</li>'
        for place, name in enumerate(systems)
    )
    empty = ", ".join(name for name, size in sizes.items() if not size)
    note = f'<p class="note">No case in: {escape(plain(empty))}.</p>' if empty else ""
    chart = charts.bars(groups, title=f"{SLICE_METRIC} by slice")
    return (
        f'<h3>{SLICE_METRIC} by slice</h3><ul class="legend">{legend}</ul>'
        f'<div class="wide">{chart}</div>{note}'
    )


def _relevance(found: Mapping[str, Any]) -> str:
    """Whether the probability of a hit means what it says."""
    if not found:
        return ""
    title = f"Relevance: predicted and observed (expected calibration error {found['ece']:.3f})"
    told = {name: value for name, value in found.items() if name not in ("bins", "ece")}
    rounded = {k: f"{v:.3g}" if isinstance(v, float) else v for k, v in told.items()}
    drawn = charts.reliability(found["bins"], title=title)
    return (
        f'<h3>{escape(title)}</h3><div class="curves"><figure>{drawn}</figure></div>'
        f"{details('Pairs and cut-off', facts(rounded))}"
    )


def _classic(section: _Section) -> str:
    """One right item among random ones, beside the same metrics of the full ranking."""
    found = section.get("classic", {})
    if not found.get("systems"):
        return ""
    summaries = {MODEL: section["metrics"], **section["variants"], **section["baselines"]}
    metrics = list(found["chance"])
    rows = [row("chance", [*(f"{found['chance'][metric]:.4f}" for metric in metrics), "", ""])]
    for name, sampled in found["systems"].items():
        full = [number(summaries[name][ALL].get(metric)) for metric in metrics[:2]]
        rows.append(row(name, [*(f"{sampled[metric]:.4f}" for metric in metrics), *full]))
    among = f"among {found['negatives']} random"
    head = ["system", *(f"{one} {among}" for one in metrics[:2]), "retrieval AUC"]
    head += [f"{one}, full ranking" for one in metrics[:2]]
    return details(
        "The classic protocol, for comparison alone",
        f'<p class="note">{escape(found["why"])}</p>{table("", head, rows)}{_pairs(found)}',
    )


def _pairs(found: Mapping[str, Any]) -> str:
    """What classic demos say of pairs, each with what it is by chance."""
    told: dict[str, str] = {}
    if (separation := found.get("category_separation")) is not None:
        told["category separation (chance 0)"] = (
            f"{separation['separation']:.4f}: mean cosine {separation['within']:.4f} within a "
            f"category, {separation['between']:.4f} between two. {INPUT}"
        )
    if (auc := found.get("pointwise_auc")) is not None:
        told["pointwise AUC of judged pairs (chance 0.5)"] = f"{auc:.4f}, by the query tower alone"
    return facts(told)


def _counted(section: _Section) -> str:
    protocol = {k: v for k, v in section["protocol"].items() if not isinstance(v, Mapping)}
    counted = {
        **{f"left out: {plain(name)}": count for name, count in section["skipped"].items()},
        **{f"kept: {plain(name)}": count for name, count in section["noted"].items()},
    }
    settings = section["protocol"].get("baseline_settings", {})
    left_out = {
        f"left out: {name}": reason
        for name, reason in section["protocol"].get("baselines_left_out", {}).items()
    }
    return details(
        "Protocol, counts and baseline settings",
        facts({**protocol, **counted}) + facts(settings) + facts(left_out),
    )


def _examples(examples: Sequence[Mapping[str, Any]]) -> str:
    if not examples:
        return ""
    cards = "".join(_example(example) for example in examples)
    return f'<h3>Samples, good and bad</h3><div class="cards">{cards}</div>'


def _example(example: Mapping[str, Any]) -> str:
    return (
        f"<article><h4>{escape(example['key'])} <small>{best_place(example['best_rank'])}</small>"
        f"</h4>{asked(example)}{hits(example['hits'])}</article>"
    )


def _training(training: Mapping[str, Any]) -> str:
    drawn = charts.series(training.get("curve", []))
    figures = "".join(
        f"<figure><figcaption>{escape(name)}</figcaption>"
        f"{charts.curve(points, title=name)}</figure>"
        for name, points in drawn.items()
    )
    rest = {name: value for name, value in training.items() if name != "curve"}
    plots = f'<div class="curves">{figures}</div>' if figures else ""
    return f"<section><h2>Training</h2>{plots}{facts(rest)}</section>" if plots or rest else ""


def _facts(title: str, told: Mapping[str, Any]) -> str:
    return f"<section><h2>{title}</h2>{facts(told)}</section>" if told else ""


def _origin(report: Mapping[str, Any]) -> dict[str, Any]:
    names = ("command", "commit", "seed", "data_hash", "split_kind", "twotower", "created")
    return {**{name: report.get(name) for name in names}, **report.get("machine", {})}
