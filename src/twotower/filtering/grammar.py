"""Tokens in, tree out, or an error that says where and what was meant.

    filter     = all { OR all }
    all        = part { AND part }
    part       = NOT part | "(" filter ")" | comparison
    comparison = FLAG [ "=" ( true | false ) ]
               | FIELD ( "=" | "!=" | "<" | "<=" | ">" | ">=" ) value
               | FIELD [ NOT ] IN "[" value { "," value } "]"
               | FIELD EXISTS

Words of the language may be written in any case, names of fields not. NOT binds tighter than
AND, AND tighter than OR. A comparison with a field that a product lacks does not hold, so
`price < 100` leaves out products without a price, and `brand != "Sony"` keeps those without
a brand.
"""

import difflib
from datetime import UTC, datetime
from typing import Final

from twotower.errors import FilterError
from twotower.filtering.fields import FIELDS, Kind
from twotower.filtering.syntax import All, Comparison, Expression, Not, Operator, Some, Value
from twotower.filtering.tokens import Token, tokens_of

MAX_DEPTH: Final = 50
"""Brackets and NOTs inside each other."""
MAX_VALUES: Final = 1_000
"""Values in the brackets of one IN."""
_ORDERS: Final = ("<", "<=", ">", ">=")
_MARKS: Final = ("=", "!=", *_ORDERS)
_ORDERED: Final = ("number", "time")
_EXPECTED: Final[dict[Kind, str]] = {
    "id": "a text in quotes",
    "text": "a text in quotes",
    "texts": "a text in quotes",
    "path": "a text in quotes",
    "number": "a number",
    "time": 'a date in quotes such as "2026-01-31", or UTC milliseconds',
    "flag": "true or false",
}


def read_filter(text: str) -> Expression:
    """What a filter says.

    Args:
        text: such as `brand = "Sony" AND price < 100 AND in_stock`.

    Raises:
        FilterError: it says nothing, or something that cannot be read; `position` says where.

    Example:
        >>> read_filter('NOT in_stock')
        Not(part=Comparison(field='in_stock', operator='in', values=(True,)))
    """
    reader = _Reader(list(tokens_of(text)))
    if reader.is_done:
        raise FilterError("a filter says something, got nothing: leave it out", 1)
    expression = reader.read_some()
    if not reader.is_done:
        rest = reader.next
        raise FilterError(
            f"expected AND, OR or the end of the filter, got {rest.shown}", rest.position
        )
    return expression


