"""Two servers on one database, each serving what the other one stores."""

import logging
import threading
import time

import pytest
from asgi_client import opened
from fake_retriever import FakeRetriever

from twotower.errors import ConfigError
from twotower.server.app import create_app
from twotower.server.settings import ServerSettings
from twotower.shop.database import ShopDatabase

OFTEN = ServerSettings(follow_interval_s=0.02)
NEVER = ServerSettings(follow_interval_s=60)
PATIENCE_S = 30


@pytest.fixture
def two_servers(shop_address, tmp_path):
    """A function: settings -> context managers of clients of two servers on one database."""

    def server(settings=OFTEN, retriever=None):
        shop = retriever or FakeRetriever()
        return opened(create_app(shop, ShopDatabase(shop_address), settings, pages=tmp_path))

    return server


def event(event_id, item):
    return {"event_id": event_id, "visitor_id": "v1", "item_id": item, "event": "view"}


def found(client, query):
    return [hit["item_id"] for hit in client.post("/v1/search", {"query": query}).json()["hits"]]


def becomes(asked, expected):
    """Asks until the answer is the expected one; gives the last answer."""
    until = time.monotonic() + PATIENCE_S
    while (answer := asked()) != expected and time.monotonic() < until:
        time.sleep(0.01)
    return answer


def test_products_put_patched_and_deleted_at_one_are_so_at_the_other(two_servers):
    with two_servers() as one, two_servers() as other:
        one.put("/v1/products/samovar", {"title": "Copper samovar"})
        assert becomes(lambda: found(other, "samovar"), ["samovar"]) == ["samovar"]
        other.request("PATCH", "/v1/products/samovar", json={"price": 120})
        price = lambda: one.get("/v1/products/samovar").json()["item"]["price"]  # noqa: E731
        assert becomes(price, 120) == 120
        one.request("DELETE", "/v1/products/samovar")
        one.request("DELETE", "/v1/products/kettle")
        assert becomes(lambda: found(other, "copper samovar steel"), ["a/b"]) == ["a/b"]
        for client in (one, other):
            assert "\ntwotower_catalogue_cursor 4.0\n" in client.get("/metrics").text


def test_events_sent_to_one_count_at_the_other_at_once(two_servers):
    with two_servers(NEVER) as one, two_servers(NEVER) as other:
        one.post("/v1/events", {"events": [event("e1", "lamp")]})
        answer = other.post("/v1/recommendations", {"placement": "home", "visitor_id": "v1"}).json()
        assert [hit["item_id"] for hit in answer["hits"]] == ["bulb"]
        again = other.post("/v1/events", {"events": [event("e1", "lamp")]}).json()
        assert again["duplicate"] == ["e1"]


def test_an_event_on_a_product_just_put_in_elsewhere_is_accepted(two_servers):
    with two_servers(NEVER) as one, two_servers(NEVER) as other:
        one.put("/v1/products/samovar", {"title": "Copper samovar"})
        sent = {"events": [event("e1", "samovar"), event("e2", "unicorn")]}
        answer = other.post("/v1/events", sent).json()
        assert answer["accepted"] == ["e1"]
        assert [one["event_id"] for one in answer["rejected"]] == ["e2"]


def test_what_one_puts_in_is_applied_there_once_and_in_the_order_of_the_database(two_servers):
    class Counting(FakeRetriever):
        def __init__(self):
            super().__init__()
            self.put = []

        def put_item(self, item_id, fields):
            self.put.append((item_id, fields["title"]))
            super().put_item(item_id, fields)

    retriever = Counting()
    with two_servers(OFTEN, retriever) as one, two_servers() as other:
        for step in range(10):
            client = (one, other)[step % 2]
            client.put("/v1/products/mug", {"title": f"Mug-{step}"})
            client.put(f"/v1/products/new-{step}", {"title": f"New {step}"})
        assert becomes(lambda: found(one, "mug-9"), ["mug"]) == ["mug"]
        steps = [int(title[4:]) for item_id, title in retriever.put if item_id == "mug"]
        assert steps == sorted(steps), "never back in time"
        news = [item_id for item_id, _ in retriever.put if item_id != "mug"]
        assert sorted(news) == sorted(set(news)), "each applied once"


def test_servers_that_write_the_same_products_at_once_agree_in_the_end(two_servers):
    with two_servers() as one, two_servers() as other:

        def write(client, name):
            for step in range(15):
                client.put(f"/v1/products/p{step % 3}", {"title": f"{name} {step}"})
                if step % 4 == 3:
                    client.request("DELETE", f"/v1/products/p{step % 3}")

        writers = [
            threading.Thread(target=write, args=pair) for pair in ((one, "one"), (other, "other"))
        ]
        for writer in writers:
            writer.start()
        for writer in writers:
            writer.join()

        def shown(client):
            items = [client.get(f"/v1/products/p{place}").json().get("item") for place in range(3)]
            return [item and item["title"] for item in items]

        assert becomes(lambda: shown(one) == shown(other), True)
        with two_servers() as third:
            assert shown(third) == shown(one)


def test_following_ends_with_the_server(two_servers):
    with two_servers() as one:
        assert "replica" in [thread.name for thread in threading.enumerate()]
        assert one.get("/health/ready").status_code == 200
    assert "replica" not in [thread.name for thread in threading.enumerate()]


def test_a_failure_while_following_is_logged_once_and_following_goes_on(two_servers, caplog):
    class Shaky(FakeRetriever):
        failures = 3

        def put_item(self, item_id, fields):
            if item_id == "samovar" and self.failures:
                self.failures -= 1
                raise MemoryError("no room for it")
            super().put_item(item_id, fields)

    caplog.set_level(logging.WARNING)
    with two_servers(OFTEN, Shaky()) as shaky, two_servers() as other:
        other.put("/v1/products/samovar", {"title": "Copper samovar"})
        assert becomes(lambda: found(shaky, "samovar"), ["samovar"]) == ["samovar"]
        assert becomes(lambda: "are followed again" in caplog.text, True)
    assert caplog.text.count("are not followed: no room for it") == 1


def test_a_setting_for_following_outside_its_range_is_named():
    for wrong in (0, 61):
        with pytest.raises(ConfigError, match="follow_interval_s"):
            ServerSettings(follow_interval_s=wrong)
