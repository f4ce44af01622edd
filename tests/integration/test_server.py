"""A real bundle behind a real socket: the server as a process, asked over HTTP."""

import shutil
import signal
import subprocess
import time
import uuid

import httpx
import pytest

from server_process import ServerProcess, serve_command
from twotower.data.dataset import Dataset
from twotower.server.openapi import openapi_document


class Served:
    """A server process and a client of it; `restart` kills it and starts another."""

    def __init__(self, bundle, database):
        self._command = serve_command(bundle, database)
        self._start()

    def _start(self):
        self._server = ServerProcess(self._command)
        self.client = httpx.Client(base_url=self._server.address, timeout=30)

    def stop(self, by=signal.SIGTERM):
        self.client.close()
        return self._server.stop(by)

    def restart(self):
        self.stop(signal.SIGKILL)
        self._start()

    def search(self, query, **question):
        return self.client.post("/v1/search", json={"query": query, **question}).json()

    def home(self, **question):
        return self.recommend(placement="home", **question)

    def recommend(self, **question):
        return self.client.post("/v1/recommendations", json=question).json()

    def look_at(self, visitor, *item_ids, kind="view"):
        batch = [
            {"event_id": uuid.uuid4().hex, "visitor_id": visitor, "item_id": one, "event": kind}
            for one in item_ids
        ]
        return self.client.post("/v1/events", json={"events": batch})


@pytest.fixture(scope="module")
def served(tiny_bundle, tmp_path_factory):
    server = Served(tiny_bundle, tmp_path_factory.mktemp("live") / "shop.sqlite")
    yield server
    assert server.stop() == 0


@pytest.fixture(scope="module")
def items(tiny_bundle):
    return Dataset.load(tiny_bundle / "data").items


def ids(answer):
    return [hit["item_id"] for hit in answer["hits"]]


def test_the_server_is_ready_when_it_says_so(served):
    assert served.client.get("/health/ready").status_code == 200


def test_what_a_score_is_made_of_is_told_in_parts_that_sum_to_it(served, items):
    first, second = items["item_id"].head(2).to_list()
    title = items["title"][0]
    lists = [
        served.search(title, explain=True, k=5),
        served.home(history=[first, second], explain=True, k=5),
        served.recommend(placement="similar", item_id=first, explain=True, k=5),
    ]
    kinds = []
    for found in lists:
        assert found["hits"]
        kinds.append(set())
        for hit in found["hits"]:
            reasons, attention = hit["explanation"]["reasons"], hit["explanation"]["attention"]
            assert sum(one["value"] for one in reasons) == pytest.approx(hit["score"], abs=1e-5)
            assert sum(attention.values()) == pytest.approx(1, abs=1e-5)
            kinds[-1] |= {one["kind"] for one in reasons}
    assert kinds == [{"words", "meaning"}, {"history", "rest"}, {"meaning"}]


def test_a_rule_shapes_the_next_list_until_it_is_taken_away(served, items):
    title, chosen = items["title"][0], items["item_id"][7]
    plain = served.search(title, k=5)
    rule = {"action": "pin", "item_ids": [chosen], "position": 2}
    told = served.client.put("/v1/rules/seven", json=rule).json()
    assert told["n_products"] == 1
    ruled = served.search(title, k=5)
    assert ruled["hits"][1]["item_id"] == chosen
    assert ruled["hits"][1]["pinned_by"] == "seven"
    assert served.home(history=[items["item_id"][0]], k=3)["hits"][1]["item_id"] == chosen
    served.client.put("/v1/rules/seven", json={"action": "hide", "filter": f'item_id = "{chosen}"'})
    assert chosen not in ids(served.search(items["title"][7], k=100))
    assert served.client.delete("/v1/rules/seven").status_code == 200
    assert ids(served.search(title, k=5)) == ids(plain)


@pytest.mark.parametrize("mode", ["hybrid", "semantic", "lexical"])
def test_a_title_finds_its_product_in_every_mode(served, items, mode):
    titles = items.unique("title", keep="none").head(5)
    for item_id, title in titles.select("item_id", "title").iter_rows():
        answer = served.search(title, mode=mode)
        assert item_id in ids(answer), (mode, title)
        assert answer["mode"] == mode
        assert answer["took_ms"]["total"] > 0


