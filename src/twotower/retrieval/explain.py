"""Why a hit has its score: parts that sum to it, and never a story that it does not contain.

A search's score is a sum already. A visitor's vector is not: the user tower reads a history as
a whole. So the share of an item of the history is what the score loses when the visitor had
never touched that item, and what these shares leave over is a part of its own, `rest`: what the
tower makes of anyone, and what several items only say together.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from twotower.bundle import Bundle
from twotower.features.history import History
from twotower.features.text import item_texts
from twotower.index.base import Rows, Vectors
from twotower.retrieval.answers import Hit, Reason
from twotower.retrieval.catalogue import Catalogue
from twotower.retrieval.visitor import average_vectors, user_vectors

MAX_ITEMS: Final = 50
"""Items of a history whose share is worked out, the newest; the others are in `rest`."""
_NO_WORDS: Final = 1e-12
Shares = NDArray[np.floating]


def query_reasons(
    typed: Sequence[str], shares: Shares, near: Shares | None, matching: Shares
) -> list[tuple[Reason, ...]]:
    """Of each hit, what meaning and each word that it holds add to its score.

    Args:
        typed: the words of each of S parts of the query.
        shares: float[S, R] what each part adds to the score by words.
        near: float[R] what meaning adds; None where it had no say.
        matching: float[R] what all words add together; see `blend.blend_parts`.
    """
    wholes = np.maximum(shares.sum(axis=0, dtype=np.float64), _NO_WORDS)
    values = shares * (matching / wholes)
    found = []
    for place, own in enumerate(values.T.tolist()):
        reasons = [
            Reason("words", value, words=words)
            for words, value in zip(typed, own, strict=True)
            if value
        ]
        if near is not None:
            reasons.append(Reason("meaning", float(near[place])))
        found.append(tuple(sorted(reasons, key=lambda reason: -reason.value)))
    return found


def history_shares(
    bundle: Bundle, history: History, rows: Rows, *, now_ms: int | None = None
) -> tuple[Rows, Shares]:
    """What each item of a history adds to the scores of rows.

    Args:
        bundle: whose towers answered.
        history: of the visitor.
        rows: int64[R] of the hits.
        now_ms: the present, UTC milliseconds.

    Returns:
        int64[I] rows of the newest items of the history, and float64[I, R] by how much each
        score falls without all events of that item; of an average, what its events add.
    """
    rows_backwards = history.item_rows[::-1].tolist()
    items = np.array([*dict.fromkeys(rows_backwards)][:MAX_ITEMS], np.int64)
    hits, each = bundle.index.vectors(rows), items.tolist()
    if not bundle.model.towers.has_users:
        counts = np.array([np.count_nonzero(history.item_rows == one) for one in each])
        alone = average_vectors(bundle, [History.of([one]) for one in each])
        return items, _inner_products(alone, hits) * counts[:, None] / max(len(history), 1)
    asked = [history, *(_without(history, one) for one in each)]
    scores = _inner_products(user_vectors(bundle, asked, now_ms), hits)
    return items, scores[:1] - scores[1:]


def history_reasons(
    catalogue: Catalogue, items: Rows, shares: Shares, scores: Shares
) -> list[tuple[Reason, ...]]:
    """Of each hit, the shares of the history's items, the greatest first, and the rest.

    Args:
        catalogue: knows the ids.
        items: int64[I] rows of the history's items.
        shares: float64[I, R] what each adds to the score of each hit.
        scores: float[R] of the hits, without what rules add.
    """
    item_ids = [catalogue.item_id(row) for row in items.tolist()]
    found = []
    for own, score in zip(shares.T, scores.tolist(), strict=True):
        order = np.argsort(-own, kind="stable").tolist()
        named = [Reason("history", float(own[one]), item_ids[one]) for one in order]
        found.append((*named, Reason("rest", float(score - own.sum()))))
    return found


class Attention:
    """How much each feature of a product weighs in its vector.

    Args:
        bundle: has the weights of its own products.
        catalogue: knows the live ones, whose weights are worked out when they are asked for.
    """

    def __init__(self, bundle: Bundle, catalogue: Catalogue) -> None:
        self._model, self._catalogue = bundle.model, catalogue
        self._names = [feature.name for feature in bundle.model.features.features]

    def explained(
        self, hits: Sequence[Hit], reasons: Sequence[tuple[Reason, ...]]
    ) -> tuple[Hit, ...]:
        """The hits with their reasons, and with the attention of their features."""
        return tuple(
            replace(hit, reasons=why, attention=self.of(hit.item_row))
            for hit, why in zip(hits, reasons, strict=True)
        )

    def of(self, row: int) -> dict[str, float]:
        """Feature -> how much it weighs in a product's vector, the greatest first."""
        live = self._catalogue.live_table(row)
        weights = self._model.attention[row] if live is None else self._weights(live)
        pairs = zip(self._names, weights.tolist(), strict=True)
        return dict(sorted(pairs, key=lambda pair: -pair[1]))

    def _weights(self, items: pl.DataFrame) -> Vectors:
        model = self._model
        texts = item_texts(items, model.features.config.text_fields)
        arrays = model.features.encode(items, model.text_encoder.encode(texts))
        weights: Vectors = model.towers.items(arrays)[1][0]
        return weights


def _without(history: History, item: int) -> History:
    kept = history.item_rows != item
    return History(history.item_rows[kept], history.kinds[kept], history.times[kept])


def _inner_products(users: Vectors, items: Vectors) -> Shares:
    products: Shares = users.astype(np.float64) @ items.astype(np.float64).T
    return products
