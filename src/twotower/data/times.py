"""Times of every usual form into UTC milliseconds."""

import time
from collections.abc import Sequence
from typing import Final

import polars as pl

_FORMATS: Final = (
    "%Y-%m-%d %H:%M:%S%.f%:z",
    "%Y-%m-%d %H:%M:%S%.f",
    "%Y-%m-%d %H:%M",
    "%Y-%m-%d",
    "%Y/%m/%d %H:%M:%S",
    "%Y/%m/%d",
)
_ORDERS: Final = (("%d.%m.%Y", "%d/%m/%Y", "%d-%m-%Y"), ("%m.%d.%Y", "%m/%d/%Y", "%m-%d-%Y"))
"""The day before the month, and the month before the day."""
_FIRST_DATE, _LAST_DATE = 19000101, 21001231
"""Whole numbers from here to here, most of them dates of the calendar, are year, month, day."""
_UNITS: Final = ((1e11, 1000.0), (1e14, 1.0), (1e17, 1e-3))
"""A typical value below the first is in seconds, in ms, in µs; above all of them in ns."""


def now_ms() -> int:
    """The time now, UTC milliseconds."""
    return time.time_ns() // 1_000_000


def to_ms(column: pl.Series) -> pl.Series:
    """[rows] UTC milliseconds, null where a value is missing or is no time.

    Args:
        column: dates, datetimes (without a zone they are UTC), seconds, ms, µs or ns since
            1970 (the column's typical value says which), whole numbers such as 20240131, or
            text with any of these. 31.12.2024 and 12/31/2024 are read where some day of the
            column is above 12, so that only one order can be meant.
    """
    if column.dtype == pl.Date:
        return column.cast(pl.Datetime("ms")).dt.epoch("ms")
    if isinstance(column.dtype, pl.Datetime):
        return (
            column.dt.convert_time_zone("UTC").dt.epoch("ms")
            if column.dtype.time_zone
            else column.dt.epoch("ms")
        )
    if column.dtype.is_numeric():
        return _numbered(column.cast(pl.Float64))
    if column.dtype == pl.String:
        text = column.str.strip_chars()
        numbers = text.cast(pl.Float64, strict=False)
        return _written(text) if numbers.null_count() == len(column) else _numbered(numbers)
    return pl.Series(column.name, [None] * len(column), dtype=pl.Int64)


def _numbered(numbers: pl.Series) -> pl.Series:
    """Dates where numbers look like 20240131 and most are dates; otherwise time since 1970."""
    given = numbers.drop_nulls().drop_nans()
    whole = numbers.cast(pl.Int64, strict=False)
    if len(given) and given.is_between(_FIRST_DATE, _LAST_DATE).all():
        dates = whole.cast(pl.String).str.to_datetime("%Y%m%d", time_unit="ms", strict=False)
        if 2 * (len(dates) - dates.null_count()) > len(given):
            return dates.dt.epoch("ms").set((whole != numbers).fill_null(value=False), None)
    return _since_1970(numbers)


def _since_1970(numbers: pl.Series) -> pl.Series:
    finite = numbers.set(~numbers.is_finite(), None)
    typical = finite.abs().median()
    size = typical if isinstance(typical, float) else 0.0
    factor = next((factor for limit, factor in _UNITS if size < limit), 1e-6)
    return (finite * factor).round().cast(pl.Int64, strict=False)


def _written(text: pl.Series) -> pl.Series:
    """ISO 8601, or else days, months and years in the one order that can be meant."""
    found = _iso(text)
    if found.null_count() < len(found):
        return found
    day_first, month_first = (_parsed(text, _with_clock(forms)) for forms in _ORDERS)
    if day_first.null_count() == month_first.null_count():
        return found
    return min(day_first, month_first, key=lambda read: read.null_count())


def _iso(text: pl.Series) -> pl.Series:
    """ISO 8601 and its common variants; a time without a zone is UTC."""
    plain = (
        text.str.replace(r"(\d)T(\d)", "${1} ${2}")
        .str.replace(r"\s*(Z|UTC|GMT)$", "+00:00")
        .str.replace(r"([+-]\d{2})(\d{2})$", "${1}:${2}")
    )
    return _parsed(plain, _FORMATS)


def _with_clock(dates: Sequence[str]) -> list[str]:
    return [f"{date}{clock}" for date in dates for clock in ("", " %H:%M", " %H:%M:%S")]


def _parsed(text: pl.Series, formats: Sequence[str]) -> pl.Series:
    """[rows] milliseconds, by the first format that a value has; null where it has none."""
    parsed = [
        text.str.to_datetime(
            form, time_unit="ms", strict=False, time_zone="UTC" if "%:z" not in form else None
        )
        for form in formats
    ]
    frame = pl.DataFrame([p.dt.epoch("ms").alias(str(n)) for n, p in enumerate(parsed)])
    return frame.select(pl.coalesce(pl.all())).to_series()
