"""The outermost layer: request id, security headers, counting, and the last catch."""

import logging
import time

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from twotower.server.logs import FIELDS
from twotower.server.metrics import Metrics
from twotower.server.problems import problem
from twotower.server.request_ids import new_request_id

_log = logging.getLogger(__name__)
_PAGES = "pages"
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; "
        "form-action 'self'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
"""On every answer; an answer that brings its own keeps it."""
_SERVER_ERROR = 500
_MS_PER_S = 1_000


class Boundary:
    """Wraps the app; everything that leaves the server passes here.

    Args:
        app: What answers.
        metrics: What counts.
    """

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self._app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one request; lifespan messages pass through."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = time.perf_counter()
        scope["request_id"] = new_request_id()
        status = 0

        async def send_marked(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                _mark(message, scope["request_id"])
            await send(message)

        try:
            await self._app(scope, receive, send_marked)
        except Exception:
            _log.exception("request %s failed", scope["request_id"])
            if status:  # too late for another answer
                raise
            await problem(scope, "internal-error", _apology(scope))(scope, receive, send_marked)
        finally:
            self._count(scope, status, time.perf_counter() - started)

    def _count(self, scope: Scope, status: int, seconds: float) -> None:
        method = scope["method"] if scope["method"] in _METHODS else "OTHER"
        route, status = route_of(scope), status or _SERVER_ERROR
        self._metrics.answered(method, route, status, seconds)
        told = (scope["request_id"], method, route, status, round(seconds * _MS_PER_S, 3))
        _log.info("answered", extra=dict(zip(FIELDS, told, strict=True)))


def route_of(scope: Scope) -> str:
    """Gives the route's pattern, never an address: `/v1/products/{item_id}`."""
    pattern: str = getattr(scope.get("route"), "path", _PAGES)
    return pattern.replace(":path}", "}")


def _apology(scope: Scope) -> str:
    return f"the fault is ours and logged; tell the shop the request_id {scope['request_id']}"


def _mark(message: Message, request_id: str) -> None:
    headers = MutableHeaders(scope=message)
    headers["X-Request-ID"] = request_id
    for name, value in _HEADERS.items():
        headers.setdefault(name, value)
