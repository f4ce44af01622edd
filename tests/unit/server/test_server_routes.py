"""The routes over a little shop whose retriever is a fake; right answers are known."""

import sqlite3
import threading
import time

import pytest
from fake_retriever import FakeRetriever

from twotower.server.live_shop import LiveShop
from twotower.server.settings import ServerSettings


def event(event_id, item="kettle", *, visitor="v1", kind="view", **more):
    return {
        "event_id": event_id,
        "visitor_id": visitor,
        "item_id": item,
        "event": kind,
        **more,
    }


def hit_ids(response):
    return [hit["item_id"] for hit in response.json()["hits"]]


def home(client, **question):
    return client.post("/v1/recommendations", {"placement": "home", **question})


# -- search ------------------------------------------------------------------------


def test_a_search_answers_with_the_whole_envelope(client):
    response = client.post("/v1/search", {"query": "steel", "k": 1, "offset": 1})
    answer = response.json()
    assert response.status_code == 200
    assert answer["request_id"] == response.headers["X-Request-ID"]
    assert answer["bundle_version"] == "v-test"
    assert (answer["total"], answer["query"], answer["mode"]) == (2, "steel", "hybrid")
    assert answer["total_definition"] == "products with a word of the query"
    assert (answer["degraded"], answer["fallback_used"]) == (False, None)
    assert answer["corrected_query"] is None
    assert set(answer["took_ms"]) == {"lexical", "total"}
    [hit] = answer["hits"]
    assert (hit["rank"], hit["item_id"]) == (2, "a/b")
    assert hit["parts"] == {"semantic": None, "lexical": 0.5}
    assert (hit["relevance"], answer["weak_hits"]) == (None, [])
    assert hit["item"]["title"] == "Odd steel id"
    assert hit["item"]["attributes"] == []


def test_suggestions_come_with_kind_text_and_id(client):
    response = client.get("/v1/suggest?q=te&k=1")
    answer = response.json()
    assert response.status_code == 200
    assert answer["request_id"] == response.headers["X-Request-ID"]
    assert (answer["query"], answer["bundle_version"]) == ("te", "v-test")
    assert set(answer["took_ms"]) == {"total"}
    assert answer["suggestions"] == [
        {"kind": "product", "text": "Steel kettle", "item_id": "kettle"}
    ]


@pytest.mark.parametrize(
    ("asked", "path"),
    [("", "query.q"), ("q=", "query.q"), ("q=a&k=0", "query.k"), ("q=a&k=51", "query.k")],
)
def test_each_fault_of_what_is_typed_is_named(client, asked, path):
    response = client.get(f"/v1/suggest?{asked}")
    assert response.status_code == 422
    assert [fault["path"] for fault in response.json()["errors"]] == [path]


@pytest.mark.parametrize(
    ("question", "path"),
    [
        ({}, "body.query"),
        ({"query": "  "}, "body.query"),
        ({"query": "x" * 10_001}, "body.query"),
        ({"query": 7}, "body.query"),
        ({"query": "a", "k": 0}, "body.k"),
        ({"query": "a", "k": 101}, "body.k"),
        ({"query": "a", "k": "7"}, "body.k"),
        ({"query": "a", "k": True}, "body.k"),
        ({"query": "a", "offset": -1}, "body.offset"),
        ({"query": "a", "mode": "magic"}, "body.mode"),
        ({"query": "a", "user_id": ""}, "body.user_id"),
        ({"query": "a", "visitor_id": "a\nb"}, "body.visitor_id"),
        ({"query": "a", "top_k": 3}, "body.top_k"),
    ],
)
def test_each_fault_of_a_question_is_named_by_its_path(client, question, path):
    response = client.post("/v1/search", question)
    assert response.status_code == 422
    assert [fault["path"] for fault in response.json()["errors"]] == [path]


def test_a_search_answers_everyone_alike_and_reads_nobodys_events(client, monkeypatch):
    client.post("/v1/events", {"events": [event("e1", "kettle")]})
    monkeypatch.setattr(LiveShop, "history", None)
    for asker in ({}, {"visitor_id": "v1"}, {"user_id": "ann"}):
        found = client.post("/v1/search", {"query": "steel", **asker})
        assert hit_ids(found) == ["kettle", "a/b"]


def test_half_a_character_is_refused(client):
    headers = {"content-type": "application/json"}
    body = b'{"query": "\\ud800"}'
    assert client.request("POST", "/v1/search", content=body, headers=headers).status_code == 422


