"""GET /v1/visitors, GET and DELETE /v1/visitors/{visitor_id}."""

from typing import Annotated

from fastapi import APIRouter, Query

from twotower.server.context import IdInPath, RequestId, Shop
from twotower.server.keyed_route import KeyedRoute, needs
from twotower.server.people import example_visitors_of, visitor_of
from twotower.server.replies import ErasedReply, VisitorReply, VisitorsReply

router = APIRouter(tags=["visitors"], route_class=KeyedRoute)
_Limit = Annotated[int, Query(ge=1, le=100)]


@router.get("/v1/visitors", openapi_extra=needs("admin"))
def example_visitors(shop: Shop, request_id: RequestId, limit: _Limit = 12) -> VisitorsReply:
    """Gives example visitors of the log, spread over all of it."""
    return VisitorsReply(request_id=request_id, visitors=example_visitors_of(shop, limit))


@router.delete("/v1/visitors/{visitor_id:path}", openapi_extra=needs("admin"))
def erase_visitor(visitor_id: IdInPath, shop: Shop, request_id: RequestId) -> ErasedReply:
    """Forgets whoever is known by this id, as visitor or as user, at once and for good."""
    n_events = shop.erased.erase(visitor_id)
    return ErasedReply(request_id=request_id, visitor_id=visitor_id, n_events=n_events)


@router.get("/v1/visitors/{visitor_id:path}", openapi_extra=needs("admin"))
def visitor(
    visitor_id: IdInPath, shop: Shop, request_id: RequestId, limit: _Limit = 20
) -> VisitorReply:
    """Gives what is known of a visitor; one never seen has no events."""
    return visitor_of(shop, visitor_id, limit, request_id)
