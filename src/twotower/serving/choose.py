"""All settings of serving, in the order in which they depend on each other."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from twotower.evaluation.cases import Cases, search_cases
from twotower.evaluation.protocol import evaluate
from twotower.lexical.tuning import tune as tune_words
from twotower.schema import Split
from twotower.serving.fusion import choose_weight
from twotower.serving.relevance import fitted, judged_pairs
from twotower.serving.scorers import (
    Subject,
    frozen_scorer,
    query_scorer,
    word_scorer,
    word_search,
)
from twotower.serving.settings import Serving

_TUNING_CASES: Final = 500
"""Queries that BM25 is tuned on: every trial counts the catalogue anew."""
_MOST_CASES: Final = 4_000


def choose_serving(subject: Subject) -> Serving:
    """BM25's parameters, the share of meaning and the cut-off, by validation queries."""
    if subject.dataset.judgments is None:
        return Serving()
    cases = search_cases(subject.dataset, Split.VALIDATION).sample(_MOST_CASES)
    if not (cases.rows >= 0).any():
        return Serving()
    words, few = word_search(subject.dataset), cases.sample(_TUNING_CASES)
    best = tune_words(words.bm25, few.keys, _quality(few)).parameters
    words = words.with_parameters(best)
    lexical, quality = word_scorer(words, cases), _quality(cases)
    meant = [words.meant(query) for query in cases.keys]
    size = (len(cases), cases.n_items)
    frozen = choose_weight(frozen_scorer(subject, meant), lexical, *size, quality)
    serving = Serving(best.k1, best.b, frozen_weight=frozen.weight, field_weights=best.weights)
    if not subject.can_search:
        return serving
    ours = choose_weight(query_scorer(subject, meant), lexical, *size, quality)
    pairs = judged_pairs(subject, words, Split.VALIDATION, weight=ours.weight)
    return replace(
        serving, semantic_weight=ours.weight, fusion=ours.reason, relevance=fitted(pairs)
    )


def _quality(cases: Cases) -> Callable[[NDArray[np.float32], NDArray[np.int64]], NDArray[Any]]:
    """NDCG@10 of given scores of given cases."""

    def quality(scores: NDArray[np.float32], part: NDArray[np.int64]) -> NDArray[Any]:
        found = evaluate(cases.take(part), lambda rows: scores[rows])
        return found.per_case().values["ndcg@10"]

    return quality
