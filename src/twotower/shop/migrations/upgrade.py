"""Bringing a database to the newest revision."""

from functools import cache
from pathlib import Path
from typing import Final

from alembic.operations import Operations
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import inspect
from sqlalchemy.engine import Connection

from twotower.errors import DataError

REVISION_TABLE: Final = "shop_revision"
"""Holds the one revision that the tables are at."""
_COUNTED: Final = "schema_version"
"""The table by which the first release knew its files; it held the number 1."""
_FIRST: Final = "0001"


def revisions() -> list[str]:
    """Lists the revisions this twotower knows, oldest first."""
    return [one.revision for one in _script().walk_revisions()][::-1]


def upgrade(connection: Connection, address: str) -> None:
    """Makes the tables of an empty database, or brings older ones to the newest revision.

    Args:
        connection: In a transaction that writes, and that the caller ends.
        address: What errors call the database.

    Raises:
        DataError: The tables are another program's, or of a newer twotower.
    """
    context = MigrationContext.configure(connection, opts={"version_table": REVISION_TABLE})
    script = _script()
    current = context.get_current_revision() or _adopted(connection, context, address)
    known = revisions()
    if current is not None and current not in known:
        raise DataError(
            f"{address} has schema revision {current}, this twotower knows {known[0]} to "
            f"{known[-1]}; use the twotower that wrote it or a newer one, or name another database"
        )
    for revision in reversed(list(script.iterate_revisions("head", current or "base"))):
        with Operations.context(context):
            revision.module.upgrade()
        context.stamp(script, revision.revision)


@cache
def _script() -> ScriptDirectory:
    return ScriptDirectory(Path(__file__).parent)


def _adopted(connection: Connection, context: MigrationContext, address: str) -> str | None:
    """The revision of a database that names none; None when it is empty."""
    names = inspect(connection).get_table_names()
    if not names:
        return None
    if _COUNTED not in names:
        raise DataError(
            f"{address} is a database but no shop database: it has the tables "
            f"{', '.join(sorted(names)[:5])}; name another one"
        )
    version = connection.exec_driver_sql(f"SELECT version FROM {_COUNTED}").scalar()  # noqa: S608 - our own name # nosec B608
    if version != 1:
        raise DataError(
            f"{address} has schema version {version}, this twotower reads version 1; "
            "use the twotower that wrote it, or name another database"
        )
    context.stamp(_script(), _FIRST)
    connection.exec_driver_sql(f"DROP TABLE {_COUNTED}")
    return _FIRST