def test_pages_joined_are_one_long_page(served, items):
    query = items["title"][0]
    whole = ids(served.search(query, k=30))
    pages = [ids(served.search(query, k=10, offset=offset)) for offset in (0, 10, 20)]
    assert [one for page in pages for one in page] == whole
    assert len(set(whole)) == len(whole)
    totals = {served.search(query, k=5, offset=offset)["total"] for offset in (0, 5, 10)}
    assert len(totals) == 1


@pytest.mark.parametrize("query", ["(", "AND", '"', "%_", "zzzzqqqq", "💡", "a" * 500])
def test_odd_queries_are_answered(served, query):
    response = served.client.post("/v1/search", json={"query": query})
    assert response.status_code == 200


def test_one_click_of_a_stranger_changes_what_is_recommended(served, items):
    before = served.home(visitor_id="clicker")
    assert before["history_length"] == 0
    clicked = before["hits"][0]["item_id"]
    assert served.look_at("clicker", clicked).status_code == 202
    after = served.home(visitor_id="clicker")
    assert (after["fallback_used"], after["history_length"]) == (None, 1)
    assert ids(after) != ids(before)
    assert ids(served.home(visitor_id="another")) == ids(before)


def test_visitors_get_more_of_the_department_they_look_at(served, items):
    chance, shares = [], []
    by_department = items.group_by(items["category"].str.split(" > ").list.first())
    for (department,), members in by_department:
        visitor = f"fan of {department}"
        served.look_at(visitor, *members["item_id"].head(4))
        hits = served.home(visitor_id=visitor, k=10)["hits"]
        same = [hit for hit in hits if hit["item"]["category"].startswith(department)]
        shares.append(len(same) / len(hits))
        chance.append(len(members) / len(items))
    assert sum(shares) > 1.5 * sum(chance)


def test_a_user_of_the_log_has_a_history(served):
    [example] = served.client.get("/v1/visitors?limit=1").json()["visitors"]
    page = served.client.get(f"/v1/visitors/{example['user_id']}").json()
    assert page["n_events"] == example["n_events"] > 0
    answer = served.home(user_id=example["user_id"])
    assert answer["fallback_used"] is None
    assert answer["history_length"] > 0


def test_similar_products_leave_the_product_itself_out(served, items):
    item_id = items["item_id"][3]
    question = {"placement": "similar", "item_id": item_id, "k": 8}
    answer = served.client.post("/v1/recommendations", json=question).json()
    assert len(ids(answer)) == 8
    assert item_id not in ids(answer)


def test_a_product_added_with_a_title_only_is_found_and_recommended_also_after_a_kill(served):
    title = "Zanzibar quilted hammock"
    put = served.client.put("/v1/products/new-1", json={"title": title})
    assert put.status_code == 200
    assert put.json()["indexed"] is True
    assert ids(served.search(title))[0] == "new-1"
    assert ids(served.search(title, mode="semantic"))[0] == "new-1"
    twin = served.client.put("/v1/products/new-2", json={"title": f"{title} deluxe"})
    assert twin.status_code == 200
    served.look_at("sleeper", "new-1")
    assert "new-2" in ids(served.home(visitor_id="sleeper", k=50))
    served.restart()
    assert ids(served.search(title))[0] == "new-1"
    assert served.home(visitor_id="sleeper")["history_length"] == 1


def test_a_changed_product_is_found_under_its_new_title_only(served):
    served.client.put("/v1/products/new-3", json={"title": "Vermilion xylophone"})
    served.client.put("/v1/products/new-3", json={"title": "Cobalt bassoon", "price": 5})
    assert ids(served.search("cobalt bassoon"))[0] == "new-3"
    assert "new-3" not in ids(served.search("vermilion xylophone", mode="lexical"))
    assert served.client.get("/v1/products/new-3").json()["item"]["price"] == 5


