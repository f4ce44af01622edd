"""Typed words in, a page of products out."""

from dataclasses import replace
from typing import Final, get_args

import numpy as np

from twotower.bundle import Bundle
from twotower.errors import ConfigError, RetrievalError
from twotower.index.base import Rows, Vectors
from twotower.lexical.reading import Reading
from twotower.retrieval.answers import Answer, Hit, Mode, Parts, Stopwatch
from twotower.retrieval.blend import DEFAULT_WEIGHT, Scale, blend_scores
from twotower.retrieval.catalogue import Catalogue
from twotower.retrieval.matching import Matched, MatchedMeaning, MatchedWords
from twotower.retrieval.page import check_page, page_of
from twotower.retrieval.relevance import Relevance

MAX_QUERY: Final = 10_000
"""Characters of a query."""
MAX_WEAK: Final = 12
"""Weak matches after the list."""


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
        self._relevance = Relevance.from_json(bundle.settings.get("relevance", {}))
        self._weight = float(bundle.settings.get("semantic_weight", DEFAULT_WEIGHT))

    def answer(self, query: str, k: int, offset: int, mode: Mode) -> Answer:
        """One page of hits; see `Retriever.search`."""
        asked = _checked_query(query)
        check_page(k, offset)
        if mode not in get_args(Mode):
            raise ConfigError(f"mode must be one of {', '.join(get_args(Mode))}, got {mode!r}")
        watch = Stopwatch()
        reading = self._bundle.lexical.read(asked)
        words = self._bundle.lexical.scores(reading)
        watch.lap("lexical")
        if mode == "lexical" or not self._towers.has_queries:
            return self._by_words(words, reading, mode, k, offset, watch)
        matching = self._matching(asked, reading, words, watch)
        matched = matching.under(None)
        watch.lap("semantic")
        scale, n_matched = matching.scale, len(matched.rows)
        hits = self._hits(matched, self._scores(matched, mode, scale), offset, k)
        weak: tuple[Hit, ...] = ()
        if offset + k >= n_matched:
            near = matching.weak(None)
            weak = self._hits(near, self._scores(near, mode, scale), 0, MAX_WEAK, n_matched)
        watch.lap("blend")
        return Answer(
            hits=hits,
            weak=weak,
            total=n_matched,
            total_definition=matched.definition,
            took_ms=watch.took_ms(),
            mode=mode,
            degraded=reading.is_cut,
            corrected_query=reading.corrected,
        )

    def _by_words(
        self, words: Vectors, reading: Reading, mode: Mode, k: int, offset: int, watch: Stopwatch
    ) -> Answer:
        matched = MatchedWords(words[: len(self._catalogue)]).under(None)
        hits = self._hits(matched, matched.lexical, offset, k)
        watch.lap("blend")
        return Answer(
            hits=hits,
            total=len(matched.rows),
            total_definition=matched.definition,
            took_ms=watch.took_ms(),
            mode="lexical",
            fallback_used=None if mode == "lexical" else "lexical",
            degraded=reading.is_cut,
            corrected_query=reading.corrected,
        )

    def _matching(
        self, asked: str, reading: Reading, words: Vectors, watch: Stopwatch
    ) -> MatchedMeaning:
        text = self._bundle.model.text_encoder.encode([reading.corrected or asked])
        vector: Vectors = self._towers.queries(text)[0]
        watch.lap("encode")
        floor = float(vector @ self._mean) if self._mean is not None else 0.0
        coverage = self._bundle.lexical.coverage(reading, words)
        index, relevance = self._bundle.index, self._relevance
        return MatchedMeaning(index, vector, words, coverage, relevance, floor)

    def _hits(
        self, matched: Matched, scores: Vectors, offset: int, k: int, before: int = 0
    ) -> tuple[Hit, ...]:
        """A page of the matched rows, ranked by scores, after `before` others."""
        page, page_scores = page_of(matched.rows, scores, offset, k)
        places = np.searchsorted(matched.rows, page)
        hits = self._catalogue.hits(page, page_scores, _parts(matched, places), before + offset)
        if matched.relevance is None:
            return hits
        known = matched.relevance[places].tolist()
        return tuple(replace(hit, relevance=p) for hit, p in zip(hits, known, strict=True))

    def _scores(self, matched: Matched, mode: Mode, scale: Scale) -> Vectors:
        assert matched.semantic is not None
        if mode == "semantic":
            return matched.semantic
        meaning, words = matched.semantic[None], matched.lexical[None]
        blended: Vectors = blend_scores(meaning, words, self._weight, scale=scale)[0]
        return blended


def _parts(matched: Matched, places: Rows) -> list[Parts]:
    """What the scores of the rows at some places of the set are made of."""
    words = matched.lexical[places]
    if matched.semantic is None:
        return [Parts(lexical=float(score)) for score in words]
    return [
        Parts(semantic=float(near), lexical=float(score))
        for near, score in zip(matched.semantic[places], words, strict=True)
    ]


def _checked_query(query: str) -> str:
    asked = query.strip()
    if not asked:
        raise RetrievalError("query must hold at least one word, got nothing: type what is wanted")
    if len(asked) > MAX_QUERY:
        raise RetrievalError(
            f"query must have at most {MAX_QUERY} characters, got {len(asked)}: shorten it"
        )
    return asked
