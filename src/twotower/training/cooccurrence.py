"""Where item ids start: near the items they are seen with.

An id table that starts at random needs many epochs to learn what a count of neighbours
already says. Here it starts at the leading eigenvectors of the items' positive pointwise mutual
information, so that inner products of ids are, from the first step, how much more often two
items follow each other than chance would have it.
"""

# Shapes: N items, D vector width.
from typing import Final

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from scipy.sparse.linalg import eigsh

from twotower.features.history import Histories

REACH: Final = 10
"""Steps of a history within which two items count as seen together."""
SMOOTHING: Final = 0.75
"""Exponent on the neighbours' frequencies: without it rare pairs look too surprising."""


def cooccurrence_vectors(histories: Histories, n_items: int, width: int) -> NDArray[np.float32]:
    """[N, D] vectors whose inner products approach the items' mutual information.

    The mean length of a vector is 1, and zero for an item that was never seen with another.
    Dimensions beyond what the log supports stay zero.

    Args:
        histories: of the training split.
        n_items: N.
        width: D.

    Source:
        Levy and Goldberg, "Neural word embedding as implicit matrix factorization", 2014;
        smoothing and weights by distance as in Levy, Goldberg and Dagan, 2015.
    """
    surprise = _mutual_information(_counts(histories, n_items))
    vectors_ND = np.zeros((n_items, width))
    known = np.flatnonzero(np.diff(surprise.indptr))
    rank = min(width, len(known) - 1)
    if rank < 1:
        return vectors_ND.astype(np.float32)
    start_N = np.ones(len(known))  # not drawn: the same log gives the same vectors
    values_R, directions_NR = eigsh(surprise[known][:, known], k=rank, v0=start_N)
    found_NR = directions_NR * np.sqrt(values_R.clip(min=0))
    vectors_ND[known, :rank] = found_NR / np.linalg.norm(found_NR, axis=1).mean()
    return vectors_ND.astype(np.float32)


def _counts(histories: Histories, n_items: int) -> sp.csr_array:
    """[N, N] symmetric: how often two items were seen together, near ones counting more."""
    rows = histories.item_rows.astype(np.int64)
    owner = np.repeat(np.arange(len(histories)), histories.lengths)
    counts = sp.csr_array((n_items, n_items), dtype=np.float64)
    for distance in range(1, REACH + 1):
        same = (owner[distance:] == owner[:-distance]) & (rows[distance:] != rows[:-distance])
        pairs = (rows[distance:][same], rows[:-distance][same])
        weights = np.full(len(pairs[0]), 1 / distance)
        counts = counts + sp.csr_array((weights, pairs), shape=counts.shape)
    return sp.csr_array(counts + counts.T)


def _mutual_information(counts: sp.csr_array) -> sp.csr_array:
    """[N, N] symmetric: log of how much more often than chance, where it is more often."""
    total_N = np.asarray(counts.sum(axis=1)).ravel()
    smoothed_N = total_N**SMOOTHING
    share_N = smoothed_N / max(smoothed_N.sum(), 1.0)
    pairs = counts.tocoo()
    row, column = pairs.coords
    surprise = np.log(pairs.data / (total_N[row] * share_N[column]))
    found = sp.csr_array((surprise.clip(min=0), (row, column)), shape=counts.shape)
    symmetric = sp.csr_array((found + found.T) / 2)
    symmetric.eliminate_zeros()
    return symmetric
