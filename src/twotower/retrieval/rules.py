"""What the shop wants in its lists, whatever the model says: boost, bury, pin and hide.

A rule names products and says where and when it holds. It never brings back what a filter, the
stock or an exclusion took away: those have the last word.
"""

import hashlib
import json
import time
from collections.abc import Iterable, Sequence
from dataclasses import astuple, dataclass, replace
from typing import Final, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from twotower.errors import RetrievalError
from twotower.filtering.grammar import read_filter
from twotower.filtering.masks import held_by
from twotower.filtering.segments import Mask
from twotower.index.base import Rows
from twotower.retrieval.answers import Hit, Reason
from twotower.retrieval.catalogue import Catalogue

Action = Literal["boost", "bury", "pin", "hide"]
_NS_PER_MS: Final = 1_000_000
_SIGNS: Final = {"boost": 1.0, "bury": -1.0}
_HASH: Final = 16
"""Hex digits by which the rules of an answer are known again."""


@dataclass(frozen=True)
class Rule:
    """One wish of the shop.

    Attributes:
        rule_id: names it.
        action: `boost` and `bury` move products up and down, `pin` puts them at a place, `hide`
            leaves them out.
        filter: which products, in the filter language; None for `pin`.
        item_ids: which products, for `pin`, in their order; ids that nothing has are passed over.
        position: the place of the first of these, from 1.
        strength: how far `boost` and `bury` move: 1 is the way from a middling product of the
            catalogue to the best one of the list.
        query: it holds for searches of these words alone; capitals and spaces are no matter.
        places: where it holds: `search` and placements; everywhere when empty.
        starts: it holds from here on, UTC milliseconds.
        ends: it holds before this, UTC milliseconds.

    Raises:
        RetrievalError: a field is missing, or there and not for this action.
        FilterError: the filter cannot be read.
    """

    rule_id: str
    action: Action
    filter: str | None = None
    item_ids: tuple[str, ...] = ()
    position: int | None = None
    strength: float | None = None
    query: str | None = None
    places: tuple[str, ...] = ()
    starts: int | None = None
    ends: int | None = None

    def __post_init__(self) -> None:
        if self.action not in get_args(Action):
            expected = ", ".join(get_args(Action))
            raise RetrievalError(f"action must be one of {expected}, got {self.action!r}")
        pins, moves = self.action == "pin", self.action in _SIGNS
        for name, is_there, is_wanted in (
            ("filter", self.filter is not None, not pins),
            ("item_ids", bool(self.item_ids), pins),
            ("position", self.position is not None, pins),
            ("strength", self.strength is not None, moves),
        ):
            if is_there != is_wanted:
                remedy = "give one" if is_wanted else "leave it out"
                raise RetrievalError(
                    f"{name} {'is needed for' if is_wanted else 'means nothing for'} "
                    f"action {self.action!r}: {remedy}"
                )
        if self.starts is not None and self.ends is not None and self.starts >= self.ends:
            raise RetrievalError(f"ends must be after starts, got {self.starts} and {self.ends}")
        if self.filter is not None:
            read_filter(self.filter)

    def n_named(self, catalogue: Catalogue) -> int:
        """How many products it names now."""
        if self.filter is None:
            return len(_pins([self], catalogue))
        named = catalogue.filtered(read_filter(self.filter))
        return 0 if named is None else int(named.sum())

    def holds(self, place: str, query: str | None, now_ms: int) -> bool:
        """Whether it speaks of a list.

        Args:
            place: `search`, or a placement.
            query: of a search.
            now_ms: the present, UTC milliseconds.
        """
        if self.places and place not in self.places:
            return False
        if self.query is not None and (query is None or _folded(query) != _folded(self.query)):
            return False
        is_begun = self.starts is None or self.starts <= now_ms
        return is_begun and (self.ends is None or now_ms < self.ends)


@dataclass(frozen=True)
class Pin:
    """A product that has a place of its own; `rank` counts from 1."""

    rank: int
    row: int
    rule_id: str


