"""The open shop behind the routes: the bundle's answers joined with the live database."""

import logging
import threading
import time
from collections.abc import Sequence

import numpy as np

from twotower import schema
from twotower.errors import DataError, TwoTowerError, UnknownItem
from twotower.features.history import Histories, History
from twotower.retrieval.retriever import Retriever
from twotower.server.event_times import event_time
from twotower.server.metrics import Metrics
from twotower.server.requests import EventIn, ProductIn
from twotower.server.settings import ServerSettings
from twotower.server.user_log import UserLog
from twotower.shop.database import ShopDatabase
from twotower.shop.records import LiveEvent, Rejection, Verdicts

_log = logging.getLogger(__name__)
_NS_PER_MS = 1_000_000
_WARM_UP_WORDS = 200


class LiveShop:
    """One bundle and one database, open; safe to share between threads.

    `is_ready` says that live products are in the index and real queries were answered.

    Args:
        retriever: Answers from a loaded bundle.
        database: The live side.
        settings: What to refuse, and how much to read.
        metrics: What counts.
    """

    def __init__(
        self,
        retriever: Retriever,
        database: ShopDatabase,
        settings: ServerSettings,
        metrics: Metrics,
    ) -> None:
        self.retriever = retriever
        self.database = database
        self.settings = settings
        self.metrics = metrics
        self.log = UserLog(retriever.bundle.dataset.events)
        self.is_ready = False
        self._putting = threading.Lock()

    def open(self) -> None:
        """Replays the live products into the index, then answers real queries once."""
        for product in self.database.live_products():
            try:
                self.retriever.put_item(product.item_id, product.body)
            except TwoTowerError:
                _log.exception("live product %r cannot be indexed, left out", product.item_id)
        self._warm_up()
        self.metrics.catalogue(self.retriever.n_items)
        self.is_ready = True

    def close(self) -> None:
        """Says no longer ready, and closes the database."""
        self.is_ready = False
        self.database.close()

    def _warm_up(self) -> None:
        items = self.retriever.bundle.dataset.items
        rows = np.linspace(0, len(items) - 1, min(self.settings.warm_up_queries, len(items)))
        for row in rows.astype(int):
            item_id, title = items.select(schema.ITEM_ID, schema.TITLE).row(int(row))
            self.retriever.search(title[:_WARM_UP_WORDS].strip() or item_id, k=10)
            self.retriever.similar(item_id, k=10)
            self.retriever.recommend(History.of([int(row)]), k=10)

    # -- visitors ------------------------------------------------------------------

    def history(self, visitor_id: str | None, user_id: str | None) -> History:
        """Gives what a visitor did, oldest first: the log's events of the user, then live ones.

        Args:
            visitor_id: The browser or device.
            user_id: The known user.

        Returns:
            The newest `settings.max_history` events; runs of one item are one event.
        """
        limit = self.settings.max_history
        live = self.database.recent_events(visitor_id, user_id, limit=limit)
        known = [(row, one) for one in live if (row := self._row(one.item_id)) is not None]
        lately = History.of(
            [row for row, _ in known],
            [schema.KIND_CODE[one.event] for _, one in known],
            [one.time for _, one in known],
        )
        joined = _joined(self.log.history(user_id), lately)
        newest = History(joined.item_rows[-limit:], joined.kinds[-limit:], joined.times[-limit:])
        return Histories.from_lists([newest]).collapsed()[0]

    def record(self, batch: Sequence[EventIn]) -> Verdicts:
        """Stores a batch of events; what is accepted is on disk when this returns.

        Args:
            batch: Events as they came in.

        Returns:
            What became of each.

        Raises:
            OutputError: The database cannot be written; nothing was stored.
        """
        now_ms = time.time_ns() // _NS_PER_MS
        sound: list[LiveEvent] = []
        rejected: list[Rejection] = []
        for one in batch:
            try:
                sound.append(self._read(one, now_ms))
            except (DataError, UnknownItem) as error:
                rejected.append(Rejection(one.event_id, str(error)))
        stored = self.database.add_events(sound)
        verdicts = Verdicts(stored.accepted, stored.duplicate, (*rejected, *stored.rejected))
        self.metrics.stored(len(verdicts.accepted), len(verdicts.duplicate), len(verdicts.rejected))
        return verdicts

    def knows(self, item_id: str) -> bool:
        """Says whether the catalogue has the item now."""
        return self._row(item_id) is not None

    def _read(self, one: EventIn, now_ms: int) -> LiveEvent:
        self.retriever.item_row(one.item_id)
        return LiveEvent(
            event_id=one.event_id,
            visitor_id=one.visitor_id,
            user_id=one.user_id,
            item_id=one.item_id,
            event=one.event,
            time=event_time(one.time, now_ms=now_ms, ahead_s=self.settings.max_clock_ahead_s),
            received=now_ms,
            request_id=one.request_id,
        )

    def _row(self, item_id: str) -> int | None:
        """The item's row; None for an item of an earlier bundle that this one lacks."""
        try:
            return self.retriever.item_row(item_id)
        except UnknownItem:
            return None

    # -- products ------------------------------------------------------------------

    def put_product(self, item_id: str, product: ProductIn) -> None:
        """Indexes and stores a product; both are done when this returns.

        Args:
            item_id: The shop's id.
            product: Its fields.

        Raises:
            OutputError: The database cannot be written; the product lasts until the next start.
        """
        body = product.model_dump(exclude_none=True)
        with self._putting:
            self.retriever.put_item(item_id, body)
            self.database.upsert_product(item_id, body)
        self.metrics.catalogue(self.retriever.n_items)


def _joined(earlier: History, later: History) -> History:
    """Two histories as one, oldest first; the log keeps its order where it has no clock."""
    joined = History(
        np.concatenate([earlier.item_rows, later.item_rows]),
        np.concatenate([earlier.kinds, later.kinds]),
        np.concatenate([earlier.times, later.times]),
    )
    if len(joined) == 0 or joined.times.min() < 0:
        return joined
    order = np.argsort(joined.times, kind="stable")
    return History(joined.item_rows[order], joined.kinds[order], joined.times[order])
