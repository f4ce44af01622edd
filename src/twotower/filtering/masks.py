"""Which rows a tree allows."""

from collections.abc import Callable, Sequence
from functools import reduce
from typing import Final, assert_never, cast

import numpy as np
from numpy.typing import NDArray

from twotower.filtering.columns import Columns
from twotower.filtering.fields import FIELDS
from twotower.filtering.segments import Lists, Mask, Segment
from twotower.filtering.syntax import All, Comparison, Expression, Not, Operator, Some

RowOf = Callable[[str], int | None]
"""The row of an item id, None for one that is unknown."""
_Predicate = Callable[[Segment, int], Mask]
"""A segment and its number -> bool[R] of its rows."""
_ORDERS: Final[dict[Operator, np.ufunc]] = {
    "<": np.less,
    "<=": np.less_equal,
    ">": np.greater,
    ">=": np.greater_equal,
}


def held_by(mask: Mask, rows: NDArray[np.int64]) -> Mask:
    """bool[R] which rows a mask holds; none that came after it was made."""
    held = np.zeros(len(rows), np.bool_)
    known = rows < len(mask)
    held[known] = mask[rows[known]]
    return held


def allowed_rows(expression: Expression, columns: Columns, row_of: RowOf) -> Mask:
    """bool[N] the rows that are there and that an expression allows.

    Args:
        expression: see `grammar.read_filter`.
        columns: of all rows.
        row_of: for the field `item_id`.
    """
    holds = _predicate(expression, columns, row_of)
    return np.concatenate(
        [part.is_there & holds(part, number) for number, part in enumerate(columns.segments)]
    )


def _predicate(expression: Expression, columns: Columns, row_of: RowOf) -> _Predicate:
    match expression:
        case Comparison():
            return _compared(expression, columns, row_of)
        case Not(part):
            holds = _predicate(part, columns, row_of)
            return lambda segment, number: ~holds(segment, number)
        case All(parts) | Some(parts):
            join = np.logical_and if isinstance(expression, All) else np.logical_or
            every = [_predicate(part, columns, row_of) for part in parts]
            return lambda segment, number: reduce(join, [one(segment, number) for one in every])
    assert_never(expression)


def _compared(comparison: Comparison, columns: Columns, row_of: RowOf) -> _Predicate:
    field = comparison.field
    match FIELDS[field]:
        case "id":
            return _of_ids(comparison, columns.size, row_of)
        case "flag":
            return _of_flag(comparison)
        case "number" | "time":
            return _of_numbers(comparison)
        case "texts":
            held = _wanted(comparison, columns)
            return lambda segment, _: _holding(segment.lists[field], held, len(segment))
        case _:
            wanted = _wanted(comparison, columns)
            return lambda segment, _: wanted[segment.codes[field]]


def _of_ids(comparison: Comparison, size: int, row_of: RowOf) -> _Predicate:
    if comparison.operator == "exists":
        return lambda segment, _: np.ones(len(segment), np.bool_)
    found = [row_of(cast("str", value)) for value in comparison.values]
    rows = np.array([row for row in found if row is not None], np.int64)

    def holds(segment: Segment, number: int) -> Mask:
        mask = np.zeros(len(segment), np.bool_)
        here = rows - number * size
        mask[here[(here >= 0) & (here < len(segment))]] = True
        return mask

    return holds


def _of_flag(comparison: Comparison) -> _Predicate:
    wanted = set(comparison.values) if comparison.operator == "in" else {True, False}

    def holds(segment: Segment, _: int) -> Mask:
        both = {True: segment.in_stock, False: ~segment.in_stock}
        return reduce(np.logical_or, [both[bool(value)] for value in wanted])

    return holds


def _of_numbers(comparison: Comparison) -> _Predicate:
    field, operator, values = comparison.field, comparison.operator, comparison.values
    if operator == "exists":
        return lambda segment, _: ~np.isnan(segment.numbers[field])
    if operator == "in":
        return lambda segment, _: np.isin(segment.numbers[field], values)
    order, bound = _ORDERS[operator], values[0]

    def holds(segment: Segment, _: int) -> Mask:
        mask: Mask = order(segment.numbers[field], bound)
        return mask

    return holds


def _wanted(comparison: Comparison, columns: Columns) -> NDArray[np.bool_]:
    """bool[C] which numbers of the field's texts are asked for."""
    terms = columns.terms[comparison.field]
    codes = terms.codes_of(cast("Sequence[str]", comparison.values))
    wanted = np.zeros(len(terms), np.bool_)  # after the codes: terms grow meanwhile
    wanted[np.fromiter(codes, np.int64)] = True
    if comparison.operator == "exists":
        wanted[1:] = True
    return wanted


def _holding(lists: Lists, wanted: NDArray[np.bool_], n_rows: int) -> Mask:
    mask = np.zeros(n_rows, np.bool_)
    mask[lists.places[wanted[lists.codes]]] = True
    return mask
