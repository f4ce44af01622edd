"""GET, PUT, PATCH and DELETE /v1/products/{item_id}, its picture, and many products at once."""

from typing import Annotated

from fastapi import APIRouter, Body
from starlette.responses import Response

from twotower.errors import DataError
from twotower.server.answers import as_item
from twotower.server.batches import batch_reply
from twotower.server.context import IdInPath, RequestId, Shop
from twotower.server.images import SVG_POLICY, SVG_TYPE, decode_picture, is_data_uri
from twotower.server.keyed_route import OPEN, KeyedRoute, needs
from twotower.server.problems import ProblemError
from twotower.server.replies import (
    BatchReply,
    DeletedProductReply,
    IndexedProductReply,
    ProductReply,
)
from twotower.server.requests import ProductIn, ProductPatch

router = APIRouter(tags=["products"], route_class=KeyedRoute)
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
def change_products(lines: _Lines, shop: Shop, request_id: RequestId) -> BatchReply:
    """Puts in and takes out many products, a line of JSON each; each line is judged by itself.

    A line is a product with its `item_id`, or `{"item_id": ..., "deleted": true}`. Those that
    are sound are on disk in one step, and found by the next search.
    """
    return batch_reply(shop, lines, request_id)


@router.get("/v1/products/{item_id:path}", openapi_extra=needs("search"))
def product(item_id: IdInPath, shop: Shop, request_id: RequestId) -> ProductReply:
    """Gives one product."""
    return ProductReply(request_id=request_id, item=as_item(shop.retriever.product(item_id)))


@router.put("/v1/products/{item_id:path}", openapi_extra=needs("admin"))
def put_product(
    item_id: IdInPath, product: ProductIn, shop: Shop, request_id: RequestId
) -> IndexedProductReply:
    """Adds or replaces a product; it is on disk, and found by the next search."""
    shop.put_product(item_id, product)
    item = as_item(shop.retriever.product(item_id))
    return IndexedProductReply(request_id=request_id, item=item, indexed=True)


@router.patch("/v1/products/{item_id:path}", openapi_extra=needs("admin"))
def patch_product(
    item_id: IdInPath, patch: ProductPatch, shop: Shop, request_id: RequestId
) -> IndexedProductReply:
    """Changes some fields of a product; they are on disk, and in the next answer."""
    shop.patch_product(item_id, patch)
    item = as_item(shop.retriever.product(item_id))
    return IndexedProductReply(request_id=request_id, item=item, indexed=True)


@router.delete("/v1/products/{item_id:path}", openapi_extra=needs("admin"))
def delete_product(item_id: IdInPath, shop: Shop, request_id: RequestId) -> DeletedProductReply:
    """Takes a product out; that is on disk, and no answer has it from now on."""
    shop.delete_product(item_id)
    return DeletedProductReply(request_id=request_id, item_id=item_id)
