"""Times of every usual form into UTC milliseconds."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final, Literal

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
_FIRST_LOOK: Final = 1_000
"""Values that mostly tell the form of all."""
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


@dataclass(frozen=True)
class Form:
    """How a column writes its times, as only the whole of it tells.

    Attributes:
        kind: a type of its own, numbers since 1970, numbers such as 20240131, or texts.
        unit_ms: milliseconds of one, of numbers since 1970.
    """

    kind: Literal["typed", "number", "date", "iso", "day first", "month first", "none"]
    unit_ms: float = 1.0


def to_ms(column: pl.Series, zone: str = UTC, form: Form | None = None) -> pl.Series:
    """[rows] UTC milliseconds, null where a value is missing or is no time.

    Args:
        column: dates, datetimes, seconds, ms, µs or ns since 1970 (the column's typical value
            says which), whole numbers such as 20240131, or text with any of these, where most
            values are numbers or none is read as one. 31.12.2024
            and 12/31/2024 are read where some day of the column is above 12, so that only one
            order can be meant.
        zone: where a clock shows what is written without a zone, such as Europe/Paris. Of an
            hour that comes twice in autumn the first is meant.
        form: of the column that these rows are a part of; their own when left out.
    """
    form = form or form_of(column)
    if form.kind == "none":
        return pl.Series(column.name, [None] * len(column), dtype=pl.Int64)
    if form.kind == "typed":
        return _typed(column, zone)
    if form.kind in ("number", "date"):
        text = column.str.strip_chars() if column.dtype == pl.String else column
        numbers = text.cast(pl.Float64, strict=False)
        return _dates(numbers, zone) if form.kind == "date" else _since_1970(numbers, form.unit_ms)
    text = column.cast(pl.String).str.strip_chars()
    if form.kind == "iso":
        return _iso(text, zone)
    return _parsed(text, _with_clock(_ORDERS[form.kind == "month first"]), zone)


def form_of(column: pl.Series) -> Form:
    """How a column writes its times; see `to_ms`."""
    if column.dtype == pl.Date or isinstance(column.dtype, pl.Datetime):
        return Form("typed")
    if column.dtype.is_numeric():
        return _number_form(column.cast(pl.Float64))
    if column.dtype != pl.String:
        return Form("none")
    text = column.str.strip_chars()
    numbers = text.cast(pl.Float64, strict=False)
    given = text.replace("", None).count()
    is_text = 2 * numbers.count() < given or not numbers.count()
    return _text_form(text) if is_text else _number_form(numbers)


def _typed(column: pl.Series, zone: str) -> pl.Series:
    if column.dtype == pl.Date:
        return _in_zone(column.cast(pl.Datetime("ms")), zone)
    if isinstance(column.dtype, pl.Datetime) and column.dtype.time_zone:
        return column.dt.convert_time_zone(UTC).dt.epoch("ms")
    return _in_zone(column, zone)


def _in_zone(clock: pl.Series, zone: str) -> pl.Series:
    """What a clock there shows, as UTC; an hour that spring skips is read as the one after it."""
    if zone == UTC:
        return clock.dt.epoch("ms")
    read, later = (
        shown.dt.replace_time_zone(zone, ambiguous="earliest", non_existent="null").dt.epoch("ms")
        for shown in (clock, clock + timedelta(hours=1))
    )
    return read.fill_null(later)


def _number_form(numbers: pl.Series) -> Form:
    """Dates where numbers look like 20240131 and most are dates; otherwise time since 1970."""
    given = numbers.drop_nulls().drop_nans()
    if len(given) and given.is_between(_FIRST_DATE, _LAST_DATE).all():
        dates = _dates(numbers, UTC)
        if 2 * (len(dates) - dates.null_count()) > len(given):
            return Form("date")
    typical = numbers.set(~numbers.is_finite(), None).abs().median()
    size = typical if isinstance(typical, float) else 0.0
    return Form("number", next((factor for limit, factor in _UNITS if size < limit), 1e-6))


def _dates(numbers: pl.Series, zone: str) -> pl.Series:
    whole = numbers.cast(pl.Int64, strict=False)
    dates = whole.cast(pl.String).str.to_datetime("%Y%m%d", time_unit="ms", strict=False)
    return _in_zone(dates, zone).set((whole != numbers).fill_null(value=False), None)


def _since_1970(numbers: pl.Series, unit_ms: float) -> pl.Series:
    finite = numbers.set(~numbers.is_finite(), None)
    return (finite * unit_ms).round().cast(pl.Int64, strict=False)


def _text_form(text: pl.Series) -> Form:
    """ISO 8601, or else days, months and years in the one order that can be meant."""
    if _iso(text.head(_FIRST_LOOK), UTC).count() or _iso(text, UTC).count():
        return Form("iso")
    day_first, month_first = (_parsed(text, _with_clock(forms), UTC).count() for forms in _ORDERS)
    if day_first == month_first:
        return Form("iso")
    return Form("day first" if day_first > month_first else "month first")


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
