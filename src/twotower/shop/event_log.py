"""What visitors did as a table of events, for the next training."""

from collections.abc import Iterator

import polars as pl

from twotower import schema
from twotower.shop.database import ShopDatabase
from twotower.shop.erasures import digest_of_person
from twotower.shop.records import LiveEvent

_PAGE = 10_000
_COLUMNS = pl.Schema(
    {
        schema.USER_ID: pl.String(),
        schema.ITEM_ID: pl.String(),
        schema.EVENT: pl.String(),
        schema.TIME: pl.Int64(),
    }
)


def live_log(database: ShopDatabase) -> pl.DataFrame:
    """Reads the live events.

    A visitor who became known as one user, and as no other, is that user from the start; others
    without a user are known by their visitor id.

    Args:
        database: Of the shop.

    Returns:
        One row per event in the order of arrival, without impressions: user_id, item_id, event,
        time (UTC milliseconds).

    Raises:
        StorageUnavailable: It cannot be read.
    """
    live = list(_every_event(database))
    users: dict[str, set[str]] = {}
    for one in live:
        if one.user_id is not None:
            users.setdefault(one.visitor_id, set()).add(one.user_id)
    only = {visitor: next(iter(known)) for visitor, known in users.items() if len(known) == 1}
    rows = [
        (one.user_id or only.get(one.visitor_id, one.visitor_id), one.item_id, one.event, one.time)
        for one in live
    ]
    return pl.DataFrame(rows, schema=_COLUMNS, orient="row")


def whole_log(
    logged: pl.DataFrame | None, items: pl.DataFrame, database: ShopDatabase
) -> pl.DataFrame:
    """Joins the log that a bundle was trained on with the live events, without who was erased.

    Args:
        logged: The bundle's events, by item_row; None where it has none.
        items: The bundle's items; row i is item_row i.
        database: Of the shop.

    Returns:
        As `live_log`, the bundle's events first.

    Raises:
        StorageUnavailable: It cannot be read.
    """
    live = live_log(database)
    if logged is None:
        return live
    erased = database.erasures.digests()
    users = logged[schema.USER_ID].unique()
    gone = [one for one in users.to_list() if digest_of_person(one) in erased]
    kept = logged.filter(~pl.col(schema.USER_ID).is_in(gone))
    ids = items[schema.ITEM_ID].gather(kept[schema.ITEM_ROW])
    named = kept.with_columns(ids.alias(schema.ITEM_ID)).select(list(_COLUMNS))
    return pl.concat([named.cast(_COLUMNS), live])


def _every_event(database: ShopDatabase) -> Iterator[LiveEvent]:
    cursor = 0
    while page := database.events.after(cursor, limit=_PAGE):
        yield from (one for _, one in page if one.event != schema.IMPRESSION)
        cursor = page[-1][0]
