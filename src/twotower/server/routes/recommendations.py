"""POST /v1/recommendations."""

from fastapi import APIRouter

from twotower.server.answers import recommendation_reply
from twotower.server.context import RequestId, Shop
from twotower.server.keyed_route import KeyedRoute, needs
from twotower.server.replies import RecommendationReply
from twotower.server.requests import RecommendationRequest

router = APIRouter(tags=["answers"], route_class=KeyedRoute)


@router.post("/v1/recommendations", openapi_extra=needs("search"))
def recommend(
    question: RecommendationRequest, shop: Shop, request_id: RequestId
) -> RecommendationReply:
    """Chooses products for a place on the page; `fallback_used` says when it knew too little."""
    return recommendation_reply(shop, question, request_id)
