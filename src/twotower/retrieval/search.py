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
from twotower.retrieval.page import check_page, page_of

MAX_QUERY: Final = 10_000
"""Characters of a query."""
_CANDIDATES: Final = 1_000
"""Rows taken from each list where the index is not exact; the same for every page, so that
pages joined together equal one long page."""


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
        vector = self._query_vector(reading.corrected or asked)
        watch.lap("encode")
        rows, meaning, scale, definition = self._semantic(vector, words)
        watch.lap("semantic")
        words = words[rows]
        scores = meaning
        if mode == "hybrid":
            scores = blend_scores(meaning[None], words[None], self._weight, scale=scale)[0]
        page, page_scores = page_of(rows, scores, offset, k)
        places = np.searchsorted(rows, page)
        parts = [
            Parts(semantic=float(near), lexical=float(matching))
            for near, matching in zip(meaning[places], words[places], strict=True)
        ]
        watch.lap("blend")
        return Answer(
            hits=self._catalogue.hits(page, page_scores, parts, offset),
            total=int(np.isfinite(scores).sum()),
            total_definition=definition,
            took_ms=watch.took_ms(),
            mode=mode,
            degraded=reading.is_cut,
            corrected_query=reading.corrected,
        )

    def _by_words(
        self, words: Vectors, reading: Reading, mode: Mode, k: int, offset: int, watch: Stopwatch
    ) -> Answer:
        words = words[: len(self._catalogue)]
        matching = np.flatnonzero(words)
        page, scores = page_of(matching, words[matching], offset, k)
        parts = [Parts(lexical=float(score)) for score in scores]
        hits = self._catalogue.hits(page, scores, parts, offset)
        watch.lap("blend")
        return Answer(
            hits=hits,
            total=len(matching),
            total_definition="products that hold a word of the query, or one meant by it",
            took_ms=watch.took_ms(),
            mode="lexical",
            fallback_used=None if mode == "lexical" else "lexical",
            degraded=reading.is_cut,
            corrected_query=reading.corrected,
        )

    def _query_vector(self, query: str) -> Vectors:
        text = self._bundle.model.text_encoder.encode([query])
        vector: Vectors = self._towers.queries(text)[0]
        return vector

    def _semantic(self, vector: Vectors, words: Vectors) -> tuple[Rows, Vectors, Scale, str]:
        """Rows to rank, ascending, their scores by meaning, the query's scale, what they are."""
        index, floor = self._bundle.index, self._floor(vector)
        if index.is_exact:
            meaning = index.scores(vector)[0]
            n_rows = min(len(meaning), len(words))
            rows, meaning = np.arange(n_rows), meaning[:n_rows]
            top, definition = meaning.max(initial=-np.inf), "all products, the best fitting first"
        else:
            near = index.search(vector, _CANDIDATES)
            held = np.flatnonzero(words[: index.n_items])
            matching, _ = page_of(held, words[held], 0, _CANDIDATES)
            rows = np.union1d(near.rows[0][near.rows[0] >= 0], matching)
            rows = rows[rows < len(words)]
            meaning, top = index.scores(vector, rows)[0], near.scores[0, 0]
            definition = f"the {_CANDIDATES} nearest products by meaning and by words"
        scale = Scale(np.array([floor]), np.array([top]), np.array([words.max(initial=0.0)]))
        return rows, meaning, scale, definition

    def _floor(self, vector: Vectors) -> float:
        return float(vector @ self._mean) if self._mean is not None else 0.0


def _checked_query(query: str) -> str:
    asked = query.strip()
    if not asked:
        raise RetrievalError("query must hold at least one word, got nothing: type what is wanted")
    if len(asked) > MAX_QUERY:
        raise RetrievalError(
            f"query must have at most {MAX_QUERY} characters, got {len(asked)}: shorten it"
        )
    return asked
