"""What is measured, as scores of every row of the catalogue."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from twotower.bundle import Model
from twotower.data.dataset import Dataset
from twotower.encoders.base import TextEncoder
from twotower.evaluation.cases import Cases
from twotower.evaluation.protocol import Scorer
from twotower.evaluation.vectors import vector_scorer, visitor_scorer
from twotower.features.text import item_texts
from twotower.lexical.bm25 import Bm25, Parameters
from twotower.lexical.documents import item_documents
from twotower.lexical.word_search import WordSearch
from twotower.retrieval.blend import blend_scores

_TIE: Final = 1e-4
"""Far below a difference of two BM25 scores that means something."""


@dataclass(frozen=True)
class Subject:
    """What is measured.

    Attributes:
        model: exported towers, so that what is measured is what will be served.
        dataset: the prepared tables.
        encoder: the model's text encoder, usually with a cache.
        untrained: the encoder that it was before it was fine-tuned; None where it was not.
    """

    model: Model
    dataset: Dataset
    encoder: TextEncoder
    untrained: TextEncoder | None = None

    @property
    def frozen(self) -> TextEncoder:
        """The encoder that has seen nothing of this shop: the baseline."""
        return self.untrained or self.encoder

    @property
    def can_search(self) -> bool:
        """Whether there is a query tower to be measured on judged queries."""
        return self.model.towers.has_queries and self.dataset.judgments is not None

    @property
    def can_recommend(self) -> bool:
        """Whether there is a user tower to be measured on held-out events."""
        return self.model.towers.has_users and self.dataset.events is not None


def word_search(dataset: Dataset, parameters: Parameters | None = None) -> WordSearch:
    """The dataset's items, searchable by words, in the shop's language and with its synonyms."""
    return WordSearch.fit(
        item_documents(dataset.items),
        parameters=parameters,
        language=dataset.about.language,
        synonyms=dataset.about.synonyms,
    )


def user_scorer(model: Model, cases: Cases) -> Scorer:
    """The user tower, asked with the histories of the cases, and what they hold already."""
    assert cases.histories is not None, "recommendation cases have histories"
    users = model.users(cases.histories, cases.now_ms)
    return visitor_scorer(users, model.item_vectors, cases.histories, model.again)


def query_scorer(subject: Subject, queries: Sequence[str]) -> Scorer:
    """The query tower, asked with the queries of the cases in their order."""
    vectors = subject.model.towers.queries(subject.encoder.encode(queries))
    return vector_scorer(vectors, subject.model.item_vectors)


def frozen_scorer(subject: Subject, queries: Sequence[str]) -> Scorer:
    """The text encoder alone, as it was before anything was trained."""
    fields = subject.model.features.config.text_fields
    items = subject.frozen.encode(item_texts(subject.dataset.items, fields))
    return vector_scorer(subject.frozen.encode(queries), items)


def word_scorer(words: Bm25 | WordSearch, cases: Cases) -> Scorer:
    """BM25 with its ties broken by a fixed shuffle.

    Titles of one length with the same words in common tie, and ties count against a scorer:
    without this the opponent would be punished for nothing.
    """
    shuffle = np.random.default_rng(0).permutation(words.n_items) / words.n_items
    apart = (_TIE * shuffle).astype(np.float32)
    return lambda part: words.batch_scores([cases.keys[case] for case in part]) + apart


def blended(semantic: Scorer, lexical: Scorer, weight: float) -> Scorer:
    """Meaning and words as one score; `weight` is the share of meaning."""
    return lambda part: blend_scores(semantic(part), lexical(part), weight)
