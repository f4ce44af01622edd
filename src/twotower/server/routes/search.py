"""POST and GET /v1/search, many searches at once, and GET /v1/suggest."""

from typing import Annotated

from fastapi import APIRouter, Query

from twotower.server.answers import search_reply, suggest_reply
from twotower.server.context import Admitted, ReleasesHere, RequestId, Shop
from twotower.server.keyed_route import KeyedRoute, needs
from twotower.server.question_batches import searches_reply
from twotower.server.replies import SearchBatchReply, SearchReply, SuggestReply
from twotower.server.requests import MAX_QUERY, SearchBatch, SearchInAddress, SearchRequest

router = APIRouter(tags=["answers"], route_class=KeyedRoute)
_Typed = Annotated[str, Query(min_length=1, max_length=MAX_QUERY)]
_PerKind = Annotated[int, Query(ge=1, le=50, description="Most suggestions of each kind.")]


@router.post("/v1/search", openapi_extra=needs("search"))
def search(question: SearchRequest, shop: Shop, request_id: RequestId) -> SearchReply:
    """Finds products for a shopper's words."""
    return search_reply(shop, question, request_id)


@router.get("/v1/search", openapi_extra=needs("search"))
def search_by_address(
    question: Annotated[SearchInAddress, Query()], shop: Shop, request_id: RequestId
) -> SearchReply:
    """Finds products for a shopper's words, by an address that can be linked to."""
    return search_reply(shop, question, request_id)


@router.post("/v1/search:batch", openapi_extra=needs("search"))
def search_many(
    batch: SearchBatch,
    shop: Shop,
    here: ReleasesHere,
    key: Admitted,
    request_id: RequestId,
) -> SearchBatchReply:
    """Answers several searches, all from one bundle; each counts as a request of the key."""
    here.keyring.charge(key, len(batch.searches) - 1)
    return searches_reply(shop, batch, request_id)


@router.get("/v1/suggest", openapi_extra=needs("search"))
def suggest(q: _Typed, shop: Shop, request_id: RequestId, k: _PerKind = 5) -> SuggestReply:
    """Suggests queries, categories and products for what is typed so far."""
    return suggest_reply(shop, q, k, request_id)
