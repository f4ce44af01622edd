"""Whether a bundle answers as it should, before it is let near anyone."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from twotower import schema
from twotower.errors import UnfitBundle
from twotower.retrieval.retriever import Retriever

_TITLES: Final = 20
_VECTORS: Final = 50
_K: Final = 10
_LEAST_FOUND: Final = 0.8
_LEAST_RECALL: Final = 0.9
_EQUAL: Final = 1e-5
"""Inner products that differ by less are ties."""
_LONGEST: Final = 200


@dataclass(frozen=True)
class Probes:
    """What asking a bundle came to, 0..1.

    Attributes:
        found: Share of titles whose search shows a product of that title among the first ten.
        recall: Share of the ten nearest products that the index finds, beside looking at all.
    """

    found: float
    recall: float


def probe(retriever: Retriever) -> Probes:
    """Asks for products spread over the catalogue.

    Args:
        retriever: Of the bundle.

    Returns:
        What came of it.

    Raises:
        UnfitBundle: Too few titles are found, or too few of the nearest products.
    """
    probes = Probes(_found(retriever), _recall(retriever))
    for what, got, least in (
        ("titles found", probes.found, _LEAST_FOUND),
        ("index recall@10", probes.recall, _LEAST_RECALL),
    ):
        if got < least:
            raise UnfitBundle(
                f"{retriever.bundle.version}: {what} must be {least} or more, got {got:.2f}; "
                "it is whole but does not answer as it should: build it again"
            )
    return probes


def _spread(n: int, most: int) -> list[int]:
    """Rows spread evenly over n."""
    rows: list[int] = np.linspace(0, n - 1, min(n, most)).astype(int).tolist()
    return rows


def _found(retriever: Retriever) -> float:
    titles = retriever.bundle.dataset.items[schema.TITLE]
    hits = 0
    for row in _spread(len(titles), _TITLES):
        title = titles[row]
        answer = retriever.search(title[:_LONGEST], k=_K)
        hits += title in [hit.item[schema.TITLE] for hit in answer.hits]
    return hits / min(len(titles), _TITLES)


def _recall(retriever: Retriever) -> float:
    vectors, index = retriever.bundle.model.item_vectors, retriever.bundle.index
    k = min(_K, len(vectors))
    queries = vectors[_spread(len(vectors), _VECTORS)]
    exact = queries @ np.asarray(vectors).T
    kth = np.sort(exact, axis=1)[:, -k, None]
    found = np.take_along_axis(exact, index.search(queries, k).rows, axis=1)
    return float((found >= kth - _EQUAL).mean())
