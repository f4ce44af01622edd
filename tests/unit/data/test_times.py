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


@pytest.mark.parametrize("dates", [[20191001, 20240229], ["20191001", "20240229"]])
def test_whole_numbers_that_are_all_dates_are_dates(dates):
    leap_day = 1709164800000
    assert to_ms(pl.Series(dates)).to_list() == [MS, leap_day]
    assert to_ms(pl.Series([*dates, None])).to_list() == [MS, leap_day, None]


@pytest.mark.parametrize("other", [20230229, 20191301, 20191001.5])
def test_one_that_is_no_date_among_them_is_no_time(other):
    given = pl.Series([20191001, 20191001, other], strict=False)
    assert to_ms(given).to_list() == [MS, MS, None]


@pytest.mark.parametrize("numbers", [[20191001, 18991231], [20191099, 20191301, 20191001]])
def test_whole_numbers_that_are_mostly_no_dates_are_seconds(numbers):
    assert to_ms(pl.Series(numbers)).to_list() == [1000 * number for number in numbers]


@pytest.mark.parametrize(
    "texts",
    [
        ["01.10.2019", "31.12.2019"],
        ["1.10.2019 00:00", "31.12.2019 08:30"],
        ["01/10/2019 00:00:00", "31/12/2019 08:30:00"],
        ["10/01/2019", "12/31/2019"],
    ],
)
def test_the_order_of_day_and_month_is_read_where_the_column_says_it(texts):
    assert to_ms(pl.Series(texts))[0] == MS
    assert to_ms(pl.Series([*texts, "soon"])).is_null().to_list() == [False, False, True]


def test_days_and_months_that_could_be_either_are_no_times():
    assert to_ms(pl.Series(["01.10.2019", "02.03.2019"])).to_list() == [None, None]
