"""Keeping this process at the products of the database, whichever process wrote them."""

import logging
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from itertools import groupby

from twotower.errors import UnknownItem
from twotower.retrieval.retriever import Retriever
from twotower.server.following import Follower
from twotower.shop.products import Products
from twotower.shop.records import ProductChange

_log = logging.getLogger(__name__)
_PAGE = 500


class Replica:
    """A cursor into the feed of products, and the retriever that is kept there.

    The feed is the only way into the retriever: what this process writes itself is found by
    catching up too, so every process applies the same changes in the same order.

    Args:
        retriever: Takes the products in.
        products: Of the database.
        changed: Called with the cursor after changes were applied.
    """

    def __init__(
        self, retriever: Retriever, products: Products, changed: Callable[[int], None]
    ) -> None:
        self._retriever = retriever
        self._products = products
        self._changed = changed
        self._cursor, self._position = 0, ""
        self._applying = threading.Lock()
        self._follower = Follower("replica", "other processes", self.catch_up)

    @property
    def position(self) -> str:
        """Names the last change that was applied, also beside those of other databases."""
        return self._position

    @property
    def cursor(self) -> int:
        """The number of the last change that was applied."""
        return self._cursor

    def catch_up(self) -> None:
        """Applies every change stored before the call; raises `StorageUnavailable`."""
        with self._applying:
            more = True
            while more and not self._follower.is_ending:
                changes = self._products.after(self._cursor, limit=_PAGE)
                self._apply(changes)
                self._moved(changes)
                self._changed(self._cursor)
                more = len(changes) == _PAGE

    def _moved(self, changes: Sequence[ProductChange]) -> None:
        if changes:
            last = changes[-1]
            self._position = f"{last.number} {last.updated} {last.item_id}"
            self._cursor = last.number

    def follow(self, interval_s: float) -> None:
        """Catches up again and again, in the background, until `stop`."""
        self._follower.start(interval_s)

    def stop(self) -> None:
        """Ends following, and waits for what is being applied."""
        self._follower.stop()

    def end(self) -> None:
        """Ends following, and waits for nothing."""
        self._follower.end()

    def _apply(self, changes: Sequence[ProductChange]) -> None:
        """In their order; neighbours that are put in are put in together."""
        for is_removal, part in groupby(changes, lambda change: change.body is None):
            if is_removal:
                for change in part:
                    with suppress(UnknownItem):  # it came and went between two looks
                        self._retriever.remove_item(change.item_id)
            else:
                bodies = [(change.item_id, change.body or {}) for change in part]
                for item_id, fault in self._retriever.put_items(bodies).items():
                    _log.error("live product %r cannot be indexed, left out: %s", item_id, fault)
