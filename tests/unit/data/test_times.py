from datetime import date, datetime, timedelta, timezone

import polars as pl
import pytest

from twotower.data.times import to_ms

MS = 1569888000000  # 2019-10-01


@pytest.mark.parametrize(
    "value",
    [
        "2019-10-01",
        "2019-10-01 00:00",
        "2019-10-01 00:00:00",
        "2019-10-01 00:00:00 UTC",
        "2019-10-01T00:00:00Z",
        "2019-10-01T00:00:00.000Z",
        "2019-10-01T02:00:00+02:00",
        "2019-10-01T02:00:00+0200",
        "1569888000",
        "1569888000000",
        1569888000,
        1569888000.0,
        MS,
        MS * 1000,
        MS * 1_000_000,
        date(2019, 10, 1),
        datetime(2019, 10, 1),
        datetime(2019, 10, 1, 2, tzinfo=timezone(timedelta(hours=2))),
    ],
)
def test_every_usual_form_of_a_time_is_the_same_millisecond(value):
    assert to_ms(pl.Series([value])).to_list() == [MS]


def test_what_is_no_time_is_null():
    assert to_ms(pl.Series(["2019-10-01", "soon", None])).to_list() == [MS, None, None]
    assert to_ms(pl.Series([True])).to_list() == [None]


def test_the_typical_value_decides_the_unit_of_a_column():
    assert to_ms(pl.Series([0, 1569888000, 1569888001]))[0] == 0
    assert to_ms(pl.Series([0, 1569888000, 1569888001]))[1] == MS
