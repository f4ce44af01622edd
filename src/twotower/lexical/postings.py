"""Which rows hold which term, and how often: the counted form of a catalogue's texts."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from twotower.errors import ConfigError
from twotower.lexical.analysis import analyse


@dataclass(frozen=True)
class Postings:
    """Terms in compressed rows: term t is in `rows[offsets[t]:offsets[t + 1]]`.

    Attributes:
        vocabulary: term -> its number, 0..T-1.
        offsets: int64[T + 1].
        rows: int32[P] item rows, ascending within a term.
        counts: float32[P] how often the row holds the term, weighted by field.
        lengths: float32[N] terms of each row, weighted by field.
        weights: how much one occurrence in a field counts.
    """

    vocabulary: dict[str, int]
    offsets: NDArray[np.int64]
    rows: NDArray[np.int32]
    counts: NDArray[np.float32]
    lengths: NDArray[np.float32]
    weights: dict[str, float]

    @classmethod
    def collect(
        cls,
        documents: Mapping[str, Sequence[str | None]],
        weights: Mapping[str, float] | None = None,
    ) -> Self:
        """Count the terms of N documents.

        Args:
            documents: field -> N texts, None where a document has none.
            weights: field -> weight of one occurrence, above 0; 1.0 when not given.
        """
        used = field_weights(documents, weights)
        n_rows = _one_length(documents)
        vocabulary: dict[str, int] = {}
        terms: list[int] = []
        sizes: list[int] = []
        for text in _texts(documents):
            found = [vocabulary.setdefault(term, len(vocabulary)) for term in analyse(text)]
            terms += found
            sizes.append(len(found))
        worth = np.repeat(list(used.values()), n_rows)
        token_rows = np.repeat(np.tile(np.arange(n_rows), len(used)), sizes)
        token_worth = np.repeat(worth, sizes)
        cells, place = np.unique(
            np.array(terms, dtype=np.int64) * max(n_rows, 1) + token_rows, return_inverse=True
        )
        holders = np.bincount(cells // max(n_rows, 1), minlength=len(vocabulary))
        return cls(
            vocabulary=vocabulary,
            offsets=np.concatenate([[0], np.cumsum(holders)]).astype(np.int64),
            rows=(cells % max(n_rows, 1)).astype(np.int32),
            counts=np.bincount(place, token_worth, minlength=len(cells)).astype(np.float32),
            lengths=np.bincount(token_rows, token_worth, minlength=n_rows).astype(np.float32),
            weights=used,
        )

    @property
    def n_rows(self) -> int:
        """Documents counted."""
        return len(self.lengths)

    @property
    def mean_length(self) -> float:
        """Mean of `lengths`; 1.0 when there is nothing to average."""
        mean = float(self.lengths.mean()) if len(self.lengths) else 0.0
        return mean or 1.0

    def idf(self) -> NDArray[np.float32]:
        """float32[T] rarity of every term, above 0.

        Source:
            Robertson and Zaragoza, The Probabilistic Relevance Framework, 2009, section 3.1,
            with 1 added inside the logarithm so that common terms do not count against a row.
        """
        return rarity(np.diff(self.offsets), self.n_rows)

    def of(self, term: str) -> slice:
        """Where the postings of `term` lie; empty for an unknown term."""
        number = self.vocabulary.get(term)
        if number is None:
            return slice(0, 0)
        return slice(int(self.offsets[number]), int(self.offsets[number + 1]))


def rarity(holders: NDArray[np.int64], n_rows: int) -> NDArray[np.float32]:
    """float32[T] idf of terms held by so many of `n_rows` rows."""
    odds = (n_rows - holders + 0.5) / (holders + 0.5)
    weights: NDArray[np.float32] = np.log1p(np.maximum(odds, 0)).astype(np.float32)
    return weights


def counted(fields: Mapping[str, str | None], weights: Mapping[str, float]) -> dict[str, float]:
    """Term -> weighted count of one document; fields that have no weight are left out."""
    total: dict[str, float] = {}
    for field, weight in weights.items():
        for term in analyse(fields.get(field) or ""):
            total[term] = total.get(term, 0.0) + weight
    return total


def field_weights(
    documents: Mapping[str, object], weights: Mapping[str, float] | None
) -> dict[str, float]:
    """Field -> weight for every field of the documents."""
    given = dict(weights or {})
    unknown = sorted(set(given) - set(documents))
    if unknown:
        raise ConfigError(
            f"weights must name fields of the documents ({', '.join(documents)}), got {unknown[0]}"
        )
    used = {field: float(given.get(field, 1.0)) for field in documents}
    for field, weight in used.items():
        if not 0 < weight < float("inf"):
            raise ConfigError(f"the weight of {field} must be above 0, got {weight}")
    return used


def _one_length(documents: Mapping[str, Sequence[str | None]]) -> int:
    lengths = {field: len(texts) for field, texts in documents.items()}
    if len(set(lengths.values())) != 1:
        raise ConfigError(f"documents must hold one text per row in every field, got {lengths}")
    return next(iter(lengths.values()))


def _texts(documents: Mapping[str, Sequence[str | None]]) -> Iterator[str]:
    for texts in documents.values():
        for text in texts:
            yield text or ""
