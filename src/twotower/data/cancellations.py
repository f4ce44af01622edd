"""Purchases that were cancelled or sent back are none."""

from typing import Final

import polars as pl

from twotower import schema
from twotower.data.rule import Cleaning
from twotower.data.words import CANCEL

_FOUND: Final = "_taken_back"


def cancel(cleaning: Cleaning) -> None:
    """Each cancellation takes back the user's latest purchase of the item before it.

    Both are left out; so is a cancellation of no purchase in the log.
    """
    events = cleaning.tables.events
    if events is None or not (events[schema.EVENT] == CANCEL).any():
        return
    found = _taken_back(events)
    cleaning.tables = cleaning.tables.with_frames({"events": events.with_columns(found)})
    is_cancel, taken = pl.col(schema.EVENT) == CANCEL, pl.col(_FOUND)
    cleaning.drop("cancelled_purchase", "events", ~is_cancel & taken)
    cleaning.drop("cancellation", "events", is_cancel & taken)
    cleaning.drop("cancellation_of_no_known_purchase", "events", is_cancel)
    rest = cleaning.tables.frames["events"].drop(_FOUND)
    cleaning.tables = cleaning.tables.with_frames({"events": rest})


def _taken_back(events: pl.DataFrame) -> pl.Series:
    """[events] cancellations that found a purchase, and those purchases."""
    pair = [schema.USER_ID, schema.ITEM_ID]
    by_time = [name for name in (schema.TIME, schema.ORDER) if name in events.columns]
    rows = events.with_row_index("_row").filter(
        pl.col(schema.EVENT).is_in([CANCEL, schema.EventKind.PURCHASE])
    )
    touched = rows.join(rows.filter(pl.col(schema.EVENT) == CANCEL), on=pair, how="semi")
    found = [False] * len(events)
    bought: list[int] = []
    before = None
    for user, item, row, kind in (
        touched.sort([*pair, *by_time, "_row"]).select(*pair, "_row", schema.EVENT).iter_rows()
    ):
        if (user, item) != before:
            before, bought = (user, item), []
        if kind != CANCEL:
            bought.append(row)
        elif bought:
            found[row] = found[bought.pop()] = True
    return pl.Series(_FOUND, found)
