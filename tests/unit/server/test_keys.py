"""Keys over HTTP: who is let in, to do what, and how often."""

import re
import threading

import pytest

from twotower.errors import ConfigError
from twotower.server.keyed_route import KeyedRoute
from twotower.server.keyring import Keyring
from twotower.server.openapi import _ROUTERS, openapi_document
from twotower.server.problems import ProblemError
from twotower.server.run import serve, serve_app
from twotower.server.settings import ServerSettings
from twotower.shop.database import ShopDatabase
from twotower.shop.keys import SCOPES

KEY = "a-key-of-the-shop"
NEVER = ServerSettings(follow_interval_s=60)
WITHOUT = {"/health/live", "/health/ready", "/v1/products/{item_id}/image"}


@pytest.fixture
def made(where):
    """A function: scopes -> the header of a new key of the shop's database."""

    def made(*scopes, **more):
        with ShopDatabase(where) as database:
            secret, _ = database.keys.add("test", scopes, **more)
        return {"X-API-Key": secret}

    return made


def asked_for(operation):
    """The scope that an operation asks for, None for one that is open."""
    return operation["security"][1]["key"][0] if operation["security"] else None


def operations():
    for path, methods in openapi_document()["paths"].items():
        for method, operation in methods.items():
            yield method.upper(), path, asked_for(operation)


def address_of(path):
    return re.sub(r"\{\w+\}", "kettle", path)


def test_each_route_answers_a_key_of_its_scope_and_refuses_the_others(open_shop, made):
    headers = {scope: made(scope) for scope in SCOPES}
    with open_shop(NEVER) as client:
        for method, path, needed in operations():
            if needed is None:
                assert path in WITHOUT
                continue
            for scope in SCOPES:
                answer = client.request(method, address_of(path), headers=headers[scope])
                if scope in (needed, "admin"):
                    assert answer.status_code not in (401, 403), (method, path, scope)
                else:
                    assert answer.status_code == 403, (method, path, scope)
                    assert needed in answer.json()["detail"]


def test_writing_products_and_seeing_people_is_for_admins_alone():
    needed = {(method, path): scope for method, path, scope in operations()}
    for method in ("PUT", "PATCH", "DELETE"):
        assert needed[method, "/v1/products/{item_id}"] == "admin"
    assert needed["GET", "/v1/visitors/{visitor_id}"] == "admin"
    assert needed["POST", "/v1/events"] == "events"
    assert needed["POST", "/v1/search"] == "search"


def test_no_route_escapes_the_question_for_a_key():
    routes = [route for router in _ROUTERS for route in router.routes]
    assert len(routes) == sum(1 for _ in operations())
    assert [route for route in routes if not isinstance(route, KeyedRoute)] == []


@pytest.mark.parametrize("shown", [{}, {"X-API-Key": "wrong"}, {"X-API-Key": KEY[:-1]}])
def test_without_a_right_key_a_request_is_refused_before_it_is_read(open_shop, shown):
    with open_shop(ServerSettings(api_key=KEY)) as client:
        for refused in (
            client.get("/v1/stats", headers=shown),
            client.request("POST", "/v1/search", content=b"{bad", headers=shown),
        ):
            assert refused.status_code == 401
            assert refused.headers["content-type"] == "application/problem+json"
            assert refused.headers["WWW-Authenticate"] == "X-API-Key"
        assert client.get("/health/ready").status_code == 200


def test_the_key_of_the_environment_may_do_everything_in_either_header(open_shop):
    with open_shop(ServerSettings(api_key=KEY)) as client:
        for headers in ({"X-API-Key": KEY}, {"Authorization": f"Bearer {KEY}"}):
            assert client.get("/v1/visitors", headers=headers).status_code == 200


def test_a_key_is_known_while_the_server_runs_and_a_revoked_one_is_not(open_shop, made, where):
    with open_shop(NEVER) as client:
        keyring = client.app.state.releases.keyring
        assert client.get("/v1/stats").status_code == 200, "a shop without keys asks for none"
        headers = made("search")
        keyring.refresh()
        assert client.get("/v1/stats").status_code == 401
        assert client.get("/v1/stats", headers=headers).status_code == 200
        with ShopDatabase(where) as database:
            database.keys.revoke(database.keys.all()[0].key_id)
        keyring.refresh()
        assert client.get("/v1/stats", headers=headers).status_code == 401
        assert client.get("/v1/stats").status_code == 401, "a shop that had keys never opens again"


def test_keys_are_followed_until_the_server_ends(open_shop):
    names = lambda: [thread.name for thread in threading.enumerate()]  # noqa: E731
    with open_shop():
        assert "keyring" in names()
    assert "keyring" not in names()


def test_with_keys_any_name_is_answered_without_only_this_machines(open_shop, made):
    with open_shop(NEVER) as client:
        assert client.get("/v1/stats", headers={"Host": "shop.example"}).status_code == 421
        headers = {**made("search"), "Host": "shop.example"}
        client.app.state.releases.keyring.refresh()
        assert client.get("/v1/stats", headers=headers).status_code == 200


def test_a_key_may_ask_as_often_as_it_says_and_no_more(where):
    now = [0.0]
    with ShopDatabase(where) as database:
        slow, _ = database.keys.add("slow", ["search"], per_minute=60)
        free, _ = database.keys.add("free", ["search"])
        keyring = Keyring(database.keys, None, clock=lambda: now[0])
    for _ in range(10):
        keyring.admit(slow, "search")
    with pytest.raises(ProblemError) as refused:
        keyring.admit(slow, "search")
    assert refused.value.name == "too-many-requests"
    assert refused.value.headers == {"Retry-After": "1"}
    for _ in range(100):
        keyring.admit(free, "search")
    answered = 0
    for _ in range(1_000):
        now[0] += 0.1
        try:
            keyring.admit(slow, "search")
            answered += 1
        except ProblemError:
            pass
    assert answered == pytest.approx(100, abs=1), "100 seconds at 60 a minute"


def test_too_many_requests_of_a_key_are_told_when_to_come_back(open_shop, made):
    headers = made("search", per_minute=6)
    with open_shop(NEVER) as client:
        statuses = [client.get("/v1/stats", headers=headers) for _ in range(3)]
    assert statuses[0].status_code == 200
    assert statuses[-1].status_code == 429
    assert 1 <= int(statuses[-1].headers["Retry-After"]) <= 10


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.1.5", "::", "shop.example"])  # noqa: S104
def test_listening_beyond_this_machine_needs_a_key(host, tmp_path):
    settings = ServerSettings(host=host)
    with pytest.raises(ConfigError, match="TWOTOWER_API_KEY"):
        serve(tmp_path / "bundle", console=None, settings=settings)
    assert list(tmp_path.iterdir()) == []


def test_a_shop_with_a_key_may_listen_beyond_this_machine(made, where, tmp_path):
    made("search")
    settings = ServerSettings(host="192.0.2.1")  # of nobody, so that listening itself fails
    with pytest.raises(ConfigError, match=r"cannot listen on 192\.0\.2\.1"):
        serve(tmp_path / "bundle", console=None, settings=settings, database=where)


def test_an_app_of_ones_own_without_keys_is_not_served_beyond_this_machine(open_shop):
    with open_shop() as client, pytest.raises(ConfigError, match="admin keys add"):
        serve_app(
            lambda: client.app,
            console=None,
            settings=ServerSettings(host="0.0.0.0", port=0),  # noqa: S104
        )