# -- recommendations and events -----------------------------------------------------


def test_a_stranger_gets_popular_products_and_is_told_so(client):
    answer = home(client, visitor_id="new").json()
    assert (answer["fallback_used"], answer["history_length"]) == ("popularity", 0)


def test_one_event_changes_the_visitors_next_recommendations(client):
    before = hit_ids(home(client, visitor_id="v1"))
    assert client.post("/v1/events", {"events": [event("e1", "lamp")]}).status_code == 202
    after = home(client, visitor_id="v1")
    assert before == ["kettle", "teapot", "lamp", "bulb", "a/b"]
    assert hit_ids(after) == ["bulb"]
    assert (after.json()["history_length"], after.json()["fallback_used"]) == (1, None)
    assert hit_ids(home(client, visitor_id="v2")) == before


def test_a_users_log_and_live_events_make_one_history_oldest_first(client):
    assert hit_ids(home(client, user_id="ann")) == ["bulb"]
    client.post(
        "/v1/events", {"events": [event("e1", "kettle", user_id="ann", time=200_000_000_000)]}
    )
    answer = home(client, visitor_id="v1", user_id="ann")
    assert hit_ids(answer) == ["teapot"]
    assert answer.json()["history_length"] == 4


def test_looking_then_buying_the_same_item_is_one_event_of_the_history(client):
    client.post("/v1/events", {"events": [event("e1"), event("e2", kind="purchase")]})
    assert home(client, visitor_id="v1").json()["history_length"] == 1


def test_a_given_history_replaces_what_is_known(client):
    client.post("/v1/events", {"events": [event("e1", "lamp")]})
    assert hit_ids(home(client, visitor_id="v1", history=["lamp", "kettle"])) == ["teapot"]
    assert home(client, visitor_id="v1", history=[]).json()["fallback_used"] == "popularity"


def test_unknown_items_of_a_given_history_are_named_by_their_place(client):
    response = home(client, history=["kettle", "unicorn", "dragon"])
    assert response.status_code == 422
    faults = response.json()["errors"]
    assert [fault["path"] for fault in faults] == ["body.history[1]", "body.history[2]"]
    assert "unicorn" in faults[0]["message"]


def test_excluded_items_are_not_recommended(client):
    assert "kettle" not in hit_ids(home(client, exclude=["kettle"]))


def test_similar_needs_an_item_and_leaves_it_out_of_its_own_list(client):
    question = {"placement": "similar", "item_id": "kettle"}
    assert hit_ids(client.post("/v1/recommendations", question)) == ["teapot"]
    question["item_id"] = "unicorn"
    missing = client.post("/v1/recommendations", question)
    assert missing.status_code == 404
    assert missing.json()["type"] == "urn:twotower:problem:unknown-item"


@pytest.mark.parametrize(
    "question",
    [
        {"placement": "similar"},
        {"placement": "similar", "item_id": "kettle", "history": ["lamp"]},
        {"placement": "home", "item_id": "kettle"},
        {"placement": "cart"},
    ],
)
def test_a_combination_that_means_nothing_is_refused(client, question):
    assert client.post("/v1/recommendations", question).status_code == 422


def test_events_are_accepted_once_and_each_is_answered_by_name(client):
    batch = {
        "events": [
            event("e1"),
            event("e1"),
            event("e2", "unicorn"),
            event("e3", time="2999-01-01T00:00:00Z"),
            event("e4", time=12),
        ]
    }
    first = client.post("/v1/events", batch).json()
    assert (first["accepted"], first["duplicate"]) == (["e1"], ["e1"])
    reasons = {one["event_id"]: one["reason"] for one in first["rejected"]}
    assert "unicorn" in reasons["e2"]
    assert "not be later" in reasons["e3"]
    assert "not seconds" in reasons["e4"]
    assert client.post("/v1/events", batch).json()["accepted"] == []
    assert client.get("/v1/stats").json()["live_events"] == 1


def test_an_event_without_a_time_happened_now(client):
    before = time.time_ns() // 1_000_000
    client.post("/v1/events", {"events": [event("e1")]})
    [recent] = client.get("/v1/visitors/v1").json()["recent"]
    assert before <= recent["time"] <= time.time_ns() // 1_000_000


