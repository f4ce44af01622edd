"""Requests made up from the OpenAPI document, and laws of pages, against a trained shop.

None fails, and every answer is as documented. The server keeps its state from one request to
the next: products come and go, rules are made, people are erased.
"""

import zlib

import httpx
import pytest
import schemathesis
from asgi_client import opened
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from twotower.bundle import Bundle
from twotower.retrieval.retriever import Retriever
from twotower.server.app import create_app
from twotower.server.openapi import openapi_document
from twotower.server.settings import ServerSettings
from twotower.shop.database import ShopDatabase

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]
SCHEMA = schemathesis.openapi.from_dict(openapi_document())
OPERATIONS = [one.ok() for one in SCHEMA.get_all_operations()]
MADE_UP = settings(
    derandomize=True,
    database=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)
SOUND, WRONG = GenerationMode.POSITIVE, GenerationMode.NEGATIVE
FEW, MANY = 2, 100
TAKING = [one for one in OPERATIONS if any(one.iter_parameters()) or one.body]
"""Of an operation that takes nothing, nothing can be wrong."""
CASES = [
    *(pytest.param(one, SOUND, FEW, id=one.label) for one in OPERATIONS),
    *(
        pytest.param(one, mode, MANY, id=f"many {mode.value} {one.label}", marks=pytest.mark.slow)
        for one in TAKING
        for mode in (SOUND, WRONG)
    ),
]


@schemathesis.serializer("application/x-ndjson")
def lines(_context, value):
    return str(value).encode()


@pytest.fixture(scope="module")
def shop(tiny_bundle, tmp_path_factory):
    retriever = Retriever(Bundle.load(tiny_bundle))
    database = ShopDatabase(tmp_path_factory.mktemp("fuzz") / "shop.sqlite")
    app = create_app(retriever, database, ServerSettings(), pages=tiny_bundle / "no-pages")
    with opened(app) as client:
        yield client


@pytest.fixture(scope="module")
def item_ids(shop):
    items = shop.app.state.releases.current.retriever.bundle.dataset.items
    return items["item_id"].to_list()


def known(value, item_ids):
    """The value with half of its made-up products replaced by real ones, by what they are."""
    if isinstance(value, dict):
        return {
            name: one_of(item_ids, inner)
            if name == "item_id"
            else [one_of(item_ids, one) for one in inner]
            if name in ("history", "exclude", "item_ids") and isinstance(inner, list)
            else known(inner, item_ids)
            for name, inner in value.items()
        }
    return [known(one, item_ids) for one in value] if isinstance(value, list) else value


def one_of(item_ids, made_up):
    place = zlib.crc32(repr(made_up).encode(errors="replace"))
    return item_ids[place % len(item_ids)] if isinstance(made_up, str) and place % 2 else made_up


def sent(client, case, item_ids):
    case.path_parameters = known(case.path_parameters, item_ids)
    case.body = known(case.body, item_ids)
    asked = case.as_transport_kwargs(base_url="http://localhost")
    content = asked.pop("data", None)
    asked.pop("cookies")
    try:
        return client.request(asked.pop("method"), asked.pop("url"), content=content, **asked)
    except (httpx.InvalidURL, UnicodeEncodeError):
        return None  # nothing that a client could send


@pytest.mark.parametrize(("operation", "mode", "examples"), CASES)
def test_no_request_fails_and_every_answer_is_as_documented(
    shop, item_ids, operation, mode, examples
):
    @settings(MADE_UP, max_examples=examples)
    @given(operation.as_strategy(generation_mode=mode))
    def ask(case):
        answer = sent(shop, case, item_ids)
        if answer is not None:
            case.validate_response(answer, checks=CHECKS)

    ask()


@pytest.mark.parametrize("mode", ["hybrid", "semantic", "lexical"])
def test_a_page_beyond_the_end_is_empty(shop, mode):
    page = shop.post("/v1/search", {"query": "red sofa", "offset": 9_999, "mode": mode}).json()
    assert (page["hits"], page["next_cursor"]) == ([], None)


@settings(MADE_UP, max_examples=8)
@given(data=st.data())
def test_pages_joined_are_one_page_and_totals_and_facets_stay(shop, data):
    items = shop.app.state.releases.current.retriever.bundle.dataset.items
    title = data.draw(st.sampled_from(items["title"].to_list()))
    question = {
        "query": " ".join(title.split()[: data.draw(st.integers(1, 3))]),
        "mode": data.draw(st.sampled_from(["hybrid", "semantic", "lexical"])),
        "sort": data.draw(st.sampled_from(["relevance", "price_ascending", "newest"])),
        "facets": ["brand"],
    }
    whole = shop.post("/v1/search", {**question, "k": 100}).json()
    pages, cursor = [], None
    k = data.draw(st.integers(7, 60))
    while len(pages) * k < 100:
        more = {} if cursor is None else {"cursor": cursor}
        pages.append(shop.post("/v1/search", {**question, "k": k, **more}).json())
        cursor = pages[-1]["next_cursor"]
        if cursor is None:
            break
    joined = [hit for page in pages for hit in page["hits"]][:100]
    assert [hit["rank"] for hit in joined] == list(range(1, len(joined) + 1))
    assert [hit["item_id"] for hit in joined] == [hit["item_id"] for hit in whole["hits"]]
    for page in pages:
        assert (page["total"], page["facets"]) == (whole["total"], whole["facets"])


@settings(MADE_UP, max_examples=20)
@given(data=st.data())
def test_a_cursor_that_was_tampered_with_is_a_problem_and_no_failure(shop, data):
    question = {"query": "a", "k": 1, "mode": "semantic"}
    cursor = shop.post("/v1/search", question).json()["next_cursor"]
    assert cursor is not None
    place = data.draw(st.integers(0, len(cursor) - 1))
    other = data.draw(st.characters(min_codepoint=33, max_codepoint=0x2FF))
    tampered = cursor[:place] + other + cursor[place + 1 :]
    answer = shop.post("/v1/search", {**question, "cursor": tampered})
    assert answer.status_code in {200, 410, 422}, answer.text
