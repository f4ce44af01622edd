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
        hidden: rows of the base that were replaced or deleted, ascending.
        documents: row -> term -> weighted count, for every live text.
        postings: term -> rows and their worth, over the live texts.
    """

    n_items: int
    hidden: NDArray[np.int64] = field(default_factory=lambda: np.empty(0, dtype=np.int64))
    documents: Mapping[int, Mapping[str, float]] = field(default_factory=dict)
    postings: Mapping[str, Weighted] = field(default_factory=dict)

    def without(self, row: int) -> "LiveTexts":
        """The snapshot after `row` left, from here or from the base."""
        documents, postings = dict(self.documents), dict(self.postings)
        for term in documents.pop(row, {}):
            rows, worth = postings[term]
            kept = rows != row
            postings[term] = (rows[kept], worth[kept])
            if not kept.any():
                del postings[term]
        hidden = np.union1d(self.hidden, [row]).astype(np.int64)
        return replace(self, hidden=hidden, documents=documents, postings=postings)

    def including(
        self, row: int, counts: Mapping[str, float], worth: Mapping[str, float]
    ) -> "LiveTexts":
        """The snapshot after `row` got a new text; `worth` is what each term adds to a score."""
        before = self.without(row)
        documents, postings = dict(before.documents), dict(before.postings)
        documents[row] = dict(counts)
        for term, value in worth.items():
            rows, values = postings.get(term, _NOTHING)
            postings[term] = (
                np.append(rows, np.int64(row)),
                np.append(values, np.float32(value)),
            )
        return LiveTexts(max(self.n_items, row + 1), before.hidden, documents, postings)


_NOTHING: Weighted = (np.empty(0, dtype=np.int64), np.empty(0, dtype=np.float32))
