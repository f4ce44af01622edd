"""/v1/products: one, its picture, and many at once; /v1/tasks: how far the server is with them."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Body, Query
from starlette.responses import Response

from twotower.errors import DataError
from twotower.schema import ITEM_ID
from twotower.server.answers import as_item
from twotower.server.batches import batch_reply
from twotower.server.context import IdInPath, RequestId, Shop
from twotower.server.images import SVG_POLICY, SVG_TYPE, decode_picture, is_data_uri
from twotower.server.indexing import IndexingTask, Wait
from twotower.server.keyed_route import OPEN, KeyedRoute, needs
from twotower.server.live_shop import LiveShop
from twotower.server.problems import ProblemError
from twotower.server.replies import (
    BatchReply,
    ChangedProductReply,
    DeletedProductReply,
    ProductReply,
    TaskReply,
)
from twotower.server.requests import ProductIn, ProductPatch
from twotower.shop.records import ProductChange

router = APIRouter(tags=["products"], route_class=KeyedRoute)
_Wait = Annotated[
    Wait,
    Query(description="`stored`: answer when it is on disk, and say how to ask for the rest."),
]
_Lines = Annotated[bytes, Body(media_type="application/x-ndjson")]
_FIVE_MINUTES = "private, max-age=300"


@router.get("/v1/products/{item_id:path}/image", response_class=Response, openapi_extra=OPEN)
def product_image(item_id: IdInPath, shop: Shop) -> Response:
    """Serves a picture that the catalogue holds itself, as a `data:` URI."""
    image = shop.retriever.product(item_id).get("image")
    if not is_data_uri(image):
        raise ProblemError("not-found", f"the catalogue holds no picture of item {item_id!r}")
    try:
        picture = decode_picture(image)
    except DataError as error:
        raise ProblemError("not-found", f"the picture of item {item_id!r}: {error}") from error
    headers = {"Cache-Control": _FIVE_MINUTES}
    if picture.media_type == SVG_TYPE:
        headers["Content-Security-Policy"] = SVG_POLICY
    return Response(picture.body, media_type=picture.media_type, headers=headers)


@router.post("/v1/products:batch", openapi_extra=needs("admin"))
def change_products(
    lines: _Lines, shop: Shop, request_id: RequestId, wait: _Wait = "indexed"
) -> BatchReply:
    """Puts in and takes out many products, a line of JSON each; each line is judged by itself.

    A line is a product with its `item_id`, or `{"item_id": ..., "deleted": true}`. Those that
    are sound are on disk in one step, and found by the next search unless `wait=stored`.
    """
    return batch_reply(shop, lines, wait, request_id)


@router.get("/v1/products/{item_id:path}", openapi_extra=needs("search"))
def product(item_id: IdInPath, shop: Shop, request_id: RequestId) -> ProductReply:
    """Gives one product."""
    return ProductReply(request_id=request_id, item=as_item(shop.retriever.product(item_id)))


@router.put("/v1/products/{item_id:path}", openapi_extra=needs("admin"))
def put_product(
    item_id: IdInPath,
    product: ProductIn,
    shop: Shop,
    request_id: RequestId,
    wait: _Wait = "indexed",
) -> ChangedProductReply:
    """Adds or replaces a product; it is on disk, and found by the next search when waited for."""
    return _changed(shop, shop.put_product(item_id, product), wait, request_id)


@router.patch("/v1/products/{item_id:path}", openapi_extra=needs("admin"))
def patch_product(
    item_id: IdInPath,
    patch: ProductPatch,
    shop: Shop,
    request_id: RequestId,
    wait: _Wait = "indexed",
) -> ChangedProductReply:
    """Changes some fields of a product; on disk, and in the next answer when waited for."""
    return _changed(shop, shop.patch_product(item_id, patch), wait, request_id)


@router.delete("/v1/products/{item_id:path}", openapi_extra=needs("admin"))
def delete_product(
    item_id: IdInPath, shop: Shop, request_id: RequestId, wait: _Wait = "indexed"
) -> DeletedProductReply:
    """Takes a product out; on disk, and in no answer from now on when waited for."""
    task = _settled(shop, shop.delete_product(item_id), wait)
    return DeletedProductReply(request_id=request_id, item_id=item_id, **_left(task))


@router.get("/v1/tasks/{task_id}", openapi_extra=needs("admin"))
def task(task_id: IdInPath, shop: Shop, request_id: RequestId) -> TaskReply:
    """Says how far this server is with what was stored with `wait=stored`."""
    progress = shop.progress(IndexingTask.named(task_id))
    status: Literal["running", "done"] = "done" if progress == 1 else "running"
    return TaskReply(request_id=request_id, task_id=task_id, status=status, progress=progress)


def _changed(
    shop: LiveShop, change: ProductChange, wait: Wait, request_id: str
) -> ChangedProductReply:
    task = _settled(shop, change, wait)
    item = as_item({**(change.body or {}), ITEM_ID: change.item_id})
    return ChangedProductReply(request_id=request_id, item=item, **_left(task))


def _settled(shop: LiveShop, change: ProductChange, wait: Wait) -> IndexingTask | None:
    return shop.settle(range(change.number, change.number + 1), wait)


def _left(task: IndexingTask | None) -> dict[str, Any]:
    return {"indexed": task is None, "task_id": task.task_id if task else None}
