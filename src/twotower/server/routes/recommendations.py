"""POST /v1/recommendations, and many of them at once."""

from fastapi import APIRouter

from twotower.server.answers import recommendation_reply
from twotower.server.context import Admitted, ReleasesHere, RequestId, Shop
from twotower.server.keyed_route import KeyedRoute, needs
from twotower.server.question_batches import recommendations_reply
from twotower.server.replies import RecommendationBatchReply, RecommendationReply
from twotower.server.requests import RecommendationBatch, RecommendationRequest

router = APIRouter(tags=["answers"], route_class=KeyedRoute)


@router.post("/v1/recommendations", openapi_extra=needs("search"))
def recommend(
    question: RecommendationRequest, shop: Shop, request_id: RequestId
) -> RecommendationReply:
    """Chooses products for a place on the page; `fallback_used` says when it knew too little."""
    return recommendation_reply(shop, question, request_id)


@router.post("/v1/recommendations:batch", openapi_extra=needs("search"))
def recommend_many(
    batch: RecommendationBatch,
    shop: Shop,
    here: ReleasesHere,
    key: Admitted,
    request_id: RequestId,
) -> RecommendationBatchReply:
    """Fills several places, all from one bundle; each counts as a request of the key."""
    here.keyring.charge(key, len(batch.recommendations) - 1)
    return recommendations_reply(shop, batch, request_id)
