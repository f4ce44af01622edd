"""Scores and order, the same to the last bit in every implementation.

A float32 matrix product rounds differently with the shape of the batch, so two rows that
tie could swap places from one call to the next. Therefore a fast product only *proposes*
rows, generously by its own rounding error; the scores that are compared and returned are
sums in float64, which depend on nothing but the two vectors.
"""

from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from twotower.index.base import Rows, Vectors

Score = TypeVar("Score", np.float32, np.float64)
_CHUNK = 16_384
"""Rows widened to float64 at a time."""


def inner_products(query: Vectors, vectors: Vectors) -> Vectors:
    """float32[R] inner products of query [D] with vectors [R, D], summed in float64."""
    wide = query.astype(np.float64)
    parts = [
        (vectors[start : start + _CHUNK].astype(np.float64) * wide).sum(axis=1)
        for start in range(0, len(vectors), _CHUNK)
    ]
    return np.concatenate(parts).astype(np.float32) if parts else np.empty(0, np.float32)


def best(rows: Rows, scores: NDArray[Score], k: int) -> tuple[Rows, NDArray[Score]]:
    """The k best of (rows, scores), best first, ties to the smaller row, none of -inf."""
    real = scores > -np.inf
    rows, scores = rows[real], scores[real]
    order = np.lexsort((rows, -scores))[:k]
    return rows[order], scores[order]


def contenders(scores: NDArray[np.floating], k: int, error: float) -> Rows:
    """int64[C] the places of [N] approximate scores that may be among the k best.

    Args:
        scores: approximate scores, -inf where a row may not be returned.
        k: hits wanted.
        error: the most by which one approximate score can be wrong.
    """
    if k >= len(scores):
        return np.flatnonzero(scores > -np.inf)
    kth = np.partition(scores, len(scores) - k)[len(scores) - k]
    return np.flatnonzero((scores >= kth - 2 * error) & (scores > -np.inf))


def rounding_error(queries: Vectors, largest_norm: float) -> Vectors:
    """float32[Q] the most by which a float32 inner product with a row can be wrong.

    Source:
        Higham, Accuracy and Stability of Numerical Algorithms, section 3.1: n u |x| |y|.
    """
    norms = np.linalg.norm(queries, axis=1)
    terms = queries.shape[1] + 2
    error: Vectors = (terms * np.finfo(np.float32).eps * largest_norm * norms).astype(np.float32)
    return error


def largest_norm(vectors: Vectors) -> float:
    """The length of the longest of vectors [N, D]; 0.0 when there is none."""
    squares = [
        float(np.einsum("rd,rd->r", part, part).max())
        for part in (vectors[start : start + _CHUNK] for start in range(0, len(vectors), _CHUNK))
    ]
    return float(np.sqrt(max(squares, default=0.0)))
