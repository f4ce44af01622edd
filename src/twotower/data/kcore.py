"""Iterated k-core: training without the users and items that have too few events."""

import polars as pl

from twotower import schema
from twotower.data.rule import LEFT_OUT, Rule, record
from twotower.schema import Split


def k_core(events: pl.DataFrame, k: int) -> tuple[pl.DataFrame, tuple[Rule, ...]]:
    """The events without training events outside of the k-core, and what was left out.

    Args:
        events: user_id, item_row, order, split; sorted by user and order, which is counted
            anew.
        k: every user and item left in training has as many events there.
    """
    is_training = pl.col(schema.SPLIT) == Split.TRAIN
    core = events.with_row_index("_row").filter(is_training)
    before = -1
    while len(core) != before:
        before = len(core)
        for column in (schema.USER_ID, schema.ITEM_ROW):
            core = core.filter(pl.len().over(column) >= k)
    inside = pl.int_range(pl.len()).is_in(core["_row"].implode())
    outside = events.select(is_training & ~inside).to_series()
    if not outside.any():
        return events, ()
    rule = record("k_core", "events", int(outside.sum()), LEFT_OUT, events.filter(outside))
    order = pl.int_range(pl.len(), dtype=pl.Int32).over(schema.USER_ID).alias(schema.ORDER)
    return events.filter(~outside).with_columns(order), (rule,)
