"""What differs between the databases; everything else of the shop is one code for all."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Engine, event
from sqlalchemy.engine import URL, Connection

from twotower.shop.tables import events, metadata, products

_WAIT_MS: Final = 10_000
"""A writer waits this long for another one, in this process or elsewhere."""
_UPGRADE_MS: Final = 600_000
"""Who opens a database waits this long for another process that upgrades it."""
_UPGRADE_LOCK: Final = 7_470_118_227
"""Our number among PostgreSQL's advisory locks, which are known by numbers."""


@dataclass(frozen=True)
class Dialect:
    """How one kind of database is spoken to.

    Attributes:
        options: Arguments of `create_engine`.
        session: Said once on every new connection.
        write: Opens a transaction that writes, where that has to be said.
        upgrade: Opens a transaction that changes tables, one at a time in all processes.
        snapshot: Opens a transaction that reads everything as it is at one moment.
        tidy: Gives back the room of what was deleted; outside of a transaction.
        truncate: Empties the log of what was written, so that what was deleted is gone from it.
    """

    options: Mapping[str, Any]
    session: tuple[str, ...]
    write: tuple[str, ...]
    upgrade: tuple[str, ...]
    snapshot: tuple[str, ...]
    tidy: tuple[str, ...]
    truncate: tuple[str, ...]


_NUMBERED: Final = (events.name, products.name)
"""The tables whose column `sequence` the database counts."""
_DIALECTS: Final = {
    # Readers do not wait for the writer, and a commit is on disk before it returns.
    "sqlite": Dialect(
        options={
            "pool_size": 8,
            "max_overflow": 56,
            "connect_args": {
                "timeout": _WAIT_MS / 1_000,
                "check_same_thread": False,
                "isolation_level": None,  # we say BEGIN ourselves
            },
        },
        session=(
            f"PRAGMA busy_timeout = {_WAIT_MS}",
            "PRAGMA journal_mode = WAL",
            "PRAGMA synchronous = FULL",
            "PRAGMA foreign_keys = ON",
            "PRAGMA secure_delete = ON",  # what was deleted is overwritten
        ),
        write=("BEGIN IMMEDIATE",),
        upgrade=("BEGIN IMMEDIATE",),
        snapshot=("BEGIN",),
        tidy=("PRAGMA optimize", "VACUUM", "PRAGMA wal_checkpoint(TRUNCATE)"),
        truncate=("PRAGMA wal_checkpoint(TRUNCATE)",),
    ),
    # A server that vanished in the middle of writing must not hold up the others for long.
    "postgresql": Dialect(
        options={
            "pool_size": 8,
            "max_overflow": 8,
            "pool_timeout": _WAIT_MS / 1_000,
            "pool_pre_ping": True,
            "isolation_level": "READ COMMITTED",
            "connect_args": {
                "application_name": "twotower",
                "connect_timeout": 3,  # seconds; an address that nobody answers at
                "tcp_user_timeout": _WAIT_MS,  # a server that vanished without a word
            },
        },
        session=(
            f"SET lock_timeout = {_WAIT_MS}",
            f"SET idle_in_transaction_session_timeout = {_WAIT_MS}",
            "SELECT set_config('synchronous_commit', 'on', false)"
            " WHERE current_setting('synchronous_commit') IN ('off', 'local')",
        ),
        write=(),
        upgrade=(
            f"SET LOCAL lock_timeout = {_UPGRADE_MS}",
            f"SELECT pg_advisory_xact_lock({_UPGRADE_LOCK})",
            f"SET LOCAL lock_timeout = {_WAIT_MS}",
        ),
        snapshot=("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY",),
        tidy=tuple(f"VACUUM (ANALYZE) {name}" for name in metadata.tables),
        truncate=(),  # the server's own vacuum and its log's rotation see to it
    ),
}


def dialect_of(url: URL) -> Dialect:
    """Gives how the database at an address is spoken to."""
    return _DIALECTS[url.get_backend_name()]


def prepare_sessions(engine: Engine) -> None:
    """Makes every new connection of an engine say its dialect's first words."""

    def prepare(connection: Any, _record: object) -> None:
        cursor = connection.cursor()
        for statement in dialect_of(engine.url).session:
            cursor.execute(statement)
        cursor.close()
        connection.commit()

    event.listen(engine, "connect", prepare)


def begin_writing(connection: Connection) -> None:
    """Opens a transaction that writes."""
    _say(connection, dialect_of(connection.engine.url).write)


def begin_upgrading(connection: Connection) -> None:
    """Opens a transaction that changes tables; other processes' wait for its end."""
    _say(connection, dialect_of(connection.engine.url).upgrade)


def begin_snapshot(connection: Connection) -> None:
    """Opens a transaction that reads everything as it is at one moment."""
    _say(connection, dialect_of(connection.engine.url).snapshot)


def tidy(connection: Connection) -> None:
    """Gives back the room of what was deleted; the connection is in no transaction."""
    _say(connection, dialect_of(connection.engine.url).tidy)


def truncate_log(connection: Connection) -> None:
    """Empties the log of what was written, so that what was deleted is gone from it too."""
    _say(connection, dialect_of(connection.engine.url).truncate)


def count_on(connection: Connection, table: str) -> None:
    """Lets a table's own numbers go on after those of rows that brought theirs with them."""
    if table in _NUMBERED and connection.engine.url.get_backend_name() == "postgresql":
        largest = f"(SELECT max(sequence) FROM {table})"  # noqa: S608 - our own names # nosec B608
        sequence = f"pg_get_serial_sequence('{table}', 'sequence')"
        connection.exec_driver_sql(f"SELECT setval({sequence}, coalesce({largest}, 1))")


def _say(connection: Connection, statements: tuple[str, ...]) -> None:
    for statement in statements:
        connection.exec_driver_sql(statement)
