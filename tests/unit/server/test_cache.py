"""Answers that are kept: how far, by whom, and never beyond an update."""

import logging
import sys

import pytest
from asgi_client import opened
from fake_retriever import FakeRetriever

from twotower.errors import ConfigError, MissingExtra
from twotower.server.answer_cache import AnswerCache
from twotower.server.app import create_app
from twotower.server.metrics import Metrics
from twotower.server.requests import SearchRequest
from twotower.server.settings import ServerSettings
from twotower.server.stores import MemoryStore, RedisStore, StoreLostError
from twotower.shop.database import ShopDatabase

STEEL = {"query": "steel"}


class Counting(FakeRetriever):
    """Knows how often it was asked since it was open."""

    asked_for = 0

    def search(self, query, **asked):
        self.asked_for += 1
        return super().search(query, **asked)


@pytest.fixture
def open_counting(where, tmp_path):
    """A function: settings -> context manager of a client whose retriever counts."""

    def open_counting(settings=None, *, database=where):
        settings = settings or ServerSettings()
        app = create_app(Counting(), ShopDatabase(database), settings, pages=tmp_path / "none")
        return opened(app)

    return open_counting


def asked_for(client):
    return client.app.state.releases.current.retriever.asked_for


def ids(answer):
    return [hit["item_id"] for hit in answer.json()["hits"]]


def outcomes(client):
    lines = client.get("/metrics").text.splitlines()
    name = 'twotower_cache_requests_total{cache="search",outcome='
    return {
        line.split('"')[3]: float(line.rpartition(" ")[2])
        for line in lines
        if line.startswith(name)
    }


def test_the_same_question_is_answered_once_and_each_answer_has_its_own_id(open_counting):
    with open_counting() as client:
        before = asked_for(client)
        first = client.post("/v1/search", STEEL).json()
        again = client.post("/v1/search", {**STEEL, "visitor_id": "v1"}).json()
        by_address = client.get("/v1/search?q=steel").json()
        assert asked_for(client) == before + 1
        assert outcomes(client) == {"miss": 1, "hit": 2}
    assert len({first["request_id"], again["request_id"], by_address["request_id"]}) == 3
    assert "cache" in again["took_ms"]
    for one in (first, again, by_address):
        del one["request_id"], one["took_ms"]
    assert first == again == by_address


@pytest.mark.parametrize(
    "other",
    [
        {"query": "lamp"},
        {**STEEL, "k": 1},
        {**STEEL, "facets": ["brand"]},
        {**STEEL, "filter": 'brand = "Koda"'},
        {**STEEL, "mode": "lexical"},
    ],
)
def test_another_question_is_another_answer(open_counting, other):
    with open_counting() as client:
        before = asked_for(client)
        for question in (STEEL, other, other):
            client.post("/v1/search", question)
        assert asked_for(client) == before + 2


@pytest.mark.parametrize("kept_in", ["memory", "redis"])
def test_after_every_change_of_a_product_the_next_answer_knows_of_it(
    open_counting, kept_in, request
):
    url = request.getfixturevalue("redis_server").url if kept_in == "redis" else None
    with open_counting(ServerSettings(redis=url)) as client:
        for step in range(5):
            assert ids(client.post("/v1/search", STEEL)) == ["kettle", "a/b"]
            client.put("/v1/products/urn", {"title": f"Steel urn {step}"})
            found = client.post("/v1/search", STEEL).json()["hits"]
            assert found[-1]["item"]["title"] == f"Steel urn {step}"
            client.request("DELETE", "/v1/products/urn")
        client.request("PATCH", "/v1/products/kettle", json={"title": "Iron kettle"})
        assert ids(client.post("/v1/search", STEEL)) == ["a/b"]


def test_a_rule_counts_in_the_next_answer_and_no_longer_than_it_holds(client):
    def searched():
        client.post("/v1/search", STEEL)
        return client.app.state.releases.current.retriever.asked["rules"]

    assert list(searched()) == []
    hide = {"action": "hide", "filter": 'brand = "Koda"'}
    assert client.put("/v1/rules/no-koda", hide).status_code == 200
    assert [one.rule_id for one in searched()] == ["no-koda"]
    over = {**hide, "starts": 0, "ends": 1}
    assert client.put("/v1/rules/no-koda", over).status_code == 200
    retriever = client.app.state.releases.current.retriever
    retriever.asked = "nothing since"
    client.post("/v1/search", STEEL)
    assert retriever.asked == "nothing since", "the answer without rules is kept"


def test_processes_that_share_a_redis_share_answers(open_counting, redis_server):
    settings = ServerSettings(redis=redis_server.url, follow_interval_s=60)
    with open_counting(settings) as one, open_counting(settings) as other:
        before = asked_for(other)
        assert ids(one.post("/v1/search", STEEL)) == ids(other.post("/v1/search", STEEL))
        assert asked_for(other) == before
        one.put("/v1/products/urn", {"title": "Steel urn"})
        assert ids(one.post("/v1/search", STEEL)) == ["kettle", "a/b", "urn"]
        assert ids(other.post("/v1/search", STEEL)) == ["kettle", "a/b"], "it does not know yet"
        other.app.state.releases.current.catch_up()
        before = asked_for(other)
        assert ids(other.post("/v1/search", STEEL)) == ["kettle", "a/b", "urn"]
        assert asked_for(other) == before, "and has the answer of the first one"


