"""The shop database: events and live products, durable before anyone is told so."""

from pathlib import Path
from typing import Self

from sqlalchemy import false, func, select

from twotower.shop.connection import open_engine
from twotower.shop.dialect import tidy
from twotower.shop.erasures import Erasures
from twotower.shop.events import Events
from twotower.shop.keys import Keys
from twotower.shop.products import Products
from twotower.shop.records import Counts
from twotower.shop.rules import Rules
from twotower.shop.tables import events, happened, products
from twotower.shop.transactions import Transactions


class ShopDatabase:
    """One open database; safe to share between threads, and to open in several processes.

    Attributes:
        events: What visitors did.
        products: What was put in, patched or deleted since the bundle was built.
        keys: Who may ask what over HTTP.
        erasures: Who was erased.
        rules: What the shop wants in its lists.
        transactions: Reading and writing, for what concerns all tables.
        address: Where it is, for people: never with a password.

    Args:
        where: A path, `sqlite:///PATH` or `postgresql://USER@HOST/DATABASE`; a file is made
            when it is not there.

    Raises:
        ConfigError: Not such an address.
        MissingExtra: The driver of PostgreSQL is not installed.
        OutputError: The file cannot be made or written.
        StorageUnavailable: The server cannot be reached, or lets nobody in or write.
        DataError: It is no shop database, or one of a newer revision.

    Example:
        >>> import tempfile
        >>> from twotower.shop.records import LiveEvent
        >>> folder = tempfile.TemporaryDirectory()
        >>> with ShopDatabase(Path(folder.name) / "shop.sqlite") as database:
        ...     view = LiveEvent("e1", "v1", "kettle", "view", time=1, received=2)
        ...     database.events.add([view, view]).duplicate
        ('e1',)
        >>> folder.cleanup()
    """

    def __init__(self, where: str | Path) -> None:
        self.transactions = Transactions(open_engine(where))
        self.events = Events(self.transactions)
        self.products = Products(self.transactions)
        self.keys = Keys(self.transactions)
        self.erasures = Erasures(self.transactions)
        self.rules = Rules(self.transactions)
        self.address = self.transactions.address

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        self.close()

    def close(self) -> None:
        """Closes the connections; what was acknowledged is already on disk."""
        self.transactions.close()

    def vacuum(self) -> None:
        """Gives back the room of what was deleted, while others read; raises `StorageUnavailable`.

        Writers to SQLite wait until it is over, PostgreSQL's do not.
        """
        with self.transactions.outside() as connection:
            tidy(connection)

    def counts(self) -> Counts:
        """Counts the rows; raises `StorageUnavailable`."""
        n_events = select(func.count()).select_from(events).where(happened(events))
        there = products.c.deleted == false()
        n_products = select(func.count()).select_from(products).where(there)
        with self.transactions.reading() as connection:
            return Counts(
                events=connection.execute(n_events).scalar_one(),
                products=connection.execute(n_products).scalar_one(),
            )
