"""The shop in numbers, versions, health and metrics."""

from fastapi import APIRouter
from starlette.responses import Response

from twotower.server.context import RequestId, Shop
from twotower.server.identity import stats_of, version_of
from twotower.server.keyed_route import OPEN, KeyedRoute, needs
from twotower.server.problems import ProblemError
from twotower.server.replies import HealthReply, ReportReply, StatsReply, VersionReply

router = APIRouter(tags=["operations"], route_class=KeyedRoute)
_PROMETHEUS = "text/plain; version=0.0.4; charset=utf-8"


@router.get("/v1/stats", openapi_extra=needs("search"))
def stats(shop: Shop, request_id: RequestId) -> StatsReply:
    """Gives the shop in numbers."""
    return stats_of(shop, request_id)


@router.get("/v1/version", openapi_extra=needs("search"))
async def version(shop: Shop, request_id: RequestId) -> VersionReply:
    """Says which software and which bundle answer."""
    return version_of(shop, request_id)


@router.get("/v1/report", openapi_extra=needs("admin"))
def report(shop: Shop, request_id: RequestId) -> ReportReply:
    """Gives the evaluation report of the bundle that answers, as its `report.json` has it."""
    bundle = shop.retriever.bundle
    return ReportReply(
        request_id=request_id, bundle_version=bundle.version, report=dict(bundle.report)
    )


@router.get("/health/live", openapi_extra=OPEN)
async def live(request_id: RequestId) -> HealthReply:
    """Says that the process answers."""
    return HealthReply(request_id=request_id, status="live")


@router.get("/health/ready", openapi_extra=OPEN)
async def ready(shop: Shop, request_id: RequestId) -> HealthReply:
    """Says that real queries have been answered since the start."""
    if not shop.is_ready:
        raise ProblemError("not-ready", "still warming up; ask again in a second")
    return HealthReply(request_id=request_id, status="ready")


@router.get("/metrics", response_class=Response, openapi_extra=needs("metrics"))
async def metrics(shop: Shop) -> Response:
    """Gives the counters in Prometheus' text format."""
    return Response(shop.metrics.text(), media_type=_PROMETHEUS)
