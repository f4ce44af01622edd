"""The rules of a log, a range of users at a time."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import polars as pl

from twotower import schema
from twotower.data import log, outliers
from twotower.data.clean import Catalogue, clean_log, resolve_unknown_items
from twotower.data.outliers import Bots
from twotower.data.rule import ROW, Cleaning, Rule, merged
from twotower.data.streaming.sort import Sorted
from twotower.data.tables import Tables


@dataclass(frozen=True, eq=False)
class Cleaned:
    """Clean events on disk, typed queries among them, with the rows of their items.

    Attributes:
        files: of the ranges of users, in their order.
        rules: what cleaning did.
        busy: by column, the ids of users and sessions that are left out when these are read.
    """

    files: tuple[Path, ...]
    rules: tuple[Rule, ...]
    busy: Mapping[str, pl.Series] = field(default_factory=dict)

    def scan(self, *files: Path) -> pl.LazyFrame:
        """The events that stay, of these files or of all."""
        events = pl.scan_parquet(list(files or self.files))
        for column, ids in self.busy.items():
            events = events.filter(~pl.col(column).is_in(ids.implode()).fill_null(value=False))
        return events


def clean(
    found: Sorted, tables: Tables, catalogue: Catalogue, now_ms: int, bots: Bots, folder: Path
) -> Cleaned:
    """Every rule of events, each range of users by itself.

    Args:
        found: typed rows in ranges of users.
        tables: clean items.
        catalogue: what the rules of items found.
        now_ms: the time now.
        bots: what becomes of users and sessions with far more events than others.
        folder: to write to.
    """
    files, rules = [], []
    for number, events in enumerate(found.read()):
        cleaning = Cleaning(
            tables.with_frames({"events": events.drop(ROW), "users": None, "judgments": None}),
            places={"events": events[ROW]},
        )
        clean_log(cleaning, catalogue, now_ms, has_clock=found.has_clock)
        resolve_unknown_items(cleaning, "events", "drop")
        rules += cleaning.rules
        placed = cleaning.tables.frames["events"].with_columns(cleaning.places("events").alias(ROW))
        path = folder / f"{number:05}.parquet"
        rows = log.with_rows(placed, tables.items).drop(schema.ITEM_ID)
        rows.write_parquet(path, compression="lz4")
        files.append(path)
    return _without_bots(Cleaned(tuple(files), merged(rules)), bots)


def _without_bots(cleaned: Cleaned, action: Bots) -> Cleaned:
    """Finds users and sessions with far more events than others; see `outliers.bots`."""
    for column in outliers.BUSY:
        if column not in cleaned.scan().collect_schema():
            continue
        busy, most = _busy(cleaned.scan().drop_nulls(column), column)
        if busy.is_empty():
            continue
        rules = (*cleaned.rules, outliers.busy_rule(busy, most, action))
        cleaned = replace(cleaned, rules=rules)
        if action == "drop":
            cleaned = replace(cleaned, busy={**cleaned.busy, column: busy[column]})
    return cleaned


def _busy(events: pl.LazyFrame, column: str) -> tuple[pl.DataFrame, int]:
    """Ids with more events than the threshold, how many these are, and the threshold.

    Events are counted by a hash of their id: ids of all users are not held in memory.
    """
    key = pl.col(column).hash()
    sizes = events.select(key).group_by(column).len().collect(engine="streaming")
    most = outliers.threshold(sizes["len"])
    above = sizes.filter(pl.col("len") > most)[column]
    busy = events.filter(key.is_in(above.implode())).group_by(column).len()
    return busy.collect(engine="streaming").filter(pl.col("len") > most), most
