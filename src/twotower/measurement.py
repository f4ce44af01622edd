"""Is it any good: trained towers measured beside everything they have to beat.

Settings of serving and of every baseline are chosen on validation cases; the cases that are
reported are only ever ranked.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from twotower import schema
from twotower.bundle import Model
from twotower.data.dataset import Dataset
from twotower.data.outside import Outside
from twotower.encoders.base import TextEncoder
from twotower.errors import DataError
from twotower.evaluation.baselines import popularity
from twotower.evaluation.baselines.lineup import Contenders, Lineup, contenders
from twotower.evaluation.cases import Cases, recommendation_cases, search_cases
from twotower.evaluation.diversity import Traits
from twotower.evaluation.examples import sample_examples
from twotower.evaluation.external import cases_from_events, cases_from_judgments
from twotower.evaluation.health import health
from twotower.evaluation.protocol import Evaluation, Scorer, evaluate
from twotower.evaluation.results import MODEL, TaskResult, task_section
from twotower.evaluation.vectors import vector_scorer
from twotower.features.text import item_texts
from twotower.lexical.bm25 import Bm25, Parameters
from twotower.lexical.documents import item_documents
from twotower.lexical.tuning import tune as tune_words
from twotower.lexical.word_search import WordSearch
from twotower.progress import Progress, steps_of
from twotower.retrieval.blend import DEFAULT_WEIGHT, blend_scores, choose_weight
from twotower.schema import Split

HYBRID, LEXICAL = "hybrid", "lexical"
_TUNING_CASES = 500
_TIE = 1e-4
"""Far below a difference of two BM25 scores that means something."""


@dataclass(frozen=True)
class Serving:
    """How answers are made; chosen on validation, kept in the bundle.

    Attributes:
        k1: of BM25.
        b: of BM25.
        semantic_weight: share of meaning in hybrid search; the rest are words.
        frozen_weight: the same for the frozen encoder, which is only a baseline.
        field_weights: of BM25, by column of the items; the usual ones where not given.
    """

    k1: float = 0.3
    b: float = 0.6
    semantic_weight: float = DEFAULT_WEIGHT
    frozen_weight: float = DEFAULT_WEIGHT
    field_weights: Mapping[str, float] = field(default_factory=dict)

    @property
    def words(self) -> Parameters:
        """What BM25 counts by."""
        return Parameters(self.k1, self.b, self.field_weights)

    def to_json(self) -> dict[str, Any]:
        """As the bundle's manifest and the report print it."""
        return asdict(self)

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> "Serving":
        """The inverse of `to_json`; names it does not know are left out."""
        return cls(**{f.name: stored[f.name] for f in fields(cls) if f.name in stored})


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


def choose_serving(subject: Subject) -> Serving:
    """BM25's parameters and the share of meaning, by NDCG@10 on validation queries."""
    if subject.dataset.judgments is None:
        return Serving()
    cases = search_cases(subject.dataset, Split.VALIDATION).sample(_TUNING_CASES)
    if not len(cases):
        return Serving()
    words = word_search(subject.dataset)
    best = tune_words(words.bm25, cases.keys, _quality(cases)).parameters
    words = words.with_parameters(best)
    meant = [words.meant(query) for query in cases.keys]
    serving = Serving(
        best.k1,
        best.b,
        frozen_weight=_chosen_weight(_frozen_scorer(subject, meant), words, cases),
        field_weights=best.weights,
    )
    if not subject.can_search:
        return serving
    weight = _chosen_weight(_query_scorer(subject, meant), words, cases)
    return replace(serving, semantic_weight=weight)


def word_search(dataset: Dataset, parameters: Parameters | None = None) -> WordSearch:
    """The dataset's items, searchable by words, in the shop's language and with its synonyms."""
    return WordSearch.fit(
        item_documents(dataset.items),
        parameters=parameters,
        language=dataset.about.language,
        synonyms=dataset.about.synonyms,
    )


