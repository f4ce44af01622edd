"""GET /api/recommend, /api/search and /api/stats: the classic demo interface, same retriever."""

from typing import Annotated

from fastapi import APIRouter, Query

from twotower.server.classic import (
    ClassicRecommendations,
    ClassicResults,
    ClassicStats,
    classic_recommendations,
    classic_results,
    classic_stats,
)
from twotower.server.context import RequestId, Shop
from twotower.server.keyed_route import KeyedRoute, needs
from twotower.server.requests import MAX_K, MAX_QUERY

router = APIRouter(prefix="/api", tags=["classic"], route_class=KeyedRoute)
_Words = Annotated[str, Query(min_length=1, max_length=MAX_QUERY, pattern=r"\S")]
_Most = Annotated[int, Query(ge=1, le=MAX_K)]


@router.get("/recommend", openapi_extra=needs("search"))
def classic_recommend(q: _Words, shop: Shop, top_k: _Most = 10) -> ClassicRecommendations:
    """Gives the product that fits a query best, and products like it."""
    return classic_recommendations(shop, q, top_k)


@router.get("/search", openapi_extra=needs("search"))
def classic_search(q: _Words, shop: Shop, limit: _Most = 10) -> ClassicResults:
    """Finds products for words."""
    return classic_results(shop, q, limit)


@router.get("/stats", openapi_extra=needs("search"))
def classic_numbers(shop: Shop, request_id: RequestId) -> ClassicStats:
    """Gives the shop in numbers."""
    return classic_stats(shop, request_id)
