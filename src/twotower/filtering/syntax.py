"""What a filter says, as a tree."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

Value = str | float | bool
Operator = Literal["in", "<", "<=", ">", ">=", "exists"]


@dataclass(frozen=True)
class Comparison:
    """One field beside values.

    Attributes:
        field: one of `fields.FIELDS`.
        operator: `in` says that the field is one of the values, or of a category, below one.
        values: of the field's kind; one for an order, none for `exists`.
    """

    field: str
    operator: Operator
    values: tuple[Value, ...] = ()


@dataclass(frozen=True)
class All:
    """Every part holds."""

    parts: tuple["Expression", ...]


@dataclass(frozen=True)
class Some:
    """At least one part holds."""

    parts: tuple["Expression", ...]


@dataclass(frozen=True)
class Not:
    """The part does not hold."""

    part: "Expression"


Expression = Comparison | All | Some | Not


def fields_in(expression: Expression) -> set[str]:
    """The fields that an expression speaks of."""
    return {comparison.field for comparison in comparisons_in(expression)}


def comparisons_in(expression: Expression) -> Iterator[Comparison]:
    """Every comparison of an expression, in the order of the text."""
    match expression:
        case Comparison():
            yield expression
        case Not(part):
            yield from comparisons_in(part)
        case All(parts) | Some(parts):
            for part in parts:
                yield from comparisons_in(part)


def conjuncts(expression: Expression | None) -> tuple[Expression, ...]:
    """The parts that must all hold; none for no filter at all."""
    if expression is None:
        return ()
    return expression.parts if isinstance(expression, All) else (expression,)


def every(parts: tuple[Expression, ...]) -> Expression | None:
    """The inverse of `conjuncts`."""
    if len(parts) < 2:
        return parts[0] if parts else None
    return All(parts)
