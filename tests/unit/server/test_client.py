"""The client against a server of its own process, and against ones that fail."""

import http.server
import inspect
import re
import shutil
import subprocess
import sys
import threading
from contextlib import contextmanager
from pathlib import Path

import pytest

from twotower.client import Client
from twotower.errors import ConfigError, ServerProblem, ServerUnreachable
from twotower.server.openapi import openapi_document
from twotower.server.requests import (
    DeletedLine,
    EventIn,
    ProductIn,
    ProductLine,
    ProductPatch,
    RecommendationRequest,
    SearchRequest,
)
from twotower.server.rule_shapes import RuleIn
from twotower.shop.database import ShopDatabase

PROGRAM = Path(__file__).with_name("serve_fake.py")
PAGE = Path(__file__).parents[3] / "docs" / "client.md"
NOT_FOR_PROGRAMS = {
    *("metrics", "product_image", "search_by_address"),
    *("classic_recommend", "classic_search", "classic_numbers"),
}


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """The address of a server, and a key that may do everything."""
    where = tmp_path_factory.mktemp("shop") / "shop.sqlite"
    with ShopDatabase(where) as database:
        key, _ = database.keys.add("backend", ["admin"])
    command = [sys.executable, PROGRAM, "0", where]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        yield re.search(r"http://\S+", process.stdout.readline()).group(), key
        process.kill()


@pytest.fixture
def client(server):
    with Client(server[0], api_key=server[1]) as made:
        yield made


@contextmanager
def answering(*answers):
    """A server that gives these (status, headers, body) in turn; the requests it got."""
    asked, left = [], list(answers)

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            asked.append((self.path, self.headers.get("X-API-Key")))
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            status, headers, body = left.pop(0)
            self.send_response(status)
            for name, value in {**headers, "Content-Length": len(body)}.items():
                self.send_header(name, str(value))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}", asked
        server.shutdown()


EVENT = EventIn(event_id="e1", visitor_id="v1", item_id="kettle", event="view")
DONE = (202, {}, b'{"request_id":"r","accepted":["e1"],"duplicate":[],"rejected":[]}')
BUSY = (503, {"Retry-After": 0}, b"")


def test_every_operation_for_programs_has_a_method_of_its_name():
    operations = {
        operation["operationId"]
        for methods in openapi_document()["paths"].values()
        for operation in methods.values()
    }
    methods = {name for name, _ in inspect.getmembers(Client, inspect.isfunction)}
    public = {name for name in methods if not name.startswith("_")} - {"close"}
    assert public == operations - NOT_FOR_PROGRAMS


def test_questions_are_answered_in_their_types(client):
    found = client.search("steel")
    assert [hit.item_id for hit in found.hits] == ["kettle", "a/b"]
    assert client.search(SearchRequest(query="steel", k=1)).hits[0].item.title == "Steel kettle"
    assert client.suggest("te", k=1).suggestions[0].item_id == "kettle"
    assert client.recommend(RecommendationRequest(placement="home")).fallback_used == "popularity"
    many = client.search_many([SearchRequest(query="steel"), SearchRequest(query="lamp")])
    assert [len(one.answer.hits) for one in many.answers] == [2, 1]
    filled = client.recommend_many([RecommendationRequest(placement="home")]).answers[0]
    assert filled.answer.fallback_used == "popularity"
    assert client.version().bundle_version == client.stats().bundle_version == "v-test"
    assert client.report().bundle_version == "v-test"
    assert (client.live().status, client.ready().status) == ("live", "ready")


def test_products_and_people_come_and_go_whatever_their_ids_look_like(client):
    odd = "a/b?c#d e%2F"
    assert client.put_product(odd, ProductIn(title="Samovar", price=9.5)).indexed
    patched = client.patch_product(odd, ProductPatch(price=None, brand="Koda"))
    assert (patched.item.price, patched.item.brand) == (None, "Koda")
    assert client.product(odd).item.title == "Samovar"
    assert client.delete_product(odd).item_id == odd
    with pytest.raises(ServerProblem) as gone:
        client.product(odd)
    assert (gone.value.status, gone.value.type) == (404, "urn:twotower:problem:unknown-item")
    assert len(gone.value.request_id) == 32

    lines = [ProductLine(item_id=odd, title="Urn"), DeletedLine(item_id="unicorn", deleted=True)]
    told = client.change_products([*lines, DeletedLine(item_id=odd, deleted=True)])
    assert (told.stored, told.deleted, [one.line for one in told.rejected]) == (1, 1, [2])

    stored = client.put_product(odd, ProductIn(title="Urn"), wait="stored")
    assert (stored.indexed, client.task(stored.task_id).task_id) == (False, stored.task_id)
    assert client.delete_product(odd, wait="stored").task_id is not None

    assert client.record_events([EVENT]).accepted == ["e1"]
    assert client.record_events([EVENT]).duplicate == ["e1"]
    assert client.outcome("r-unknown").items == []
    assert client.visitor("v1").n_events == 1
    assert client.erase_visitor("v1").n_events == 1
    assert [one.user_id for one in client.example_visitors().visitors] == ["ann", "bob"]


