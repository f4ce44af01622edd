"""Serving a bundle until someone stops it."""

import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

import uvicorn
from fastapi import FastAPI
from rich.console import Console
from sqlalchemy.engine import URL

from twotower.bundle import Bundle
from twotower.errors import ConfigError, TwoTowerError
from twotower.releases import ReleaseFolder
from twotower.retrieval.retriever import Retriever
from twotower.server.app import create_app
from twotower.server.logs import write_json_lines
from twotower.server.settings import ServerSettings, is_loopback
from twotower.shop.address import beside, is_missing_file, read_address
from twotower.shop.database import ShopDatabase


def serve(
    bundle_path: Path,
    *,
    console: Console,
    settings: ServerSettings,
    database: str | Path | None = None,
) -> None:
    """Serves a bundle over HTTP until SIGINT or SIGTERM; running requests are finished first.

    Args:
        bundle_path: The bundle's folder, or a folder of bundles: the promoted one is served,
            the newest until one was.
        console: Where the ready line goes.
        settings: Where to listen, and what to refuse.
        database: Path, `sqlite:///PATH` or `postgresql://...` of the shop database; a folder
            beside the bundle when left out.

    Raises:
        ConfigError: The address is taken or not this machine's, or others can reach it and the
            shop has no keys, or the database's is none.
        MissingExtra: The driver of the database is not installed.
        BundleError: The bundle is damaged or of another version.
        OutputError: The database's file cannot be written.
        StorageUnavailable: The database's server cannot be reached.
        DataError: It is no shop database, or one of a newer twotower.
    """
    where = beside(bundle_path) if database is None else database
    url = read_address(where)  # a wrong one is told before anything is loaded
    _refuse_to_be_open(settings, is_key_needed=bool(settings.api_key) or _has_keys(url))

    def make_app() -> FastAPI:
        shelf = ReleaseFolder(bundle_path) if ReleaseFolder.is_one(bundle_path) else None
        chosen = bundle_path if shelf is None else shelf.place(shelf.pointer().current)
        console.print(f"Loading {chosen}", highlight=False)
        retriever = Retriever(Bundle.load(chosen))
        return create_app(retriever, ShopDatabase(where), settings, shelf=shelf)

    serve_app(make_app, console=console, settings=settings)


def serve_app(
    make_app: Callable[[], FastAPI], *, console: Console, settings: ServerSettings
) -> None:
    """Serves an app until SIGINT or SIGTERM; the port is taken before the app is made.

    Args:
        make_app: Makes the app; may be slow.
        console: Where the ready line goes.
        settings: Where to listen, and how long running requests may take at the end.

    Raises:
        ConfigError: The address is taken or not this machine's, or others can reach it and no
            key is needed.
        TwoTowerError: The app failed to start.
    """
    with _listening(settings) as listener:
        if settings.json_logs:
            write_json_lines()
        app = make_app()
        _refuse_to_be_open(settings, is_key_needed=app.state.releases.keyring.is_needed)
        config = uvicorn.Config(
            app,
            log_config=None if settings.json_logs else uvicorn.config.LOGGING_CONFIG,
            log_level="warning",
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=settings.shutdown_s,
        )
        server = _Server(config, console, _address(settings.host, listener))
        try:
            with _stopping_is_normal():
                server.run(sockets=[listener])
        except SystemExit as error:  # uvicorn's way to say that the app's start failed
            raise TwoTowerError("the server did not start; the log above says why") from error


def _refuse_to_be_open(settings: ServerSettings, *, is_key_needed: bool) -> None:
    if not is_key_needed and not is_loopback(settings.host):
        raise ConfigError(
            f"host {settings.host!r} can be reached from other machines, so a key is needed: make "
            "one with 'twotower admin keys add', or set TWOTOWER_API_KEY in the environment, or "
            "listen on 127.0.0.1"
        )


def _has_keys(url: URL) -> bool:
    """Whether the database holds any; none is made for the question."""
    if is_missing_file(url):
        return False
    with ShopDatabase(url.render_as_string(hide_password=False)) as database:
        return bool(database.keys.all())


class _Server(uvicorn.Server):
    """Says where it listens as soon as it answers."""

    def __init__(self, config: uvicorn.Config, console: Console, address: str) -> None:
        super().__init__(config)
        self._console = console
        self._address = address

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets=sockets)
        if self.started:
            self._console.print(
                f"[green]Ready[/green] at {self._address} (Ctrl+C stops it)", highlight=False
            )


@contextmanager
def _listening(settings: ServerSettings) -> Iterator[socket.socket]:
    """The port is taken before anything slow, so that a clash is known at once."""
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    # asyncio turns Nagle's delay (40 ms an answer) off only where the protocol is named.
    with socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((settings.host.strip("[]"), settings.port))
        except OSError as error:
            raise ConfigError(
                f"cannot listen on {settings.host} port {settings.port}: {error.strerror}; "
                "choose another with --port (make demo PORT=8001), or stop what uses it"
            ) from error
        yield listener


def _address(host: str, listener: socket.socket) -> str:
    port = listener.getsockname()[1]
    return f"http://[{host.strip('[]')}]:{port}" if ":" in host else f"http://{host}:{port}"


@contextmanager
def _stopping_is_normal() -> Iterator[None]:
    """A stop signal ends serving, not the caller: uvicorn raises it again when it is done."""

    def stopped(_signal: int, _frame: FrameType | None) -> None:
        return None

    earlier = {one: signal.signal(one, stopped) for one in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for one, handler in earlier.items():
            signal.signal(one, handler)
