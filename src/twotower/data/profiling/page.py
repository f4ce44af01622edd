"""A prepared dataset as one self-contained page: no script, no other host, light and dark."""

from collections.abc import Iterable, Iterator
from html import escape
from pathlib import Path
from typing import Any

import polars as pl

from twotower import disk, schema
from twotower.data.dataset import Dataset
from twotower.data.profiling import events as logs
from twotower.data.profiling import leaks, plots, tables
from twotower.data.profiling.style import STYLE
from twotower.data.rule import LEFT_OUT


def save(dataset: Dataset, path: Path) -> None:
    """Writes the page: the whole file or none of it.

    Raises:
        OutputError: the file cannot be written.
    """
    disk.write_text(path, render(dataset))


def render(dataset: Dataset) -> str:
    """The page of a dataset; every text of the shop is escaped."""
    name = escape(dataset.about.name)
    made_up = '<p class="soft">This shop is synthetic.</p>' if dataset.about.synthetic else ""
    body = [
        f"<header><h1>{name}</h1>{made_up}{_tiles(dataset)}</header>",
        _section("What to know before training", _checks(dataset)),
        _section(
            "Read and cleaned", _read(dataset.profile) + _sums(dataset) + _cleaning(dataset.profile)
        ),
        _grid("The log", _of_events(dataset)),
        _grid("The catalogue", _of_items(dataset.items)),
        _grid("Queries and judgments", _of_queries(dataset)),
    ]
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<meta http-equiv="Content-Security-Policy" '
        "content=\"default-src 'none'; style-src 'unsafe-inline'\">"
        f"<title>{name}: twotower profile</title><style>{STYLE}</style></head>"
        f"<body><main>{''.join(body)}</main></body></html>\n"
    )


def _tiles(dataset: Dataset) -> str:
    told = {"products": f"{dataset.n_items:,}"}
    events, judgments = dataset.events, dataset.judgments
    if events is not None:
        told |= {"events": f"{len(events):,}", "users": f"{events[schema.USER_ID].n_unique():,}"}
        if logs.has_clock(events):
            first, last = (
                int(str(t)) for t in (events[schema.TIME].min(), events[schema.TIME].max())
            )
            told |= {"from": logs.day(first), "to": logs.day(last)}
    if dataset.searches is not None:
        told["typed queries"] = f"{len(dataset.searches):,}"
    if judgments is not None:
        told["judged pairs"] = f"{len(judgments):,}"
    tiles = (
        f"<div><span>{name}</span><strong>{text}</strong></div>" for name, text in told.items()
    )
    return f'<div class="tiles">{"".join(tiles)}</div>'


def _checks(dataset: Dataset) -> str:
    lines = "".join(
        f'<li class="{"fine" if one.is_fine else "doubt"}">{escape(one.finding)}'
        + (f"<p>{escape(one.consequence)}</p></li>" if one.consequence else "</li>")
        for one in leaks.checks(dataset)
    )
    return f'<ul class="checks">{lines}</ul>'


def _read(profile: dict[str, Any]) -> str:
    rows = [
        [escape(table), escape(found["file"]), f"{found['rows']:,}",
         escape(", ".join(found.get("ignored_columns", [])) or "-")]
        for table, found in profile.get("read", {}).items()
    ]  # fmt: skip
    return _table(["table", "file", "rows", "columns that nothing reads"], rows) if rows else ""


def _cleaning(profile: dict[str, Any]) -> str:
    rows = [
        [escape(rule["name"].replace("_", " ")), escape(rule["table"]), f"{rule['count']:,}",
         escape(rule["action"]), f"<code>{escape(_example(rule))}</code>"]
        for rule in profile.get("cleaning", [])
    ]  # fmt: skip
    if not rows:
        return "<p>No rule found anything to clean.</p>"
    return _table(["rule", "table", "rows", "what was done", "for example"], rows)


def _example(rule: dict[str, Any]) -> str:
    row: dict[str, Any] = next(iter(rule["examples"]), {})
    return ", ".join(f"{name}: {_shown(name, value)}" for name, value in row.items())


def _shown(name: str, value: Any) -> str:
    is_time = name in (schema.TIME, schema.LAUNCHED) and isinstance(value, int)
    return logs.day(value) if is_time else str(value)


def _sums(dataset: Dataset) -> str:
    """Of each table the rows read, left out and kept: the sum is every row."""
    lines, kept = [], {name: len(frame) for name, frame in dataset.tables.items()}
    for table, found in dataset.profile.get("read", {}).items():
        rules = dataset.profile["cleaning"]
        out = sum(r["count"] for r in rules if (r["table"], r["action"]) == (table, LEFT_OUT))
        left = kept.get(table, 0) + (kept.get("searches", 0) if table == "events" else 0)
        added = left + out - found["rows"]
        more = f" + {added:,} added" if added else ""
        lines.append(f"{escape(table)}: {found['rows']:,} read{more} - {out:,} left out = {left:,}")
    return f'<p class="sum">{"<br>".join(lines)}</p>'


