"""The matched set: the rows that an answer to words speaks of.

Totals, facets and pages count these rows and no others, so what belongs to the set is decided
here and nowhere else.
"""

from dataclasses import dataclass, replace
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

from twotower.filtering.masks import held_by
from twotower.index.base import Index, Mask, Rows, Vectors
from twotower.retrieval.blend import Scale
from twotower.retrieval.page import page_of
from twotower.retrieval.relevance import Relevance

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
        relevance: float64[R] how likely each row fits; None where nobody can tell.
    """

    rows: Rows
    lexical: Vectors
    semantic: Vectors | None
    definition: str
    is_exact: bool
    relevance: NDArray[np.float64] | None = None

    def only(self, kept: Mask) -> "Matched":
        """The set without the rows where `kept` [R] is false."""
        return replace(
            self,
            rows=self.rows[kept],
            lexical=self.lexical[kept],
            semantic=None if self.semantic is None else self.semantic[kept],
            relevance=None if self.relevance is None else self.relevance[kept],
        )

    def joined(self, other: "Matched") -> "Matched":
        """The set with the rows of another one of the same query, none of which it has."""
        rows = np.concatenate([self.rows, other.rows])
        order = np.argsort(rows, kind="stable")
        both = (
            (self.lexical, other.lexical),
            (self.semantic, other.semantic),
            (self.relevance, other.relevance),
        )
        lexical, semantic, relevance = (
            None if one is None or two is None else np.concatenate([one, two])[order]
            for one, two in both
        )
        assert lexical is not None
        return replace(
            self, rows=rows[order], lexical=lexical, semantic=semantic, relevance=relevance
        )


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
        return self.of(np.flatnonzero(_among(self._lexical > 0, allowed)))

    def of(self, rows: Rows) -> Matched:
        """Rows that are known to be there, whether they match or not."""
        rows = rows[rows < len(self._lexical)]
        definition = "products that hold a word of the query, or one meant by it"
        return Matched(rows, self._lexical[rows], None, definition, is_exact=True)


class MatchedMeaning:
    """Rows that fit a query by meaning and words, and rows that nearly do.

    Args:
        index: of the rows.
        vector: float32[D] of the query.
        lexical: float32[N] scores of the rows that there are.
        coverage: float32[N] the share of the query that each of them holds.
        relevance: says which rows fit.
        floor: the query's mean semantic score over the catalogue.

    Attributes:
        scale: what the scores are measured against, whatever the filter.
    """

    def __init__(
        self,
        index: Index,
        vector: Vectors,
        lexical: Vectors,
        coverage: Vectors,
        relevance: Relevance,
        floor: float,
    ) -> None:
        self._index, self._vector, self._relevance = index, vector, relevance
        n_rows = min(index.n_items, len(lexical))
        self._lexical, self._coverage = lexical[:n_rows], coverage[:n_rows]
        self._near: tuple[Matched, NDArray[np.float64]] | None = None
        if index.is_exact:
            every = index.scores(vector)[0, :n_rows]
            top = every.max(initial=-np.inf)
            self._near = self._nearly(every)
        else:
            top = index.search(vector, 1).scores[0, 0]
        self.scale = Scale(np.array([floor]), np.array([top]), np.array([lexical.max(initial=0.0)]))

    def _nearly(self, every: Vectors) -> tuple[Matched, NDArray[np.float64]]:
        """Of all rows, by their scores, those that match or nearly do, and how well they fit."""
        evidence = self._relevance.weighed(every, self._coverage)
        near = (self._lexical > 0) | (evidence >= self._relevance.least_evidence)
        rows = np.flatnonzero(near & (every > -np.inf))
        return self._matched(rows, every[rows], is_exact=True)

    def under(self, allowed: Mask | None) -> Matched:
        """The matched set among the rows that are allowed; see `Matching`."""
        found, fit = self._found(allowed)
        return found.only(fit >= self._relevance.cut_off)

    def of(self, rows: Rows) -> Matched:
        """Rows that are known to be there, whether they match or not."""
        rows = rows[rows < len(self._lexical)]
        return self._matched(rows, self._index.scores(self._vector, rows)[0], is_exact=True)[0]

    def weak(self, allowed: Mask | None) -> Matched:
        """The rows that do not match, and hold a word of the query or come half-way to it."""
        found, fit = self._found(allowed)
        bar = self._relevance.cut_off
        return found.only((fit < bar) & ((found.lexical > 0) | (fit >= bar / 2)))

    def _found(self, allowed: Mask | None) -> tuple[Matched, NDArray[np.float64]]:
        """All rows that may be in the set, and how well they fit."""
        if self._near is not None:
            found, fit = self._near
            if allowed is None:
                return found, fit
            kept = held_by(allowed, found.rows)
            return found.only(kept), fit[kept]
        rows, semantic, is_exact = self._scored(allowed)
        return self._matched(rows, semantic, is_exact=is_exact)

    def _matched(
        self, rows: Rows, semantic: Vectors, *, is_exact: bool
    ) -> tuple[Matched, NDArray[np.float64]]:
        """Rows with their scores, and how well they fit."""
        fit = self._relevance.fit(semantic, self._coverage[rows])
        definition = self._relevance.definition
        if not self._index.is_exact:
            definition += f", of the {CANDIDATES} nearest by meaning and by words"
        known = fit if self._relevance.is_calibrated else None
        return Matched(rows, self._lexical[rows], semantic, definition, is_exact, known), fit

    def _scored(self, allowed: Mask | None) -> tuple[Rows, Vectors, bool]:
        """Rows to look at, their scores by meaning, and whether these are all there are."""
        n_rows = len(self._lexical)
        mask = None if allowed is None else allowed[:n_rows]
        near = self._index.search(self._vector, CANDIDATES, allowed=mask).rows[0]
        held = np.flatnonzero(_among(self._lexical > 0, mask))
        matching, _ = page_of(held, self._lexical[held], 0, CANDIDATES)
        rows = np.union1d(near[(near >= 0) & (near < n_rows)], matching)
        semantic = self._index.scores(self._vector, rows)[0]
        there = semantic > -np.inf
        is_exact = bool((near < 0).any()) and len(held) == len(matching)
        return rows[there], semantic[there], is_exact


def _among(matching: Mask, allowed: Mask | None) -> Mask:
    if allowed is None:
        return matching
    there = np.zeros(len(matching), dtype=np.bool_)
    n_rows = min(len(matching), len(allowed))
    there[:n_rows] = matching[:n_rows] & allowed[:n_rows]
    return there
