"""What is refused before a route sees it: large or slow bodies, other names, too much at once."""

import asyncio
import re
from collections.abc import Callable, Collection

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from twotower.server.problems import problem

_TOO_LARGE, _TOO_SLOW = 413, 408
_HEALTH = "/health/"
_PORT = re.compile(r":\d*$")


class BodyLimit:
    """Refuses bodies above a size, announced or not, and those that take too long to arrive.

    Args:
        app: What answers.
        max_bytes: The largest body.
        max_s: The body has to be there this many seconds after the request's head.
    """

    def __init__(self, app: ASGIApp, max_bytes: int, max_s: float) -> None:
        self._app = app
        self._max_bytes, self._max_s = max_bytes, max_s
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
        received, is_whole, until = 0, False, asyncio.get_running_loop().time() + self._max_s

        async def receive_counted() -> Message:
            nonlocal received, is_whole
            try:
                async with asyncio.timeout_at(None if is_whole else until):
                    message = await receive()
            except TimeoutError:
                slow = f"the body was not there after {self._max_s:g} s; send it without pauses"
                raise HTTPException(_TOO_SLOW, slow, {"Connection": "close"}) from None
            is_whole = not message.get("more_body", False)
            received += len(message.get("body", b""))
            if received > self._max_bytes:
                raise HTTPException(_TOO_LARGE, self._detail)
            return message

        await self._app(scope, receive_counted, send)


class HostGuard:
    """Refuses requests that are addressed to another name: what DNS rebinding sends.

    Not where a key is needed: such a page has none.

    Args:
        app: What answers.
        names: Of this server, in lower case.
        is_key_needed: Asked at every request.
    """

    def __init__(
        self, app: ASGIApp, names: Collection[str], is_key_needed: Callable[[], bool]
    ) -> None:
        self._app = app
        self._names, self._is_key_needed = names, is_key_needed

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one request."""
        if scope["type"] == "http" and not self._is_key_needed():
            asked = _PORT.sub("", Headers(scope=scope).get("host", "")).lower().rstrip(".")
            if asked not in self._names:
                detail = (
                    f"this server is not {asked!r}; ask it as localhost, or allow the name with "
                    "'twotower serve --allow-host'"
                )
                await problem(scope, "unknown-host", detail)(scope, receive, send)
                return
        await self._app(scope, receive, send)


class Crowd:
    """Refuses what comes while too many requests are being answered; health is always told.

    Args:
        app: What answers.
        most: Requests that are answered at once.
    """

    def __init__(self, app: ASGIApp, most: int) -> None:
        self._app = app
        self._most, self._running = most, 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one request."""
        if scope["type"] != "http" or scope["path"].startswith(_HEALTH):
            await self._app(scope, receive, send)
            return
        if self._running >= self._most:
            detail = f"{self._most} requests are being answered; ask again in a second"
            await problem(scope, "overloaded", detail)(scope, receive, send)
            return
        self._running += 1
        try:
            await self._app(scope, receive, send)
        finally:
            self._running -= 1
