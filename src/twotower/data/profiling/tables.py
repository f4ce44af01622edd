"""The catalogue, the typed queries and the judgments in numbers, each ready to be drawn."""

import math
from collections.abc import Sequence
from typing import Final

import polars as pl

from twotower import schema
from twotower.data.profiling.events import trimmed
from twotower.data.profiling.plots import Bar, number

_BINS: Final = 24
_WORDS: Final = (0, 1, 2, 3, 4, 6, 8, 11, 16, 26, 51, 101, 201)
_TOP: Final = 12
_CHILDREN: Final = 8

Branch = tuple[str, float, dict[str, float]]
"""A category, its items, and those of each of its largest children."""


def filled(items: pl.DataFrame) -> dict[str, float]:
    """Share of items that have a value, by column."""
    return {name: _filled(items[name]) for name in items.columns}


def word_counts(texts: pl.Series) -> list[Bar]:
    """Items by how many words their text has."""
    words = texts.fill_null("").str.count_matches(r"\S+")
    ends: Sequence[int | None] = (*_WORDS[1:], None)
    found: list[Bar] = []
    for low, end in zip(_WORDS, ends, strict=True):
        inside = (words >= low) & ((words < end) if end else True)
        label = f"{low}+" if end is None else str(low) if end == low + 1 else f"{low}-{end - 1}"
        found.append((label, {"items": float(inside.sum())}))
    return trimmed(found)


def price_bins(prices: pl.Series) -> list[Bar]:
    """Items by price, on a logarithmic scale; those without a price are left out."""
    known = prices.drop_nulls().filter(prices.drop_nulls() > 0)
    if known.is_empty():
        return []
    low, high = math.log10(float(str(known.min()))), math.log10(float(str(known.max())))
    width = (high - low) / _BINS or 1.0
    place = ((known.log10() - low) / width).floor().clip(0, _BINS - 1).cast(pl.Int64)
    counts = dict(place.value_counts().iter_rows())
    return [
        (number(10 ** (low + n * width)), {"items": float(counts.get(n, 0))})
        for n in range(_BINS if high > low else 1)
    ]


def categories(paths: pl.Series) -> list[Branch]:
    """The largest categories of the first level, each with its largest children."""
    levels = paths.drop_nulls().str.split(schema.CATEGORY_SEPARATOR)
    frame = pl.DataFrame(
        {"top": levels.list.first(), "child": levels.list.get(1, null_on_oob=True)}
    )
    largest = frame["top"].value_counts(sort=True).head(_TOP)
    found = []
    for name, count in largest.iter_rows():
        below = frame.filter(pl.col("top") == name)["child"].drop_nulls().value_counts(sort=True)
        children = {child: float(n) for child, n in below.head(_CHILDREN).iter_rows()}
        found.append((name, float(count), children))
    return found


def frequent_queries(queries: pl.Series) -> dict[str, float]:
    """The most frequent typed queries, whatever their case."""
    words = queries.str.strip_chars().str.to_lowercase().value_counts(sort=True)
    return {query: float(count) for query, count in words.head(_TOP).iter_rows()}


def grades(judgments: pl.DataFrame) -> list[Bar]:
    """Judged pairs by grade, right and wrong."""
    counted = judgments.group_by(schema.GRADE, schema.POSITIVE).len().sort(schema.GRADE)
    return [
        (f"{grade:g}", {"right" if right else "wrong": float(count)})
        for grade, right, count in counted.iter_rows()
    ]


def _filled(column: pl.Series) -> float:
    given = column.is_not_null()
    if column.dtype == pl.String:
        given &= column != ""
    elif isinstance(column.dtype, pl.List):
        given &= column.list.len() > 0
    return float(given.fill_null(value=False).mean() or 0.0)  # type: ignore[arg-type]
