"""Opening the database: its address, its durability, its revision."""

import sqlite3
from pathlib import Path

from sqlalchemy import Engine, create_engine
from sqlalchemy.engine import URL
from sqlalchemy.exc import DBAPIError

from twotower.errors import (
    DataError,
    MissingExtra,
    OutputError,
    StorageUnavailable,
    TwoTowerError,
    installing,
)
from twotower.shop.address import read_address, shown_address
from twotower.shop.dialect import begin_upgrading, dialect_of, prepare_sessions
from twotower.shop.migrations.upgrade import upgrade


def open_engine(where: str | Path) -> Engine:
    """Opens the database, and brings its tables to the newest revision.

    Of several processes that open one database at once, one makes the tables and the others
    wait for it. A file is made, with its folder, when it is not there.

    Args:
        where: A path or a URL, as `read_address` takes it.

    Returns:
        An engine whose transactions are on disk when they end.

    Raises:
        ConfigError: Not the address of a file or of a PostgreSQL database.
        MissingExtra: The driver of that database is not installed.
        OutputError: The file cannot be made or written.
        StorageUnavailable: The server cannot be reached, or lets nobody in or write.
        DataError: It is no shop database, or one of a newer revision.
    """
    url = read_address(where)
    engine = _engine(url)
    if url.get_backend_name() == "sqlite":
        _make_folder(Path(str(url.database)).parent)
    prepare_sessions(engine)
    try:
        with engine.connect() as connection:
            begin_upgrading(connection)
            upgrade(connection, shown_address(url))
            connection.commit()
    except DBAPIError as error:
        engine.dispose()
        raise _named(error, shown_address(url)) from error
    except TwoTowerError:
        engine.dispose()
        raise
    return engine


def _engine(url: URL) -> Engine:
    try:
        return create_engine(url, hide_parameters=True, **dialect_of(url).options)
    except ImportError as error:
        raise MissingExtra(
            f"a database at {url.get_backend_name()}:// needs the driver {url.get_driver_name()}, "
            f"which is not installed; {installing('cluster')}"
        ) from error


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"cannot make the folder {folder}: {error.strerror}") from error


def _named(error: DBAPIError, address: str) -> TwoTowerError:
    reason = " ".join(str(error.orig).split())
    if isinstance(error.orig, sqlite3.OperationalError):
        return OutputError(f"cannot open the shop database {address}: {reason}")
    if isinstance(error.orig, sqlite3.Error):
        return DataError(f"{address} is no shop database: {reason}; name another file")
    return StorageUnavailable(
        f"cannot open the shop database {address}: {reason}; check that the server runs, "
        "and that address, user and rights are as it expects"
    )
