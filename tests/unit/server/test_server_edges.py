"""What every answer has in common: problems, headers, limits, metrics, pages."""

import re
import threading

import anyio
import pytest
from anyio.from_thread import start_blocking_portal
from asgi_client import Client, opened
from fake_retriever import FakeRetriever

from twotower.server.app import create_app
from twotower.server.settings import ServerSettings
from twotower.shop.database import ShopDatabase

KEY = "a-key-of-the-shop"


class Broken(FakeRetriever):
    def product(self, item_id):
        if item_id == "bulb":
            raise ZeroDivisionError("the secret reason")
        return super().product(item_id)


@pytest.fixture
def built(tmp_path):
    folder = tmp_path / "built"
    (folder / "assets").mkdir(parents=True)
    (folder / "index.html").write_text("<!doctype html><div id=root></div>")
    (folder / "assets" / "app-1a2b.js").write_text("start()")
    (tmp_path / "secret.txt").write_text("secret")
    return folder


# -- problems -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("method", "path", "status", "name"),
    [
        ("GET", "/v1/nothing", 404, "not-found"),
        ("PUT", "/v1/search", 405, "method-not-allowed"),
        ("POST", "/v1/products/kettle", 405, "method-not-allowed"),
        ("DELETE", "/v1/products/unicorn", 404, "unknown-item"),
        ("GET", "/v1/products/unicorn", 404, "unknown-item"),
        ("POST", "/somewhere", 404, "not-found"),
        ("POST", "/v1/search", 422, "invalid-request"),
        ("GET", "/assets/missing.js", 404, "not-found"),
    ],
)
def test_every_failure_is_a_problem_with_the_request_id(client, method, path, status, name):
    response = client.request(method, path)
    problem = response.json()
    assert response.status_code == problem["status"] == status
    assert response.headers["content-type"] == "application/problem+json"
    assert problem["type"] == f"urn:twotower:problem:{name}"
    assert problem["request_id"] == response.headers["X-Request-ID"]
    assert problem["title"]
    assert problem["detail"]


def test_a_method_that_is_not_allowed_names_those_that_are(client):
    assert client.get("/v1/events").headers["Allow"] == "POST"


@pytest.mark.parametrize("body", [b"{bad", b'{"query": "a"', b"\xff\xfe"])
def test_a_body_that_is_not_json_is_a_problem(client, body):
    headers = {"content-type": "application/json"}
    response = client.request("POST", "/v1/search", content=body, headers=headers)
    assert response.status_code == 400
    assert response.headers["content-type"] == "application/problem+json"


def test_a_body_nested_without_end_is_refused(client):
    headers = {"content-type": "application/json"}
    response = client.request("POST", "/v1/search", content=b"[" * 200_000, headers=headers)
    assert response.status_code in (400, 422)


def test_a_body_of_another_type_is_told_which_type_is_wanted(client):
    response = client.request("POST", "/v1/search", content=b'{"query": "a"}')
    assert response.status_code == 422
    assert "application/json" in response.json()["detail"]


def test_a_fault_of_ours_shows_no_trace_and_is_logged_with_its_request_id(open_shop, caplog):
    with open_shop(retriever=Broken()) as client:
        response = client.get("/v1/products/bulb")
    assert response.status_code == 500
    assert response.headers["content-type"] == "application/problem+json"
    assert "secret" not in response.text
    assert "Traceback" not in response.text
    assert response.json()["request_id"] in caplog.text
    assert "the secret reason" in caplog.text


@pytest.mark.parametrize("announced", [True, False])
def test_a_body_above_the_limit_is_refused_announced_or_not(open_shop, announced):
    async def chunks():
        for _ in range(3):
            yield b" " * 1_000

    content = b" " * 3_000 if announced else chunks()
    headers = {"content-type": "application/json"}
    with open_shop(ServerSettings(max_body_bytes=2_000)) as client:
        response = client.request("POST", "/v1/search", content=content, headers=headers)
    assert response.status_code == 413
    assert response.json()["type"] == "urn:twotower:problem:body-too-large"
    assert "2000 bytes" in response.json()["detail"]


