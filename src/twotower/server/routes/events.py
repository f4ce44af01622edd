"""POST /v1/events, and GET /v1/answers/{answer_id}: what came of a list."""

from fastapi import APIRouter

from twotower.server.context import IdInPath, RequestId, Shop
from twotower.server.keyed_route import KeyedRoute, needs
from twotower.server.outcomes import outcome_of
from twotower.server.replies import EventsReply, OutcomeReply, RejectedEvent
from twotower.server.requests import EventsRequest

router = APIRouter(tags=["events"], route_class=KeyedRoute)


@router.post("/v1/events", status_code=202, openapi_extra=needs("events"))
def record_events(batch: EventsRequest, shop: Shop, request_id: RequestId) -> EventsReply:
    """Stores what visitors did; on disk before the answer, and safe to send again."""
    verdicts = shop.record(batch.events)
    return EventsReply(
        request_id=request_id,
        accepted=list(verdicts.accepted),
        duplicate=list(verdicts.duplicate),
        rejected=[
            RejectedEvent(event_id=rejection.event_id, reason=rejection.reason)
            for rejection in verdicts.rejected
        ],
    )


@router.get("/v1/answers/{answer_id:path}", openapi_extra=needs("admin"))
def outcome(answer_id: IdInPath, shop: Shop, request_id: RequestId) -> OutcomeReply:
    """Says what came of a list: the impressions and events that name its `request_id`."""
    return outcome_of(shop, answer_id, request_id)
