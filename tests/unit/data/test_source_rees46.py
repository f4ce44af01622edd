"""REES46, on a log written by hand in the publisher's columns."""

import gzip
from pathlib import Path

import pytest

from public_data import folder, left_out
from twotower.data.config import PrepareConfig
from twotower.data.prepare import prepare
from twotower.data.sources.registry import published
from twotower.errors import DataError

HEADER = (
    "event_time,event_type,product_id,category_id,category_code,brand,price,user_id,user_session\n"
)
OCTOBER = """\
2019-10-01 00:00:00 UTC,view,11,20,appliances.environment.water_heater,aqua,33.20,5,s1
2019-10-01 00:00:05 UTC,cart,11,20,,,35.20,5,s1
2019-10-01 00:00:09 UTC,remove_from_cart,11,20,,aqua,34.20,5,s1
2019-10-01 00:01:00 UTC,view,12,20,,shiseido,5.00,6,s2
2019-10-01 00:02:00 UTC,view,13,20,,,1.00,6,s2
"""
NOVEMBER = "2019-11-01 00:00:00 UTC,purchase,12,20,,shiseido,5.00,5,s3\n"


def months(place: Path, october: str = OCTOBER) -> Path:
    (place / "2019-Oct.csv").write_text(HEADER + october)
    (place / "2019-Nov.csv.gz").write_bytes(gzip.compress((HEADER + NOVEMBER).encode()))
    return place


def read(place: Path):
    return prepare(published("rees46", place), PrepareConfig(split="leave-one-out"))


def test_all_months_are_one_log_in_their_order(tmp_path):
    dataset = read(months(tmp_path))
    events = dataset.events.select("user_id", "item_row", "event", "session_id").rows()
    assert events == [
        ("5", 0, "view", "s1"),
        ("5", 0, "cart", "s1"),
        ("5", 1, "purchase", "s3"),
        ("6", 1, "view", "s2"),
        ("6", 2, "view", "s2"),
    ]
    assert dataset.events["time"][0] == 1569888000000
    assert left_out(dataset, "events") == {"ignored_event": 1}


def test_products_are_called_by_brand_and_category(tmp_path):
    items = read(months(tmp_path)).items
    columns = ("item_id", "title", "category", "brand", "price")
    assert items.select(columns).rows() == [
        ("11", "aqua water heater", "appliances > environment > water heater", "aqua", 34.2),
        ("12", "shiseido", None, "shiseido", 5.0),
        ("13", "", None, None, 1.0),
    ]


def test_a_line_that_was_cut_off_is_left_out_and_counted(tmp_path):
    dataset = read(months(tmp_path, OCTOBER + "2019-10-01 00:03:00 UTC,view,13,20,,,1.00,9"))
    assert left_out(dataset, "events")["line_cut_off"] == 1
    assert set(dataset.events["user_id"]) == {"5", "6"}


def test_a_price_that_is_no_number_is_named(tmp_path):
    with pytest.raises(DataError, match=r"2019-Oct\.csv: row 1 .*'price': .* got 'dear'"):
        read(months(tmp_path, OCTOBER.replace("33.20", "dear")))


def test_a_month_without_a_column_is_refused(tmp_path):
    (tmp_path / "2019-Dec.csv").write_text("event_time,event_type\n1,2\n")
    with pytest.raises(DataError, match=r"2019-Dec\.csv has no column 'product_id'"):
        read(tmp_path)


@pytest.mark.real
def test_the_real_first_hours_are_read_whole():
    dataset = prepare(published("rees46", folder("rees46_head")))
    assert left_out(dataset, "events") == {"line_cut_off": 1, "duplicate_event": 5}
    assert len(dataset.events) + 5 == 17_434
    assert set(dataset.profile["events"]["kinds"]) == {"view", "cart", "purchase"}
    assert dataset.about.split_kind == "time"
