"""The open shop behind the routes: the bundle's answers joined with the live database."""

import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

import numpy as np

from twotower import schema
from twotower.errors import DataError, UnknownItem
from twotower.features.history import Histories, History
from twotower.retrieval.catalogue import one_product
from twotower.retrieval.retriever import Retriever
from twotower.server.answer_cache import AnswerCache
from twotower.server.erased import Erased
from twotower.server.event_times import event_time
from twotower.server.indexing import IndexingTask, Wait, unknown_task
from twotower.server.metrics import Metrics
from twotower.server.replica import Replica
from twotower.server.requests import EventIn, ProductIn, ProductPatch
from twotower.server.rulebook import Rulebook
from twotower.server.settings import ServerSettings
from twotower.server.user_log import UserLog
from twotower.shop.database import ShopDatabase
from twotower.shop.records import LiveEvent, ProductChange, Rejection, Verdicts

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
        stored: Called when a product is stored, to bring every open bundle up to date.
        erased: Whom the bundle's log is silent about.
        rulebook: What the shop wants in its lists.
        cache: Answers that were given before.
    """

    def __init__(
        self,
        retriever: Retriever,
        database: ShopDatabase,
        settings: ServerSettings,
        metrics: Metrics,
        stored: Callable[[], None],
        erased: Erased,
        rulebook: Rulebook,
        cache: AnswerCache,
    ) -> None:
        self.retriever = retriever
        self.database = database
        self.settings = settings
        self.metrics = metrics
        self._stored, self.erased, self.rulebook = stored, erased, rulebook
        self.cache = cache
        self.log = UserLog(retriever.bundle.dataset.events, erased)
        self.is_ready = False
        self._replica = Replica(retriever, database.products, self._changed)

    def open(self) -> None:
        """Replays the live products into the index, then answers real queries once.

        From then on it follows what other processes on the same database write.
        """
        self._replica.catch_up()
        self._warm_up()
        self._replica.follow(self.settings.follow_interval_s)
        self.is_ready = True

    def close(self) -> None:
        """Says no longer ready, and stops following; waits for what is being applied."""
        self.is_ready = False
        self._replica.stop()

    def retire(self) -> None:
        """Stops following, and waits for nothing: nobody asks this shop any more."""
        self._replica.end()

    @property
    def stamp(self) -> str:
        """Names the state of all that the answer to a search depends on, beside the rules."""
        return f"{self.retriever.bundle.version} {self._replica.position}"

    def catch_up(self) -> None:
        """Applies every product stored before the call; raises `StorageUnavailable`."""
        self._replica.catch_up()

    def _changed(self, cursor: int) -> None:
        self.metrics.catalogue(self.retriever.n_items, cursor)

    def _warm_up(self) -> None:
        items = self.retriever.bundle.dataset.items
        rows = np.linspace(0, len(items) - 1, min(self.settings.warm_up_queries, len(items)))
        for row in rows.astype(int):
            item_id, title = items.select(schema.ITEM_ID, schema.TITLE).row(int(row))
            self.retriever.search(title[:_WARM_UP_WORDS].strip() or item_id, k=10)
            with suppress(UnknownItem):  # it was deleted since
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

        Raises:
            StorageUnavailable: The live events cannot be read; `logged` needs no database.
        """
        limit = self.settings.max_history
        live = self.database.events.recent(visitor_id, user_id, limit=limit)
        known = [(row, one) for one in live if (row := self._row(one.item_id)) is not None]
        lately = History.of(
            [row for row, _ in known],
            [schema.KIND_CODE[one.event] for _, one in known],
            [one.time for _, one in known],
        )
        return self._newest(_joined(self.log.history(user_id), lately))

    def logged(self, user_id: str | None) -> History:
        """Gives what a user did before the bundle was built, as `history` does."""
        return self._newest(self.log.history(user_id))

    def _newest(self, whole: History) -> History:
        limit = self.settings.max_history
        newest = History(whole.item_rows[-limit:], whole.kinds[-limit:], whole.times[-limit:])
        return Histories.from_lists([newest]).collapsed()[0]

    def record(self, batch: Sequence[EventIn]) -> Verdicts:
        """Stores a batch of events; what is accepted is on disk when this returns.

        Args:
            batch: Events as they came in.

        Returns:
            What became of each.

        Raises:
            StorageUnavailable: The database cannot be written; nothing is acknowledged.
        """
        if any(self._row(one.item_id) is None for one in batch):
            self._replica.catch_up()  # another process may have just put the item in
        now_ms = time.time_ns() // _NS_PER_MS
        sound: list[LiveEvent] = []
        rejected: list[Rejection] = []
        for one in batch:
            try:
                sound.append(self._read(one, now_ms))
            except (DataError, UnknownItem) as error:
                rejected.append(Rejection(one.event_id, str(error)))
        stored = self.database.events.add(sound)
        verdicts = Verdicts(stored.accepted, stored.duplicate, (*rejected, *stored.rejected))
        self.metrics.stored(len(verdicts.accepted), len(verdicts.duplicate), len(verdicts.rejected))
        return verdicts

    def known(self, item_id: str) -> dict[str, Any] | None:
        """What is known of an item now, by `schema` name; None when the catalogue lacks it."""
        try:
            return self.retriever.product(item_id)
        except UnknownItem:
            return None

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

    def put_product(self, item_id: str, product: ProductIn) -> ProductChange:
        """Stores a product.

        Args:
            item_id: The shop's id.
            product: Its fields.

        Returns:
            The change.

        Raises:
            DataError: It cannot be indexed; nothing was stored.
            StorageUnavailable: The database cannot be written; nothing is acknowledged.
        """
        body = product.model_dump(exclude_none=True)
        one_product(item_id, body)
        return self.database.products.upsert(item_id, body)

    def patch_product(self, item_id: str, patch: ProductPatch) -> ProductChange:
        """Stores the given fields of a product.

        Args:
            item_id: The shop's id.
            patch: The fields to set; one that is null is taken away.

        Returns:
            The change, with the whole product.

        Raises:
            UnknownItem: There is no such product.
            StorageUnavailable: The database cannot be written; nothing is acknowledged.
        """
        fields = patch.model_dump(exclude_unset=True)
        return self.database.products.patch(item_id, fields, base=_body(self.known(item_id)))

    def delete_product(self, item_id: str) -> ProductChange:
        """Stores that a product is gone.

        Args:
            item_id: The shop's id.

        Returns:
            The change.

        Raises:
            UnknownItem: There is no such product.
            StorageUnavailable: The database cannot be written; nothing is acknowledged.
        """
        self._replica.catch_up()
        self.retriever.item_row(item_id)
        return self.database.products.delete(item_id)

    def settle(self, numbers: range, wait: Wait) -> IndexingTask | None:
        """Brings every open bundle up to date with stored changes, where that is waited for.

        Args:
            numbers: Of the changes in the feed of products, one or more.
            wait: `indexed` waits; `stored` leaves it to those who follow the feed.

        Returns:
            The task that is left, if any.
        """
        if wait == "stored":
            return IndexingTask(numbers[0], numbers[-1])
        self._stored()
        return None

    def progress(self, task: IndexingTask) -> float:
        """How much of a task this process has done, 0 to 1.

        Raises:
            ProblemError: There is no such task.
            StorageUnavailable: The database cannot be read.
        """
        if task.last > max(self._replica.cursor, self.database.products.last_number()):
            raise unknown_task(task.task_id)
        return task.progress(self._replica.cursor)


def _body(known: dict[str, Any] | None) -> dict[str, Any] | None:
    """The fields that a product is put in with, of what is known of it."""
    if known is None:
        return None
    return {name: known[name] for name in ProductIn.model_fields if known.get(name) is not None}


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
