"""Lists that no tower makes: what is trending, what is new, what is bought together."""

from collections.abc import Mapping
from typing import Final, cast

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
"""Trending is what happened in the last seven days: in the log, and live since its end."""
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
        self._log = LogWeek(bundle.dataset)

    @property
    def log_ends(self) -> int | None:
        """When the last event of the log was, UTC milliseconds; None without a clock."""
        return self._log.ends

    def trending(self, lately: Mapping[str, int], since_ms: int, asked: ListOptions) -> Answer:
        """What many different visitors were at lately; see `Retriever.trending`."""
        worth = self._zeros()
        logged = self._log.users_since(since_ms)
        worth[: len(logged)] = logged
        for row in self._catalogue.known_rows([*lately]).tolist():
            worth[row] += lately[self._catalogue.item_id(row)]
        ages = "in the last seven days" if self._log.has_clock else "in the log or lately"
        definition = f"products in stock that somebody was at {ages}"
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


class LogWeek:
    """Who was at which item in the last week of the log; all of the log where it has no clock.

    Args:
        dataset: With its events; without any, nobody was anywhere.
    """

    def __init__(self, dataset: Dataset) -> None:
        self._n_items = dataset.n_items
        self.has_clock = True
        self.ends: int | None = None
        """When its last event was, UTC milliseconds; None without events or clock."""
        self._rows: NDArray[np.int64] = np.zeros(0, np.int64)
        self._times: NDArray[np.int64] = np.zeros(0, np.int64)
        """int64[P]: items and times of each user's last event with an item, ascending."""
        if dataset.events is not None and len(dataset.events):
            self._read(dataset.events)

    def users_since(self, since_ms: int) -> NDArray[np.int64]:
        """int64[N] different users of each item from this time on, UTC milliseconds.

        At most those of the log's last week; all of them where it has no clock.
        """
        first = np.searchsorted(self._times, since_ms) if self.has_clock else 0
        return np.bincount(self._rows[first:], minlength=self._n_items)

    def _read(self, events: pl.DataFrame) -> None:
        if schema.TIME not in events.columns or (last := events[schema.TIME].max()) is None:
            self.has_clock = False
            pairs = events.select(schema.ITEM_ROW, schema.USER_ID).unique()
        else:
            self.ends = int(cast(int, last))
            week = events.filter(pl.col(schema.TIME) > self.ends - WEEK_MS)
            newest = week.group_by(schema.ITEM_ROW, schema.USER_ID).agg(pl.col(schema.TIME).max())
            pairs = newest.sort(schema.TIME)
            self._times = pairs[schema.TIME].to_numpy()
        self._rows = pairs[schema.ITEM_ROW].to_numpy().astype(np.int64)
