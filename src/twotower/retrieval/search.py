"""Typed words in, a page of products out."""

from dataclasses import replace
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
from twotower.retrieval.matching import Matched, MatchedMeaning, MatchedWords
from twotower.retrieval.order import Ordered
from twotower.retrieval.questions import SearchQuestion, Sort
from twotower.retrieval.relevance import Relevance

MAX_WEAK: Final = 12
"""Weak matches after the list."""
_Matching = MatchedWords | MatchedMeaning


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

    def answer(self, question: SearchQuestion) -> Answer:
        """One page of hits; see `Retriever.search`."""
        after = read_cursor(question, self._bundle.version)
        before = question.offset if after is None else after.rank
        watch = Stopwatch()
        reading = self._bundle.lexical.read(question.words)
        words = self._bundle.lexical.scores(reading)
        watch.lap("lexical")
        mode: Mode = question.mode if self._towers.has_queries else "lexical"
        matching = self._matching(question, reading, words, mode, watch)
        allowed = self._catalogue.filtered(question.expression)
        matched = matching.under(allowed)
        if mode != "lexical":
            watch.lap("semantic")
        ordered = self._ordered(matching, matched, mode, question.sort)
        places = ordered.page(question.offset, question.k, after)
        last = before + len(places)
        is_end = last >= len(matched.rows)
        hits = self._hits(matched, ordered, places, before)
        weak = self._weak(matching, allowed, mode, last) if is_end else ()
        if question.explain:
            hits, weak = (self._explained(part, reading, matching, mode) for part in (hits, weak))
        watch.lap("blend")
        facets = self._facets(question, matching, matched)
        if facets:
            watch.lap("facets")
        return Answer(
            hits=hits,
            weak=weak,
            total=len(matched.rows),
            total_definition=matched.definition,
            took_ms=watch.took_ms(),
            mode=mode,
            fallback_used=None if mode == question.mode else mode,
            degraded=reading.is_cut,
            corrected_query=reading.corrected,
            is_exact=matched.is_exact,
            facets=facets,
            next_cursor=None if is_end else self._next(question, ordered, places, last),
        )

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

    def _ordered(self, matching: _Matching, matched: Matched, mode: Mode, sort: Sort) -> Ordered:
        scores = self._scores(matching, matched, mode)
        return Ordered.by(sort, matched.rows, scores, self._catalogue.columns)

    def _scores(self, matching: _Matching, matched: Matched, mode: Mode) -> Vectors:
        if isinstance(matching, MatchedWords) or matched.semantic is None:
            return matched.lexical
        if mode == "semantic":
            return matched.semantic
        meaning, words = matched.semantic[None], matched.lexical[None]
        blended: Vectors = blend_scores(meaning, words, self._weight, scale=matching.scale)[0]
        return blended

    def _hits(
        self, matched: Matched, ordered: Ordered, places: Rows, before: int
    ) -> tuple[Hit, ...]:
        """The matched rows at some places as hits, after `before` others."""
        rows, scores = ordered.rows[places], ordered.scores[places]
        hits = self._catalogue.hits(rows, scores, _parts(matched, places), before)
        if matched.relevance is None:
            return hits
        known = matched.relevance[places].tolist()
        return tuple(replace(hit, relevance=p) for hit, p in zip(hits, known, strict=True))

    def _weak(
        self, matching: _Matching, allowed: Mask | None, mode: Mode, before: int
    ) -> tuple[Hit, ...]:
        if isinstance(matching, MatchedWords):
            return ()
        near = matching.weak(allowed)
        ordered = self._ordered(matching, near, mode, "relevance")
        return self._hits(near, ordered, ordered.page(0, MAX_WEAK), before)

    def _explained(
        self, hits: tuple[Hit, ...], reading: Reading, matching: _Matching, mode: Mode
    ) -> tuple[Hit, ...]:
        """The hits with what their scores are made of."""
        words = np.array([hit.parts.lexical for hit in hits], np.float64)
        near = None
        if isinstance(matching, MatchedMeaning):
            near = np.array([hit.parts.semantic for hit in hits], np.float64)
            if mode == "semantic":
                words = np.zeros_like(words)
            else:
                parts = blend_parts(near[None], words[None], self._weight, scale=matching.scale)
                near, words = parts[0][0], parts[1][0]
        rows = np.array([hit.item_row for hit in hits], np.int64)
        shares = self._bundle.lexical.parts(reading, rows)
        return self._attention.explained(hits, query_reasons(reading.typed, shares, near, words))

    def _facets(
        self, question: SearchQuestion, matching: _Matching, matched: Matched
    ) -> tuple[Facet, ...]:
        expression, most = question.expression, question.max_values
        fields, catalogue = question.facets, self._catalogue
        return facets_of(fields, matching, matched, expression, catalogue, max_values=most)

    def _next(self, question: SearchQuestion, ordered: Ordered, places: Rows, last: int) -> str:
        mark = ordered.mark(int(places[-1]), last)
        return written_cursor(mark, question, self._bundle.version)


def _parts(matched: Matched, places: Rows) -> list[Parts]:
    """What the scores of the rows at some places of the set are made of."""
    words = matched.lexical[places]
    if matched.semantic is None:
        return [Parts(lexical=float(score)) for score in words]
    return [
        Parts(semantic=float(near), lexical=float(score))
        for near, score in zip(matched.semantic[places], words, strict=True)
    ]
