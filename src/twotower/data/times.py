"""Times of every usual form into UTC milliseconds."""

import time
from collections.abc import Sequence
from datetime import timedelta
from typing import Final

import polars as pl

UTC: Final = "UTC"

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


def is_zone(name: str) -> bool:
    """Whether a time zone of the tz database has this name."""
    try:
        pl.Series([0]).cast(pl.Datetime("ms")).dt.replace_time_zone(name)
    except pl.exceptions.ComputeError:
        return False
    return True


def to_ms(column: pl.Series, zone: str = UTC) -> pl.Series:
    """[rows] UTC milliseconds, null where a value is missing or is no time.

    Args:
        column: dates, datetimes, seconds, ms, µs or ns since 1970 (the column's typical value
            says which), whole numbers such as 20240131, or text with any of these, where most
            values are numbers or none is read as one. 31.12.2024
            and 12/31/2024 are read where some day of the column is above 12, so that only one
            order can be meant.
        zone: where a clock shows what is written without a zone, such as Europe/Paris. Of an
            hour that comes twice in autumn the first is meant.
    """
    if column.dtype == pl.Date:
        return _in_zone(column.cast(pl.Datetime("ms")), zone)
    if isinstance(column.dtype, pl.Datetime):
        return (
            column.dt.convert_time_zone(UTC).dt.epoch("ms")
            if column.dtype.time_zone
            else _in_zone(column, zone)
        )
    if column.dtype.is_numeric():
        return _numbered(column.cast(pl.Float64), zone)
    if column.dtype == pl.String:
        text = column.str.strip_chars()
        numbers = text.cast(pl.Float64, strict=False)
        given = text.replace("", None).count()
        is_text = 2 * numbers.count() < given or not numbers.count()
        return _written(text, zone) if is_text else _numbered(numbers, zone)
    return pl.Series(column.name, [None] * len(column), dtype=pl.Int64)


def _in_zone(clock: pl.Series, zone: str) -> pl.Series:
    """What a clock there shows, as UTC; an hour that spring skips is read as the one after it."""
    if zone == UTC:
        return clock.dt.epoch("ms")
    read, later = (
        shown.dt.replace_time_zone(zone, ambiguous="earliest", non_existent="null").dt.epoch("ms")
        for shown in (clock, clock + timedelta(hours=1))
    )
    return read.fill_null(later)


def _numbered(numbers: pl.Series, zone: str) -> pl.Series:
    """Dates where numbers look like 20240131 and most are dates; otherwise time since 1970."""
    given = numbers.drop_nulls().drop_nans()
    whole = numbers.cast(pl.Int64, strict=False)
    if len(given) and given.is_between(_FIRST_DATE, _LAST_DATE).all():
        dates = whole.cast(pl.String).str.to_datetime("%Y%m%d", time_unit="ms", strict=False)
        if 2 * (len(dates) - dates.null_count()) > len(given):
            return _in_zone(dates, zone).set((whole != numbers).fill_null(value=False), None)
    return _since_1970(numbers)


def _since_1970(numbers: pl.Series) -> pl.Series:
    finite = numbers.set(~numbers.is_finite(), None)
    typical = finite.abs().median()
    size = typical if isinstance(typical, float) else 0.0
    factor = next((factor for limit, factor in _UNITS if size < limit), 1e-6)
    return (finite * factor).round().cast(pl.Int64, strict=False)


def _written(text: pl.Series, zone: str) -> pl.Series:
    """ISO 8601, or else days, months and years in the one order that can be meant."""
    found = _iso(text, zone)
    if found.null_count() < len(found):
        return found
    day_first, month_first = (_parsed(text, _with_clock(forms), zone) for forms in _ORDERS)
    if day_first.null_count() == month_first.null_count():
        return found
    return min(day_first, month_first, key=lambda read: read.null_count())


def _iso(text: pl.Series, zone: str) -> pl.Series:
    """ISO 8601 and its common variants."""
    plain = (
        text.str.replace(r"(\d)T(\d)", "${1} ${2}")
        .str.replace(r"\s*(Z|UTC|GMT)$", "+00:00")
        .str.replace(r"([+-]\d{2})(\d{2})$", "${1}:${2}")
    )
    return _parsed(plain, _FORMATS, zone)


def _with_clock(dates: Sequence[str]) -> list[str]:
    return [f"{date}{clock}" for date in dates for clock in ("", " %H:%M", " %H:%M:%S")]


def _parsed(text: pl.Series, formats: Sequence[str], zone: str) -> pl.Series:
    """[rows] milliseconds, by the first format that a value has; null where it has none."""
    parsed = [
        text.str.to_datetime(form, time_unit="ms", strict=False).dt.epoch("ms")
        if "%:z" in form
        else _in_zone(text.str.to_datetime(form, time_unit="ms", strict=False), zone)
        for form in formats
    ]
    frame = pl.DataFrame([p.alias(str(n)) for n, p in enumerate(parsed)])
    return frame.select(pl.coalesce(pl.all())).to_series()