def test_a_body_that_does_not_come_is_not_waited_for(open_shop):
    async def pausing():
        yield b'{"query":'
        await anyio.sleep(60)

    headers = {"content-type": "application/json"}
    with open_shop(ServerSettings(max_body_s=0.1)) as client:
        response = client.request("POST", "/v1/search", content=pausing(), headers=headers)
        assert response.status_code == 408
        assert response.json()["type"] == "urn:twotower:problem:body-too-slow"
        assert client.post("/v1/search", {"query": "steel"}).status_code == 200


def test_more_requests_at_once_than_allowed_are_told_to_come_back_and_health_is_not(open_shop):
    entered, go_on = threading.Event(), threading.Event()

    class Busy(FakeRetriever):
        def search(self, query, **arguments):
            if query == "slowly":
                entered.set()
                go_on.wait(30)
            return super().search(query, **arguments)

    with open_shop(ServerSettings(max_running=1), retriever=Busy()) as client:
        asking = threading.Thread(target=client.post, args=("/v1/search", {"query": "slowly"}))
        asking.start()
        assert entered.wait(30)
        refused = client.post("/v1/search", {"query": "steel"})
        healthy = client.get("/health/ready")
        go_on.set()
        asking.join()
        again = client.post("/v1/search", {"query": "steel"})
    assert refused.status_code == 503
    assert refused.json()["type"] == "urn:twotower:problem:overloaded"
    assert int(refused.headers["Retry-After"]) > 0
    assert (healthy.status_code, again.status_code) == (200, 200)


# -- headers ------------------------------------------------------------------------


@pytest.mark.parametrize(
    "path", ["/", "/v1/stats", "/v1/nothing", "/v1/products/kettle/image", "/metrics"]
)
def test_every_answer_has_the_security_headers(client, path):
    headers = client.get(path).headers
    policy = headers["content-security-policy"]
    assert policy.startswith("default-src 'self'; img-src 'self' data:;")
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert re.fullmatch("[0-9a-f]{32}", headers["x-request-id"])


# -- names --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("localhost", 200),
        ("LOCALHOST:8000", 200),
        ("127.0.0.1:8000", 200),
        ("[::1]:8000", 200),
        ("localhost.", 200),
        ("shop.example", 200),
        ("evil.example", 421),
        ("localhost.evil.example:8000", 421),
        ("127.0.0.1.evil.example", 421),
        ("", 421),
    ],
)
@pytest.mark.parametrize("path", ["/v1/stats", "/health/live", "/openapi.json"])
def test_without_a_key_only_this_machines_names_are_answered(open_shop, host, status, path):
    with open_shop(ServerSettings(allowed_hosts=("shop.example",))) as client:
        response = client.get(path, headers={"Host": host})
    assert response.status_code == status
    if status == 421:
        assert response.headers["content-type"] == "application/problem+json"
        assert response.json()["type"] == "urn:twotower:problem:unknown-host"
        assert "--allow-host" in response.json()["detail"]


def test_with_a_key_any_name_is_answered(open_shop):
    with open_shop(ServerSettings(host="0.0.0.0", api_key=KEY)) as client:  # noqa: S104
        headers = {"Host": "shop.example", "X-API-Key": KEY}
        assert client.get("/v1/stats", headers=headers).status_code == 200


# -- readiness ----------------------------------------------------------------------


def test_ready_only_after_real_titles_have_been_searched(where):
    asked = []

    class Listening(FakeRetriever):
        def search(self, query, **arguments):
            asked.append(query)
            return super().search(query, **arguments)

    settings = ServerSettings(warm_up_queries=2)
    app = create_app(Listening(), ShopDatabase(where), settings)
    with opened(app) as client:
        assert client.get("/health/ready").json()["status"] == "ready"
        assert asked == ["Steel kettle", "Odd steel id"]
    assert app.state.releases.current.is_ready is False


def test_before_its_life_begins_the_app_is_live_but_not_ready(where):
    database = ShopDatabase(where)
    app = create_app(FakeRetriever(), database)
    with start_blocking_portal() as portal:
        client = Client(app, portal)
        assert client.get("/health/live").status_code == 200
        refused = client.get("/health/ready")
    database.close()
    assert refused.status_code == 503
    assert refused.json()["type"] == "urn:twotower:problem:not-ready"


# -- metrics ------------------------------------------------------------------------


