"""Lists that no tower makes: what is trending, what is new, what is bought together."""

from collections.abc import Mapping
from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from twotower import schema
from twotower.bundle import Bundle
from twotower.data.dataset import Dataset
from twotower.filtering.grammar import read_filter
from twotower.retrieval.answers import Answer, Parts, Reason, ReasonKind, Stopwatch
from twotower.retrieval.baskets import Baskets
from twotower.retrieval.catalogue import Catalogue
from twotower.retrieval.explain import Attention
from twotower.retrieval.listing import ByWorth, ListOptions, listed
from twotower.retrieval.page import check_page
from twotower.retrieval.rules import InForce

WEEK_MS: Final = 7 * 24 * 3_600_000
"""Trending is what happened in the last seven days: of the log, and of the live events."""
Worth = NDArray[np.float64]


class Shelves:
    """Ranks products by counts and dates, by what `Retriever` says.

    Args:
        bundle: its log is counted once.
        catalogue: its products and the live ones.
    """

    def __init__(self, bundle: Bundle, catalogue: Catalogue) -> None:
        self._catalogue, self._index = catalogue, bundle.index
        self._attention = Attention(bundle, catalogue)
        self._baskets = Baskets(bundle.dataset)
        self._lately = users_lately(bundle.dataset)

    def trending(self, lately: Mapping[str, int], asked: ListOptions) -> Answer:
        """What many different visitors were at lately; see `Retriever.trending`."""
        worth = self._zeros()
        worth[: len(self._lately)] = self._lately
        for row in self._catalogue.known_rows([*lately]).tolist():
            worth[row] += lately[self._catalogue.item_id(row)]
        definition = "products in stock that somebody was at in the last seven days"
        return self._answer("trending", "popularity", worth, definition, asked)

    def newest(self, asked: ListOptions) -> Answer:
        """What came on sale last; see `Retriever.newest`."""
        launched = self._catalogue.columns.numbers(schema.LAUNCHED)
        worth = np.where(np.isnan(launched), 0.0, launched)
        definition = "products in stock whose first day on sale is known"
        return self._answer("newest", "launch", worth, definition, asked)

    def also_bought(self, item_id: str, asked: ListOptions) -> Answer:
        """What goes into the same baskets; see `Retriever.also_bought`."""
        worth = self._zeros()
        together = self._baskets.together(self._catalogue.row(item_id))
        worth[: len(together)] = together
        definition = "products in stock that a buyer of this product took too"
        return self._answer("also_bought", "baskets", worth, definition, asked)

    def _zeros(self) -> Worth:
        return np.zeros(len(self._catalogue.columns.available))

    def _answer(
        self, mode: str, reason: ReasonKind, worth: Worth, definition: str, asked: ListOptions
    ) -> Answer:
        """The products that are worth more than nothing, best first."""
        check_page(asked.k, 0)
        watch = Stopwatch()
        rules = InForce.of(asked.rules, self._catalogue, mode)
        expression = None if asked.filter is None else read_filter(asked.filter)
        out = self._catalogue.known_rows(asked.exclude)
        allowed = self._catalogue.recommendable(out, expression)
        some = worth > 0
        found = listed(
            ByWorth(worth, float(worth[some].mean()) if some.any() else 0.0),
            allowed,
            asked,
            rules,
            index=self._index,
            columns=self._catalogue.columns,
            among=some,
        )
        watch.lap("count")
        scores = (found.scores + found.unit * rules.lifts(found.rows)).astype(np.float32)
        hits = self._catalogue.hits(found.rows, scores, [Parts()] * len(scores), 0)
        if asked.explain:
            own = [(Reason(reason, score),) for score in found.scores.tolist()]
            hits = self._attention.explained(hits, rules.with_reasons(found.rows, own, found.unit))
        return Answer(
            hits=rules.marked(hits),
            total=found.total,
            total_definition=definition,
            took_ms=watch.took_ms(),
            mode=mode,
        )


def users_lately(dataset: Dataset) -> NDArray[np.int64]:
    """int64[N] different users of each item in the last week of the log.

    All of the log counts where it has no clock; nothing without events.
    """
    counts = np.zeros(dataset.n_items, np.int64)
    if dataset.events is None or len(dataset.events) == 0:
        return counts
    events = dataset.events
    if schema.TIME in events.columns and (last := events[schema.TIME].max()) is not None:
        events = events.filter(pl.col(schema.TIME) > pl.lit(last) - WEEK_MS)
    users = events.group_by(schema.ITEM_ROW).agg(pl.col(schema.USER_ID).n_unique())
    counts[users[schema.ITEM_ROW].to_numpy()] = users[schema.USER_ID].to_numpy()
    return counts
