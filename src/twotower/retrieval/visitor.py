"""A visitor as a vector beside the items."""

import time
from collections.abc import Sequence

import numpy as np

from twotower.bundle import Bundle
from twotower.features.history import Histories, History
from twotower.index.base import Rows, Vectors


def user_vectors(
    bundle: Bundle, histories: Sequence[History], now_ms: int | None = None
) -> Vectors:
    """float32[U, D] from the user tower; live products in a history count like all others.

    Args:
        bundle: with a user tower.
        histories: oldest first, may be empty: then the tower's start state answers.
        now_ms: the present, UTC milliseconds; the clock's when not given.
    """
    joined = Histories.from_lists(histories)
    rows, places = np.unique(joined.item_rows.astype(np.int64), return_inverse=True)
    towers = bundle.model.towers
    vectors = bundle.index.vectors(rows) if len(rows) else np.zeros((1, towers.width), np.float32)
    local = Histories(places.astype(np.int32), joined.kinds, joined.times, joined.offsets)
    now = time.time_ns() // 1_000_000 if now_ms is None else now_ms
    users: Vectors = towers.users(vectors, local, now, ids=_ids(bundle, rows))
    return users


def _ids(bundle: Bundle, rows: Rows) -> Rows:
    """int64[R] rows in the table of ids, at least one; products put in since have none."""
    known = bundle.model.ids
    ids = np.zeros(max(len(rows), 1), np.int64)
    old = np.flatnonzero(rows < len(known))
    ids[old] = known[rows[old]]
    return ids


def average_vectors(
    bundle: Bundle, histories: Sequence[History], _now_ms: int | None = None
) -> Vectors:
    """float32[U, D] the direction in the middle of a history's items, one count per event.

    A history of nothing is in no direction. When it happened plays no part.
    """
    found = np.zeros((len(histories), bundle.index.width), np.float32)
    for place, history in enumerate(histories):
        if len(history):
            vectors = bundle.index.vectors(history.item_rows)
            lengths = np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)
            found[place] = (vectors / lengths).mean(axis=0)
    return found
