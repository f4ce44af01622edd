"""POST /v1/search."""

from fastapi import APIRouter

from twotower.server.answers import search_reply
from twotower.server.context import RequestId, Shop
from twotower.server.replies import SearchReply
from twotower.server.requests import SearchRequest

router = APIRouter(tags=["answers"])


@router.post("/v1/search")
def search(question: SearchRequest, shop: Shop, request_id: RequestId) -> SearchReply:
    """Finds products for a shopper's words."""
    return search_reply(shop, question, request_id)