def _of_events(dataset: Dataset) -> Iterator[str]:
    events = dataset.events
    if events is None:
        return
    if logs.has_clock(events):
        yield from _over_time(dataset, events)
    tail = logs.long_tail(events, dataset.n_items)
    fifth = next(up for across, up in tail if across >= 0.2)
    yield _figure(
        "The long tail",
        f"A fifth of the items has {fifth:.0%} of the events.",
        plots.curve(
            tail,
            title="share of events by share of items",
            across="items, best sellers first",
            up="share of events",
        ),
    )
    yield _figure(
        "Users by activity",
        "How many users have so many events.",
        plots.columns(logs.sizes(logs.per_user(events)), title="users by number of events"),
    )
    if schema.SESSION_ID in events.columns:
        sessions = logs.per_session(events)
        yield _figure(
            "Sessions",
            f"{len(sessions):,} sessions by their number of events.",
            plots.columns(logs.sizes(sessions), title="sessions by number of events"),
        )
    yield _figure(
        "From a look to a purchase",
        "Pairs of a user and an item that came to each step.",
        plots.rows(logs.funnel(events)),
    )
    repeats = logs.repeats(events)
    if repeats is not None:
        shares = {"bought before": repeats, "for the first time": 1 - repeats}
        yield _figure(
            "Repeat purchases",
            "Share of purchases whose user had bought the item before.",
            plots.rows(shares, of=1.0, percent=True),
        )


def _over_time(dataset: Dataset, events: pl.DataFrame) -> Iterator[str]:
    period, bars = logs.volumes(events)
    cuts = {"validation": dataset.about.validation_from, "test": dataset.about.test_from}
    yield _figure(
        "Events over time",
        f"Events of each {period} by kind.",
        plots.columns(
            bars, title=f"events per {period}", marks=logs.cut_places(events, cuts), wide=True
        ),
        wide=True,
    )
    cold = logs.cold_share(events)
    told = "" if cold is None else f" {cold:.1%} of test events are on items new to training."
    yield _figure(
        "New items",
        f"Items seen for the first time in each week.{told}",
        plots.columns(logs.first_seen(events), title="items first seen, per week"),
    )


def _of_items(items: pl.DataFrame) -> Iterator[str]:
    yield _figure(
        "What is filled in",
        "Share of items with a value.",
        plots.rows(tables.filled(items), of=1.0, percent=True),
    )
    for name in (schema.TITLE, schema.DESCRIPTION):
        if name in items.columns:
            yield _figure(
                f"Words of a {name}",
                "Items by the number of words.",
                plots.columns(tables.word_counts(items[name]), title=f"items by words of {name}"),
            )
    if schema.PRICE in items.columns and (bins := tables.price_bins(items[schema.PRICE])):
        yield _figure(
            "Prices",
            "Items by price, on a logarithmic scale.",
            plots.columns(bins, title="items by price"),
        )
    if schema.CATEGORY in items.columns:
        yield _figure(
            "Categories",
            "The largest, each with its largest children.",
            plots.tree(tables.categories(items[schema.CATEGORY])),
        )


def _of_queries(dataset: Dataset) -> Iterator[str]:
    if dataset.searches is not None:
        queries = dataset.searches[schema.QUERY]
        distinct = queries.str.to_lowercase().n_unique()
        yield _figure(
            "Typed queries",
            f"The most frequent of {distinct:,} different ones.",
            plots.rows(tables.frequent_queries(queries)),
        )
    judgments = dataset.judgments
    if judgments is not None:
        per_query = judgments.group_by(schema.QUERY).len()["len"]
        yield _figure(
            "Grades",
            "Judged pairs by grade.",
            plots.columns(tables.grades(judgments), title="judged pairs by grade"),
        )
        yield _figure(
            "Judgments of a query",
            f"{len(per_query):,} queries by the number of their judgments.",
            plots.columns(logs.sizes(per_query), title="queries by number of judgments"),
        )


def _figure(title: str, told: str, drawn: str, *, wide: bool = False) -> str:
    kind = ' class="wide"' if wide else ""
    return f"<figure{kind}><h3>{escape(title)}</h3><p>{escape(told)}</p>{drawn}</figure>"


def _grid(title: str, figures: Iterable[str]) -> str:
    drawn = "".join(figures)
    return _section(title, f'<div class="grid">{drawn}</div>') if drawn else ""


def _section(title: str, inner: str) -> str:
    return f"<section><h2>{escape(title)}</h2>{inner}</section>"


def _table(head: list[str], rows: list[list[str]]) -> str:
    names = "".join(f'<th scope="col"{_right(name)}>{name}</th>' for name in head)
    lines = "".join(
        f'<tr><th scope="row">{row[0]}</th>'
        + "".join(f"<td{_right(n)}>{cell}</td>" for n, cell in zip(head[1:], row[1:], strict=True))
        + "</tr>"
        for row in rows
    )
    whole = f"<thead><tr>{names}</tr></thead><tbody>{lines}</tbody>"
    return f'<div class="scroll"><table>{whole}</table></div>'


def _right(name: str) -> str:
    return ' class="number"' if name == "rows" else ""