def asked_vectors(model: Model, dataset: Dataset) -> NDArray[np.float32]:
    """Vectors [Q, D] that shoppers would ask with: of validation visitors and queries."""
    towers = model.towers
    found = [np.zeros((0, towers.width), np.float32)]
    if towers.has_users and dataset.events is not None:
        visitors = recommendation_cases(dataset, Split.VALIDATION).sample(_TUNING_CASES)
        if visitors.histories is not None and len(visitors):
            found.append(model.users(visitors.histories, visitors.now_ms))
    if towers.has_queries and dataset.judgments is not None:
        queries = search_cases(dataset, Split.VALIDATION).sample(_TUNING_CASES).keys
        found.append(towers.queries(model.text_encoder.encode(queries)))
    return np.concatenate(found)


def measure(
    subject: Subject,
    serving: Serving,
    split: str = Split.TEST,
    *,
    lineup: Lineup = "quick",
    seed: int = 0,
    progress: Progress | None = None,
) -> dict[str, dict[str, Any]]:
    """Sections of the report for every task that the towers were trained for.

    Args:
        subject: what is measured.
        serving: how it answers.
        split: `test`, or `validation` for a run that is not finished with.
        lineup: which baselines of recommendations: the `quick` ones, or `all`.
        seed: of the bootstrap.
        progress: told as systems are ranked.
    """
    found = {}
    if subject.can_recommend:
        cases = recommendation_cases(subject.dataset, split)
        found["recommendation"] = measure_recommendation(
            subject, cases, split, lineup=lineup, seed=seed, progress=progress
        )
    if subject.can_search:
        cases = search_cases(subject.dataset, split)
        found["search"] = measure_search(
            subject, serving, cases, split, seed=seed, progress=progress
        )
    return found


def measure_outside(
    subject: Subject,
    serving: Serving,
    *,
    judgments: Outside | None = None,
    events: Outside | None = None,
    lineup: Lineup = "quick",
    seed: int = 0,
    progress: Progress | None = None,
) -> dict[str, dict[str, Any]]:
    """Sections for tables that training never saw.

    Args:
        subject: what is measured.
        serving: how it answers.
        judgments: query, item_id and grade.
        events: user_id, item_id, and time where known.
        lineup: which baselines of recommendations: the `quick` ones, or `all`.
        seed: of the bootstrap.
        progress: told as systems are ranked.

    Raises:
        DataError: the model has no tower for the table, or nothing is left to measure on.
    """
    found = {}
    if events is not None:
        if not subject.can_recommend:
            raise DataError("--events needs a user tower, this model has none; give --judgments")
        cases = cases_from_events(events, subject.dataset)
        found["recommendation"] = measure_recommendation(
            subject, cases, "later events", lineup=lineup, seed=seed, progress=progress
        )
    if judgments is not None:
        if not subject.model.towers.has_queries:
            raise DataError("--judgments needs a query tower, this model has none; give --events")
        cases = cases_from_judgments(judgments, subject.dataset)
        found["search"] = measure_search(
            subject, serving, cases, "given judgments", seed=seed, progress=progress
        )
    return found


