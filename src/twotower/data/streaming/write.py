"""A clean log into a dataset's folder: split, counted and hashed, a range of users at a time."""

from pathlib import Path

import polars as pl

from twotower import schema
from twotower.data import laws, log, splits
from twotower.data.config import PrepareConfig
from twotower.data.dataset import ContentHash
from twotower.data.log_numbers import LogNumbers
from twotower.data.rule import ROW
from twotower.data.splits import TimeCuts
from twotower.data.streaming.clean import Cleaned
from twotower.errors import DataError


def cut(cleaned: Cleaned, config: PrepareConfig) -> tuple[str, TimeCuts | None]:
    """The kind of split that is made, and the cuts of one by time.

    Raises:
        DataError: these events cannot be split in the wanted way.
    """
    if config.split not in ("auto", "time"):
        return config.split, None
    of_items = cleaned.scan().filter(pl.col(schema.EVENT) != schema.SEARCH)
    if schema.TIME not in of_items.collect_schema():
        of_items = of_items.with_columns(pl.lit(None, pl.Int64).alias(schema.TIME))
    times = of_items.select(schema.TIME).collect(engine="streaming").to_series()
    if times.null_count():
        if config.split == "time":
            raise log.no_clock(config.split)
        return "leave-one-out", None
    ordered = times.to_numpy(writable=True)
    del times
    ordered.sort()
    try:
        return "time", splits.cuts_of(ordered, config.validation_share, config.test_share)
    except DataError:
        if config.split == "time":
            raise
        return "leave-one-out", None


def write(
    cleaned: Cleaned,
    kind: str,
    cuts: TimeCuts | None,
    config: PrepareConfig,
    *,
    digest: ContentHash,
    numbers: LogNumbers,
    path: Path,
) -> pl.DataFrame | None:
    """The events of a dataset as one file, where there are any.

    Args:
        cleaned: clean events.
        kind: of the split.
        cuts: of a split by time.
        config: the shares of the others.
        digest: takes in the events.
        numbers: takes them in as well.
        path: the file; what is written before lies beside it, and is taken away.

    Returns:
        The typed queries of the log, in its order; None for none.
    """
    pieces: list[Path] = []
    searches: list[pl.DataFrame] = []
    for file in cleaned.files:
        of_items, typed = log.without_searches(cleaned.scan(file).collect())
        if typed is not None:
            searches.append(typed)
        if of_items is None:
            continue
        ordered = log.ordered(of_items)
        events = log.columns(ordered.with_columns(_part(ordered, kind, cuts, config)))
        laws.assert_events(events, kind, cuts)
        digest.add("events", events)
        numbers.add(events)
        pieces.append(path.with_name(f"{path.stem}-{len(pieces):05}.parquet"))
        events.write_parquet(pieces[-1], compression="lz4")
    if pieces:
        pl.scan_parquet(pieces).sink_parquet(path, compression="zstd")
    for piece in pieces:
        piece.unlink()
    return pl.concat(searches).sort(ROW).drop(ROW) if searches else None


def _part(
    events: pl.DataFrame, kind: str, cuts: TimeCuts | None, config: PrepareConfig
) -> pl.Series:
    if cuts is not None:
        return splits.by_time(events[schema.TIME], cuts)
    if kind == "leave-one-out":
        return splits.leave_one_out(events)
    return splits.last_by_user(
        events, validation_share=config.validation_share, test_share=config.test_share
    )
