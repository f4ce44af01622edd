"""Products that were put in, patched or deleted since the bundle was built."""

import time
from collections.abc import Mapping, Sequence
from typing import Any

import orjson
from sqlalchemy import select, update
from sqlalchemy.engine import Connection

from twotower.errors import UnknownItem
from twotower.shop.feeds import PRODUCTS, last_number, take_numbers
from twotower.shop.records import ProductChange
from twotower.shop.tables import products
from twotower.shop.transactions import Transactions

_NS_PER_MS = 1_000_000


class Products:
    """The live products of one database; safe to share between threads and processes.

    Args:
        transactions: Of the open database.
    """

    def __init__(self, transactions: Transactions) -> None:
        self._transactions = transactions

    def upsert(self, item_id: str, body: Mapping[str, Any]) -> ProductChange:
        """Stores a product, or replaces it whole; on disk when this returns.

        Args:
            item_id: The shop's id.
            body: Its fields by `schema` name.

        Returns:
            The change.

        Raises:
            StorageUnavailable: It cannot be written; the change is not acknowledged.
        """
        with self._transactions.writing() as connection:
            [number] = take_numbers(connection, PRODUCTS, 1)
            return _stored(connection, number, item_id, dict(body))

    def patch(
        self, item_id: str, fields: Mapping[str, Any], *, base: Mapping[str, Any] | None
    ) -> ProductChange:
        """Changes some fields of a product; on disk when this returns.

        Of patches at once, by whichever process, all count: each starts from what the one
        before it stored.

        Args:
            item_id: The shop's id.
            fields: By `schema` name; None takes a field away.
            base: The product as the bundle has it, for one that is not stored yet.

        Returns:
            The change, with the whole product.

        Raises:
            UnknownItem: The product is neither stored nor in the bundle, or was deleted.
            StorageUnavailable: It cannot be written; the change is not acknowledged.
        """
        with self._transactions.writing() as connection:
            [number] = take_numbers(connection, PRODUCTS, 1)
            before = _body_now(connection, item_id, base)
            if before is None:
                raise UnknownItem(
                    f"there is no item {item_id!r} to change; put it in whole, or check its id"
                )
            whole = {**before, **fields}
            kept = {name: value for name, value in whole.items() if value is not None}
            return _stored(connection, number, item_id, kept)

    def delete(self, item_id: str) -> ProductChange:
        """Takes a product out, one of the bundle too; on disk when this returns.

        Args:
            item_id: The shop's id; it need not be stored here.

        Returns:
            The change.

        Raises:
            StorageUnavailable: It cannot be written; the change is not acknowledged.
        """
        with self._transactions.writing() as connection:
            [number] = take_numbers(connection, PRODUCTS, 1)
            return _stored(connection, number, item_id, None)

    def store(self, changes: Sequence[tuple[str, Mapping[str, Any] | None]]) -> range:
        """Stores many products in one transaction; on disk when this returns.

        Args:
            changes: One or more ids with their fields by `schema` name, None for one that goes;
                of an id given twice the last counts.

        Returns:
            Their numbers in the feed.

        Raises:
            StorageUnavailable: It cannot be written; none of them is acknowledged.
        """
        with self._transactions.writing() as connection:
            numbers = take_numbers(connection, PRODUCTS, len(changes))
            for number, (item_id, body) in zip(numbers, changes, strict=True):
                _stored(connection, number, item_id, None if body is None else dict(body))
        return numbers

    def last_number(self) -> int:
        """Gives the number of the newest change, 0 before the first.

        Raises:
            StorageUnavailable: It cannot be read.
        """
        with self._transactions.reading() as connection:
            return last_number(connection, PRODUCTS)

    def after(self, cursor: int, *, limit: int) -> list[ProductChange]:
        """Follows the feed of products; of each product only its newest change is in it.

        Args:
            cursor: The number read last; 0 begins with the first.
            limit: At most this many, 1 or more.

        Returns:
            Changes, ascending by number; going on from the last number misses nothing.

        Raises:
            StorageUnavailable: It cannot be read.
        """
        following = (
            select(products)
            .where(products.c.change > cursor)
            .order_by(products.c.change)
            .limit(limit)
        )
        with self._transactions.reading() as connection:
            rows = connection.execute(following).all()
        return [
            ProductChange(row.change, row.item_id, _body(row.deleted, row.body), row.updated)
            for row in rows
        ]


def _body_now(
    connection: Connection, item_id: str, base: Mapping[str, Any] | None
) -> Mapping[str, Any] | None:
    """What is stored, else the base; None for a product that was deleted or never was."""
    stored = select(products.c.deleted, products.c.body).where(products.c.item_id == item_id)
    row = connection.execute(stored).one_or_none()
    return base if row is None else _body(row.deleted, row.body)


def _body(deleted: bool, stored: str) -> dict[str, Any] | None:  # noqa: FBT001 - two columns of a row
    return None if deleted else orjson.loads(stored)


def _stored(
    connection: Connection, number: int, item_id: str, body: dict[str, Any] | None
) -> ProductChange:
    """Writes one change; its number keeps other writers of products out meanwhile."""
    change = ProductChange(number, item_id, body, time.time_ns() // _NS_PER_MS)
    values = {
        "body": orjson.dumps(body or {}).decode(),
        "updated": change.updated,
        "change": number,
        "deleted": body is None,
    }
    known = update(products).where(products.c.item_id == item_id).values(values)
    if connection.execute(known).rowcount == 0:
        connection.execute(products.insert().values(item_id=item_id, **values))
    return change
