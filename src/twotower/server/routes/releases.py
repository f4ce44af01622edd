"""Which bundle answers: /v1/releases, promotion and rollback."""

from typing import Annotated

from fastapi import APIRouter, Path, Query

from twotower.server.context import ReleasesHere, RequestId
from twotower.server.keyed_route import KeyedRoute, needs
from twotower.server.releases import Releases
from twotower.server.replies import ReleasesReply

router = APIRouter(tags=["operations"], route_class=KeyedRoute)
_Name = Annotated[str, Path(max_length=100, description="The name of its folder.")]
_Force = Annotated[bool, Query(description="Also one that does not beat its baselines.")]


@router.get("/v1/releases", openapi_extra=needs("admin"))
def releases(here: ReleasesHere, request_id: RequestId) -> ReleasesReply:
    """Lists the releases."""
    return _reply(here, request_id)


@router.post("/v1/releases/{name}:promote", openapi_extra=needs("admin"))
def promote_release(
    name: _Name, here: ReleasesHere, request_id: RequestId, *, force: _Force = False
) -> ReleasesReply:
    """Serves another release, once it was verified, asked and warmed up beside the old one."""
    here.promote(name, force=force)
    return _reply(here, request_id)


@router.post("/v1/releases/{name}:rollback", openapi_extra=needs("admin"))
def rollback_release(name: _Name, here: ReleasesHere, request_id: RequestId) -> ReleasesReply:
    """Serves again what was served before this release."""
    here.rollback(name)
    return _reply(here, request_id)


def _reply(here: Releases, request_id: str) -> ReleasesReply:
    pointer = here.shelf.pointer()
    return ReleasesReply(
        request_id=request_id,
        current=pointer.current,
        previous=pointer.previous,
        bundle_version=here.current.retriever.bundle.version,
        releases=here.shelf.names(),
    )
