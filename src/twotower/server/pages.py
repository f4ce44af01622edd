"""The built web app: its files, and its first page for every address that is not a route."""

from pathlib import Path
from typing import Final

from starlette.exceptions import HTTPException
from starlette.responses import HTMLResponse, Response
from starlette.staticfiles import StaticFiles
from starlette.types import Receive, Scope, Send

BUILT: Final = Path(__file__).parent / "static"
"""Where the web build puts its files."""
_ENTRY = "index.html"
_HASHED = "assets/"
_FOREVER = "public, max-age=31536000, immutable"
_ASK_AGAIN = "no-cache"
_NOT_PAGES = ("v1/", "api/", "health/", "metrics/", "openapi.json/", _HASHED, "favicon.ico/")
_NOT_FOUND = 404
_NOT_BUILT = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>twotower</title></head>
<body><h1>The web app has not been built</h1>
<p>Run <code>make web</code> in the clone of twotower and start the server again. Where it was
installed with <code>pip install .</code>, install it again in between: it holds the web app.</p>
<p>The HTTP interface works without it: <a href="/openapi.json">/openapi.json</a>.</p>
</body></html>
"""


class Pages:
    """An ASGI app that serves one folder of a single-page web app.

    Args:
        folder: The built files; it may be missing.
    """

    def __init__(self, folder: Path = BUILT) -> None:
        self._entry = folder / _ENTRY
        self._files = StaticFiles(directory=folder, check_dir=False)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one request; 404 for routes of the HTTP interface, and missing assets."""
        response = await self._response(self._files.get_path(scope), scope)
        await response(scope, receive, send)

    async def _response(self, path: str, scope: Scope) -> Response:
        if scope["method"] not in ("GET", "HEAD"):
            raise HTTPException(_NOT_FOUND)
        is_page = not f"{path}/".startswith(_NOT_PAGES)
        if not self._entry.is_file() and is_page:
            return HTMLResponse(_NOT_BUILT, status_code=503, headers={"Cache-Control": "no-store"})
        try:
            response = await self._files.get_response(path, scope)
        except HTTPException as error:
            if error.status_code != _NOT_FOUND or not is_page:
                raise
            path, response = _ENTRY, await self._files.get_response(_ENTRY, scope)
        response.headers["Cache-Control"] = _FOREVER if path.startswith(_HASHED) else _ASK_AGAIN
        return response