def test_metrics_count_requests_by_route_stages_events_fallbacks_and_items(client):
    client.post("/v1/search", {"query": "steel"})
    client.get("/v1/products/kettle")
    client.get("/v1/products/unicorn")
    client.post("/v1/recommendations", {"placement": "home"})
    sent = {"event_id": "e1", "visitor_id": "v", "item_id": "kettle", "event": "view"}
    client.post("/v1/events", {"events": [sent, {**sent, "event_id": "e2", "item_id": "x"}]})
    client.put("/v1/products/new", {"title": "New"})
    client.request("BREW", "/teapot")
    lines = client.get("/metrics").text.splitlines()
    for line in (
        'twotower_requests_total{method="POST",route="/v1/search",status="200"} 1.0',
        'twotower_requests_total{method="GET",route="/v1/products/{item_id}",status="404"} 1.0',
        'twotower_requests_total{method="OTHER",route="pages",status="404"} 1.0',
        'twotower_stage_seconds_count{route="/v1/search",stage="lexical"} 1.0',
        'twotower_stage_seconds_count{route="/v1/search",stage="total"} 1.0',
        'twotower_request_seconds_count{route="/v1/search"} 1.0',
        'twotower_events_total{verdict="accepted"} 1.0',
        'twotower_events_total{verdict="rejected"} 1.0',
        'twotower_fallbacks_total{fallback="popularity",route="/v1/recommendations"} 1.0',
        "twotower_catalogue_items 6.0",
        "twotower_catalogue_cursor 1.0",
    ):
        assert line in lines


def test_two_apps_count_apart(where, tmp_path):
    one = create_app(FakeRetriever(), ShopDatabase(where))
    other = create_app(FakeRetriever(), ShopDatabase(tmp_path / "other.sqlite"))
    one.state.releases.metrics.stored(5, 0, 0)
    assert b'verdict="accepted"} 5.0' in one.state.releases.metrics.text()
    assert b'verdict="accepted"} 5.0' not in other.state.releases.metrics.text()
    one.state.releases.close()
    other.state.releases.close()


# -- pages --------------------------------------------------------------------------


def test_without_a_built_web_app_a_plain_page_says_what_to_do(client):
    page = client.get("/")
    assert page.status_code == 503
    assert "make web" in page.text
    assert client.get("/v1/stats").status_code == 200


@pytest.mark.parametrize("path", ["/v1", "/v1/nothing", "/api", "/api/v1/search", "/health/no"])
@pytest.mark.parametrize("is_built", [True, False])
def test_what_no_page_can_be_is_a_problem_also_where_no_web_app_is_built(
    open_shop, built, tmp_path, path, is_built
):
    with open_shop(pages=built if is_built else tmp_path / "nowhere") as client:
        response = client.get(path)
    assert response.status_code == 404
    assert response.headers["content-type"] == "application/problem+json"


def test_every_address_that_is_no_route_is_the_web_apps_first_page(open_shop, built):
    with open_shop(pages=built) as client:
        for path in ("/", "/search?q=lamp", "/product/a.b", "/%00", "/" + "x" * 3_000):
            page = client.get(path)
            assert page.status_code == 200
            assert "id=root" in page.text
            assert page.headers["cache-control"] == "no-cache"
        assert client.request("HEAD", "/").status_code == 200
        assert client.get("/v1/nothing").status_code == 404
        assert client.get("/assets/old-9f.js").status_code == 404


def test_hashed_assets_are_kept_for_ever_and_the_page_is_asked_for_again(open_shop, built):
    with open_shop(pages=built) as client:
        asset = client.get("/assets/app-1a2b.js")
        assert asset.text == "start()"
        assert asset.headers["cache-control"] == "public, max-age=31536000, immutable"
        assert "javascript" in asset.headers["content-type"]
        known = {"If-None-Match": client.get("/").headers["etag"]}
        assert client.get("/", headers=known).status_code == 304


@pytest.mark.parametrize(
    "path", ["/../secret.txt", "/%2e%2e/secret.txt", "/assets/../../secret.txt"]
)
def test_no_file_outside_the_web_app_is_served(open_shop, built, path):
    with open_shop(pages=built) as client:
        assert client.get(path).text != "secret"
