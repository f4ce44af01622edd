"""The shape of an answer: what was found, how, and how long it took."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from twotower.filtering.facets import Facet

Mode = Literal["hybrid", "semantic", "lexical"]


@dataclass(frozen=True)
class Parts:
    """What a score is made of; None for a part that was not looked at.

    Attributes:
        semantic: inner product with the query's or visitor's vector; for `similar`, the cosine.
        lexical: BM25 score of the query's words.
    """

    semantic: float | None = None
    lexical: float | None = None


ReasonKind = Literal[
    "meaning", "words", "history", "popularity", "baskets", "launch", "rule", "rest"
]


@dataclass(frozen=True)
class Reason:
    """A part of a score; the reasons of a hit sum to its score.

    Attributes:
        kind: where it comes from. `words` is a word of the query, or several that count as
            one; `history` is one item that the visitor touched; `baskets` are buyers in common;
            `launch` is the first day on sale; `rule` is a wish of the shop; `rest` is what the
            items of a history only say together, and what anyone gets.
        value: what it adds, less than 0 where it takes away.
        item_id: of that item.
        words: of the query, folded to small letters.
        rule_id: of that rule.
    """

    kind: ReasonKind
    value: float
    item_id: str | None = None
    words: str | None = None
    rule_id: str | None = None


@dataclass(frozen=True)
class Hit:
    """One product of an answer.

    Attributes:
        rank: place in the whole list, from 1, counted across pages.
        item_id: the shop's id.
        item_row: ours.
        score: what the list is ordered by, best first, but for pins and diversity.
        parts: what the score is made of.
        item: the product by `schema` name, `item_id` included. Search keeps products that
            are out of stock: look at `in_stock`.
        relevance: how likely it fits the query, 0..1; None where nobody can tell.
        reasons: parts that sum to the score, where they were asked for; those of rules first,
            then the greatest, `rest` last.
        attention: feature -> how much it weighs in the product's vector, where asked for.
        pinned_by: the rule that gave it its place; its score has no say in that.
    """

    rank: int
    item_id: str
    item_row: int
    score: float
    parts: Parts
    item: Mapping[str, Any]
    relevance: float | None = None
    reasons: tuple[Reason, ...] = ()
    attention: Mapping[str, float] | None = None
    pinned_by: str | None = None


@dataclass(frozen=True)
class Answer:
    """A page of hits and how it came about.

    Attributes:
        hits: best first.
        total: hits on all pages together.
        total_definition: what `total` counts.
        took_ms: milliseconds by stage, `total` included.
        mode: how the list was made: a search mode, `recommend`, `similar`, `also_bought`,
            `trending` or `newest`.
        fallback_used: what answered in place of the model: `lexical` (no query tower),
            `popularity` (nothing is known of the visitor), `item_average` (no user tower),
            `catalogue` (no user tower, no history and no events). None when it was the model.
        degraded: whether a part was left out that this bundle does have, or the end of a
            query that is too long to be searched whole, or the visitor's live events.
        history_length: events of the visitor that shaped the answer.
        corrected_query: the query with its mistyped words put right, which also answered;
            None when none was.
        weak: what comes next and does not count as a match, best first, with the page that
            ends the list. No hits and some of these: nothing quite fits.
        is_exact: whether `total` and `facets` count all that matches, and not the nearest
            products only.
        facets: values of the fields that were asked for, among what matches.
        next_cursor: asks for the page that follows; None after the last one.
    """

    hits: tuple[Hit, ...]
    total: int
    total_definition: str
    took_ms: Mapping[str, float]
    mode: str
    fallback_used: str | None = None
    degraded: bool = False
    history_length: int = 0
    corrected_query: str | None = None
    weak: tuple[Hit, ...] = ()
    is_exact: bool = True
    facets: tuple[Facet, ...] = ()
    next_cursor: str | None = None


class Stopwatch:
    """Milliseconds since the last lap, by stage."""

    def __init__(self) -> None:
        self._started = self._lap = time.perf_counter()
        self._stages: dict[str, float] = {}

    def lap(self, stage: str) -> None:
        """Book the time since the last lap on `stage`."""
        now = time.perf_counter()
        self._stages[stage] = self._stages.get(stage, 0.0) + (now - self._lap) * 1000
        self._lap = now

    def took_ms(self) -> dict[str, float]:
        """All stages, and `total`."""
        return {**self._stages, "total": (time.perf_counter() - self._started) * 1000}
