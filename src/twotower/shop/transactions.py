"""Reading and writing, with failures told as ours."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Engine
from sqlalchemy.engine import Connection
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as NoConnection

from twotower.errors import StorageUnavailable
from twotower.shop.address import shown_address
from twotower.shop.dialect import begin_writing


class Transactions:
    """Connections of one database; safe to share between threads.

    Args:
        engine: Of the open database.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._writer = threading.Lock()

    @property
    def address(self) -> str:
        """Where the database is, for people: never with a password."""
        return shown_address(self._engine.url)

    def close(self) -> None:
        """Closes the connections; what was acknowledged is already on disk."""
        self._engine.dispose()

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A connection that reads; raises `StorageUnavailable`."""
        try:
            with self._engine.connect() as connection:
                yield connection
        except (DBAPIError, NoConnection) as error:
            raise StorageUnavailable(
                f"the shop database {self.address} cannot be read: {_reason(error)}; "
                "ask again when it is there"
            ) from error

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """A transaction, on disk when the block ends well; raises `StorageUnavailable`.

        One writer at a time in this process; those of other processes wait in the database.
        """
        try:
            with self._writer, self._engine.connect() as connection:
                begin_writing(connection)
                yield connection
                connection.commit()
        except (DBAPIError, NoConnection) as error:
            raise StorageUnavailable(
                f"the shop database {self.address} cannot be written: {_reason(error)}; "
                "nothing of this request is acknowledged; send it again when it is there"
            ) from error

    @contextmanager
    def outside(self) -> Iterator[Connection]:
        """A connection in no transaction; raises `StorageUnavailable`."""
        try:
            with self._engine.connect().execution_options(
                isolation_level="AUTOCOMMIT"
            ) as connection:
                yield connection
        except (DBAPIError, NoConnection) as error:
            raise StorageUnavailable(
                f"the shop database {self.address} cannot be tidied up: {_reason(error)}; "
                "try again when it is there"
            ) from error


def _reason(error: DBAPIError | NoConnection) -> str:
    """The first line alone: the others may quote what was to be stored."""
    told = str(error.orig if isinstance(error, DBAPIError) else error)
    return told.partition("\n")[0]