@dataclass(frozen=True)
class InForce:
    """The rules that speak of one list, with the products that they name.

    Attributes:
        hidden: bool[N] products to leave out; None where there are none.
        moved: rule ids, with bool[N] products and the strength, less than 0 for down.
        pins: in the order of their places; no product twice.
        edition: changes with the rules; empty without any.
    """

    hidden: Mask | None = None
    moved: tuple[tuple[str, Mask, float], ...] = ()
    pins: tuple[Pin, ...] = ()
    edition: str = ""

    @classmethod
    def of(
        cls,
        rules: Iterable[Rule],
        catalogue: Catalogue,
        place: str,
        *,
        query: str | None = None,
        now_ms: int | None = None,
    ) -> "InForce":
        """The rules that hold for a list now."""
        now = time.time_ns() // _NS_PER_MS if now_ms is None else now_ms
        holding = sorted(
            (rule for rule in rules if rule.holds(place, query, now)), key=lambda one: one.rule_id
        )
        if not holding:
            return NO_RULES
        hidden: Mask | None = None
        moved = []
        for rule in holding:
            if rule.filter is None:
                continue
            named = catalogue.filtered(read_filter(rule.filter))
            assert named is not None
            if rule.action == "hide":
                hidden = named if hidden is None else _either(hidden, named)
            else:
                moved.append((rule.rule_id, named, _SIGNS[rule.action] * (rule.strength or 0.0)))
        text = json.dumps([astuple(rule) for rule in holding])
        edition = hashlib.sha256(text.encode()).hexdigest()[:_HASH]
        return cls(hidden, tuple(moved), _pins(holding, catalogue), edition)

    def visible(self, allowed: Mask | None) -> Mask | None:
        """bool[N] allowed rows without the hidden ones; None for all."""
        if self.hidden is None:
            return allowed
        if allowed is None:
            return ~self.hidden
        length = min(len(allowed), len(self.hidden))
        return np.asarray(allowed[:length] & ~self.hidden[:length], np.bool_)

    def lifts(self, rows: Rows) -> NDArray[np.float64]:
        """float64[R] the strengths of all rules that move each row, added up."""
        lifts = np.zeros(len(rows))
        for _, named, strength in self.moved:
            lifts[held_by(named, rows)] += strength
        return lifts

    def moved_among(self, allowed: Mask) -> Rows:
        """int64[M] allowed rows that some rule moves."""
        rows = np.flatnonzero(allowed)
        moved: Rows = rows[self.lifts(rows) != 0]
        return moved

    def with_reasons(
        self, rows: Rows, reasons: Sequence[tuple[Reason, ...]], unit: float
    ) -> list[tuple[Reason, ...]]:
        """The reasons of each row, after what each rule adds to its score.

        Args:
            rows: int64[R].
            reasons: theirs without rules.
            unit: what a strength of 1 adds.
        """
        every: list[tuple[Reason, ...]] = list(reasons)
        for rule_id, named, strength in reversed(self.moved):
            own = Reason("rule", strength * unit, rule_id=rule_id)
            for place in np.flatnonzero(held_by(named, rows)).tolist():
                every[place] = (own, *every[place])
        return every

    def marked(self, hits: tuple[Hit, ...]) -> tuple[Hit, ...]:
        """Hits that say which rule gave them their place."""
        by_row = {pin.row: pin.rule_id for pin in self.pins}
        return tuple(
            replace(hit, pinned_by=by_row[hit.item_row]) if hit.item_row in by_row else hit
            for hit in hits
        )


NO_RULES: Final = InForce()


def ranks_of(pins: Sequence[Pin], total: int) -> dict[int, Pin]:
    """Where pins come in a list of `total` products, themselves included: rank -> pin.

    Two that want one place follow each other; those beyond the end are the last ones.
    """
    found, rank = {}, 0
    for number, pin in enumerate(pins):
        rank = min(max(pin.rank, rank + 1), total - len(pins) + 1 + number)
        found[rank] = pin
    return found


def _pins(rules: Sequence[Rule], catalogue: Catalogue) -> tuple[Pin, ...]:
    found: dict[int, Pin] = {}
    for rule in rules:
        for number, row in enumerate(catalogue.known_rows(rule.item_ids).tolist()):
            if catalogue.columns.has(row):
                pin = Pin((rule.position or 1) + number, row, rule.rule_id)
                found.setdefault(row, pin)
    return tuple(sorted(found.values(), key=lambda pin: (pin.rank, pin.rule_id)))


def _either(one: Mask, other: Mask) -> Mask:
    length = min(len(one), len(other))
    return np.asarray(one[:length] | other[:length], np.bool_)


def _folded(query: str) -> str:
    return " ".join(query.casefold().split())
