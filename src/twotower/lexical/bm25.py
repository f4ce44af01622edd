"""BM25 over a catalogue: what a term is worth in a row is worked out once, a query adds it up.

The idf and the mean length are those of the catalogue that was counted. A product added
live is scored with the same numbers, so that scores before and after it can be compared,
and a new product scores as if it had been there all along.

Source:
    Robertson and Zaragoza, The Probabilistic Relevance Framework: BM25 and Beyond, 2009,
    sections 3.4 and 3.6 (fields are added up before they saturate).
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from threading import Lock
from typing import Self

import numpy as np
from numpy.typing import NDArray

from twotower.errors import ConfigError
from twotower.lexical import files
from twotower.lexical.analysis import analyse
from twotower.lexical.live import LiveTexts
from twotower.lexical.postings import Postings, counted, rarity
from twotower.schema import PAD

Rows = NDArray[np.int64]
Scores = NDArray[np.float32]


class Bm25:
    """Scores of rows for a query's words. Readers never wait; one writer at a time.

    Args:
        postings: the counted catalogue.
        k1: 0..10, how much a second occurrence adds; 0 counts presence only.
        b: 0..1, how much a long text is held back.
    """

    def __init__(self, postings: Postings, *, k1: float = 0.3, b: float = 0.6) -> None:
        if not 0 <= k1 <= 10:
            raise ConfigError(f"k1 must be in 0..10, got {k1}")
        if not 0 <= b <= 1:
            raise ConfigError(f"b must be in 0..1, got {b}")
        self.k1, self.b = float(k1), float(b)
        self._postings = postings
        self._idf = postings.idf()
        self._unseen = float(rarity(np.ones(1, dtype=np.int64), max(postings.n_rows, 1))[0])
        self._mean_length = postings.mean_length
        holders = np.diff(postings.offsets)
        self._worth: Scores = self._saturated(
            np.repeat(self._idf, holders), postings.counts, postings.lengths[postings.rows]
        )
        self._live = LiveTexts(n_items=postings.n_rows)
        self._writer = Lock()

    @classmethod
    def fit(
        cls,
        documents: Mapping[str, Sequence[str | None]],
        *,
        weights: Mapping[str, float] | None = None,
        k1: float = 0.3,
        b: float = 0.6,
    ) -> Self:
        """Count a catalogue and make it searchable.

        Args:
            documents: field -> one text per item row, None where the item has none.
            weights: field -> weight of one occurrence; 1.0 when not given.
            k1: see the class.
            b: see the class.

        Example:
            >>> words = Bm25.fit({"title": ["red rain coat", "blue coat", "umbrella"]})
            >>> words.search("raincoat red", 2)[0].tolist()
            [0, -1]
        """
        return cls(Postings.collect(documents, weights), k1=k1, b=b)

    def with_parameters(self, *, k1: float, b: float) -> "Bm25":
        """The same counted catalogue under other parameters, without live changes."""
        return Bm25(self._postings, k1=k1, b=b)

    @property
    def n_items(self) -> int:
        """Rows ever given, deleted ones included."""
        return self._live.n_items

    @property
    def weights(self) -> dict[str, float]:
        """Field -> weight of one occurrence."""
        return dict(self._postings.weights)

    def scores(self, query: str) -> Scores:
        """float32[N] score of every row; 0 where no term of the query occurs."""
        return self._scores(self._live, query)

    def batch_scores(self, queries: Sequence[str]) -> Scores:
        """float32[Q, N] scores of every row for every query."""
        live = self._live
        found = np.zeros((len(queries), live.n_items), dtype=np.float32)
        for scores, query in zip(found, queries, strict=True):
            scores[:] = self._scores(live, query)
        return found

    def search(
        self, query: str, k: int, *, allowed: NDArray[np.bool_] | None = None
    ) -> tuple[Rows, Scores]:
        """The k best rows that hold a term of the query, best first, ties to the smaller row.

        Args:
            query: what was typed.
            k: rows wanted, at least 1.
            allowed: bool[N] rows that may be returned; rows beyond its end may not.

        Returns:
            int64[k] rows and float32[k] scores; `PAD` and -inf where fewer rows match.
        """
        if k < 1:
            raise ConfigError(f"k must be at least 1 (rows per query), got {k}")
        scores = self.scores(query)
        if allowed is not None:
            scores[: len(allowed)] *= allowed[: len(scores)]
            scores[len(allowed) :] = 0
        matching = np.flatnonzero(scores)
        if len(matching) > k:
            worst = -np.partition(-scores[matching], k - 1)[k - 1]
            matching = matching[scores[matching] >= worst]
        best = matching[np.lexsort((matching, -scores[matching]))][:k]
        rows = np.full(k, PAD, dtype=np.int64)
        found = np.full(k, -np.inf, dtype=np.float32)
        rows[: len(best)], found[: len(best)] = best, scores[best]
        return rows, found

    def upsert(self, row: int, fields: Mapping[str, str | None]) -> None:
        """Set the text of `row`; row `n_items` appends, a deleted row comes back.

        Args:
            row: 0..n_items.
            fields: field -> text; fields that the catalogue was not counted with are ignored.
        """
        counts = counted(fields, self._postings.weights)
        with self._writer:
            if not 0 <= row <= self.n_items:
                raise ConfigError(
                    f"row must be in 0..{self.n_items} (the last one appends), got {row}"
                )
            self._live = self._live.including(row, counts, self._worth_of(counts))

    def delete(self, row: int) -> None:
        """Never match `row` again, until an upsert brings it back."""
        with self._writer:
            if not 0 <= row < self.n_items:
                raise ConfigError(f"row must be in 0..{self.n_items - 1}, got {row}")
            self._live = self._live.without(row)

    def save(self, folder: Path) -> None:
        """Write lexical.json and postings.npz, live changes included, into `folder`."""
        meta = files.Meta(k1=self.k1, b=self.b, weights=self.weights, n_base=self._postings.n_rows)
        files.save(folder, meta, self._postings, self._live)

    @classmethod
    def load(cls, folder: Path, *, expected_items: int | None = None) -> Self:
        """Open what `save` wrote; raises `CorruptBundle` or `IncompatibleBundle`."""
        meta, postings, live = files.load(folder, expected_items=expected_items)
        words = cls(postings, k1=meta.k1, b=meta.b)
        for row in live.hidden.tolist():
            words._live = words._live.without(row)
        for row, counts in sorted(live.documents.items()):
            words._live = words._live.including(row, counts, words._worth_of(counts))
        words._live = files.grown(words._live, live.n_items)
        return words

    def _scores(self, live: LiveTexts, query: str) -> Scores:
        scores = np.zeros(live.n_items, dtype=np.float32)
        terms = Counter(analyse(query))
        for term, times in terms.items():
            held = self._postings.of(term)
            scores[self._postings.rows[held]] += np.float32(times) * self._worth[held]
        scores[live.hidden] = 0
        for term, times in terms.items():
            if term in live.postings:
                rows, worth = live.postings[term]
                scores[rows] += np.float32(times) * worth
        return scores

    def _worth_of(self, counts: Mapping[str, float]) -> dict[str, float]:
        vocabulary = self._postings.vocabulary
        idf = [self._idf[vocabulary[term]] if term in vocabulary else self._unseen
               for term in counts]  # fmt: skip
        values = np.array(list(counts.values()), dtype=np.float32)
        length = np.float32(sum(counts.values()))
        worth = self._saturated(np.array(idf, dtype=np.float32), values, length)
        return dict(zip(counts, worth.tolist(), strict=True))

    def _saturated(self, idf: Scores, counts: Scores, lengths: Scores | np.float32) -> Scores:
        relative = np.asarray(lengths / self._mean_length, dtype=np.float64)
        held_back = self.k1 * (1 - self.b + self.b * relative)
        worth = idf * counts * (self.k1 + 1) / (counts + held_back)
        return np.asarray(worth, dtype=np.float32)