@pytest.mark.parametrize("odd", ["sale/summer", "a/b?c#d e%2F"])
def test_rules_and_lists_are_reached_whatever_their_ids_look_like(client, odd):
    hide = RuleIn(action="hide", filter='brand = "Nobody"')
    assert client.put_rule(odd, hide).rule.rule_id == odd
    assert client.rule(odd).rule.filter == hide.filter
    assert client.delete_rule(odd).rule_id == odd
    with pytest.raises(ServerProblem, match="rule_id must be that of a rule"):
        client.rule(odd)
    assert client.outcome(odd).answer_id == odd


def test_what_the_server_has_no_use_for_is_its_problem(client):
    for refused in (
        client.releases,
        lambda: client.promote_release("two", force=True),
        lambda: client.rollback_release("two"),
    ):
        with pytest.raises(ServerProblem, match="one bundle"):
            refused()


def test_without_the_key_nothing_is_answered(server):
    with Client(server[0]) as stranger, pytest.raises(ServerProblem, match="X-API-Key"):
        stranger.search("steel")


def test_what_is_refused_for_a_moment_is_sent_again_with_the_key():
    with (
        answering(BUSY, (429, {"Retry-After": 0}, b""), DONE) as (address, asked),
        Client(address, api_key="k") as client,
    ):
        assert client.record_events([EVENT]).accepted == ["e1"]
    assert asked == [("/v1/events", "k")] * 3


def test_the_last_refusal_is_told_also_when_it_is_none_of_ours():
    with (
        answering(BUSY, BUSY) as (address, asked),
        Client(address, attempts=2) as client,
        pytest.raises(ServerProblem) as refused,
    ):
        client.record_events([EVENT])
    assert (refused.value.status, refused.value.type, len(asked)) == (503, "", 2)


def test_a_promotion_is_never_sent_twice():
    with (
        answering(BUSY) as (address, asked),
        Client(address) as client,
        pytest.raises(ServerProblem),
    ):
        client.promote_release("two")
    assert asked == [("/v1/releases/two:promote", None)]


def test_nobody_there_is_told_after_the_last_attempt():
    with pytest.raises(ServerUnreachable, match="is it running"):
        Client("http://127.0.0.1:9").search("steel")


@pytest.mark.skipif(shutil.which("node") is None, reason="no node to run the snippet with")
def test_the_snippet_of_the_docs_sends_events_that_are_stored(server, client):
    [snippet] = re.findall(r"```js\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)
    address, key = server
    surroundings = f"""
        const send = globalThis.fetch;
        globalThis.localStorage = {{}};
        globalThis.fetch = (path, more) => send("{address}" + path, more);
    """
    program = snippet.replace("YOUR-EVENTS-KEY", key) + (
        'tell("impression", "lamp", "r1").then(() => tell("view", "kettle"))'
        '.then(() => tell("cart", "lamp", "r1"))'
        ".then(async (answer) => console.log(localStorage.visitor, answer.status));"
    )
    ran = subprocess.run(
        ["node", "-e", surroundings + program], capture_output=True, text=True, check=True
    )
    visitor, status = ran.stdout.split()
    recent = [(one.item_id, one.event) for one in client.visitor(visitor).recent]
    assert (status, recent) == ("202", [("lamp", "cart"), ("kettle", "view")])
    assert client.outcome("r1").impressions == 1


@pytest.mark.parametrize("address", ["127.0.0.1:8000", "ftp://shop", "http://", ""])
def test_an_address_that_is_none_is_refused(address):
    with pytest.raises(ConfigError, match="address must be"):
        Client(address)
