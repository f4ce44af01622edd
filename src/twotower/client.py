"""A typed client of the HTTP interface, for a shop's own servers; one method for each operation."""

import http.client
import threading
import time
from collections.abc import Iterable, Mapping, Sequence
from typing import Final, Self, TypeVar
from urllib.parse import quote, urlencode, urlsplit

from pydantic import BaseModel, ValidationError

from twotower.errors import ConfigError, ServerProblem, ServerUnreachable
from twotower.server.indexing import Wait
from twotower.server.replies import (
    BatchReply,
    ChangedProductReply,
    DeletedProductReply,
    ErasedReply,
    EventsReply,
    HealthReply,
    OutcomeReply,
    Problem,
    ProductReply,
    RecommendationBatchReply,
    RecommendationReply,
    ReleasesReply,
    ReportReply,
    SearchBatchReply,
    SearchReply,
    StatsReply,
    SuggestReply,
    TaskReply,
    VersionReply,
    VisitorReply,
    VisitorsReply,
)
from twotower.server.requests import (
    DeletedLine,
    EventIn,
    EventsRequest,
    ProductIn,
    ProductLine,
    ProductPatch,
    RecommendationBatch,
    RecommendationRequest,
    SearchBatch,
    SearchRequest,
)
from twotower.server.rule_shapes import (
    DeletedRuleReply,
    RuleIn,
    RulePreviewReply,
    RulePreviewRequest,
    RuleReply,
    RulesReply,
)

_Reply = TypeVar("_Reply", bound=BaseModel)
_JSON: Final = "application/json"
_LINES: Final = "application/x-ndjson"
_OK: Final = range(200, 300)
_COME_BACK: Final = (429, 503)
_SCHEMES: Final = {"http": http.client.HTTPConnection, "https": http.client.HTTPSConnection}


