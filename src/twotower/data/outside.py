"""A table that training never saw, through the same check and cleaning as a shop's own."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import polars as pl

from twotower import schema
from twotower.data import mapping, reading, shop_toml
from twotower.data.check import checked
from twotower.data.clean import cleaned_outside
from twotower.data.shop_toml import SHOP_FILE
from twotower.data.tables import Tables
from twotower.data.times import now_ms


@dataclass(frozen=True, eq=False)
class Outside:
    """Later events, or other judged queries, to measure a model on.

    Attributes:
        rows: events (user_id, item_id, event, and time where known) or judgments (query,
            item_id, and grade as letters or numbers); items may be unknown.
        file: what to call the table in a message.
        left_out: rows that were left out, by the rule that did it.
    """

    rows: pl.DataFrame
    file: str = "the table"
    left_out: Mapping[str, int] = field(default_factory=dict)


def read_outside(path: Path, table: Literal["events", "judgments"]) -> Outside:
    """The rows of a file that are fit to measure on.

    A `shop.toml` beside the file maps its columns and kinds of event, as it does for
    `prepare`. A column `split` means nothing here, and searches of a log are no events.

    Args:
        path: Parquet, CSV, TSV or JSON lines, gzipped or not.
        table: what it holds.

    Raises:
        DataError: the file cannot be read, lacks a column, or has a value of another type.
    """
    shop = shop_toml.read(path.parent / SHOP_FILE)
    found = reading.opened(path, shop.tables[table].encoding)
    mapped = mapping.apply(found.frame, table, shop.tables[table], path.name)
    given = Tables(
        items=pl.DataFrame(schema={schema.ITEM_ID: pl.String, schema.TITLE: pl.String}),
        files={table: path.name},
        columns={table: mapped.columns},
        time_zone=shop.time_zone,
    ).with_frames({table: mapped.frame.drop(schema.SPLIT, strict=False)})
    clean, rules = cleaned_outside(checked(given), now_ms=now_ms())
    rows, left_out = clean.frames[table], {rule.name: rule.count for rule in rules}
    if table == "events":
        searches = rows[schema.EVENT] == schema.SEARCH
        left_out |= {"searches": int(searches.sum())} if searches.any() else {}
        rows = rows.filter(~searches)
    return Outside(rows, path.name, left_out)
