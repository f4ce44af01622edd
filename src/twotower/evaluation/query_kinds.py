"""Slices of search targets by what the query is like, and what it has in common with them."""

from collections.abc import Iterator, Sequence
from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from twotower import schema
from twotower.data.dataset import Dataset
from twotower.evaluation.slices import HEAD, TAIL, Mask, head_count
from twotower.features.text import item_texts
from twotower.lexical.analysis import Analyser
from twotower.schema import Split

BRAND_OR_CODE: Final = "brand_or_code"
NUMBER_OR_UNIT: Final = "number_or_unit"
NO_SHARED_WORD: Final = "no_shared_word"
"""No term of the query is in any of its positives: words alone cannot find these."""


def query_kinds(
    queries: Sequence[str],
    rows: NDArray[np.int64],
    positive: Mask,
    offsets: NDArray[np.int64],
    dataset: Dataset,
) -> dict[str, Mask]:
    """Slices by brands, codes, numbers and shared words, and by the targets' popularity.

    Args:
        queries: [C] the shoppers' words.
        rows: [T] item rows of the targets; negative outside the catalogue.
        positive: [T] which of them count as right.
        offsets: [C + 1] where the targets of each case begin.
        dataset: the catalogue, its language and, where there is one, its log.

    Returns:
        name -> [T] mask; `head` and `tail` only where there is a log to tell them by.
    """
    analyser = Analyser(dataset.about.language)
    brands = _brands(dataset.items, analyser)
    lengths = np.diff(offsets)
    asked = [analyser.read(query) for query in queries]
    has_code = [
        any(token.is_code for token in query.tokens) or _holds(query.terms, brands)
        for query in asked
    ]
    has_number = [any(character.isdigit() for character in query) for query in queries]
    texts = item_texts(dataset.items, dataset.about.text_fields)
    known = positive & (rows >= 0)
    apart = []
    for case, query in enumerate(asked):
        targets = slice(offsets[case], offsets[case + 1])
        right = rows[targets][known[targets]]
        found = (term for row in right for term in analyser.terms(texts[row]))
        apart.append(set(query.terms).isdisjoint(found))
    per_case = {BRAND_OR_CODE: has_code, NUMBER_OR_UNIT: has_number, NO_SHARED_WORD: apart}
    slices = {name: np.repeat(np.array(mask, bool), lengths) for name, mask in per_case.items()}
    return slices | _by_popularity(rows, dataset)


def _brands(items: pl.DataFrame, analyser: Analyser) -> frozenset[tuple[str, ...]]:
    if schema.BRAND not in items.columns:
        return frozenset()
    names = items[schema.BRAND].drop_nulls().unique()
    return frozenset(terms for name in names if (terms := tuple(analyser.terms(name))))


def _holds(terms: Sequence[str], brands: frozenset[tuple[str, ...]]) -> bool:
    return any(run in brands for run in _runs(terms))


def _runs(terms: Sequence[str]) -> Iterator[tuple[str, ...]]:
    """Every run of terms that stand side by side."""
    for start in range(len(terms)):
        for end in range(start + 1, len(terms) + 1):
            yield tuple(terms[start:end])


def _by_popularity(rows: NDArray[np.int64], dataset: Dataset) -> dict[str, Mask]:
    if dataset.events is None:
        return {}
    seen = dataset.events.filter(pl.col(schema.SPLIT) == Split.TRAIN)[schema.ITEM_ROW].to_numpy()
    counts = np.bincount(seen[seen >= 0], minlength=dataset.n_items)
    head = (rows >= 0) & (counts[np.maximum(rows, 0)] >= head_count(counts))
    return {HEAD: head, TAIL: ~head}
