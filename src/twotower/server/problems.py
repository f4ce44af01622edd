"""Every failure as `application/problem+json` (RFC 9457), never a stack trace.

`type` is `urn:twotower:problem:NAME` with the names of `PROBLEMS`; they do not change.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import orjson
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.types import Scope

from twotower.errors import (
    BundleError,
    DataError,
    EmptyCorpus,
    ExpiredCursor,
    FilterError,
    OutputError,
    RetrievalError,
    StorageUnavailable,
    TwoTowerError,
    UnknownItem,
    UnknownRelease,
    UnknownRule,
    UnknownUser,
)

PROBLEMS: Final = {
    "bad-request": (400, "The request cannot be read"),
    "malformed-json": (400, "The body is not JSON"),
    "key-required": (401, "An API key is required"),
    "scope-required": (403, "The API key is for something else"),
    "not-found": (404, "Nothing is here"),
    "unknown-item": (404, "No such item"),
    "unknown-user": (404, "No such user"),
    "unknown-release": (404, "No such release"),
    "unknown-rule": (404, "No such rule"),
    "unknown-task": (404, "No such task"),
    "method-not-allowed": (405, "This address does not take that method"),
    "body-too-slow": (408, "The body took too long"),
    "empty-corpus": (409, "Nothing is left to choose from"),
    "expired-cursor": (410, "These pages are over"),
    "promotion-running": (409, "A promotion is under way"),
    "release-refused": (409, "The release cannot be served"),
    "body-too-large": (413, "The body is too large"),
    "unknown-host": (421, "The request is addressed to another server"),
    "invalid-request": (422, "The request is not valid"),
    "too-many-requests": (429, "The API key has asked too often"),
    "internal-error": (500, "The server failed"),
    "not-ready": (503, "Not ready yet"),
    "overloaded": (503, "Too many requests at once"),
    "storage-unavailable": (503, "What the shop keeps cannot be read or written"),
}
"""Name of each problem, with its status and title."""

_BY_STATUS: Final = {status: name for name, (status, _) in reversed(PROBLEMS.items())}
_BY_ERROR: Final = (
    (UnknownItem, "unknown-item"),
    (UnknownUser, "unknown-user"),
    (UnknownRule, "unknown-rule"),
    (EmptyCorpus, "empty-corpus"),
    (ExpiredCursor, "expired-cursor"),
    (RetrievalError, "invalid-request"),
    (DataError, "invalid-request"),
    (StorageUnavailable, "storage-unavailable"),
    (OutputError, "storage-unavailable"),
    (UnknownRelease, "unknown-release"),
    (BundleError, "release-refused"),
)
_UNION_TAGS: Final = ("constrained-str", "int")
"""Steps that pydantic adds for the members of `str | int`; the sender never wrote them."""
_RETRY_AFTER_S: Final = "1"


class ProblemError(Exception):
    """Raised by a route to answer with a problem.

    Args:
        name: One of `PROBLEMS`.
        detail: What was expected, what was received, what to do.
        faults: (path, message) of each fault of the request.
        headers: Added to the answer.
    """

    def __init__(
        self,
        name: str,
        detail: str,
        faults: Sequence[tuple[str, str]] = (),
        headers: Mapping[str, str] | None = None,
        position: int | None = None,
    ) -> None:
        super().__init__(detail)
        self.name = name
        self.detail = detail
        self.faults = faults
        self.headers = headers
        self.position = position


def problem(
    scope: Scope,
    name: str,
    detail: str,
    *,
    faults: Sequence[tuple[str, str]] = (),
    position: int | None = None,
    status: int | None = None,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """Builds the answer for one problem.

    Args:
        scope: The ASGI scope; its `request_id` goes into the body.
        name: One of `PROBLEMS`.
        detail: What was expected, what was received, what to do.
        faults: (path, message) of each fault of the request.
        position: Of the one fault, in characters of a filter.
        status: Overrides the status of the name.
        headers: Added to the answer.

    Returns:
        The answer.
    """
    told = ProblemError(name, detail, faults, position=position)
    body = problem_body(told, scope.get("request_id", ""))
    body["status"] = status or body["status"]
    extra = {"Retry-After": _RETRY_AFTER_S} if body["status"] == PROBLEMS["not-ready"][0] else {}
    return Response(
        orjson.dumps(body),
        status_code=body["status"],
        media_type="application/problem+json",
        headers={**extra, **(headers or {})},
    )


def problem_body(error: ProblemError, request_id: str) -> dict[str, Any]:
    """Spells a problem.

    Args:
        error: What is wrong.
        request_id: Of the request that it answers.

    Returns:
        The members of an `application/problem+json`.
    """
    status, title = PROBLEMS[error.name]
    body: dict[str, Any] = {
        "type": f"urn:twotower:problem:{error.name}",
        "title": title,
        "status": status,
        "detail": error.detail,
        "request_id": request_id,
    }
    if error.faults:
        body["errors"] = [{"path": path, "message": message} for path, message in error.faults]
        if error.position is not None:
            body["errors"][0]["position"] = error.position
    return body


def named(error: TwoTowerError, where: str) -> ProblemError:
    """Gives one of our errors the name that it has over HTTP.

    Args:
        error: What is wrong with the request, or with the shop.
        where: The part of the request that is named as the place of a fault.

    Returns:
        The problem. An error that is none of the request's and none of the shop's is raised.
    """
    if isinstance(error, FilterError):
        fault = (f"{where}.filter", str(error))
        return ProblemError("invalid-request", ": ".join(fault), [fault], position=error.position)
    for kind, name in _BY_ERROR:
        if isinstance(error, kind):
            return ProblemError(name, str(error))
    raise error


def install_problems(app: FastAPI) -> None:
    """Makes every error of the app's routes a problem."""
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(ProblemError, _raised)
    app.add_exception_handler(TwoTowerError, _ours)


