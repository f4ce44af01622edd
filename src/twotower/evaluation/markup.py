"""HTML that the pages share: the document, tables, numbers with intervals; everything escaped."""

from collections.abc import Iterable, Mapping
from html import escape
from typing import Any

from twotower.evaluation.formulas import formula
from twotower.evaluation.significance import FEWEST
from twotower.evaluation.style import STYLE


def document(title: str, body: Iterable[str]) -> str:
    """A complete page: no script, no other host."""
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<meta http-equiv="Content-Security-Policy" '
        "content=\"default-src 'none'; style-src 'unsafe-inline'\">"
        f"<title>{escape(title)}</title><style>{STYLE}</style></head>"
        f"<body><main>{''.join(body)}</main></body></html>\n"
    )


def table(caption: str, head: Iterable[str], rows: Iterable[str]) -> str:
    """A table of `row`s that scrolls where it is too wide; without a caption if that is empty."""
    columns = "".join(f'<th scope="col">{term(name)}</th>' for name in head)
    above = f"<caption>{escape(caption)}</caption>" if caption else ""
    return (
        f'<div class="wide"><table>{above}<thead><tr>{columns}</tr></thead>'
        f"<tbody>{''.join(rows)}</tbody></table></div>"
    )


def term(name: str) -> str:
    """A name as text; of a metric, with its formula where it is pointed at."""
    told = formula(name)
    return f'<abbr title="{escape(told)}">{escape(name)}</abbr>' if told else escape(name)


def row(label: str, cells: Iterable[str], *, kind: str = "") -> str:
    """A row of cells that are HTML already, under a label that is text."""
    filled = "".join(f"<td>{cell}</td>" for cell in cells)
    return f'<tr class="{kind}"><th scope="row">{term(label)}</th>{filled}</tr>'


def number(found: Mapping[str, float] | None) -> str:
    """A mean over its interval; a dash where it was not measured."""
    if found is None:
        return "&ndash;"
    if found["low"] == found["high"]:
        return f"{found['mean']:.4f}"
    return f"{found['mean']:.4f}<small>{ends(found)}</small>"


def difference(found: Mapping[str, float]) -> str:
    """A paired difference with its sign, and its interval."""
    return f"{found['mean']:+.4f} <small>{ends(found, signed='+')}</small>"


def ends(found: Mapping[str, float], *, signed: str = "") -> str:
    """The interval in words, or that there is none."""
    if found["n"] < FEWEST:
        return "too few cases"
    return f"{found['low']:{signed}.4f} to {found['high']:{signed}.4f}"


def best_place(rank: int | None) -> str:
    """Where the first right item of a list stands.

    Example:
        >>> best_place(1200), best_place(None)
        ('best right answer at 1,200', 'not found')
    """
    return "not found" if rank is None else f"best right answer at {rank:,}"


def hits(found: Iterable[Mapping[str, Any]]) -> str:
    """The titles of a list, best first, right ones marked."""
    places = "".join(
        f'<li class="{"right" if hit["relevant"] else ""}"><span>{escape(hit["title"])}</span></li>'
        for hit in found
    )
    return f"<ol>{places}</ol>"


def asked(one: Mapping[str, Any]) -> str:
    """What was known of a case, where anything was, and what would have been right."""
    history = "; ".join(one["history"])
    return (
        f"<p>History: {escape(history)}</p>" if history else ""
    ) + f"<p>Right: {escape('; '.join(one['targets']) or 'not in the catalogue')}</p>"


def details(title: str, inner: str) -> str:
    """What is shown when it is asked for."""
    return f"<details><summary>{escape(title)}</summary>{inner}</details>"


def plain(name: str) -> str:
    """A name of ours as words.

    Example:
        >>> plain("recent_popularity")
        'recent popularity'
    """
    return str(name).replace("_", " ")


def facts(named: Mapping[str, Any]) -> str:
    """Names and values as a list, mappings in it as lists of their own; without what is None."""
    shown = {name: value for name, value in named.items() if value is not None}
    rows = "".join(
        f"<dt>{escape(plain(name))}</dt><dd>{_value(value)}</dd>" for name, value in shown.items()
    )
    return f"<dl>{rows}</dl>" if rows else ""


def _value(value: Any) -> str:
    if isinstance(value, Mapping):
        return facts(value)
    if isinstance(value, list | tuple):
        return "<br>".join(
            _value(each) if isinstance(each, str) else _inline(each) for each in value
        )
    return escape(f"{value:,}" if isinstance(value, int) and value > 9999 else str(value))


def _inline(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{escape(str(k))} {_inline(v)}" for k, v in value.items())
    return escape(f"{value:.4g}" if isinstance(value, float) else str(value))
