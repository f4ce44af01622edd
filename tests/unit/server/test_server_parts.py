"""The parts of the server that need no app: pictures, times, settings, ids, the user log."""

import time
from types import SimpleNamespace

import polars as pl
import pytest

from twotower.errors import ConfigError, DataError
from twotower.features.history import History
from twotower.server.event_times import event_time
from twotower.server.images import decode_picture, shown_image
from twotower.server.people import example_visitors_of
from twotower.server.request_ids import new_request_id
from twotower.server.settings import ServerSettings, is_loopback
from twotower.server.user_log import UserLog

NOW = 1_700_000_000_000


def test_a_picture_is_read_from_base64_and_from_percent_encoding():
    assert decode_picture("data:image/png;base64,aGk=").body == b"hi"
    svg = decode_picture("data:image/svg+xml;utf8,%3Csvg/%3E")
    assert (svg.body, svg.media_type) == (b"<svg/>", "image/svg+xml")


@pytest.mark.parametrize(
    "uri",
    [
        "data:text/html,<script>alert(1)</script>",
        "data:image/png,text/html;base64",
        "data:image/x-icon;base64,aGk=",
        "data:image/png;base64,not base64!",
        "https://pictures.example/a.png",
        "data:image/png",
        "",
    ],
)
def test_only_pictures_of_known_types_are_decoded(uri):
    if uri == "data:image/png,text/html;base64":  # a comma ends the head: this is just text
        assert decode_picture(uri).media_type == "image/png"
        return
    with pytest.raises(DataError, match="image"):
        decode_picture(uri)


def test_a_page_gets_an_address_it_may_load():
    assert shown_image("a/b c", "data:image/png;base64,aGk=") == "/v1/products/a%2Fb%20c/image"
    assert shown_image("a", "https://pictures.example/a.png") == "https://pictures.example/a.png"
    assert shown_image("a", "javascript:alert(1)") is None
    assert shown_image("a", None) is None


def test_a_time_may_be_left_out_or_be_milliseconds_or_iso_with_an_offset():
    assert event_time(None, now_ms=NOW, ahead_s=60) == NOW
    assert event_time(NOW - 5, now_ms=NOW, ahead_s=60) == NOW - 5
    assert event_time("2023-11-14T22:13:20.123Z", now_ms=NOW + 500, ahead_s=60) == NOW + 123
    assert event_time("2023-11-15T00:13:20+02:00", now_ms=NOW, ahead_s=60) == NOW


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (NOW + 61_000, "not be later than 60 s from now"),
        (NOW // 1_000, "not seconds"),
        (-1, "milliseconds since 1970"),
        ("2023-11-14T22:13:20", "say its offset"),
        ("yesterday", "ISO 8601"),
        ("9999-12-31T23:59:59Z", "later than"),
    ],
)
def test_a_time_that_cannot_be_is_refused_with_its_reason(value, reason):
    with pytest.raises(DataError, match=reason):
        event_time(value, now_ms=NOW, ahead_s=60)


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.1.5", "::", "shop.example"])  # noqa: S104
def test_an_address_that_others_can_reach_is_known_as_such(host):
    assert not is_loopback(host)


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.8.8", "localhost", "::1", "[::1]"])
def test_an_address_of_this_machine_alone_is_known_as_such(host):
    assert is_loopback(host)


@pytest.mark.parametrize(
    "setting",
    [
        {"port": -1},
        {"port": 65_536},
        {"max_body_bytes": 0},
        {"max_history": 0},
        {"warm_up_queries": 0},
        {"api_key": "short"},
        {"allowed_hosts": ("shop.example:80",)},
        {"allowed_hosts": ("",)},
    ],
)
def test_a_setting_outside_its_range_is_named(setting):
    with pytest.raises(ConfigError, match=next(iter(setting))):
        ServerSettings(**setting)


def test_request_ids_are_unique_uuids_that_sort_by_time():
    first = new_request_id()
    time.sleep(0.002)
    ids = [first, *(new_request_id() for _ in range(1_000))]
    assert len(set(ids)) == len(ids)
    assert all(len(one) == 32 and one[12] == "7" and one[16] in "89ab" for one in ids)
    assert first == min(ids)


def test_example_visitors_have_something_to_tell_and_are_spread_over_the_log():
    lengths = [6, 1, 7, 8, 2, 9, 5]
    users = [f"u{place}" for place, length in enumerate(lengths) for _ in range(length)]
    n = len(users)
    log = UserLog(
        pl.DataFrame(
            {"user_id": users, "item_row": range(n), "event": ["view"] * n, "time": [None] * n},
            schema_overrides={"item_row": pl.Int32, "time": pl.Int64},
        )
    )
    assert log.examples(3) == ["u0", "u3", "u6"]
    assert log.examples(99) == ["u0", "u2", "u3", "u5", "u6"]
    assert log.history("u1").item_rows.tolist() == [6]
    assert len(log.history("nobody")) == 0
    assert (len(log), log.n_events) == (7, 38)


def test_example_visitors_are_of_different_tastes_as_far_as_there_are_some():
    users = {"a": [0, 1, 2], "b": [0, 0], "c": [2, 2, 0], "d": [1], "e": [3]}
    log = SimpleNamespace(
        examples=lambda limit: [*users][:limit],
        history=lambda user_id: History.of(users[user_id]),
    )
    items = pl.DataFrame(
        {
            "item_id": ["kettle", "teapot", "lamp", "odd"],
            "title": ["Kettle", "Teapot", "Lamp", "Odd thing"],
            "category": ["Kitchen > Tea", "Kitchen > Tea", "Light", None],
        }
    )
    bundle = SimpleNamespace(dataset=SimpleNamespace(items=items))
    known = {one["item_id"]: one for one in items.to_dicts()}.get
    shop = SimpleNamespace(log=log, retriever=SimpleNamespace(bundle=bundle), known=known)
    told = [(one.user_id, one.tastes) for one in example_visitors_of(shop, 5)]
    assert told == [
        ("a", ["Tea", "Light"]),
        ("c", ["Light", "Tea"]),
        ("b", ["Tea"]),
        ("d", ["Tea"]),
        ("e", []),
    ]
    assert [one.user_id for one in example_visitors_of(shop, 2)] == ["a", "c"]


def test_a_shop_without_a_log_has_no_example_visitors():
    assert UserLog(None).examples(5) == []
    assert len(UserLog(None).history("u")) == 0
