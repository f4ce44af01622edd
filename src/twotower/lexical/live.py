"""Texts that changed since the postings were counted, as a layer over them."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

Weighted = tuple[NDArray[np.int64], NDArray[np.float32]]
"""Rows of a term, and what the term is worth in each."""


@dataclass(frozen=True)
class LiveTexts:
    """One snapshot: never changed, only replaced, so that readers need no lock.

    Attributes:
        n_items: rows in all, appended and deleted ones included.
        is_hidden: bool[N] base rows that were replaced or deleted; None while none was.
        terms: row -> its terms, for every live text.
        postings: term -> rows and their worth, over the live texts.
    """

    n_items: int
    is_hidden: NDArray[np.bool_] | None = None
    terms: Mapping[int, tuple[str, ...]] = field(default_factory=dict)
    postings: Mapping[str, Weighted] = field(default_factory=dict)

    def without(self, row: int) -> "LiveTexts":
        """The snapshot after `row` left, from here or from the base."""
        terms, postings = dict(self.terms), dict(self.postings)
        for term in terms.pop(row, ()):
            rows, worth = postings[term]
            kept = rows != row
            postings[term] = (rows[kept], worth[kept])
            if not kept.any():
                del postings[term]
        return replace(self, is_hidden=self._hiding(row), terms=terms, postings=postings)

    def including(self, row: int, worth: Mapping[str, float]) -> "LiveTexts":
        """The snapshot after `row` got a new text; `worth` is what each term adds to a score."""
        n_items = max(self.n_items, row + 1)
        before = replace(self, n_items=n_items).without(row)
        terms, postings = dict(before.terms), dict(before.postings)
        terms[row] = tuple(worth)
        for term, value in worth.items():
            rows, values = postings.get(term, _NOTHING)
            postings[term] = (
                np.append(rows, np.int64(row)),
                np.append(values, np.float32(value)),
            )
        return LiveTexts(n_items, before.is_hidden, terms, postings)

    def _hiding(self, row: int) -> NDArray[np.bool_]:
        hidden = np.zeros(self.n_items, dtype=np.bool_)
        if self.is_hidden is not None:
            hidden[: len(self.is_hidden)] = self.is_hidden
        hidden[row] = True
        return hidden


_NOTHING: Weighted = (np.empty(0, dtype=np.int64), np.empty(0, dtype=np.float32))
