"""Routes that ask for a key of their scope before a body is read."""

from collections.abc import Callable, Coroutine
from typing import Any, Final

from fastapi import Request
from fastapi.routing import APIRoute
from starlette.datastructures import Headers
from starlette.responses import Response

from twotower.server.releases import Releases

_NAME = "key"
"""Of the security scheme in the OpenAPI document."""
_BEARER = "bearer "
ADMITTED: Final = "twotower.key"
"""Of the ASGI scope: the key that was admitted, None where none is needed."""


def needs(scope: str) -> dict[str, Any]:
    """Says in the OpenAPI document which scope a route asks for; a `KeyedRoute` reads it there.

    Args:
        scope: One of `shop.keys.SCOPES`.

    Returns:
        The route's `openapi_extra`: with a key of this scope, or without any where the shop
        has none.
    """
    return {"security": [{}, {_NAME: [scope]}]}


OPEN: Final[dict[str, Any]] = {"security": []}
"""The `openapi_extra` of a route that asks for no key."""


class KeyedRoute(APIRoute):
    """A route that was given `openapi_extra`, `needs(scope)` or `OPEN`; none is made without."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Makes what answers: first the key, then FastAPI's own."""
        answer = super().get_route_handler()
        security = (self.openapi_extra or {})["security"]
        if not security:
            return answer
        [scope] = security[1][_NAME]

        async def answer_to_a_key(request: Request) -> Response:
            releases: Releases = request.app.state.releases
            request.scope[ADMITTED] = releases.keyring.admit(_shown_key(request.headers), scope)
            return await answer(request)

        return answer_to_a_key


def _shown_key(headers: Headers) -> str | None:
    """Of X-API-Key, or of Authorization, which is what Prometheus can send."""
    bearer = headers.get("authorization", "")
    fallback = bearer[len(_BEARER) :] if bearer[: len(_BEARER)].lower() == _BEARER else None
    return headers.get("x-api-key", fallback)