class _Reader:
    """Walks the tokens once, from left to right."""

    def __init__(self, tokens: list[Token]) -> None:
        self._tokens, self._place, self._depth = tokens, 0, 0

    @property
    def next(self) -> Token:
        return self._tokens[self._place]

    @property
    def is_done(self) -> bool:
        return self.next.shape == "end"

    def _take(self) -> Token:
        token = self.next
        self._place += not self.is_done
        return token

    def _takes(self, *marks: str) -> bool:
        """Whether the next token is one of these marks; then it is taken."""
        fits = self.next.shape == "mark" and self.next.text in marks
        self._place += fits
        return fits

    def _takes_word(self, word: str) -> bool:
        fits = self.next.is_word(word)
        self._place += fits
        return fits

    def _expect(self, mark: str, why: str) -> None:
        if not self._takes(mark):
            raise FilterError(f"expected {mark!r} {why}, got {self.next.shown}", self.next.position)

    def read_some(self) -> Expression:
        parts = [self._read_all()]
        while self._takes_word("OR"):
            parts.append(self._read_all())
        return parts[0] if len(parts) == 1 else Some(tuple(parts))

    def _read_all(self) -> Expression:
        parts = [self._read_part()]
        while self._takes_word("AND"):
            parts.append(self._read_part())
        if len(parts) == 1:
            return parts[0]
        flat = [one for part in parts for one in (part.parts if isinstance(part, All) else (part,))]
        return All(tuple(flat))

    def _read_part(self) -> Expression:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise FilterError(f"a filter is at most {MAX_DEPTH} deep", self.next.position)
        try:
            if self._takes_word("NOT"):
                return Not(self._read_part())
            if self._takes("("):
                inner = self.read_some()
                self._expect(")", "to close the bracket")
                return inner
            return self._read_comparison()
        finally:
            self._depth -= 1

    def _read_comparison(self) -> Expression:
        field = self._take()
        kind = _kind_of(field)
        if self._takes_word("EXISTS"):
            return Comparison(field.text, "exists")
        if self.next.is_word("NOT", "IN"):
            return self._read_in(field.text, kind)
        mark = self.next
        if mark.shape != "mark" or mark.text not in _MARKS:
            if kind == "flag":
                return Comparison(field.text, "in", (True,))
            raise FilterError(
                f"expected a comparison after {field.text} ({_comparisons(kind)}),"
                f" got {mark.shown}",
                mark.position,
            )
        self._take()
        if mark.text in _ORDERS:
            return self._read_order(field.text, kind, mark)
        is_one = Comparison(field.text, "in", (self._read_value(field.text, kind),))
        return is_one if mark.text == "=" else Not(is_one)

    def _read_in(self, field: str, kind: Kind) -> Expression:
        is_negated = self._takes_word("NOT")
        if not self._takes_word("IN"):
            raise FilterError(f"expected IN, got {self.next.shown}", self.next.position)
        self._expect("[", "and values after IN")
        start = self.next.position
        values = [self._read_value(field, kind)]
        while self._takes(","):
            values.append(self._read_value(field, kind))
        self._expect("]", "after the values")
        if len(values) > MAX_VALUES:
            raise FilterError(f"IN takes at most {MAX_VALUES} values, got {len(values)}", start)
        found = Comparison(field, "in", tuple(values))
        return Not(found) if is_negated else found

    def _read_order(self, field: str, kind: Kind, mark: Token) -> Expression:
        if kind not in _ORDERED:
            raise FilterError(
                f"{field} has no order: compare it by {_comparisons(kind)}, not by {mark.text}",
                mark.position,
            )
        operator: Operator = mark.text  # type: ignore[assignment]
        return Comparison(field, operator, (self._read_value(field, kind),))

    def _read_value(self, field: str, kind: Kind) -> Value:
        token = self._take()
        value = _value_of(token, kind)
        if value is None:
            raise FilterError(
                f"{field} is compared with {_EXPECTED[kind]}, got {token.shown}", token.position
            )
        return value


def _kind_of(field: Token) -> Kind:
    if field.shape != "word" or field.is_word("AND", "OR", "IN", "EXISTS"):
        raise FilterError(f"expected a field, NOT or (, got {field.shown}", field.position)
    kind = FIELDS.get(field.text)
    if kind is None:
        close = difflib.get_close_matches(field.text.lower(), FIELDS, 1)
        meant = f"did you mean {close[0]!r}?" if close else f"there are {', '.join(FIELDS)}"
        raise FilterError(f"unknown field {field.text!r}: {meant}", field.position)
    return kind


def _comparisons(kind: Kind) -> str:
    marks = _MARKS if kind in _ORDERED else ("=", "!=")
    return f"{', '.join(marks)}, IN or EXISTS"


def _value_of(token: Token, kind: Kind) -> Value | None:
    """The value of a token, None where the kind has no such values."""
    if kind == "flag":
        return token.is_word("TRUE") if token.is_word("TRUE", "FALSE") else None
    if kind in _ORDERED and token.shape == "number":
        return float(token.text)
    if kind == "time" and token.shape == "text":
        return _milliseconds(token.text)
    return token.text if kind not in _ORDERED and token.shape == "text" else None


def _milliseconds(text: str) -> float | None:
    """UTC milliseconds of a date; without an offset it is meant in UTC."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    zoned = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return zoned.timestamp() * 1_000