def test_events_are_stored_once_by_their_id(served, items):
    event = {
        "event_id": "once",
        "visitor_id": "v1",
        "item_id": items["item_id"][0],
        "event": "purchase",
    }
    batch = {"events": [event, {**event, "event_id": "odd", "item_id": "no such item"}]}
    first = served.client.post("/v1/events", json=batch)
    assert first.status_code == 202
    assert first.json()["accepted"] == ["once"]
    assert "no such item" in first.json()["rejected"][0]["reason"]
    assert served.client.post("/v1/events", json=batch).json()["duplicate"] == ["once"]


def test_pictures_of_the_catalogue_come_from_the_server_itself(served, items):
    item_id = items["item_id"][0]
    shown = served.client.get(f"/v1/products/{item_id}").json()["item"]["image"]
    picture = served.client.get(shown)
    assert picture.headers["content-type"] == "image/svg+xml"
    assert "sandbox" in picture.headers["content-security-policy"]
    assert b"<svg" in picture.content


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("POST", "/v1/search", {"query": ""}, 422),
        ("POST", "/v1/recommendations", {"placement": "similar", "item_id": "none"}, 404),
        ("GET", "/v1/products/none", None, 404),
        ("GET", "/v1/events", None, 405),
        ("GET", "/v1/none", None, 404),
    ],
)
def test_errors_are_problems(served, method, path, body, status):
    response = served.client.request(method, path, json=body)
    assert response.status_code == status
    assert response.headers["content-type"] == "application/problem+json"
    assert response.json()["request_id"] == response.headers["x-request-id"]


def test_headers_metrics_stats_and_versions_tell_the_truth(served, items, tiny_bundle):
    served.search("something")
    page = served.client.get("/")
    assert "default-src 'self'" in page.headers["content-security-policy"]
    assert 'route="/v1/search"' in served.client.get("/metrics").text
    stats = served.client.get("/v1/stats").json()
    assert stats["items"] >= len(items)
    assert stats["synthetic"] is True
    version = served.client.get("/v1/version").json()
    assert version["bundle_version"] == stats["bundle_version"] != ""


def test_the_running_server_shows_the_published_openapi_document(served):
    assert served.client.get("/openapi.json").json() == openapi_document()


def test_two_servers_on_one_database_find_and_forget_each_others_products(
    tiny_bundle, items, shop_address
):
    one, other = (Served(tiny_bundle, shop_address) for _ in range(2))
    title, known = "Zanzibar quilted hammock", items["item_id"][3]
    one.client.put("/v1/products/new-1", json={"title": title})
    one.client.patch(f"/v1/products/{known}", json={"price": 12345})
    eventually(lambda: ids(other.search(title))[0] == "new-1")
    for mode in ("hybrid", "semantic", "lexical"):
        assert ids(other.search(title, mode=mode)) == ids(one.search(title, mode=mode))
    eventually(lambda: item_of(other, known)["price"] == 12345)
    assert item_of(other, known)["title"] == items["title"][3]
    one.look_at("sleeper", "new-1")
    assert other.home(visitor_id="sleeper")["history_length"] == 1
    for item_id in ("new-1", known):
        assert other.client.delete(f"/v1/products/{item_id}").status_code == 200
    eventually(lambda: one.client.get(f"/v1/products/{known}").status_code == 404)
    for mode in ("hybrid", "semantic", "lexical"):
        assert not {"new-1", known} & set(ids(one.search(title, mode=mode, k=100)))
    assert [server.stop() for server in (one, other)] == [0, 0]


def item_of(server, item_id):
    """The product as this server shows it."""
    return server.client.get(f"/v1/products/{item_id}").json()["item"]


def eventually(holds):
    """Waits until it does."""
    until = time.monotonic() + 60
    while not holds():
        assert time.monotonic() < until
        time.sleep(0.05)


def test_a_damaged_bundle_is_refused_before_anything_listens(tiny_bundle, tmp_path):
    damaged = tmp_path / "damaged"
    shutil.copytree(tiny_bundle, damaged)
    vectors = damaged / "model" / "vectors.npy"
    vectors.write_bytes(vectors.read_bytes()[:-64])
    command = serve_command(damaged, tmp_path / "shop.sqlite")
    finished = subprocess.run(command, capture_output=True, text=True, check=False)
    assert finished.returncode == 1
    assert "CorruptBundle" in finished.stderr
    assert "vectors.npy" in finished.stderr
    assert "Ready" not in finished.stdout
