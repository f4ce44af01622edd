"""Many products in one request, a line of JSON each (NDJSON); every line is judged by itself."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import orjson
from pydantic import ValidationError

from twotower.errors import DataError, UnknownItem
from twotower.retrieval.catalogue import one_product
from twotower.server.indexing import Wait
from twotower.server.live_shop import LiveShop
from twotower.server.problems import ProblemError, faults_of
from twotower.server.replies import BatchReply, RejectedLine
from twotower.server.requests import MAX_PRODUCTS, DeletedLine, ProductLine


@dataclass(frozen=True)
class _Change:
    """A product as it is to be, or None for one that goes."""

    item_id: str
    body: dict[str, Any] | None


def batch_reply(shop: LiveShop, body: bytes, wait: Wait, request_id: str) -> BatchReply:
    """Stores the products of a batch in one transaction.

    Args:
        shop: The open shop.
        body: Lines of JSON; empty ones are passed over.
        wait: Whether the answer waits until searches know of them.
        request_id: Of this request.

    Returns:
        How many were put in and taken out, and the lines that were not, from 1, with the reason.

    Raises:
        ProblemError: There are too many lines, or none.
        StorageUnavailable: The database cannot be written; nothing of the batch is acknowledged.
    """
    shop.catch_up()  # a line may take out what another process has just put in
    changes: list[_Change] = []
    rejected: list[RejectedLine] = []
    coming: dict[str, bool] = {}
    for number, line in _numbered(body):
        try:
            change = _read(shop, line, coming)
        except (DataError, UnknownItem) as error:
            rejected.append(RejectedLine(line=number, reason=str(error)))
        else:
            changes.append(change)
            coming[change.item_id] = change.body is not None
    task = None
    if changes:
        numbers = shop.database.products.store([(one.item_id, one.body) for one in changes])
        task = shop.settle(numbers, wait)
    deleted = sum(one.body is None for one in changes)
    return BatchReply(
        request_id=request_id,
        stored=len(changes) - deleted,
        deleted=deleted,
        rejected=rejected,
        indexed=task is None,
        task_id=task.task_id if task else None,
    )


def _numbered(body: bytes) -> Iterator[tuple[int, bytes]]:
    lines = [(number, line) for number, line in enumerate(body.split(b"\n"), 1) if line.strip()]
    if not 1 <= len(lines) <= MAX_PRODUCTS:
        raise ProblemError(
            "invalid-request",
            f"a batch must have 1..{MAX_PRODUCTS} lines, got {len(lines)}; send several",
        )
    yield from lines


def _read(shop: LiveShop, line: bytes, coming: dict[str, bool]) -> _Change:
    try:
        fields = orjson.loads(line)
        if not isinstance(fields, dict):
            raise DataError(f"the line must be a JSON object: got {type(fields).__name__}")
        if "deleted" in fields:
            item_id = DeletedLine.model_validate(fields).item_id
            if not coming.get(item_id, shop.known(item_id) is not None):
                raise UnknownItem(f"there is no item {item_id!r} to take out; check its id")
            return _Change(item_id, None)
        product = ProductLine.model_validate(fields)
    except orjson.JSONDecodeError as error:
        raise DataError(f"the line must be a JSON object: {error}") from error
    except ValidationError as error:
        told = "; ".join(f"{path}: {message}" for path, message in faults_of(error.errors())[:3])
        raise DataError(told) from error
    body = product.model_dump(exclude_none=True, exclude={"item_id"})
    one_product(product.item_id, body)
    return _Change(product.item_id, body)
