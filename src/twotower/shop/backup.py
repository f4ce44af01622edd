"""A whole shop from one database into another, of either kind, while it is in use."""

from typing import Final

from sqlalchemy import delete, func, select
from sqlalchemy.engine import Connection

from twotower.errors import DataError
from twotower.shop.database import ShopDatabase
from twotower.shop.dialect import begin_snapshot, count_on
from twotower.shop.tables import feeds, metadata

_ROWS: Final = 1_000


def copy_shop(source: ShopDatabase, target: ShopDatabase) -> dict[str, int]:
    """Copies every table as it is at one moment; who writes to the source meanwhile is not held up.

    Args:
        source: What is copied.
        target: Where to; must be empty. It is whole when this returns, or still empty.

    Returns:
        Rows by table.

    Raises:
        DataError: The target holds something already.
        StorageUnavailable: One of them cannot be read or written; the target is empty.
    """
    with source.transactions.reading() as here, target.transactions.writing() as there:
        begin_snapshot(here)
        _refuse_full(there, target.address)
        there.execute(delete(feeds))
        return {name: _copy(name, here, there) for name in sorted(metadata.tables)}


def _copy(name: str, here: Connection, there: Connection) -> int:
    table, n_rows = metadata.tables[name], 0
    rows = here.execution_options(yield_per=_ROWS).execute(select(table)).mappings()
    for part in rows.partitions(_ROWS):
        there.execute(table.insert(), [dict(row) for row in part])
        n_rows += len(part)
    count_on(there, name)
    return n_rows


def _refuse_full(there: Connection, address: str) -> None:
    for name, table in metadata.tables.items():
        held = there.execute(select(func.count()).select_from(table)).scalar_one()
        if held and name != feeds.name:
            raise DataError(
                f"{address} must be a new database, but its table {name} has {held} rows; "
                "name another one"
            )
