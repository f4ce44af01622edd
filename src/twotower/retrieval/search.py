"""Typed words in, a page of products out."""

from typing import Final, get_args

import numpy as np

from twotower.bundle import Bundle
from twotower.errors import ConfigError, RetrievalError
from twotower.index.base import Rows, Vectors
from twotower.lexical.reading import Reading
from twotower.retrieval.answers import Answer, Mode, Parts, Stopwatch
from twotower.retrieval.blend import DEFAULT_WEIGHT, Scale, blend_scores
from twotower.retrieval.catalogue import Catalogue
from twotower.retrieval.matching import Matched, MatchedMeaning, MatchedWords
from twotower.retrieval.page import check_page, page_of

MAX_QUERY: Final = 10_000
"""Characters of a query."""


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
        matching = self._matching(reading.corrected or asked, words, watch)
        matched = matching.under(None)
        watch.lap("semantic")
        scores = self._scores(matched, mode, matching.scale)
        page, page_scores = page_of(matched.rows, scores, offset, k)
        parts = _parts(matched, page)
        watch.lap("blend")
        return Answer(
            hits=self._catalogue.hits(page, page_scores, parts, offset),
            total=len(matched.rows),
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
        page, scores = page_of(matched.rows, matched.lexical, offset, k)
        hits = self._catalogue.hits(page, scores, _parts(matched, page), offset)
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

    def _matching(self, query: str, words: Vectors, watch: Stopwatch) -> MatchedMeaning:
        text = self._bundle.model.text_encoder.encode([query])
        vector: Vectors = self._towers.queries(text)[0]
        watch.lap("encode")
        floor = float(vector @ self._mean) if self._mean is not None else 0.0
        return MatchedMeaning(self._bundle.index, vector, words, floor)

    def _scores(self, matched: Matched, mode: Mode, scale: Scale) -> Vectors:
        assert matched.semantic is not None
        if mode == "semantic":
            return matched.semantic
        meaning, words = matched.semantic[None], matched.lexical[None]
        blended: Vectors = blend_scores(meaning, words, self._weight, scale=scale)[0]
        return blended


def _parts(matched: Matched, page: Rows) -> list[Parts]:
    """What the scores of the rows of a page are made of."""
    places = np.searchsorted(matched.rows, page)
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
