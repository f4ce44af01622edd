"""Which rows hold which term, how often in which field: the counted form of a catalogue's texts."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from twotower.errors import ConfigError
from twotower.lexical.analysis import Analyser, Analysis

Documents = Mapping[str, Sequence[str | None]]
"""Field -> one text for each of N rows, None where a row has none."""
_MOST = np.iinfo(np.uint8).max


@dataclass(frozen=True)
class Postings:
    """Terms in compressed rows: term t is in `rows[offsets[t]:offsets[t + 1]]`.

    Attributes:
        fields: F names.
        vocabulary: term -> its number, 0..T-1.
        offsets: int64[T + 1].
        rows: int32[P] item rows, ascending within a term.
        counts: uint8[F, P] how often the field of the row holds the term, at most 255.
        lengths: int32[F, N] terms of each field of each row.
    """

    fields: tuple[str, ...]
    vocabulary: dict[str, int]
    offsets: NDArray[np.int64]
    rows: NDArray[np.int32]
    counts: NDArray[np.uint8]
    lengths: NDArray[np.int32]

    @classmethod
    def collect(cls, analysed: Sequence[Sequence[Analysis]], fields: Sequence[str]) -> Self:
        """Count the terms of N rows.

        Args:
            analysed: for each field, N analysed texts.
            fields: F names.
        """
        n_rows = len(analysed[0]) if analysed else 0
        vocabulary: dict[str, int] = {}
        terms: list[int] = []
        sizes: list[int] = []
        for texts in analysed:
            for text in texts:
                found = [vocabulary.setdefault(term, len(vocabulary)) for term in text.terms]
                terms += found
                sizes.append(len(found))
        token_rows = np.repeat(np.tile(np.arange(n_rows), len(fields)), sizes)
        token_fields = np.repeat(np.repeat(np.arange(len(fields)), n_rows), sizes)
        cells, place = np.unique(
            np.array(terms, dtype=np.int64) * max(n_rows, 1) + token_rows, return_inverse=True
        )
        counts = np.zeros((len(fields), len(cells)), dtype=np.int64)
        np.add.at(counts, (token_fields, place), 1)
        holders = np.bincount(cells // max(n_rows, 1), minlength=len(vocabulary))
        return cls(
            fields=tuple(fields),
            vocabulary=vocabulary,
            offsets=np.concatenate([[0], np.cumsum(holders)]).astype(np.int64),
            rows=(cells % max(n_rows, 1)).astype(np.int32),
            counts=np.minimum(counts, _MOST).astype(np.uint8),
            lengths=np.array(sizes, dtype=np.int32).reshape(len(fields), n_rows),
        )

    @property
    def n_rows(self) -> int:
        """Documents counted."""
        return int(self.lengths.shape[1])

    def mean_lengths(self) -> NDArray[np.float64]:
        """float64[F] mean length of each field over the rows that have it; 1 where none has."""
        held = np.maximum((self.lengths > 0).sum(axis=1), 1)
        return np.asarray(np.maximum(self.lengths.sum(axis=1) / held, 1.0), dtype=np.float64)

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


def counted(
    analysed: Mapping[str, Analysis], fields: Sequence[str]
) -> tuple[list[str], NDArray[np.int64], NDArray[np.int64]]:
    """One row's U terms, its counts int64[F, U] and its lengths int64[F]."""
    by_field = [Counter(analysed[field].terms if field in analysed else ()) for field in fields]
    terms = list(dict.fromkeys(term for found in by_field for term in found))
    counts = np.array([[found[term] for term in terms] for found in by_field], dtype=np.int64)
    lengths = np.array([found.total() for found in by_field], dtype=np.int64)
    return terms, np.minimum(counts.reshape(len(fields), len(terms)), _MOST), lengths


def analysed_documents(documents: Documents, analyser: Analyser) -> list[list[Analysis]]:
    """For each field, N analysed texts; refuses fields of different lengths."""
    lengths = {field: len(texts) for field, texts in documents.items()}
    if len(set(lengths.values())) != 1:
        raise ConfigError(f"documents must hold one text per row in every field, got {lengths}")
    return [[analyser.read(text or "") for text in texts] for texts in documents.values()]
