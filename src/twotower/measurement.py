"""Is it any good: trained towers measured beside everything they have to beat.

Settings of every baseline are chosen on validation cases, as those of serving were; the cases
that are reported are only ever ranked.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from twotower import schema
from twotower.bundle import Model
from twotower.data.dataset import Dataset
from twotower.data.outside import Outside
from twotower.errors import DataError
from twotower.evaluation.baselines import popularity
from twotower.evaluation.baselines.lineup import Contenders, Lineup, contenders
from twotower.evaluation.cases import Cases, recommendation_cases, search_cases
from twotower.evaluation.classic import category_separation, pointwise_auc
from twotower.evaluation.comparison import Pair, task_comparison
from twotower.evaluation.diversity import Traits
from twotower.evaluation.examples import sample_examples
from twotower.evaluation.external import cases_from_events, cases_from_judgments
from twotower.evaluation.health import health
from twotower.evaluation.protocol import Evaluation, Scorer, evaluate
from twotower.evaluation.results import MODEL, TaskResult, task_section
from twotower.features.text import item_texts
from twotower.progress import Progress, steps_of
from twotower.schema import Split
from twotower.serving.relevance import judged_pairs, reliability
from twotower.serving.scorers import (
    Subject,
    blended,
    frozen_scorer,
    query_scorer,
    user_scorer,
    word_scorer,
    word_search,
)
from twotower.serving.settings import Serving

HYBRID, LEXICAL = "hybrid", "lexical"
_MOST_ASKED = 500


def asked_vectors(model: Model, dataset: Dataset) -> NDArray[np.float32]:
    """Vectors [Q, D] that shoppers would ask with: of validation visitors and queries."""
    towers = model.towers
    found = [np.zeros((0, towers.width), np.float32)]
    if towers.has_users and dataset.events is not None:
        visitors = recommendation_cases(dataset, Split.VALIDATION).sample(_MOST_ASKED)
        if visitors.histories is not None and len(visitors):
            found.append(model.users(visitors.histories, visitors.now_ms))
    if towers.has_queries and dataset.judgments is not None:
        queries = search_cases(dataset, Split.VALIDATION).sample(_MOST_ASKED).keys
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
        if serving.relevance.is_calibrated and (cases.rows >= 0).any():
            found["search"] |= _of_judged_pairs(found["search"], subject, serving, split)
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


def compare(
    before: tuple[Subject, Serving],
    after: tuple[Subject, Serving],
    split: str = Split.TEST,
    *,
    seed: int = 0,
    progress: Progress | None = None,
) -> dict[str, dict[str, Any]]:
    """What A and B answer shoppers, paired case by case, for the tasks that both serve.

    Args:
        before: A, and how it answers.
        after: B, of the same dataset.
        split: `test` or `validation`.
        seed: of the bootstrap.
        progress: told as the two are ranked.

    Returns:
        Task -> `comparison.task_comparison`, without tasks that have no case.
    """
    (one, _), (other, _) = before, after
    asked = []
    if one.can_recommend and other.can_recommend:
        asked.append(recommendation_cases(one.dataset, split))
    if one.can_search and other.can_search:
        asked.append(search_cases(one.dataset, split))
    titles = one.dataset.items[schema.TITLE].to_list()
    found = {}
    for cases in (cases for cases in asked if len(cases)):
        a, b = (
            evaluate(
                cases,
                served_scorer(*system, cases),
                progress=steps_of(progress, f"rank, {cases.task}, {name}"),
            )
            for name, system in (("A", before), ("B", after))
        )
        found[str(cases.task)] = task_comparison(Pair(a, b), titles, seed=seed)
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
    contest = _Contest({MODEL: user_scorer(subject.model, cases)}, rivals, served=MODEL)
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
    lexical = word_scorer(words, cases)
    meant = [words.meant(query) for query in cases.keys]
    semantic, frozen = query_scorer(subject, meant), frozen_scorer(subject, meant)
    ours = {
        MODEL: semantic,
        HYBRID: blended(semantic, lexical, serving.semantic_weight),
        LEXICAL: lexical,
    }
    scorers = {
        "random": popularity.random_scorer(subject.dataset.n_items, seed=seed),
        "bm25": word_scorer(words.bm25, cases),
        "frozen_encoder": frozen,
        "frozen_fusion": blended(frozen, lexical, serving.frozen_weight),
    }
    rivals = Contenders(scorers, {"serving": serving.to_json()})
    contest = _Contest(ours, rivals, served=HYBRID)
    return task_section(contest.held(cases, split, subject, progress), seed=seed)


def served_scorer(subject: Subject, serving: Serving, cases: Cases) -> Scorer:
    """The system that answers shoppers, alone: what `measure` calls served."""
    if cases.histories is not None:
        return user_scorer(subject.model, cases)
    words = word_search(subject.dataset, serving.words)
    semantic = query_scorer(subject, [words.meant(query) for query in cases.keys])
    return blended(semantic, word_scorer(words, cases), serving.semantic_weight)


def _of_judged_pairs(
    section: Mapping[str, Any], subject: Subject, serving: Serving, split: str
) -> dict[str, Any]:
    """Whether the probabilities of hits mean what they say, and the classic AUC of judged pairs."""
    pairs = judged_pairs(
        subject,
        word_search(subject.dataset, serving.words),
        split,
        weight=serving.semantic_weight,
        relevance=serving.relevance,
    )
    auc = pointwise_auc(pairs.semantic[pairs.judged], pairs.right[pairs.judged])
    return {
        "relevance": reliability(pairs, serving.relevance),
        "classic": {**section["classic"], "pointwise_auc": auc},
    }


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
        traits, vectors = _traits(subject), subject.model.item_vectors
        categories = traits.groups.get(schema.CATEGORY)
        return TaskResult(
            split,
            {name: found[name] for name in self.ours},
            {name: found[name] for name in self.rivals.scorers},
            self.served,
            self.rivals.settings,
            self.rivals.left_out,
            traits,
            health(found[MODEL], self.ours[MODEL], vectors),
            sample_examples(found[self.served], subject.dataset.items[schema.TITLE].to_list()),
            None if categories is None else category_separation(vectors, categories),
        )


def _traits(subject: Subject) -> Traits:
    """What tells items apart for everyone alike; their texts where the towers read them."""
    features = subject.model.features.config
    items = subject.dataset.items
    if "text" not in features.use:
        return Traits.of(items)
    return Traits.of(items, subject.encoder.encode(item_texts(items, features.text_fields)))
