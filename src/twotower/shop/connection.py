"""Opening the database file: its address, its durability, its schema version."""

import sqlite3
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Engine, create_engine, event, inspect
from sqlalchemy.engine import URL, Connection, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError

from twotower.errors import ConfigError, DataError, OutputError
from twotower.shop.tables import SCHEMA_VERSION, metadata, schema_version

BUSY_TIMEOUT_MS: Final = 10_000
"""A writer waits this long for another process that writes."""
_POOL: Final = 8
_OVERFLOW: Final = 56


def beside(bundle: Path) -> Path:
    """Gives the default place of a bundle's database: a sibling folder, as bundles never change.

    Args:
        bundle: The bundle's folder.

    Returns:
        `NAME-shop/shop.sqlite` beside it.
    """
    folder = bundle.resolve()
    return folder.parent / f"{folder.name}-shop" / "shop.sqlite"


def open_engine(where: str | Path) -> Engine:
    """Opens the database file, and makes it with its folder and tables when it is not there.

    Args:
        where: A path, or a URL `sqlite:///PATH`.

    Returns:
        An engine whose transactions are on disk when they end.

    Raises:
        ConfigError: Not the address of an SQLite file.
        OutputError: The file cannot be made or written.
        DataError: The file is no shop database, or one of another schema version.
    """
    url = _file_url(where)
    path = Path(str(url.database))
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"cannot make the folder {path.parent}: {error.strerror}") from error
    engine = create_engine(
        url,
        pool_size=_POOL,
        max_overflow=_OVERFLOW,
        connect_args={"timeout": BUSY_TIMEOUT_MS / 1_000, "check_same_thread": False},
    )
    event.listen(engine, "connect", _make_durable)
    try:
        with engine.connect() as connection:
            _make_or_check(connection, path)
    except DBAPIError as error:
        engine.dispose()
        raise _named(error, path) from error
    except DataError:
        engine.dispose()
        raise
    return engine


def _file_url(where: str | Path) -> URL:
    if isinstance(where, Path) or "://" not in where:
        return URL.create("sqlite", database=str(where))
    try:
        url = make_url(where)
    except ArgumentError as error:
        raise ConfigError(f"database must be a path or sqlite:///PATH, got {where!r}") from error
    if url.get_backend_name() != "sqlite" or url.database in (None, "", ":memory:"):
        shown = url.render_as_string(hide_password=True)
        raise ConfigError(f"database must be an SQLite file, sqlite:///PATH, got {shown!r}")
    return url


def _make_durable(connection: sqlite3.Connection, _record: Any) -> None:
    """A commit is on disk before it returns; readers do not wait for the writer."""
    connection.isolation_level = None  # we say BEGIN ourselves
    connection.execute(f"PRAGMA busy_timeout = {BUSY_TIMEOUT_MS}")
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA foreign_keys = ON")


def _make_or_check(connection: Connection, path: Path) -> None:
    connection.exec_driver_sql("BEGIN IMMEDIATE")
    names = inspect(connection).get_table_names()
    if not names:
        metadata.create_all(connection)
        connection.execute(schema_version.insert().values(version=SCHEMA_VERSION))
    elif schema_version.name not in names:
        raise DataError(
            f"{path} is an SQLite file but no shop database: it has the tables "
            f"{', '.join(sorted(names)[:5])}; name another file"
        )
    else:
        _check_version(connection, path)
    connection.commit()


def _check_version(connection: Connection, path: Path) -> None:
    found = connection.execute(schema_version.select()).scalar()
    if found != SCHEMA_VERSION:
        raise DataError(
            f"{path} has schema version {found}, this twotower reads version {SCHEMA_VERSION}; "
            "use the twotower that wrote it, or name another file"
        )


def _named(error: DBAPIError, path: Path) -> DataError | OutputError:
    reason = str(error.orig)
    if isinstance(error.orig, sqlite3.OperationalError):
        return OutputError(f"cannot open the shop database {path}: {reason}")
    return DataError(f"{path} is no shop database: {reason}; name another file")