def test_two_shops_on_one_redis_never_mix_though_their_changes_have_equal_numbers(
    open_counting, redis_server, tmp_path
):
    settings = ServerSettings(redis=redis_server.url)
    with (
        open_counting(settings) as one,
        open_counting(settings, database=tmp_path / "other.sqlite") as other,
    ):
        one.put("/v1/products/urn", {"title": "Steel urn"})
        other.put("/v1/products/urn", {"title": "Copper urn"})
        assert ids(one.post("/v1/search", STEEL)) == ["kettle", "a/b", "urn"]
        assert ids(other.post("/v1/search", STEEL)) == ["kettle", "a/b"]


def test_without_redis_answers_are_made_anew_and_it_is_said(open_counting, redis_server, caplog):
    with open_counting(ServerSettings(redis=redis_server.url)) as client:
        client.post("/v1/search", STEEL)
        redis_server.kill()
        before = asked_for(client)
        with caplog.at_level(logging.WARNING, "twotower"):
            for _ in range(3):
                assert ids(client.post("/v1/search", STEEL)) == ["kettle", "a/b"]
        assert asked_for(client) == before + 3
        assert outcomes(client)["failed"] >= 3
        told = [one.message for one in caplog.records]
        assert [one.split(",")[0] for one in told] == ["the cache does not answer"]


def test_redis_is_used_again_when_it_is_back(redis_server):
    now = [0.0]
    store = RedisStore(redis_server.url, clock=lambda: now[0])
    store.put(b"a", b"1")
    assert store.get(b"a") == b"1"
    redis_server.kill()
    with pytest.raises(StoreLostError):
        store.get(b"a")
    redis_server.start()
    with pytest.raises(StoreLostError):
        store.get(b"a")  # it is left alone for a second
    now[0] = 1.5
    assert store.get(b"a") is None
    store.put(b"a", b"2")
    assert store.get(b"a") == b"2"
    store.close()


def test_what_stands_in_redis_and_is_no_answer_is_made_anew(open_counting, redis_server):
    from redis import Redis

    with (
        open_counting(ServerSettings(redis=redis_server.url)) as client,
        Redis.from_url(redis_server.url) as plain,
    ):
        client.post("/v1/search", STEEL)
        [key] = plain.keys("twotower:*")
        assert 0 < plain.ttl(key) <= 600
        plain.set(key, b'{"hits": "<script>"}')
        assert ids(client.post("/v1/search", STEEL)) == ["kettle", "a/b"]


def test_memory_is_bounded_and_what_was_asked_for_longest_ago_goes_first():
    store = MemoryStore(100)
    for name in (b"a", b"b", b"c"):
        store.put(name, b"x" * 30)
    assert store.get(b"a") == b"x" * 30
    store.put(b"d", b"x" * 30)
    assert [store.get(name) is not None for name in (b"a", b"b", b"c", b"d")] == [
        *(True, False, True, True)
    ]
    store.put(b"a", b"y")
    assert store.n_bytes == 2 + 2 * 31
    store.put(b"e", b"x" * 1_000)
    assert store.get(b"e") is None
    assert store.n_bytes <= 100


def test_a_cache_of_nothing_keeps_nothing(open_counting):
    with open_counting(ServerSettings(cache_mb=0)) as client:
        before = asked_for(client)
        client.post("/v1/search", STEEL)
        client.post("/v1/search", STEEL)
        assert asked_for(client) == before + 2


class _UnreadAnswer:
    def model_dump_json(self):
        raise AssertionError("an answer that nobody keeps is not written down")


def test_an_answer_that_nothing_would_keep_is_not_written_down(redis_server):
    AnswerCache(MemoryStore(0), Metrics()).keep(b"a", _UnreadAnswer())
    redis_server.kill()
    lost = RedisStore(redis_server.url, clock=lambda: 0.0)
    with pytest.raises(StoreLostError):
        lost.get(b"a")
    AnswerCache(lost, Metrics()).keep(b"a", _UnreadAnswer())
    redis_server.start()


def test_another_version_of_twotower_finds_no_answer_of_this_one(monkeypatch):
    cache, question = AnswerCache(MemoryStore(1_000), Metrics()), SearchRequest(query="steel")
    here = cache.key("stamp", (), question)
    assert cache.key("stamp", (), question) == here
    monkeypatch.setattr("twotower.__version__", "9.9.9")
    assert cache.key("stamp", (), question) != here


@pytest.mark.parametrize("url", ["127.0.0.1:6379", "http://secret@host", "redis://h:port/0"])
def test_an_address_that_is_none_is_refused_and_not_repeated(url):
    with pytest.raises(ConfigError, match="redis must be") as refused:
        RedisStore(url)
    assert "secret" not in str(refused.value)


def test_the_missing_client_is_named_with_the_extra_that_brings_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "redis", None)
    with pytest.raises(MissingExtra, match="cluster"):
        RedisStore("redis://localhost")
