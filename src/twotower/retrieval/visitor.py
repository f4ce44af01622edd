"""A visitor as a vector beside the items."""

import time

import numpy as np

from twotower.bundle import Bundle
from twotower.features.history import Histories, History
from twotower.index.base import Rows, Vectors


def user_vector(bundle: Bundle, history: History, now_ms: int | None = None) -> Vectors:
    """float32[D] from the user tower; live products in the history count like all others.

    Args:
        bundle: with a user tower.
        history: oldest first, may be empty: then the tower's start state answers.
        now_ms: the present, UTC milliseconds; the clock's when not given.
    """
    rows, places = np.unique(history.item_rows.astype(np.int64), return_inverse=True)
    towers = bundle.model.towers
    vectors = bundle.index.vectors(rows) if len(rows) else np.zeros((1, towers.width), np.float32)
    local = History(places.astype(np.int32), history.kinds, history.times)
    now = time.time_ns() // 1_000_000 if now_ms is None else now_ms
    vector: Vectors = towers.users(
        vectors, Histories.from_lists([local]), now, ids=_ids(bundle, rows)
    )[0]
    return vector


def _ids(bundle: Bundle, rows: Rows) -> Rows:
    """int64[R] rows in the table of ids, at least one; products put in since have none."""
    known = bundle.model.ids
    ids = np.zeros(max(len(rows), 1), np.int64)
    old = np.flatnonzero(rows < len(known))
    ids[old] = known[rows[old]]
    return ids


def average_vector(bundle: Bundle, history: History) -> Vectors:
    """float32[D] the direction in the middle of the history's items, one count per event."""
    vectors = bundle.index.vectors(history.item_rows)
    lengths = np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)
    mean: Vectors = (vectors / lengths).mean(axis=0)
    return mean
