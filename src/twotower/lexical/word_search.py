"""Search by words as it is served: BM25 over what a query may mean, while products change.

The plain BM25 under it is what reports call `bm25`; this is what hybrid search blends.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from threading import Lock
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray

from twotower.lexical import files
from twotower.lexical.analysis import Analyser
from twotower.lexical.bm25 import Bm25, Parameters, Rows, Scores, best_rows
from twotower.lexical.postings import Documents, Postings, analysed_documents
from twotower.lexical.reading import Reader, Reading
from twotower.lexical.synonyms import Synonyms
from twotower.lexical.vocabulary import Sequences, Vocabulary, texts_of

_LEAST: Final = 1e-9
"""Of a query without words, so that its coverage is 0."""


class WordSearch:
    """Scores of rows for what a query says and may mean.

    Args:
        bm25: of the counted catalogue.
        sequences: its words as they are written.
        synonyms: the shop's.
    """

    def __init__(self, bm25: Bm25, sequences: Sequences, synonyms: Synonyms | None = None) -> None:
        self.bm25, self._sequences = bm25, sequences
        self.synonyms = synonyms or Synonyms()
        self.vocabulary = Vocabulary(sequences, bm25.analyser)
        self._reader = Reader(bm25, self.vocabulary, self.synonyms)
        self._texts: dict[int, dict[str, str | None]] = {}
        self._deleted: set[int] = set()
        self._lock = Lock()

    @classmethod
    def fit(
        cls,
        documents: Documents,
        *,
        parameters: Parameters | None = None,
        language: str = "english",
        synonyms: Sequence[str] = (),
    ) -> Self:
        """Count a catalogue and make it searchable.

        Args:
            documents: field -> one text per item row, None where the item has none.
            parameters: of BM25.
            language: see `language.languages`.
            synonyms: lines of rules, see `synonyms`.

        Example:
            >>> words = WordSearch.fit({"title": ["red raincoat", "garden chair", "umbrella"]})
            >>> words.search("umbrela", 2)[0].tolist()
            [2, -1]
            >>> words.search("rain coat", 2)[0].tolist()
            [0, -1]
        """
        analyser = Analyser(language)
        analysed = analysed_documents(documents, analyser)
        bm25 = Bm25(Postings.collect(analysed, tuple(documents)), analyser, parameters)
        rules = Synonyms.read(synonyms, analyser)
        return cls(bm25, Sequences.collect(analysed), rules)

    def with_parameters(self, parameters: Parameters) -> "WordSearch":
        """The same counted catalogue under other parameters, without live changes."""
        return WordSearch(self.bm25.with_parameters(parameters), self._sequences, self.synonyms)

    @property
    def n_items(self) -> int:
        """Rows ever given, deleted ones included."""
        return self.bm25.n_items

    @property
    def fields(self) -> tuple[str, ...]:
        """Fields that were counted."""
        return self.bm25.postings.fields

    def read(self, query: str) -> Reading:
        """What a query means in the catalogue as it is now."""
        with self._lock:
            return self._reader.read(query)

    def meant(self, query: str) -> str:
        """The query with its mistyped words put right: what is looked for by meaning."""
        return self.read(query).corrected or query

    def scores(self, query: str | Reading) -> Scores:
        """float32[N] score of every row; 0 where nothing that the query may mean occurs."""
        reading = query if isinstance(query, Reading) else self.read(query)
        return self.bm25.slot_scores(reading.slots)

    def coverage(self, reading: Reading, scores: Scores) -> Scores:
        """float32[N] share of a query that each row holds, 0..1, rare words counting more.

        Args:
            reading: of the query.
            scores: what `scores` gave for it.

        Example:
            >>> words = WordSearch.fit({"title": ["red sofa", "blue chair"]})
            >>> reading = words.read("red lamp")
            >>> words.coverage(reading, words.scores(reading)).round(2).tolist()
            [0.5, 0.0]
        """
        whole = self.bm25.rarity_of(reading.slots)
        share: Scores = np.minimum(scores / np.float32(max(whole, _LEAST)), np.float32(1))
        return share

    def parts(self, reading: Reading, rows: Rows) -> Scores:
        """float32[S, R] what each slot of a query adds to the scores of rows.

        Example:
            >>> words = WordSearch.fit({"title": ["red sofa", "blue chair"]})
            >>> reading = words.read("red chair")
            >>> reading.typed, (words.parts(reading, [0, 1]) > 0).tolist()
            (('red', 'chair'), [[True, False], [False, True]])
        """
        found = [self.bm25.slot_scores([slot])[rows] for slot in reading.slots]
        return np.stack(found) if found else np.zeros((0, len(rows)), np.float32)

    def batch_scores(self, queries: Sequence[str]) -> Scores:
        """float32[Q, N] scores of every row for every query."""
        found = [self.scores(query) for query in queries]
        return np.stack(found) if found else np.zeros((0, self.n_items), dtype=np.float32)

    def search(
        self, query: str | Reading, k: int, *, allowed: NDArray[np.bool_] | None = None
    ) -> tuple[Rows, Scores]:
        """The k best rows; see `bm25.best_rows`."""
        return best_rows(self.scores(query), k, allowed=allowed)

    def upsert(self, row: int, fields: Mapping[str, str | None]) -> None:
        """Set the text of `row`; row `n_items` appends, a deleted row comes back.

        Args:
            row: 0..n_items.
            fields: field -> text; fields that the catalogue was not counted with are ignored.
        """
        texts = {field: fields.get(field) for field in self.fields}
        analysed = {f: self.bm25.analyser.read(text) for f, text in texts.items() if text}
        with self._lock:
            self.bm25.upsert(row, analysed)
            self.vocabulary.upsert(row, texts_of(analysed, self.fields))
            self._texts[row] = texts
            self._deleted.discard(row)

    def delete(self, row: int) -> None:
        """Never match `row` again, until an upsert brings it back."""
        with self._lock:
            self.bm25.delete(row)
            self.vocabulary.delete(row)
            self._texts.pop(row, None)
            self._deleted.add(row)

    def save(self, folder: Path) -> None:
        """Write the lexical folder, live changes included."""
        parameters = self.bm25.parameters
        meta = files.Meta(
            k1=parameters.k1,
            b=parameters.b,
            weights=dict(parameters.weights),
            fields=list(self.fields),
            language=self.bm25.analyser.language.name,
            synonyms=list(self.synonyms.lines),
            n_base=self.bm25.postings.n_rows,
        )
        changes = files.Changes(self.n_items, tuple(sorted(self._deleted)), self._texts)
        files.save(folder, meta, self.bm25.postings, self._sequences, changes)

    @classmethod
    def load(cls, folder: Path, *, expected_items: int | None = None) -> Self:
        """Open what `save` wrote; raises `CorruptBundle` or `IncompatibleBundle`."""
        meta, postings, sequences, changes = files.load(folder, expected_items=expected_items)
        analyser = Analyser(meta.language)
        bm25 = Bm25(postings, analyser, Parameters(meta.k1, meta.b, meta.weights))
        words = cls(bm25, sequences, Synonyms.read(meta.synonyms, analyser))
        gone = set(changes.deleted)
        for row in range(changes.n_items):
            if row in changes.texts:
                words.upsert(row, changes.texts[row])
            elif row in gone:
                if row == words.n_items:
                    words.upsert(row, {})
                words.delete(row)
        return words
