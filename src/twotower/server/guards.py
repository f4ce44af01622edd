"""What is refused before a route sees it: large bodies, no key, another server's name."""

import hmac
import re
from collections.abc import Collection

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from twotower.server.problems import problem

_TOO_LARGE = 413
_GUARDED = "/v1/"
_PORT = re.compile(r":\d*$")


class BodyLimit:
    """Refuses bodies above a size, announced or not.

    Args:
        app: What answers.
        max_bytes: The largest body.
    """

    def __init__(self, app: ASGIApp, max_bytes: int) -> None:
        self._app = app
        self._max_bytes = max_bytes
        self._detail = f"a body may have {max_bytes} bytes; send less, or in several requests"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        announced = Headers(scope=scope).get("content-length", "0")
        if announced.isdecimal() and int(announced) > self._max_bytes:
            refusal = problem(scope, "body-too-large", self._detail)
            refusal.headers["Connection"] = "close"
            await refusal(scope, receive, send)
            return
        received = 0

        async def receive_counted() -> Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if received > self._max_bytes:
                raise HTTPException(_TOO_LARGE, self._detail)
            return message

        await self._app(scope, receive_counted, send)


class HostGuard:
    """Refuses requests that are addressed to another name: what DNS rebinding sends.

    Args:
        app: What answers.
        names: Of this server, in lower case.
    """

    def __init__(self, app: ASGIApp, names: Collection[str]) -> None:
        self._app = app
        self._names = names

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one request."""
        if scope["type"] == "http":
            asked = _PORT.sub("", Headers(scope=scope).get("host", "")).lower().rstrip(".")
            if asked not in self._names:
                detail = (
                    f"this server is not {asked!r}; ask it as localhost, or allow the name with "
                    "'twotower serve --allow-host'"
                )
                await problem(scope, "unknown-host", detail)(scope, receive, send)
                return
        await self._app(scope, receive, send)


class KeyGuard:
    """Requires the header X-API-Key for every /v1 route.

    Args:
        app: What answers.
        api_key: The key.
    """

    def __init__(self, app: ASGIApp, api_key: str) -> None:
        self._app = app
        self._key = api_key.encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one request."""
        if scope["type"] == "http" and scope["path"].startswith(_GUARDED):
            shown = Headers(scope=scope).get("x-api-key", "")
            if not hmac.compare_digest(shown.encode(), self._key):
                detail = "send the shop's key in the header X-API-Key"
                refusal = problem(
                    scope, "key-required", detail, headers={"WWW-Authenticate": "X-API-Key"}
                )
                await refusal(scope, receive, send)
                return
        await self._app(scope, receive, send)