class Client:
    """A server's address and a key; safe to share between threads, which keep a connection each.

    What the server refuses for a moment (429, 503) and what is lost on the way is sent again:
    every operation but a promotion may be.

    Args:
        address: Such as `http://127.0.0.1:8000`; https too.
        api_key: Of the scopes that are needed; None where the shop asks for none.
        timeout_s: For one attempt.
        attempts: 1 or more.
        longest_wait_s: Between two attempts, whatever the server asks for.

    Raises:
        ConfigError: The address is not one of http or https.

    Example:
        ```python
        with Client("http://127.0.0.1:8000") as shop:
            print([hit.item.title for hit in shop.search("red sofa").hits])
        ```

    Every method raises `ServerProblem` when the server refuses, and `ServerUnreachable` when
    it does not answer.
    """

    def __init__(
        self,
        address: str,
        *,
        api_key: str | None = None,
        timeout_s: float = 10.0,
        attempts: int = 3,
        longest_wait_s: float = 5.0,
    ) -> None:
        place = urlsplit(address)
        if place.scheme not in _SCHEMES or not place.hostname:
            raise ConfigError(f"address must be such as http://127.0.0.1:8000, got {address!r}")
        self._place, self._timeout_s = place, timeout_s
        self._attempts, self._longest_wait_s = attempts, longest_wait_s
        self._headers = {"Accept": _JSON}
        if api_key is not None:
            self._headers["X-API-Key"] = api_key
        self._mine = threading.local()
        self._connections: list[http.client.HTTPConnection] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        self.close()

    def close(self) -> None:
        """Closes the connections of all threads; the next request opens one again."""
        for connection in list(self._connections):
            connection.close()

    # -- answers -------------------------------------------------------------------

    def search(self, question: SearchRequest | str) -> SearchReply:
        """Finds products for words."""
        if isinstance(question, str):
            question = SearchRequest(query=question)
        return self._ask("POST", "/v1/search", SearchReply, question)

    def suggest(self, q: str, k: int = 5) -> SuggestReply:
        """Suggests queries, categories and products for what is typed so far."""
        return self._ask("GET", f"/v1/suggest?{urlencode({'q': q, 'k': k})}", SuggestReply)

    def search_many(self, questions: Iterable[SearchRequest]) -> SearchBatchReply:
        """Answers several searches at once, each by itself."""
        batch = SearchBatch(searches=list(questions))
        return self._ask("POST", "/v1/search:batch", SearchBatchReply, batch)

    def recommend(self, question: RecommendationRequest) -> RecommendationReply:
        """Chooses products for a place on the page."""
        return self._ask("POST", "/v1/recommendations", RecommendationReply, question)

    def recommend_many(
        self, questions: Iterable[RecommendationRequest]
    ) -> RecommendationBatchReply:
        """Fills several places, or those of several visitors, at once, each by itself."""
        batch = RecommendationBatch(recommendations=list(questions))
        return self._ask("POST", "/v1/recommendations:batch", RecommendationBatchReply, batch)

    def record_events(self, events: Iterable[EventIn]) -> EventsReply:
        """Stores what visitors did; to send it again is safe."""
        return self._ask("POST", "/v1/events", EventsReply, EventsRequest(events=list(events)))

    def outcome(self, answer_id: str) -> OutcomeReply:
        """Says what came of a list, by its `request_id`."""
        return self._ask("GET", f"/v1/answers/{quote(answer_id, safe='')}", OutcomeReply)

    # -- products ------------------------------------------------------------------

    def product(self, item_id: str) -> ProductReply:
        """Gives one product."""
        return self._ask("GET", _product(item_id), ProductReply)

    def put_product(
        self, item_id: str, product: ProductIn, *, wait: Wait = "indexed"
    ) -> ChangedProductReply:
        """Adds or replaces a product."""
        return self._ask("PUT", _product(item_id, wait), ChangedProductReply, product)

    def patch_product(
        self, item_id: str, patch: ProductPatch, *, wait: Wait = "indexed"
    ) -> ChangedProductReply:
        """Changes the fields of a product that the patch was given."""
        return self._ask("PATCH", _product(item_id, wait), ChangedProductReply, patch)

    def change_products(
        self, lines: Iterable[ProductLine | DeletedLine], *, wait: Wait = "indexed"
    ) -> BatchReply:
        """Puts in and takes out many products; each line is judged by itself."""
        return self._ask("POST", f"/v1/products:batch?wait={wait}", BatchReply, list(lines))

    def delete_product(self, item_id: str, *, wait: Wait = "indexed") -> DeletedProductReply:
        """Takes a product out."""
        return self._ask("DELETE", _product(item_id, wait), DeletedProductReply)

    def task(self, task_id: str) -> TaskReply:
        """Says how far the server is with what was stored with `wait="stored"`."""
        return self._ask("GET", f"/v1/tasks/{quote(task_id, safe='')}", TaskReply)

    # -- people --------------------------------------------------------------------

    def example_visitors(self, limit: int = 12) -> VisitorsReply:
        """Gives example visitors of the log."""
        return self._ask("GET", f"/v1/visitors?limit={limit}", VisitorsReply)

    def visitor(self, visitor_id: str, limit: int = 20) -> VisitorReply:
        """Gives what is known of a visitor."""
        return self._ask("GET", f"{_visitor(visitor_id)}?limit={limit}", VisitorReply)

    def erase_visitor(self, visitor_id: str) -> ErasedReply:
        """Forgets a visitor or user for good."""
        return self._ask("DELETE", _visitor(visitor_id), ErasedReply)

    # -- operations ----------------------------------------------------------------

    def stats(self) -> StatsReply:
        """Gives the shop in numbers."""
        return self._ask("GET", "/v1/stats", StatsReply)

    def version(self) -> VersionReply:
        """Says which software and which bundle answer."""
        return self._ask("GET", "/v1/version", VersionReply)

    def report(self) -> ReportReply:
        """Gives the evaluation report of the bundle that answers."""
        return self._ask("GET", "/v1/report", ReportReply)

    def live(self) -> HealthReply:
        """Says that the process answers."""
        return self._ask("GET", "/health/live", HealthReply)

    def ready(self) -> HealthReply:
        """Says that real queries have been answered since the start."""
        return self._ask("GET", "/health/ready", HealthReply)

    def releases(self) -> ReleasesReply:
        """Lists the releases."""
        return self._ask("GET", "/v1/releases", ReleasesReply)

    def promote_release(self, name: str, *, force: bool = False) -> ReleasesReply:
        """Serves another release; give a `timeout_s` that opening it takes."""
        forced = "?force=true" if force else ""
        path = f"/v1/releases/{quote(name, safe='')}:promote{forced}"
        return self._ask("POST", path, ReleasesReply, attempts=1)

    def rollback_release(self, name: str) -> ReleasesReply:
        """Serves again what was served before this release."""
        path = f"/v1/releases/{quote(name, safe='')}:rollback"
        return self._ask("POST", path, ReleasesReply, attempts=1)

    # -- rules ---------------------------------------------------------------------

    def rules(self) -> RulesReply:
        """Lists what the shop wants in its lists."""
        return self._ask("GET", "/v1/rules", RulesReply)

    def rule(self, rule_id: str) -> RuleReply:
        """Gives a rule."""
        return self._ask("GET", _rule(rule_id), RuleReply)

    def put_rule(self, rule_id: str, rule: RuleIn) -> RuleReply:
        """Adds or replaces a rule."""
        return self._ask("PUT", _rule(rule_id), RuleReply, rule)

    def delete_rule(self, rule_id: str) -> DeletedRuleReply:
        """Takes a rule away."""
        return self._ask("DELETE", _rule(rule_id), DeletedRuleReply)

    def preview_rule(self, asked: RulePreviewRequest) -> RulePreviewReply:
        """Makes a list without a rule and with it."""
        return self._ask("POST", "/v1/rules:preview", RulePreviewReply, asked)

    # -- on the wire ---------------------------------------------------------------

    def _ask(
        self,
        method: str,
        path: str,
        reply: type[_Reply],
        question: BaseModel | Sequence[BaseModel] = (),
        *,
        attempts: int | None = None,
    ) -> _Reply:
        kind, models = (
            (_JSON, [question]) if isinstance(question, BaseModel) else (_LINES, list(question))
        )
        body = "\n".join(one.model_dump_json(exclude_unset=True) for one in models).encode()
        headers = {**self._headers, "Content-Type": kind}
        for left in reversed(range(attempts or self._attempts)):
            try:
                status, retry_after, content = self._send(method, path, body, headers)
            except (OSError, http.client.HTTPException) as error:
                self._connection().close()
                if not left:
                    raise ServerUnreachable(
                        f"{self._place.geturl()} does not answer ({error!r}); is it running?"
                    ) from error
                continue
            if status in _OK:
                return reply.model_validate_json(content)
            if not left or status not in _COME_BACK:
                raise _problem(status, content)
            time.sleep(min(_seconds(retry_after), self._longest_wait_s))
        raise AssertionError("the last attempt returns or raises")

    def _send(
        self, method: str, path: str, body: bytes, headers: Mapping[str, str]
    ) -> tuple[int, str | None, bytes]:
        connection = self._connection()
        connection.request(method, self._place.path.rstrip("/") + path, body or None, headers)
        answer = connection.getresponse()
        return answer.status, answer.getheader("Retry-After"), answer.read()

    def _connection(self) -> http.client.HTTPConnection:
        if not hasattr(self._mine, "connection"):
            make = _SCHEMES[self._place.scheme]
            self._mine.connection = make(
                str(self._place.hostname), self._place.port, timeout=self._timeout_s
            )
            self._connections.append(self._mine.connection)
        connection: http.client.HTTPConnection = self._mine.connection
        return connection


def _seconds(retry_after: str | None) -> float:
    """How long to wait; a second where nothing is said, or a date, as by something in between."""
    return float(retry_after) if retry_after and retry_after.isdecimal() else 1.0


def _problem(status: int, content: bytes) -> ServerProblem:
    try:
        told = Problem.model_validate_json(content)
    except ValidationError:  # of something between here and the server
        return ServerProblem(f"status {status}, without a problem of ours", status, "", "")
    return ServerProblem(told.detail, status, told.type, told.request_id)


def _product(item_id: str, wait: Wait | None = None) -> str:
    path = f"/v1/products/{quote(item_id, safe='')}"
    return path if wait is None else f"{path}?wait={wait}"


def _rule(rule_id: str) -> str:
    return f"/v1/rules/{quote(rule_id, safe='')}"


def _visitor(visitor_id: str) -> str:
    return f"/v1/visitors/{quote(visitor_id, safe='')}"
