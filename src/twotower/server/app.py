"""The app: routes, guards and pages around one open shop."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from fastapi import FastAPI

from twotower.releases import ReleaseFolder
from twotower.retrieval.retriever import Retriever
from twotower.server.boundary import Boundary
from twotower.server.guards import BodyLimit, Crowd, HostGuard
from twotower.server.openapi import app_of_routes
from twotower.server.pages import BUILT, Pages
from twotower.server.problems import install_problems
from twotower.server.releases import Releases
from twotower.server.settings import ServerSettings
from twotower.shop.database import ShopDatabase


def create_app(
    retriever: Retriever,
    database: ShopDatabase,
    settings: ServerSettings | None = None,
    *,
    pages: Path = BUILT,
    shelf: ReleaseFolder | None = None,
) -> FastAPI:
    """Makes the app of one shop.

    Its lifespan replays the live products, warms up on real queries and only then lets
    requests in; at the end it closes the database.

    Args:
        retriever: Answers from a loaded bundle.
        database: The live side; the app closes it.
        settings: What to refuse; the defaults fit one machine.
        pages: The built web app.
        shelf: Bundles that may be promoted in the retriever's place; None where it stays.

    Returns:
        The app.
    """
    settings = settings or ServerSettings()
    releases = Releases(retriever, database, settings, shelf)
    app = app_of_routes(_lifespan)
    app.state.releases = releases
    app.router.default = Pages(pages)
    install_problems(app)
    app.add_middleware(BodyLimit, max_bytes=settings.max_body_bytes, max_s=settings.max_body_s)
    app.add_middleware(
        HostGuard, names=settings.host_names, is_key_needed=lambda: releases.keyring.is_needed
    )
    app.add_middleware(Crowd, most=settings.max_running)
    app.add_middleware(Boundary, metrics=releases.metrics)
    return app


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    releases: Releases = app.state.releases
    await asyncio.to_thread(releases.open)
    try:
        yield
    finally:
        releases.close()
