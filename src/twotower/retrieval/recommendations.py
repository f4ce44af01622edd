"""A visitor or a product in, products out."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from twotower.bundle import Bundle
from twotower.features.again import NOT_AGAIN
from twotower.features.history import History
from twotower.filtering.grammar import read_filter
from twotower.index.base import Mask, Rows, Vectors
from twotower.retrieval.answers import Answer, Parts, Reason, ReasonKind, Stopwatch
from twotower.retrieval.catalogue import Catalogue
from twotower.retrieval.explain import Attention, history_reasons, history_shares
from twotower.retrieval.listing import (
    ByVector,
    ByWorth,
    Listed,
    ListOptions,
    Ranking,
    Scores,
    listed,
)
from twotower.retrieval.page import check_page
from twotower.retrieval.popularity import item_popularity
from twotower.retrieval.repeats import Lifted
from twotower.retrieval.rules import InForce
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
        vectors = bundle.model.item_vectors
        self._mean = vectors.mean(axis=0, dtype=np.float64) if len(vectors) else 0.0
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
        self, history: History, asked: ListOptions, *, repeat: bool | None, now_ms: int | None
    ) -> Answer:
        """Hits for a visitor; see `Retriever.recommend`."""
        check_page(asked.k, 0)
        watch = Stopwatch()
        repeat = self._bundle.dataset.about.repeat if repeat is None else repeat
        out = self._catalogue.known_rows(asked.exclude)
        if not repeat:
            out = np.union1d(out, history.item_rows).astype(np.int64)
        allowed = self._allowed(out, asked.filter)
        rules = InForce.of(asked.rules, self._catalogue, "home", now_ms=now_ms)
        has_users = self._bundle.model.towers.has_users
        if len(history) == 0 and not has_users:
            return self._by_popularity(asked, allowed, rules, watch)
        vectors = user_vectors if has_users else average_vectors
        vector = vectors(self._bundle, [history], now_ms)[0]
        watch.lap("encode")
        again = self._bundle.model.again if repeat and has_users else NOT_AGAIN
        ranking = Lifted(self._by_vector(vector), *again.lifts(history))
        found = self._listed(ranking, allowed, asked, rules)
        watch.lap("semantic")
        lifts = ranking.of(found.rows)
        answer = self._answer(found, rules, "recommend", watch, lifts)
        answer = replace(
            answer,
            fallback_used=None if has_users else "item_average",
            history_length=len(history),
        )
        if not asked.explain:
            return answer
        items, shares = history_shares(self._bundle, history, found.rows, now_ms=now_ms)
        shares += np.where(items[:, None] == found.rows, lifts, 0.0)
        reasons = history_reasons(self._catalogue, items, shares, found.scores)
        return self._explained(answer, reasons, found, rules)

    def like(self, item_id: str, asked: ListOptions) -> Answer:
        """Hits for a product; see `Retriever.similar`."""
        check_page(asked.k, 0)
        watch = Stopwatch()
        row = self._catalogue.row(item_id)
        out = np.union1d(self._catalogue.known_rows(asked.exclude), [row]).astype(np.int64)
        vector = self._bundle.index.vectors([row])[0]
        vector = vector / max(float(np.linalg.norm(vector)), 1e-12)
        ranking = self._by_vector(vector) if self._are_unit else self._by_cosine(vector)
        rules = InForce.of(asked.rules, self._catalogue, "similar")
        found = self._listed(ranking, self._allowed(out, asked.filter), asked, rules)
        watch.lap("semantic")
        answer = self._answer(found, rules, "similar", watch)
        return self._of_one_kind(answer, "meaning", found, rules) if asked.explain else answer

    def _of_one_kind(
        self, answer: Answer, kind: ReasonKind, found: Listed, rules: InForce
    ) -> Answer:
        """An answer whose own scores are of one part each, and say so."""
        reasons = [(Reason(kind, score),) for score in found.scores.tolist()]
        return self._explained(answer, reasons, found, rules)

    def _explained(
        self,
        answer: Answer,
        reasons: Sequence[tuple[Reason, ...]],
        found: Listed,
        rules: InForce,
    ) -> Answer:
        """An answer with its reasons, those of the rules first."""
        every = rules.with_reasons(found.rows, reasons, found.unit)
        return replace(answer, hits=self._attention.explained(answer.hits, every))

    def _allowed(self, out: Rows, filter: str | None) -> Mask:
        """bool[N] rows that are available, not in `out`, and that the filter allows."""
        expression = None if filter is None else read_filter(filter)
        return self._catalogue.recommendable(out, expression)

    def _listed(
        self, ranking: Ranking, allowed: Mask, asked: ListOptions, rules: InForce
    ) -> Listed:
        index = self._bundle.index
        return listed(ranking, allowed, asked, rules, index=index, columns=self._catalogue.columns)

    def _by_vector(self, vector: Vectors) -> ByVector:
        return ByVector(self._bundle.index, vector, float(np.sum(vector * self._mean)))

    def _by_cosine(self, vector: Vectors) -> ByWorth:
        """Every row is looked at: the index knows inner products of unequal lengths only."""
        inner = self._bundle.index.scores(vector)[0]
        return ByWorth.of(inner / np.maximum(self._lengths[: len(inner)], 1e-12))

    def _by_popularity(
        self, asked: ListOptions, allowed: Mask, rules: InForce, watch: Stopwatch
    ) -> Answer:
        counts = np.zeros(len(allowed), dtype=np.float32)
        if self._popularity is not None:
            counts[: len(self._popularity)] = self._popularity
        found = self._listed(ByWorth.of(counts), allowed, asked, rules)
        watch.lap("popularity")
        answer = replace(
            self._answer(found, rules, "recommend", watch, is_scored=False),
            total_definition="products in stock, none excluded or filtered out, most visited first",
            fallback_used="catalogue" if self._popularity is None else "popularity",
        )
        return self._of_one_kind(answer, "popularity", found, rules) if asked.explain else answer

    def _answer(
        self,
        found: Listed,
        rules: InForce,
        mode: str,
        watch: Stopwatch,
        lifts: Scores | float = 0.0,
        *,
        is_scored: bool = True,
    ) -> Answer:
        scores = (found.scores + found.unit * rules.lifts(found.rows)).astype(np.float32)
        inner = (found.scores - lifts).tolist()
        parts = [Parts(semantic=one) if is_scored else Parts() for one in inner]
        hits = self._catalogue.hits(found.rows, scores, parts, 0)
        return Answer(
            hits=rules.marked(hits),
            total=found.total,
            total_definition="products in stock, none excluded or filtered out, best fitting first",
            took_ms=watch.took_ms(),
            mode=mode,
        )
