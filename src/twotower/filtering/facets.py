"""How often each value of a field occurs among rows, and between which numbers they lie.

Counts are disjunctive: what a filter demands of a field itself does not count while that
field is counted, so a shopper who chose one brand still sees how many products of the others
there are. What a filter demands of other fields does count.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from twotower.filtering.columns import Columns
from twotower.filtering.fields import FIELDS, Kind
from twotower.filtering.segments import Mask, Segment
from twotower.filtering.syntax import (
    All,
    Comparison,
    Expression,
    Some,
    Value,
    conjuncts,
    every,
    fields_in,
)
from twotower.filtering.terms import Paths, Terms

Counts = NDArray[np.int64]


@dataclass(frozen=True)
class FacetValue:
    """One value of a field.

    Attributes:
        value: a text, or whether it is in stock.
        count: rows with it; of a category, rows in it and below it.
        is_chosen: whether the filter asks for it.
    """

    value: str | bool
    count: int
    is_chosen: bool


@dataclass(frozen=True)
class Facet:
    """A field among rows.

    Attributes:
        field: its name.
        kind: of the field.
        values: the most frequent ones first, then those that were chosen and are not among
            them; none for numbers and times.
        n_values: how many there are, also those that are not shown.
        low: the least number or time; None where there is none, and for other kinds.
        high: the greatest.
    """

    field: str
    kind: Kind
    values: tuple[FacetValue, ...] = ()
    n_values: int = 0
    low: float | None = None
    high: float | None = None


def without_field(expression: Expression | None, field: str) -> Expression | None:
    """What an expression demands of other fields; None when that is nothing.

    Of the parts that must all hold, those that speak of nothing but the field are left out.
    """
    return every(tuple(part for part in conjuncts(expression) if fields_in(part) != {field}))


def facet_of(
    field: str, columns: Columns, rows: Mask, *, limit: int, chosen: Expression | None = None
) -> Facet:
    """A field among rows.

    Args:
        field: one of `fields.FACETS`.
        columns: of all rows.
        rows: bool[N] rows that count; rows beyond its end do not.
        limit: most values that are shown, beside those that were chosen.
        chosen: the filter, for `is_chosen`.
    """
    kind = FIELDS[field]
    parts = _parts(columns, rows)
    if kind in ("number", "time"):
        return _range(field, kind, parts)
    asked = set(_asked_for(chosen, field))
    if kind == "flag":
        stocked = sum(int(np.count_nonzero(part.in_stock & here)) for part, here in parts)
        n_rows = sum(int(np.count_nonzero(here)) for _, here in parts)
        both = ((True, stocked), (False, n_rows - stocked))
        found = tuple(FacetValue(one, count, one in asked) for one, count in both if count)
        return Facet(field, kind, found, len(found))
    wanted, terms = {text for text in asked if isinstance(text, str)}, columns.terms[field]
    counts = np.bincount(_codes(field, kind, parts), minlength=len(terms))
    counts[0] = 0
    if isinstance(terms, Paths):
        counts = _with_those_below(counts, terms)
    codes = np.lexsort((np.arange(len(counts)), -counts))[: min(limit, np.count_nonzero(counts))]
    texts = [terms.text(code) for code in codes.tolist()]
    texts += sorted(wanted - set(texts))
    values = [FacetValue(text, _count(text, terms, counts), text in wanted) for text in texts]
    return Facet(field, kind, tuple(values), int(np.count_nonzero(counts)))


def _parts(columns: Columns, rows: Mask) -> list[tuple[Segment, Mask]]:
    """Each segment, and which of its rows count."""
    padded = np.zeros(len(columns), np.bool_)
    padded[: len(rows)] = rows[: len(columns)]
    starts = range(0, len(columns), columns.size)
    pieces = [padded[start : start + columns.size] for start in starts]
    return list(zip(columns.segments, pieces, strict=False))


def _range(field: str, kind: Kind, parts: Sequence[tuple[Segment, Mask]]) -> Facet:
    numbers = np.concatenate([np.empty(0), *(part.numbers[field][here] for part, here in parts)])
    known = numbers[~np.isnan(numbers)]
    if not len(known):
        return Facet(field, kind)
    n_values = len(np.unique(known))
    return Facet(field, kind, n_values=n_values, low=float(known.min()), high=float(known.max()))


def _codes(field: str, kind: Kind, parts: Sequence[tuple[Segment, Mask]]) -> NDArray[np.int32]:
    if kind == "texts":
        lists = [(part.lists[field], here) for part, here in parts]
        found = [one.codes[here[one.places]] for one, here in lists]
    else:
        found = [part.codes[field][here] for part, here in parts]
    return np.concatenate([np.empty(0, np.int32), *found])


def _with_those_below(counts: Counts, terms: Paths) -> Counts:
    whole = np.zeros_like(counts)
    for code in np.flatnonzero(counts).tolist():
        whole[list(terms.above(code))] += counts[code]
    return whole


def _count(text: str, terms: Terms, counts: Counts) -> int:
    code = terms.code(text)
    return int(counts[code]) if code is not None and code < len(counts) else 0


def _asked_for(expression: Expression | None, field: str) -> Iterator[Value]:
    """Values of a field that an expression asks for; what it keeps out is not asked for."""
    match expression:
        case Comparison(named, "in", values) if named == field:
            yield from values
        case All(parts) | Some(parts):
            for part in parts:
                yield from _asked_for(part, field)