def _http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    name = _BY_STATUS.get(error.status_code, "bad-request")
    detail = {
        "not-found": f"no page or route at {request.url.path!r}; /openapi.json lists the routes",
        "method-not-allowed": f"{request.method} is not allowed here; see the Allow header",
    }.get(name, str(error.detail))
    return problem(
        request.scope, name, detail, status=error.status_code, headers=error.headers or {}
    )


def _invalid(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    found = error.errors()
    if found and found[0]["type"] == "json_invalid":
        where = found[0]["loc"][-1]
        reason = found[0].get("ctx", {}).get("error", "not JSON")
        return problem(request.scope, "malformed-json", f"{reason}, at character {where}")
    faults = faults_of(found)
    detail = "; ".join(f"{path}: {message}" for path, message in faults[:3])
    return problem(request.scope, "invalid-request", detail, faults=faults)


def faults_of(found: Sequence[Mapping[str, Any]]) -> list[tuple[str, str]]:
    """Spells what pydantic found: (path, message) of each fault."""
    return [(_path(fault), _message(fault)) for fault in found]


def _path(fault: Mapping[str, Any]) -> str:
    """Spells a location: body.events[0].time."""
    location: Sequence[int | str] = fault["loc"]
    if fault["type"].endswith("_type") and location[-1] in _UNION_TAGS:
        location = location[:-1]
    steps = [f"[{step}]" if isinstance(step, int) else f".{step}" for step in location]
    return "".join(steps).lstrip(".")


def _message(fault: Mapping[str, Any]) -> str:
    message = str(fault["msg"]).removeprefix("Value error, ")
    if fault["type"] == "model_attributes_type":
        return "a JSON object is expected, sent with Content-Type: application/json"
    return message[:1].lower() + message[1:]


def _raised(request: Request, error: Exception) -> Response:
    assert isinstance(error, ProblemError)
    return problem(
        request.scope,
        error.name,
        error.detail,
        faults=error.faults,
        position=error.position,
        headers=error.headers,
    )


def _ours(request: Request, error: Exception) -> Response:
    assert isinstance(error, TwoTowerError)
    return _raised(request, named(error, "query" if request.method == "GET" else "body"))
