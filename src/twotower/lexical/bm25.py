"""BM25 over a catalogue: what a term is worth in a row is worked out once, a query adds it up.

A row's count of a term is the weighted sum over its fields, each field held back by its own
length before the sum saturates (BM25F). With one field that is the usual BM25.

The idf and the mean lengths are those of the catalogue that was counted. A product added
live is scored with the same numbers, so that scores before and after it can be compared,
and a new product scores as if it had been there all along.

Source:
    Robertson and Zaragoza, The Probabilistic Relevance Framework: BM25 and Beyond, 2009,
    sections 3.4 and 3.6.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from threading import Lock
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray

from twotower import schema
from twotower.errors import ConfigError
from twotower.lexical.analysis import Analyser, Analysis
from twotower.lexical.live import LiveTexts
from twotower.lexical.postings import Documents, Postings, analysed_documents, counted, rarity
from twotower.schema import PAD

Rows = NDArray[np.int64]
Scores = NDArray[np.float32]

FIELD_WEIGHTS: Final = {
    schema.TITLE: 1.0,
    schema.BRAND: 1.0,
    schema.CATEGORY: 0.5,
    schema.ATTRIBUTES: 0.5,
    schema.DESCRIPTION: 0.25,
}
"""How much an occurrence counts until validation queries say otherwise; other fields count 1."""


@dataclass(frozen=True)
class Parameters:
    """What BM25 is tuned by.

    Attributes:
        k1: 0..10, how much a second occurrence adds; 0 counts presence only.
        b: 0..1, how much a long text is held back.
        weights: field -> how much an occurrence in it counts, above 0.
    """

    k1: float = 0.3
    b: float = 0.6
    weights: Mapping[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not 0 <= self.k1 <= 10:
            raise ConfigError(f"k1 must be in 0..10, got {self.k1}")
        if not 0 <= self.b <= 1:
            raise ConfigError(f"b must be in 0..1, got {self.b}")
        for name, weight in self.weights.items():
            if not 0 < weight < float("inf"):
                raise ConfigError(f"the weight of {name} must be above 0, got {weight}")

    def of(self, fields: Sequence[str]) -> NDArray[np.float64]:
        """float64[F] the weight of each field."""
        unknown = sorted(set(self.weights) - set(fields))
        if unknown:
            raise ConfigError(
                f"weights must name fields of the documents ({', '.join(fields)}), got {unknown[0]}"
            )
        given = {**FIELD_WEIGHTS, **self.weights}
        return np.array([given.get(name, 1.0) for name in fields], dtype=np.float64)


@dataclass(frozen=True)
class Alternative:
    """One way to say what a part of the query means.

    Attributes:
        terms: term -> how often it was asked for.
        weight: 0..1 of what they are worth; 1 for what was typed.
        needs_all: whether a row must hold every term, as it must to hold a phrase.
    """

    terms: Mapping[str, float]
    weight: float = 1.0
    needs_all: bool = False


Slot = tuple[Alternative, ...]
"""Ways to say one part of a query: a row gets the best of them."""


class Bm25:
    """Scores of rows for a query's words. Readers never wait; one writer at a time.

    Args:
        postings: the counted catalogue.
        analyser: takes queries and new texts apart as it did the catalogue's.
        parameters: see there.
    """

    def __init__(
        self, postings: Postings, analyser: Analyser, parameters: Parameters | None = None
    ) -> None:
        self.parameters = parameters or Parameters()
        self.analyser = analyser
        self._postings = postings
        self._weights = self.parameters.of(postings.fields)
        self._idf = postings.idf()
        self._unseen = float(rarity(np.ones(1, dtype=np.int64), max(postings.n_rows, 1))[0])
        self._mean_lengths = postings.mean_lengths()
        holders = np.diff(postings.offsets)
        self._worth: Scores = self._saturated(
            np.repeat(self._idf, holders), postings.counts, postings.lengths, postings.rows
        )
        self._live = LiveTexts(n_items=postings.n_rows)
        self._writer = Lock()

    @classmethod
    def fit(
        cls,
        documents: Documents,
        *,
        parameters: Parameters | None = None,
        language: str = "english",
    ) -> Self:
        """Count a catalogue and make it searchable.

        Args:
            documents: field -> one text per item row, None where the item has none.
            parameters: see the class.
            language: see `language.languages`.

        Example:
            >>> words = Bm25.fit({"title": ["red rain coat", "blue coat", "umbrella"]})
            >>> words.search("raincoat red", 2)[0].tolist()
            [0, -1]
        """
        analyser = Analyser(language)
        analysed = analysed_documents(documents, analyser)
        return cls(Postings.collect(analysed, tuple(documents)), analyser, parameters)

    def with_parameters(self, parameters: Parameters) -> "Bm25":
        """The same counted catalogue under other parameters, without live changes."""
        return Bm25(self._postings, self.analyser, parameters)

    @property
    def n_items(self) -> int:
        """Rows ever given, deleted ones included."""
        return self._live.n_items

    @property
    def postings(self) -> Postings:
        """The counted catalogue, without live changes."""
        return self._postings

    def scores(self, query: str) -> Scores:
        """float32[N] score of every row; 0 where no term of the query occurs."""
        return self.slot_scores([(Alternative(Counter(self.analyser.terms(query))),)])

    def batch_scores(self, queries: Sequence[str]) -> Scores:
        """float32[Q, N] scores of every row for every query."""
        found = [self.scores(query) for query in queries]
        return np.stack(found) if found else np.zeros((0, self.n_items), dtype=np.float32)

    def slot_scores(self, slots: Sequence[Slot]) -> Scores:
        """float32[N] the sum over slots of the best alternative of each."""
        live = self._live
        scores = np.zeros(live.n_items, dtype=np.float32)
        for slot in slots:
            if len(slot) == 1:
                self._add(scores, slot[0], live)
                continue
            best = np.zeros_like(scores)
            for alternative in slot:
                part = np.zeros_like(scores)
                self._add(part, alternative, live)
                if alternative.needs_all and len(alternative.terms) > 1:
                    part *= self._hold_all(tuple(alternative.terms), live)
                np.maximum(best, part, out=best)
            scores += best
        return scores

    def rarity_of(self, slots: Sequence[Slot]) -> float:
        """How rare the parts of a query are, added up: about what a row scores that has them all.

        A part counts as the rarest of what the catalogue holds of it; one that it does not hold
        as a word that no product has.
        """
        return sum(max(self._rarities(slot), default=0.0) for slot in slots)

    def _rarities(self, slot: Slot) -> list[float]:
        ways = [alternative.terms for alternative in slot if alternative.terms]
        held = [terms for terms in ways if all(self.holders(term) for term in terms)]
        return [
            sum(times * self.idf_of(term) for term, times in terms.items())
            for terms in held or ways[:1]
        ]

    def search(
        self, query: str, k: int, *, allowed: NDArray[np.bool_] | None = None
    ) -> tuple[Rows, Scores]:
        """The k best rows that hold a term of the query; see `best_rows`."""
        return best_rows(self.scores(query), k, allowed=allowed)

    def holders(self, term: str) -> int:
        """Rows that hold `term` now."""
        live = self._live
        rows = self._postings.rows[self._postings.of(term)]
        here = len(rows)
        if live.is_hidden is not None:
            here -= int(live.is_hidden[rows].sum())
        return here + (len(live.postings[term][0]) if term in live.postings else 0)

    def idf_of(self, term: str) -> float:
        """How rare `term` was in the counted catalogue."""
        number = self._postings.vocabulary.get(term)
        return self._unseen if number is None else float(self._idf[number])

    def upsert(self, row: int, analysed: Mapping[str, Analysis]) -> None:
        """Set the text of `row`; row `n_items` appends, a deleted row comes back.

        Args:
            row: 0..n_items.
            analysed: field -> analysed text; fields that were not counted are ignored.
        """
        terms, counts, lengths = counted(analysed, self._postings.fields)
        worth = dict(zip(terms, self._worth_of(terms, counts, lengths), strict=True))
        with self._writer:
            self._check_row(row, self.n_items, " (the last one appends)")
            self._live = self._live.including(row, worth)

    def delete(self, row: int) -> None:
        """Never match `row` again, until an upsert brings it back."""
        with self._writer:
            self._check_row(row, self.n_items - 1)
            self._live = self._live.without(row)

    def _check_row(self, row: int, last: int, hint: str = "") -> None:
        if not 0 <= row <= last:
            raise ConfigError(f"row must be in 0..{last}{hint}, got {row}")

    def _add(self, scores: Scores, alternative: Alternative, live: LiveTexts) -> None:
        for term, times in alternative.terms.items():
            factor = np.float32(times * alternative.weight)
            held = self._postings.of(term)
            rows, worth = self._postings.rows[held], self._worth[held]
            if live.is_hidden is not None:
                worth = np.where(live.is_hidden[rows], np.float32(0), worth)
            scores[rows] += factor * worth
            if term in live.postings:
                live_rows, live_worth = live.postings[term]
                scores[live_rows] += factor * live_worth

    def _hold_all(self, terms: Sequence[str], live: LiveTexts) -> NDArray[np.bool_]:
        """bool[N] rows that hold every term; worth is above 0 wherever a term is."""
        held = np.ones(live.n_items, dtype=np.bool_)
        for term in terms:
            scores = np.zeros(live.n_items, dtype=np.float32)
            self._add(scores, Alternative({term: 1}), live)
            held &= scores > 0
        return held

    def _worth_of(
        self, terms: Sequence[str], counts: NDArray[np.int64], lengths: NDArray[np.int64]
    ) -> list[float]:
        idf = np.array([self.idf_of(term) for term in terms], dtype=np.float32)
        rows = np.zeros(len(terms), dtype=np.int32)
        found: list[float] = self._saturated(idf, counts, lengths[:, None], rows).tolist()
        return found

    def _saturated(
        self,
        idf: Scores,
        counts: NDArray[np.integer],
        lengths: NDArray[np.integer],
        rows: NDArray[np.int32],
    ) -> Scores:
        """[P] what each posting is worth; counts [F, P], lengths [F, N], rows [P]."""
        b, k1 = self.parameters.b, self.parameters.k1
        count = np.zeros(len(idf), dtype=np.float64)
        for weight, mean, own, long in zip(
            self._weights, self._mean_lengths, counts, lengths, strict=True
        ):
            held_back = 1 - b + b * long / mean
            count += weight * own / np.maximum(held_back, 1e-9)[rows]
        worth = idf * count * (k1 + 1) / (np.maximum(count, 1e-12) + k1)
        return np.asarray(worth, dtype=np.float32)


def best_rows(
    scores: Scores, k: int, *, allowed: NDArray[np.bool_] | None = None
) -> tuple[Rows, Scores]:
    """The k best rows that score above 0, best first, ties to the smaller row.

    Args:
        scores: float32[N]; changed where `allowed` says no.
        k: rows wanted, at least 1.
        allowed: bool[N] rows that may be returned; rows beyond its end may not.

    Returns:
        int64[k] rows and float32[k] scores; `PAD` and -inf where fewer rows match.
    """
    if k < 1:
        raise ConfigError(f"k must be at least 1 (rows per query), got {k}")
    if allowed is not None:
        scores[: len(allowed)] *= allowed[: len(scores)]
        scores[len(allowed) :] = 0
    matching = np.flatnonzero(scores > 0)
    if len(matching) > k:
        worst = -np.partition(-scores[matching], k - 1)[k - 1]
        matching = matching[scores[matching] >= worst]
    best = matching[np.lexsort((matching, -scores[matching]))][:k]
    rows = np.full(k, PAD, dtype=np.int64)
    found = np.full(k, -np.inf, dtype=np.float32)
    rows[: len(best)], found[: len(best)] = best, scores[best]
    return rows, found