def measure_recommendation(
    subject: Subject,
    cases: Cases,
    split: str,
    *,
    lineup: Lineup = "quick",
    seed: int = 0,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """The user tower beside the line-up of baselines."""
    dataset = subject.dataset
    rivals = contenders(
        dataset,
        cases,
        Split.VALIDATION if split == Split.VALIDATION else Split.TEST,
        recommendation_cases(dataset, Split.VALIDATION),
        lineup=lineup,
        progress=lambda name: steps_of(progress, f"tune on validation, {name}"),
    )
    users = subject.model.users(_past(cases), cases.now_ms)
    ours = {MODEL: vector_scorer(users, subject.model.item_vectors)}
    contest = _Contest(ours, rivals, served=MODEL)
    return task_section(contest.held(cases, split, subject, progress), seed=seed)


def measure_search(
    subject: Subject,
    serving: Serving,
    cases: Cases,
    split: str,
    *,
    seed: int = 0,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """The query tower, alone and with words, beside BM25, the frozen encoder and both of these.

    `bm25` is the tuned one with fields and stems; `lexical`, which the hybrid and the frozen
    encoder's fusion blend, also puts right what was mistyped and knows compounds and synonyms.
    Both encoders are given the query as it is meant, as in serving.
    """
    words = word_search(subject.dataset, serving.words)
    lexical = _word_scorer(words, cases)
    meant = [words.meant(query) for query in cases.keys]
    semantic, frozen = _query_scorer(subject, meant), _frozen_scorer(subject, meant)
    ours = {
        MODEL: semantic,
        HYBRID: _blended(semantic, lexical, serving.semantic_weight),
        LEXICAL: lexical,
    }
    scorers = {
        "random": popularity.random_scorer(subject.dataset.n_items, seed=seed),
        "bm25": _word_scorer(words.bm25, cases),
        "frozen_encoder": frozen,
        "frozen_fusion": _blended(frozen, lexical, serving.frozen_weight),
    }
    rivals = Contenders(scorers, {"serving": serving.to_json()})
    contest = _Contest(ours, rivals, served=HYBRID)
    return task_section(contest.held(cases, split, subject, progress), seed=seed)


@dataclass(frozen=True)
class _Contest:
    """Everyone who is ranked on the same cases.

    Attributes:
        ours: the trained towers by name; `model`, and variants of it.
        rivals: what has to be beaten.
        served: which of ours answers shoppers.
    """

    ours: Mapping[str, Scorer]
    rivals: Contenders
    served: str

    def held(
        self, cases: Cases, split: str, subject: Subject, progress: Progress | None
    ) -> TaskResult:
        """How everyone did."""
        found: dict[str, Evaluation] = {}
        for name, scorer in {**self.ours, **self.rivals.scorers}.items():
            steps = steps_of(progress, f"rank, {cases.task}, {name}")
            found[name] = evaluate(cases, scorer, progress=steps)
        return TaskResult(
            split,
            {name: found[name] for name in self.ours},
            {name: found[name] for name in self.rivals.scorers},
            self.served,
            self.rivals.settings,
            self.rivals.left_out,
            _traits(subject),
            health(found[MODEL], self.ours[MODEL], subject.model.item_vectors),
            sample_examples(found[self.served], subject.dataset.items[schema.TITLE].to_list()),
        )


def _past(cases: Cases) -> Any:
    assert cases.histories is not None, "recommendation cases have histories"
    return cases.histories


def _traits(subject: Subject) -> Traits:
    """What tells items apart for everyone alike; their texts where the towers read them."""
    features = subject.model.features.config
    items = subject.dataset.items
    if "text" not in features.use:
        return Traits.of(items)
    return Traits.of(items, subject.encoder.encode(item_texts(items, features.text_fields)))


def _query_scorer(subject: Subject, queries: Sequence[str]) -> Scorer:
    vectors = subject.model.towers.queries(subject.encoder.encode(queries))
    return vector_scorer(vectors, subject.model.item_vectors)


def _frozen_scorer(subject: Subject, queries: Sequence[str]) -> Scorer:
    fields = subject.model.features.config.text_fields
    items = subject.frozen.encode(item_texts(subject.dataset.items, fields))
    return vector_scorer(subject.frozen.encode(queries), items)


def _word_scorer(words: Bm25 | WordSearch, cases: Cases) -> Scorer:
    """BM25 with its ties broken by a fixed shuffle.

    Titles of one length with the same words in common tie, and ties count against a scorer:
    without this the opponent would be punished for nothing.
    """
    shuffle = np.random.default_rng(0).permutation(words.n_items) / words.n_items
    apart = (_TIE * shuffle).astype(np.float32)
    return lambda part: words.batch_scores([cases.keys[case] for case in part]) + apart


def _blended(semantic: Scorer, lexical: Scorer, weight: float) -> Scorer:
    return lambda part: blend_scores(semantic(part), lexical(part), weight)


def _chosen_weight(semantic: Scorer, words: WordSearch, cases: Cases) -> float:
    lexical, quality = _word_scorer(words, cases), _quality(cases)
    return choose_weight(semantic, lexical, len(cases), quality, n_items=cases.n_items).weight


def _quality(cases: Cases) -> Callable[[NDArray[np.float32], NDArray[np.int64]], NDArray[Any]]:
    """NDCG@10 of given scores of given cases."""

    def quality(scores: NDArray[np.float32], part: NDArray[np.int64]) -> NDArray[Any]:
        found = evaluate(cases.take(part), lambda rows: scores[rows])
        return found.per_case().values["ndcg@10"]

    return quality
