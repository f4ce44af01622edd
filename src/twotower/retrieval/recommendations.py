"""A visitor or a product in, products out."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from twotower.bundle import Bundle
from twotower.features.history import History
from twotower.filtering.grammar import read_filter
from twotower.index.base import Mask, Rows, Vectors
from twotower.retrieval.answers import Answer, Parts, Reason, ReasonKind, Stopwatch
from twotower.retrieval.catalogue import Catalogue
from twotower.retrieval.explain import Attention, history_reasons, history_shares
from twotower.retrieval.page import check_page, page_of
from twotower.retrieval.popularity import item_popularity
from twotower.retrieval.visitor import average_vectors, user_vectors


class Recommendations:
    """Ranks products for visitors and products, by what `Retriever` says.

    Args:
        bundle: answers.
        catalogue: its products and the live ones.
    """

    def __init__(self, bundle: Bundle, catalogue: Catalogue) -> None:
        self._bundle, self._catalogue = bundle, catalogue
        self._attention = Attention(bundle, catalogue)
        self._popularity = item_popularity(bundle.dataset)
        self._lengths = np.linalg.norm(bundle.model.item_vectors, axis=1).astype(np.float32)
        self._are_unit = bool(np.allclose(self._lengths, 1.0, atol=1e-3))

    def set_lengths(self, rows: Rows, new: Vectors) -> None:
        """Keep the lengths of rows' new vectors; the caller lets one writer in at a time."""
        lengths = np.zeros(max(len(self._lengths), int(rows.max()) + 1), np.float32)
        lengths[: len(self._lengths)] = self._lengths
        lengths[rows] = new
        are_unit = bool(np.allclose(new, 1.0, atol=1e-3))
        self._lengths, self._are_unit = lengths, self._are_unit and are_unit

    def for_visitor(
        self,
        history: History,
        k: int,
        exclude: Sequence[str],
        *,
        repeat: bool | None,
        now_ms: int | None,
        filter: str | None,
        explain: bool,
    ) -> Answer:
        """Hits for a visitor; see `Retriever.recommend`."""
        check_page(k, 0)
        watch = Stopwatch()
        repeat = self._bundle.dataset.about.repeat if repeat is None else repeat
        out = self._catalogue.known_rows(exclude)
        if not repeat:
            out = np.union1d(out, history.item_rows).astype(np.int64)
        allowed = self._allowed(out, filter)
        has_users = self._bundle.model.towers.has_users
        if len(history) == 0 and not has_users:
            answer = self._by_popularity(k, allowed, watch)
            return self._of_one_kind(answer, "popularity") if explain else answer
        vectors = user_vectors if has_users else average_vectors
        vector = vectors(self._bundle, [history], now_ms)[0]
        watch.lap("encode")
        rows, scores, total = self._nearest(vector, k, allowed)
        watch.lap("semantic")
        answer = self._answer(
            rows,
            scores,
            total,
            "recommend",
            watch,
            fallback_used=None if has_users else "item_average",
            history_length=len(history),
        )
        if not explain:
            return answer
        shares = history_shares(self._bundle, history, rows, now_ms=now_ms)
        reasons = history_reasons(self._catalogue, *shares, scores)
        return replace(answer, hits=self._attention.explained(answer.hits, reasons))

    def like(
        self, item_id: str, k: int, exclude: Sequence[str], filter: str | None, *, explain: bool
    ) -> Answer:
        """Hits for a product; see `Retriever.similar`."""
        check_page(k, 0)
        watch = Stopwatch()
        row = self._catalogue.row(item_id)
        out = np.union1d(self._catalogue.known_rows(exclude), [row]).astype(np.int64)
        vector = self._bundle.index.vectors([row])[0]
        vector = vector / max(float(np.linalg.norm(vector)), 1e-12)
        nearest = self._nearest if self._are_unit else self._nearest_by_cosine
        rows, scores, total = nearest(vector, k, self._allowed(out, filter))
        watch.lap("semantic")
        answer = self._answer(rows, scores, total, "similar", watch)
        return self._of_one_kind(answer, "meaning") if explain else answer

    def _of_one_kind(self, answer: Answer, kind: ReasonKind) -> Answer:
        """An answer whose scores are of one part each, and say so."""
        reasons = [(Reason(kind, hit.score),) for hit in answer.hits]
        return replace(answer, hits=self._attention.explained(answer.hits, reasons))

    def _allowed(self, out: Rows, filter: str | None) -> Mask:
        """bool[N] rows that are available, not in `out`, and that the filter allows."""
        expression = None if filter is None else read_filter(filter)
        return self._catalogue.recommendable(out, expression)

    def _nearest(self, vector: Vectors, k: int, allowed: Mask) -> tuple[Rows, Vectors, int]:
        index = self._bundle.index
        allowed = allowed[: index.n_items]
        hits = index.search(vector, k, allowed=allowed)
        real = hits.rows[0] >= 0
        return hits.rows[0][real], hits.scores[0][real], int(allowed.sum())

    def _nearest_by_cosine(
        self, vector: Vectors, k: int, allowed: Mask
    ) -> tuple[Rows, Vectors, int]:
        """Every row is looked at: the index knows inner products of unequal lengths only."""
        inner = self._bundle.index.scores(vector)[0]
        lengths = self._lengths[: len(inner)]
        allowed = allowed[: len(inner)]
        cosines = (inner / np.maximum(lengths, 1e-12))[allowed]
        rows, scores = page_of(np.flatnonzero(allowed), cosines, 0, k)
        return rows, scores, int(allowed.sum())

    def _by_popularity(self, k: int, allowed: Mask, watch: Stopwatch) -> Answer:
        counts = np.zeros(len(allowed), dtype=np.float32)
        if self._popularity is not None:
            counts[: len(self._popularity)] = self._popularity
        rows, scores = page_of(np.flatnonzero(allowed), counts[allowed], 0, k)
        watch.lap("popularity")
        hits = self._catalogue.hits(rows, scores, [Parts()] * len(rows), 0)
        return Answer(
            hits=hits,
            total=int(allowed.sum()),
            total_definition="products in stock, none excluded or filtered out, most visited first",
            took_ms=watch.took_ms(),
            mode="recommend",
            fallback_used="catalogue" if self._popularity is None else "popularity",
        )

    def _answer(
        self,
        rows: Rows,
        scores: Vectors,
        total: int,
        mode: str,
        watch: Stopwatch,
        *,
        fallback_used: str | None = None,
        history_length: int = 0,
    ) -> Answer:
        parts = [Parts(semantic=float(score)) for score in scores]
        return Answer(
            hits=self._catalogue.hits(rows, scores, parts, 0),
            total=total,
            total_definition="products in stock, none excluded or filtered out, best fitting first",
            took_ms=watch.took_ms(),
            mode=mode,
            fallback_used=fallback_used,
            history_length=history_length,
        )
