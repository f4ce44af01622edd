"""What every route asks for: the open shop, and the id of its request."""

from typing import Annotated

from fastapi import Depends, Path, Request

from twotower.server.live_shop import LiveShop
from twotower.server.requests import Identifier


async def _shop(request: Request) -> LiveShop:
    shop: LiveShop = request.app.state.shop
    return shop


async def _request_id(request: Request) -> str:
    request_id: str = request.scope["request_id"]
    return request_id


Shop = Annotated[LiveShop, Depends(_shop)]
RequestId = Annotated[str, Depends(_request_id)]
IdInPath = Annotated[Identifier, Path()]
