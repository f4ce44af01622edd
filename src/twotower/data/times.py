"""Times of every usual form into UTC milliseconds."""

import time
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
_UNITS: Final = ((1e11, 1000.0), (1e14, 1.0), (1e17, 1e-3))
"""A typical value below the first is in seconds, in ms, in µs; above all of them in ns."""


def now_ms() -> int:
    """The time now, UTC milliseconds."""
    return time.time_ns() // 1_000_000


def to_ms(column: pl.Series) -> pl.Series:
    """[rows] UTC milliseconds, null where a value is missing or is no time.

    Args:
        column: dates, datetimes (without a zone they are UTC), seconds, ms, µs or ns since
            1970 (the column's typical value says which), or text with any of these.
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
        return _since_1970(column.cast(pl.Float64))
    if column.dtype == pl.String:
        numbers = column.str.strip_chars().cast(pl.Float64, strict=False)
        return _iso(column) if numbers.null_count() == len(column) else _since_1970(numbers)
    return pl.Series(column.name, [None] * len(column), dtype=pl.Int64)


def _since_1970(numbers: pl.Series) -> pl.Series:
    finite = numbers.set(~numbers.is_finite(), None)
    typical = finite.abs().median()
    size = typical if isinstance(typical, float) else 0.0
    factor = next((factor for limit, factor in _UNITS if size < limit), 1e-6)
    return (finite * factor).round().cast(pl.Int64, strict=False)


def _iso(text: pl.Series) -> pl.Series:
    """ISO 8601 and its common variants; a time without a zone is UTC."""
    plain = (
        text.str.strip_chars()
        .str.replace(r"(\d)T(\d)", "${1} ${2}")
        .str.replace(r"\s*(Z|UTC|GMT)$", "+00:00")
        .str.replace(r"([+-]\d{2})(\d{2})$", "${1}:${2}")
    )
    parsed = [
        plain.str.to_datetime(
            form, time_unit="ms", strict=False, time_zone="UTC" if "%:z" not in form else None
        )
        for form in _FORMATS
    ]
    frame = pl.DataFrame([p.dt.epoch("ms").alias(str(n)) for n, p in enumerate(parsed)])
    return frame.select(pl.coalesce(pl.all())).to_series()
