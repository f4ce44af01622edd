"""The matched set: the rows that an answer to words speaks of.

Totals, facets and pages count these rows and no others, so what belongs to the set is decided
here and nowhere else.
"""

from dataclasses import dataclass
from typing import Final, Protocol

import numpy as np

from twotower.index.base import Index, Mask, Rows, Vectors
from twotower.retrieval.blend import Scale
from twotower.retrieval.page import page_of

CANDIDATES: Final = 1_000
"""Rows taken from each list where the index is not exact; the same for every page, so that
pages joined together equal one long page."""


@dataclass(frozen=True)
class Matched:
    """A matched set, with what its rows score.

    Attributes:
        rows: int64[R] ascending.
        lexical: float32[R] scores by words, 0 where no word matches.
        semantic: float32[R] inner products with the query's vector; None when only words
            were asked for.
        definition: what the set is, in words.
        is_exact: whether these are all rows that match, and not the nearest of them only.
    """

    rows: Rows
    lexical: Vectors
    semantic: Vectors | None
    definition: str
    is_exact: bool


class Matching(Protocol):
    """What one query matches, under any filter."""

    def under(self, allowed: Mask | None) -> Matched:
        """The matched set among the rows that are allowed.

        Args:
            allowed: bool[N]; rows beyond its end are not allowed. All are, when not given.
        """
        ...


class MatchedWords:
    """Rows that hold a word of the query, or one meant by it.

    Args:
        lexical: float32[N] scores of the rows that there are, 0 where no word matches.
    """

    def __init__(self, lexical: Vectors) -> None:
        self._lexical = lexical

    def under(self, allowed: Mask | None) -> Matched:
        """The matched set among the rows that are allowed; see `Matching`."""
        rows = np.flatnonzero(_among(self._lexical > 0, allowed))
        definition = "products that hold a word of the query, or one meant by it"
        return Matched(rows, self._lexical[rows], None, definition, is_exact=True)


class MatchedMeaning:
    """Rows ranked by meaning, with their scores by words beside.

    Args:
        index: of the rows.
        vector: float32[D] of the query.
        lexical: float32[N] scores of the rows that there are.
        floor: the query's mean semantic score over the catalogue.

    Attributes:
        scale: what the scores are measured against, whatever the filter.
    """

    def __init__(self, index: Index, vector: Vectors, lexical: Vectors, floor: float) -> None:
        self._index, self._vector, self._lexical = index, vector, lexical
        self._every: Vectors | None = None
        if index.is_exact:
            every = index.scores(vector)[0]
            n_rows = min(len(every), len(lexical))
            self._every, self._lexical = every[:n_rows], lexical[:n_rows]
            top = self._every.max(initial=-np.inf)
        else:
            top = index.search(vector, 1).scores[0, 0]
        self.scale = Scale(np.array([floor]), np.array([top]), np.array([lexical.max(initial=0.0)]))

    def under(self, allowed: Mask | None) -> Matched:
        """The matched set among the rows that are allowed; see `Matching`."""
        if self._every is None:
            return self._candidates(allowed)
        rows = np.flatnonzero(_among(self._every > -np.inf, allowed))
        definition = "all products, the best fitting first"
        return Matched(rows, self._lexical[rows], self._every[rows], definition, is_exact=True)

    def _candidates(self, allowed: Mask | None) -> Matched:
        n_rows = min(self._index.n_items, len(self._lexical))
        mask = None if allowed is None else allowed[:n_rows]
        near = self._index.search(self._vector, CANDIDATES, allowed=mask).rows[0]
        held = np.flatnonzero(_among(self._lexical[:n_rows] > 0, mask))
        matching, _ = page_of(held, self._lexical[held], 0, CANDIDATES)
        rows = np.union1d(near[(near >= 0) & (near < n_rows)], matching)
        semantic = self._index.scores(self._vector, rows)[0]
        there = semantic > -np.inf
        return Matched(
            rows[there],
            self._lexical[rows[there]],
            semantic[there],
            f"the {CANDIDATES} nearest products by meaning and by words",
            is_exact=(near < 0).any() and len(held) == len(matching),
        )


def _among(matching: Mask, allowed: Mask | None) -> Mask:
    if allowed is None:
        return matching
    there = np.zeros(len(matching), dtype=np.bool_)
    n_rows = min(len(matching), len(allowed))
    there[:n_rows] = matching[:n_rows] & allowed[:n_rows]
    return there