@pytest.mark.parametrize(
    ("batch", "path"),
    [
        ({"events": []}, "body.events"),
        ({"events": [event("e1", kind="stare")]}, "body.events[0].event"),
        ({"events": [event("e1"), {"event_id": "e2"}]}, "body.events[1].visitor_id"),
        ({"events": [event("e1", time=1.5)]}, "body.events[0].time"),
        ({"events": [event("e1", price=3)]}, "body.events[0].price"),
    ],
)
def test_a_malformed_batch_is_refused_whole(client, batch, path):
    response = client.post("/v1/events", batch)
    assert response.status_code == 422
    assert response.json()["errors"][0]["path"] == path
    assert client.get("/v1/stats").json()["live_events"] == 0


def test_a_large_batch_is_one_request(client):
    batch = {"events": [event(f"e{place}") for place in range(1_000)]}
    assert len(client.post("/v1/events", batch).json()["accepted"]) == 1_000
    batch["events"].append(event("one-too-many"))
    assert client.post("/v1/events", batch).status_code == 422


def test_events_survive_into_the_next_server(open_shop):
    with open_shop() as first:
        first.post("/v1/events", {"events": [event("e1", "lamp")]})
    with open_shop() as second:
        assert hit_ids(home(second, visitor_id="v1")) == ["bulb"]


def test_an_event_on_an_item_that_a_later_bundle_lacks_is_passed_over(open_shop, where):
    with open_shop() as first:
        first.put("/v1/products/gone", {"title": "Short-lived"})
        first.post("/v1/events", {"events": [event("e1", "lamp"), event("e2", "gone")]})
    with sqlite3.connect(where) as file:
        file.execute("DELETE FROM products")
    file.close()
    with open_shop() as second:
        assert hit_ids(home(second, visitor_id="v1")) == ["bulb"]
        assert second.get("/v1/visitors/v1").json()["recent"][0]["item_id"] == "lamp"


def test_when_nothing_can_be_stored_nothing_is_acknowledged(client, where):
    with sqlite3.connect(where) as file:
        file.execute("DROP TABLE events")
    file.close()
    response = client.post("/v1/events", {"events": [event("e1")]})
    assert response.status_code == 503
    assert response.json()["type"] == "urn:twotower:problem:storage-unavailable"
    assert response.headers["Retry-After"] == "1"


def test_without_the_database_the_log_answers_and_the_list_says_it_is_degraded(client, where):
    client.post("/v1/events", {"events": [event("e1", "kettle", user_id="ann")]})
    assert home(client, user_id="ann").json()["degraded"] is False
    with sqlite3.connect(where) as file:
        file.execute("DROP TABLE events")
    file.close()
    for question, length in (({"user_id": "ann"}, 3), ({"visitor_id": "v1"}, 0)):
        answer = home(client, **question)
        assert answer.status_code == 200
        assert (answer.json()["degraded"], answer.json()["history_length"]) == (True, length)
    assert home(client, history=["kettle"]).json()["degraded"] is False
    assert (
        client.get("/v1/visitors/ann").json()["type"] == "urn:twotower:problem:storage-unavailable"
    )
    assert client.post("/v1/search", {"query": "steel"}).json()["degraded"] is False


# -- products -----------------------------------------------------------------------


def test_a_new_product_is_found_at_once_and_after_a_restart(open_shop):
    product = {
        "title": "Copper samovar",
        "category": "Kitchen > Tea",
        "price": 120,
        "in_stock": True,
    }
    with open_shop() as first:
        stored = first.put("/v1/products/samovar", product)
        assert stored.status_code == 200
        assert stored.json()["indexed"] is True
        assert stored.json()["item"]["price"] == 120
        assert hit_ids(first.post("/v1/search", {"query": "samovar"})) == ["samovar"]
        assert "samovar" in hit_ids(home(first, history=["kettle"]))
        assert first.get("/v1/stats").json()["live_items"] == 1
    with open_shop() as second:
        assert hit_ids(second.post("/v1/search", {"query": "samovar"})) == ["samovar"]


def test_a_patch_changes_what_it_names_for_products_of_the_bundle_and_new_ones(open_shop):
    with open_shop() as first:
        patched = first.request("PATCH", "/v1/products/kettle", json={"price": 9, "brand": None})
        assert patched.status_code == 200
        item = patched.json()["item"]
        assert (item["title"], item["price"], item["brand"]) == ("Steel kettle", 9, None)
        first.put("/v1/products/mug", {"title": "Mug", "price": 4})
        first.request("PATCH", "/v1/products/mug", json={"title": "Blue mug"})
    with open_shop() as second:
        assert second.get("/v1/products/kettle").json()["item"] == item
        mug = second.get("/v1/products/mug").json()["item"]
        assert (mug["title"], mug["price"]) == ("Blue mug", 4)


