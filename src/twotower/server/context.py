"""What every route asks for: the open shop, and the id of its request."""

from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import Depends, Path, Request

from twotower.server.keyed_route import ADMITTED
from twotower.server.live_shop import LiveShop
from twotower.server.releases import Releases
from twotower.server.requests import Identifier
from twotower.shop.records import ApiKey


async def _releases(request: Request) -> Releases:
    releases: Releases = request.app.state.releases
    return releases


async def _shop(request: Request) -> AsyncIterator[LiveShop]:
    """One and the same to the end of the request, whatever is promoted meanwhile."""
    releases: Releases = request.app.state.releases
    with releases.lease() as shop:
        yield shop


async def _request_id(request: Request) -> str:
    request_id: str = request.scope["request_id"]
    return request_id


async def _admitted(request: Request) -> ApiKey | None:
    key: ApiKey | None = request.scope[ADMITTED]
    return key


Admitted = Annotated[ApiKey | None, Depends(_admitted)]
ReleasesHere = Annotated[Releases, Depends(_releases)]
Shop = Annotated[LiveShop, Depends(_shop)]
RequestId = Annotated[str, Depends(_request_id)]
IdInPath = Annotated[Identifier, Path()]
