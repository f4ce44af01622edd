"""Typed words in, a page of products out."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from twotower.bundle import Bundle
from twotower.filtering.facets import Facet
from twotower.index.base import Mask, Rows, Vectors
from twotower.lexical.reading import Reading
from twotower.retrieval.answers import Answer, Hit, Mode, Parts, Stopwatch
from twotower.retrieval.blend import DEFAULT_WEIGHT, blend_parts, blend_scores
from twotower.retrieval.catalogue import Catalogue
from twotower.retrieval.cursor import read_cursor, written_cursor
from twotower.retrieval.explain import Attention, query_reasons
from twotower.retrieval.faceting import facets_of
from twotower.retrieval.matching import Matched, MatchedMeaning, MatchedWords, Matching
from twotower.retrieval.order import Ordered
from twotower.retrieval.pinning import MatchingUnderRules, pinned_page, places_of_pins
from twotower.retrieval.questions import SearchQuestion, Sort
from twotower.retrieval.relevance import Relevance
from twotower.retrieval.rules import InForce, Rule

MAX_WEAK: Final = 12
"""Weak matches after the list."""
_Matching = MatchedWords | MatchedMeaning


@dataclass(frozen=True)
class _Asked:
    """A question, read.

    Attributes:
        reading: what its words mean.
        mode: how it is answered.
        matching: what it matches.
        visible: the same under the rules.
        rules: those of this search.
        unit: what a rule of strength 1 adds to a score.
    """

    reading: Reading
    mode: Mode
    matching: _Matching
    visible: MatchingUnderRules
    rules: InForce
    unit: float


class Search:
    """Ranks products for words, by what `Retriever.search` says.

    Args:
        bundle: answers.
        catalogue: its products and the live ones.
    """

    def __init__(self, bundle: Bundle, catalogue: Catalogue) -> None:
        self._bundle, self._catalogue = bundle, catalogue
        self._towers = bundle.model.towers
        vectors = bundle.model.item_vectors
        self._mean = vectors.mean(axis=0, dtype=np.float64) if len(vectors) else None
        self._attention = Attention(bundle, catalogue)
        self._relevance = Relevance.from_json(bundle.settings.get("relevance", {}))
        self._weight = float(bundle.settings.get("semantic_weight", DEFAULT_WEIGHT))

    def answer(self, question: SearchQuestion, rules: Sequence[Rule] = ()) -> Answer:
        """One page of hits; see `Retriever.search`."""
        in_force = InForce.of(rules, self._catalogue, "search", query=question.words)
        edition = "+".join(part for part in (self._bundle.version, in_force.edition) if part)
        after = read_cursor(question, edition)
        before = question.offset if after is None else after.rank
        watch = Stopwatch()
        asked = self._asked(question, in_force, watch)
        allowed = self._catalogue.filtered(question.expression)
        matched = asked.visible.under(allowed)
        if asked.mode != "lexical":
            watch.lap("semantic")
        ordered = self._ordered(asked, matched, question.sort)
        pins = places_of_pins(ordered, asked.rules)
        places, end = pinned_page(ordered, pins, question.offset, question.k, after)
        is_end = end.rank >= len(matched.rows)
        hits = asked.rules.marked(self._hits(matched, ordered, places, before))
        weak = self._weak(asked, allowed, end.rank) if is_end else ()
        if question.explain:
            hits, weak = self._explained(hits, asked), self._explained(weak, asked)
        watch.lap("blend")
        facets = self._facets(question, asked.visible, matched)
        if facets:
            watch.lap("facets")
        return Answer(
            hits=hits,
            weak=weak,
            total=len(matched.rows),
            total_definition=matched.definition,
            took_ms=watch.took_ms(),
            mode=asked.mode,
            fallback_used=None if asked.mode == question.mode else asked.mode,
            degraded=asked.reading.is_cut,
            corrected_query=asked.reading.corrected,
            is_exact=matched.is_exact,
            facets=facets,
            next_cursor=None if is_end else written_cursor(end, question, edition),
        )

    def _asked(self, question: SearchQuestion, rules: InForce, watch: Stopwatch) -> _Asked:
        reading = self._bundle.lexical.read(question.words)
        words = self._bundle.lexical.scores(reading)
        watch.lap("lexical")
        mode: Mode = question.mode if self._towers.has_queries else "lexical"
        matching = self._matching(question, reading, words, mode, watch)
        if question.sort != "relevance":
            rules = replace(rules, moved=(), pins=())
        unit = 1.0
        if isinstance(matching, MatchedWords):
            unit = float(words.max(initial=0.0))
        elif mode == "semantic":
            unit = float((matching.scale.semantic_top - matching.scale.floor)[0])
        return _Asked(reading, mode, matching, MatchingUnderRules(matching, rules), rules, unit)

    def _matching(
        self,
        question: SearchQuestion,
        reading: Reading,
        words: Vectors,
        mode: Mode,
        watch: Stopwatch,
    ) -> _Matching:
        if mode == "lexical":
            return MatchedWords(words[: len(self._catalogue)])
        text = self._bundle.model.text_encoder.encode([reading.corrected or question.words])
        vector: Vectors = self._towers.queries(text)[0]
        watch.lap("encode")
        floor = float(vector @ self._mean) if self._mean is not None else 0.0
        coverage = self._bundle.lexical.coverage(reading, words)
        index, relevance = self._bundle.index, self._relevance
        return MatchedMeaning(index, vector, words, coverage, relevance, floor)

    def _ordered(self, asked: _Asked, matched: Matched, sort: Sort) -> Ordered:
        own = self._scores(asked, matched)
        lifts = asked.unit * asked.rules.lifts(matched.rows)
        scores = (own + lifts).astype(np.float32) if asked.rules.moved else own
        return Ordered.by(sort, matched.rows, scores, self._catalogue.columns)

    def _scores(self, asked: _Asked, matched: Matched) -> Vectors:
        if isinstance(asked.matching, MatchedWords) or matched.semantic is None:
            return matched.lexical
        if asked.mode == "semantic":
            return matched.semantic
        meaning, words = matched.semantic[None], matched.lexical[None]
        scale = asked.matching.scale
        blended: Vectors = blend_scores(meaning, words, self._weight, scale=scale)[0]
        return blended

    def _hits(
        self, matched: Matched, ordered: Ordered, places: Rows, before: int
    ) -> tuple[Hit, ...]:
        """The matched rows at some places as hits, after `before` others."""
        rows, scores = ordered.rows[places], ordered.scores[places]
        known = None if matched.relevance is None else matched.relevance[places].tolist()
        return self._catalogue.hits(rows, scores, _parts(matched, places), before, known)

    def _weak(self, asked: _Asked, allowed: Mask | None, before: int) -> tuple[Hit, ...]:
        near = asked.visible.weak(allowed)
        if near is None:
            return ()
        ordered = self._ordered(asked, near, "relevance")
        return self._hits(near, ordered, ordered.page(0, MAX_WEAK), before)

    def _explained(self, hits: tuple[Hit, ...], asked: _Asked) -> tuple[Hit, ...]:
        """The hits with what their scores are made of."""
        words = np.array([hit.parts.lexical for hit in hits], np.float64)
        near = None
        if isinstance(asked.matching, MatchedMeaning):
            near = np.array([hit.parts.semantic for hit in hits], np.float64)
            if asked.mode == "semantic":
                words = np.zeros_like(words)
            else:
                scale = asked.matching.scale
                parts = blend_parts(near[None], words[None], self._weight, scale=scale)
                near, words = parts[0][0], parts[1][0]
        rows = np.array([hit.item_row for hit in hits], np.int64)
        shares = self._bundle.lexical.parts(asked.reading, rows)
        reasons = query_reasons(asked.reading.typed, shares, near, words)
        every = asked.rules.with_reasons(rows, reasons, asked.unit)
        return self._attention.explained(hits, every)

    def _facets(
        self, question: SearchQuestion, matching: Matching, matched: Matched
    ) -> tuple[Facet, ...]:
        expression, most = question.expression, question.max_values
        fields, catalogue = question.facets, self._catalogue
        return facets_of(fields, matching, matched, expression, catalogue, max_values=most)


def _parts(matched: Matched, places: Rows) -> list[Parts]:
    """What the scores of the rows at some places of the set are made of."""
    words = matched.lexical[places]
    if matched.semantic is None:
        return [Parts(lexical=float(score)) for score in words]
    return [
        Parts(semantic=float(near), lexical=float(score))
        for near, score in zip(matched.semantic[places], words, strict=True)
    ]
