"""RetailRocket, on a log written by hand in the publisher's columns."""

from pathlib import Path

import pytest

from twotower.data.prepare import prepare
from twotower.data.sources.registry import published
from twotower.errors import DataError

EVENTS = """\
timestamp,visitorid,event,itemid,transactionid
1433221332117,1,view,10,
1433224214164,1,addtocart,10,
1433224244164,1,transaction,10,4000
1433221999827,2,view,20,
"""


def shop(place: Path, *, properties: bool = True, events: str = EVENTS) -> Path:
    (place / "events.csv").write_text(events)
    if properties:
        (place / "item_properties_part1.csv").write_text(
            "timestamp,itemid,property,value\n"
            "1435460400000,10,categoryid,999\n"
            "1433041200000,10,categoryid,3\n"
            "1433041200000,10,790,n150.000\n"
        )
        (place / "category_tree.csv").write_text("categoryid,parentid\n3,2\n2,1\n1,\n999,1\n")
    return place


def read(place: Path):
    return prepare(published("retailrocket", place))


def test_views_carts_and_transactions_are_events(tmp_path):
    dataset = read(shop(tmp_path))
    assert dataset.events.select("user_id", "item_row", "event", "time").rows() == [
        ("1", 0, "view", 1433221332117),
        ("1", 0, "cart", 1433224214164),
        ("1", 0, "purchase", 1433224244164),
        ("2", 1, "view", 1433221999827),
    ]


def test_the_category_is_the_first_one_known_from_the_root(tmp_path):
    items = read(shop(tmp_path)).items
    assert items.select("item_id", "category").rows() == [("10", "1 > 2 > 3"), ("20", None)]


def test_the_events_alone_are_enough(tmp_path):
    assert read(shop(tmp_path, properties=False)).items.columns == ["item_id", "title"]


def test_another_kind_of_event_is_named(tmp_path):
    with pytest.raises(DataError, match=r"events\.csv: event 'wish' is none of view"):
        read(shop(tmp_path, events=EVENTS.replace("addtocart", "wish")))