@pytest.mark.parametrize(
    ("patch", "path"),
    [
        ({}, "body"),
        ({"title": None}, "body"),
        ({"title": " "}, "body.title"),
        ({"price": -1}, "body.price"),
        ({"colour": "red"}, "body.colour"),
    ],
)
def test_a_patch_that_breaks_the_contract_is_refused_and_not_stored(client, patch, path):
    response = client.request("PATCH", "/v1/products/kettle", json=patch)
    assert response.status_code == 422
    assert response.json()["errors"][0]["path"] == path
    assert client.get("/v1/stats").json()["live_items"] == 0


def test_a_deleted_product_is_in_no_answer_also_after_a_restart(open_shop):
    with open_shop() as first:
        first.post("/v1/events", {"events": [event("e1", "lamp"), event("e2", "kettle")]})
        answer = first.request("DELETE", "/v1/products/kettle")
        assert (answer.status_code, answer.json()["item_id"]) == (200, "kettle")
    with open_shop() as second:
        for method in ("GET", "DELETE", "PATCH", "GET"):
            body = {"price": 1} if method == "PATCH" else None
            again = second.request(method, "/v1/products/kettle", json=body)
            assert again.status_code == 404, method
        assert hit_ids(second.post("/v1/search", {"query": "steel"})) == ["a/b"]
        assert hit_ids(home(second, visitor_id="v1")) == ["bulb"]
        seen = {
            visitor: [
                one["item_id"] for one in second.get(f"/v1/visitors/{visitor}").json()["recent"]
            ]
            for visitor in ("v1", "ann")
        }
        assert seen == {"v1": ["lamp"], "ann": ["lamp", "teapot"]}, "the kettle is left out"
        assert second.get("/v1/stats").json()["items"] == 4
        second.put("/v1/products/kettle", {"title": "Another steel kettle"})
        assert set(hit_ids(second.post("/v1/search", {"query": "steel"}))) == {"a/b", "kettle"}


def test_a_product_is_read_by_any_id_the_shop_uses(client):
    assert client.get("/v1/products/a%2Fb").json()["item"]["item_id"] == "a/b"
    assert client.get("/v1/products/a/b").json()["item"]["title"] == "Odd steel id"


def test_an_unknown_product_is_a_problem_that_names_it(client):
    for path in ("/v1/products/unicorn", "/v1/products/unicorn/image"):
        response = client.get(path)
        assert response.status_code == 404
        assert "unicorn" in response.json()["detail"]


@pytest.mark.parametrize(
    ("product", "path"),
    [
        ({}, "body.title"),
        ({"title": " "}, "body.title"),
        ({"title": "a", "price": -1}, "body.price"),
        ({"title": "a", "price": "9"}, "body.price"),
        ({"title": "a", "in_stock": "yes"}, "body.in_stock"),
        ({"title": "a", "image": "javascript:alert(1)"}, "body.image"),
        ({"title": "a", "image": "data:text/html,<script>"}, "body.image"),
        ({"title": "a", "image": "data:image/png;base64,%%%"}, "body.image"),
        ({"title": "a", "launched": 1e300}, "body.launched"),
        ({"title": "a", "attributes": [""]}, "body.attributes[0]"),
        ({"title": "a", "item_id": "b"}, "body.item_id"),
    ],
)
def test_a_product_that_breaks_the_contract_is_refused_and_not_stored(client, product, path):
    response = client.put("/v1/products/new", product)
    assert response.status_code == 422
    assert response.json()["errors"][0]["path"] == path
    assert client.get("/v1/products/new").status_code == 404


def test_a_number_that_is_not_finite_is_refused(client):
    headers = {"content-type": "application/json"}
    body = b'{"title": "a", "price": NaN}'
    response = client.request("PUT", "/v1/products/new", content=body, headers=headers)
    assert response.status_code == 422


def test_pictures_of_the_catalogue_are_served_under_a_safe_type(client):
    item = client.get("/v1/products/kettle").json()["item"]
    assert item["image"] == "/v1/products/kettle/image"
    png = client.get(item["image"])
    assert (png.content, png.headers["content-type"]) == (b"hi", "image/png")
    assert client.get("/v1/products/lamp/image").status_code == 404
    assert client.get("/v1/products/bulb/image").status_code == 404


