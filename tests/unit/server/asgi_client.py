"""Asks an app in this process, without a socket."""

from collections.abc import Iterator
from contextlib import contextmanager

import httpx
from anyio.from_thread import start_blocking_portal


class Client:
    def __init__(self, app, portal):
        self.app = app
        self._portal = portal

    def request(self, method, path, **arguments):
        return self._portal.call(self._request, method, path, arguments)

    def get(self, path, **arguments):
        return self.request("GET", path, **arguments)

    def post(self, path, body=None, **arguments):
        return self.request("POST", path, json=body, **arguments)

    def put(self, path, body=None, **arguments):
        return self.request("PUT", path, json=body, **arguments)

    async def _request(self, method, path, arguments):
        transport = httpx.ASGITransport(self.app)
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
            return await client.request(method, path, **arguments)


@contextmanager
def opened(app) -> Iterator[Client]:
    with (
        start_blocking_portal() as portal,
        portal.wrap_async_context_manager(app.router.lifespan_context(app)),
    ):
        yield Client(app, portal)
