"""The OpenAPI document: generated from the routes, without a bundle."""

from typing import Any, Final

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute
from starlette.types import Lifespan

from twotower import __version__
from twotower.server.replies import Problem
from twotower.server.routes import (
    classic,
    events,
    operations,
    products,
    recommendations,
    releases,
    rules,
    search,
    visitors,
)

_ROUTERS: Final = (
    search.router,
    recommendations.router,
    events.router,
    products.router,
    visitors.router,
    operations.router,
    releases.router,
    rules.router,
    classic.router,
)
_SCHEMAS: Final = "#/components/schemas/{model}"
_KEY: Final = {"type": "apiKey", "in": "header", "name": "X-API-Key"}
_PICTURE: Final = "/v1/products/{item_id}/image"


def openapi_document() -> dict[str, Any]:
    """Builds the OpenAPI 3.1 document of the HTTP interface.

    Returns:
        The document, the same at every call and on every machine.
    """
    return app_of_routes().openapi()


def app_of_routes(lifespan: Lifespan[FastAPI] | None = None) -> FastAPI:
    """Makes an app that has every route and no shop behind them yet."""
    app = FastAPI(
        title="twotower",
        version=__version__,
        summary="Semantic search and personal recommendations for a shop.",
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        generate_unique_id_function=_operation_id,
        lifespan=lifespan,
    )
    for router in _ROUTERS:
        app.include_router(router, responses={"default": _problem_answer()})
    generated: dict[str, Any] = {}

    def document() -> dict[str, Any]:
        if not generated:
            generated.update(_document(app))
        return generated

    app.openapi = document  # type: ignore[method-assign] # FastAPI's documented way to extend it
    return app


def _operation_id(route: APIRoute) -> str:
    return route.name


def _problem_answer() -> dict[str, Any]:
    schema = {"$ref": _SCHEMAS.format(model="Problem")}
    return {
        "description": "A problem (RFC 9457)",
        "content": {"application/problem+json": {"schema": schema}},
    }


def _document(app: FastAPI) -> dict[str, Any]:
    document = get_openapi(
        title=app.title, version=app.version, summary=app.summary, routes=app.routes
    )
    schemas = document["components"]["schemas"]
    problem = Problem.model_json_schema(ref_template=_SCHEMAS)
    schemas.update(problem.pop("$defs"), Problem=problem)
    document["components"]["schemas"] = dict(sorted(schemas.items()))
    document["components"]["securitySchemes"] = {"key": _KEY}
    document["security"] = [{}, {"key": []}]
    picture = document["paths"][_PICTURE]["get"]["responses"]["200"]
    picture["content"] = {"image/*": {"schema": {"type": "string", "format": "binary"}}}
    metrics = document["paths"]["/metrics"]["get"]["responses"]["200"]
    metrics["content"] = {"text/plain": {"schema": {"type": "string"}}}
    return document