def test_an_svg_is_served_in_a_sandbox_of_its_own(client):
    svg = client.get("/v1/products/teapot/image")
    assert svg.headers["content-type"] == "image/svg+xml"
    expected = "default-src 'none'; style-src 'unsafe-inline'; sandbox"
    assert svg.headers["content-security-policy"] == expected
    assert svg.headers["x-content-type-options"] == "nosniff"


def test_a_title_with_markup_comes_back_as_text_in_json(client):
    title = "<script>alert('x')</script> lamp"
    client.put("/v1/products/evil", {"title": title})
    response = client.get("/v1/products/evil")
    assert response.json()["item"]["title"] == title
    assert response.headers["content-type"] == "application/json"
    assert response.headers["x-content-type-options"] == "nosniff"


def test_a_broken_picture_in_the_catalogue_is_not_a_server_error(open_shop):
    retriever = FakeRetriever()
    retriever.put_item("bad", {"title": "Bad", "image": "data:image/png;base64,%%%"})
    with open_shop(retriever=retriever) as client:
        response = client.get("/v1/products/bad/image")
    assert response.status_code == 404
    assert "base64" in response.json()["detail"]


# -- visitors -----------------------------------------------------------------------


def test_a_visitor_page_shows_log_and_live_events_newest_first(client):
    client.post("/v1/events", {"events": [event("e1", "bulb", user_id="ann", kind="cart")]})
    answer = client.get("/v1/visitors/ann?limit=2").json()
    assert answer["n_events"] == 4
    assert [one["item_id"] for one in answer["recent"]] == ["bulb", "lamp"]
    assert answer["recent"][0]["event"] == "cart"


def test_a_visitor_never_seen_has_no_events(client):
    answer = client.get("/v1/visitors/nobody").json()
    assert (answer["n_events"], answer["recent"]) == (0, [])


def test_example_visitors_are_limited_within_bounds(client):
    assert [one["user_id"] for one in client.get("/v1/visitors").json()["visitors"]] == [
        "ann",
        "bob",
    ]
    assert len(client.get("/v1/visitors?limit=1").json()["visitors"]) == 1
    refused = client.get("/v1/visitors?limit=1000")
    assert refused.json()["errors"][0]["path"] == "query.limit"


# -- many at once -------------------------------------------------------------------


def test_requests_at_once_each_get_their_own_answer(client):
    answers = {}

    def shop_around(visitor, item):
        batch = [event(f"{visitor}-{place}", item, visitor=visitor) for place in range(5)]
        client.post("/v1/events", {"events": batch})
        answers[visitor] = hit_ids(home(client, visitor_id=visitor))

    wanted = {f"v{place}": item for place, item in enumerate(["kettle", "lamp"] * 4)}
    threads = [threading.Thread(target=shop_around, args=pair) for pair in wanted.items()]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    expected = {"kettle": ["teapot"], "lamp": ["bulb"]}
    assert answers == {visitor: expected[item] for visitor, item in wanted.items()}


def test_a_product_that_can_no_longer_be_indexed_does_not_stop_the_start(open_shop, caplog):
    with open_shop() as first:
        first.put("/v1/products/odd", {"title": "Odd"})

    class Picky(FakeRetriever):
        def put_item(self, item_id, fields):
            self.item_row("unicorn")

    with open_shop(ServerSettings(), retriever=Picky()) as second:
        assert second.get("/health/ready").status_code == 200
    assert "live product 'odd' cannot be indexed" in caplog.text


def test_an_erased_person_is_unknown_at_once_in_the_log_and_live(client):
    examples = lambda: [  # noqa: E731
        one["user_id"] for one in client.get("/v1/visitors").json()["visitors"]
    ]
    client.post("/v1/events", {"events": [event("e1", visitor="phone", user_id="ann")]})
    assert client.get("/v1/visitors/ann").json()["n_events"] == 4
    assert examples() == ["ann", "bob"]
    erased = client.request("DELETE", "/v1/visitors/ann")
    assert (erased.status_code, erased.json()["n_events"]) == (200, 1)
    assert client.get("/v1/visitors/ann").json()["n_events"] == 0
    assert home(client, user_id="ann").json()["fallback_used"] == "popularity"
    assert examples() == ["bob"]
    assert client.get("/v1/visitors/bob").json()["n_events"] == 1
