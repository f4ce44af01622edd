"""Answers as they go out over HTTP, each shape spelled once."""

from typing import Any, Literal

from pydantic import Field

from twotower.server.explanations import Explanation
from twotower.server.requests import FacetName, Kind, Mode, Placement
from twotower.server.shape import Reply, Shape


class Item(Shape):
    """A product as the catalogue knows it; what the shop left out is null."""

    item_id: str
    title: str
    description: str | None
    brand: str | None
    category: str | None
    price: float | None
    rating: float | None
    attributes: list[str]
    in_stock: bool | None
    image: str | None = Field(description="A URL that this page may load.")
    launched: int | None = Field(description="On sale since, UTC milliseconds.")


class Parts(Shape):
    """What the score is made of; null where that part had no say."""

    semantic: float | None
    lexical: float | None


class Hit(Shape):
    """One product of a list; `rank` counts from 1 over all pages."""

    rank: int
    item_id: str
    score: float
    parts: Parts
    relevance: float | None = Field(
        description="How likely the product fits the query, 0 to 1; null where nobody can tell."
    )
    pinned_by: str | None = Field(
        description="The rule that gave it its place, whatever its score."
    )
    explanation: Explanation | None = Field(description="Null unless `explain` asked for it.")
    item: Item


class _ListReply(Reply):
    bundle_version: str
    took_ms: dict[str, float] = Field(description="Milliseconds: `total`, and each stage by name.")
    total: int
    total_definition: str = Field(description="What `total` counts, in words.")
    degraded: bool
    fallback_used: str | None = Field(
        description="Null, or the name of the simpler method that answered instead."
    )
    hits: list[Hit]


class FacetValue(Shape):
    """One value of a field, and how many of all that matches have it."""

    value: str | bool
    count: int
    is_chosen: bool = Field(description="Whether the filter asks for it.")


class Facet(Shape):
    """A field among all that matches; what the filter demands of the field itself is left out."""

    field: FacetName
    values: list[FacetValue] = Field(
        description="The most frequent first; empty for numbers and times."
    )
    n_values: int = Field(description="Different values, also those not shown.")
    low: float | None = Field(description="The least number, or UTC milliseconds.")
    high: float | None


class SearchReply(_ListReply):
    """The products for a query, best first."""

    query: str
    mode: Mode
    facets: list[Facet] = Field(description="In the order in which they were asked for.")
    is_exact: bool = Field(
        description="Whether `total` and `facets` count all that matches, or the nearest only."
    )
    next_cursor: str | None = Field(description="Asks for the next page; null on the last one.")
    weak_hits: list[Hit] = Field(
        description="What comes next and does not count as a match, with the page that ends the "
        "list; `total` leaves it out. No hits and some of these: nothing quite fits."
    )
    corrected_query: str | None = Field(
        description="The query with its mistyped words put right, where that changed the answer."
    )


class SearchVerdict(Shape):
    """What became of one search of a batch: one of the two."""

    answer: SearchReply | None
    problem: "Problem | None"


class SearchBatchReply(Reply):
    """The answers to the searches of a batch, in their order; all of one bundle."""

    answers: list[SearchVerdict]


class Suggestion(Shape):
    """Something that the shopper may be typing."""

    kind: Literal["query", "category", "product"]
    text: str
    item_id: str | None = Field(description="Of a product; null for the others.")


class SuggestReply(Reply):
    """Queries, then categories, then products; of each kind the most popular first."""

    bundle_version: str
    took_ms: dict[str, float] = Field(description="Milliseconds: `total`.")
    query: str
    suggestions: list[Suggestion]


class RecommendationReply(_ListReply):
    """The products for a place on the page, best first."""

    placement: Placement
    history_length: int = Field(description="How many known events shaped this list.")


class RecommendationVerdict(Shape):
    """What became of one question of a batch: one of the two."""

    answer: RecommendationReply | None
    problem: "Problem | None"


class RecommendationBatchReply(Reply):
    """The answers to the questions of a batch, in their order; all of one bundle."""

    answers: list[RecommendationVerdict]


class RejectedEvent(Shape):
    """An event that was not stored, and why."""

    event_id: str
    reason: str


class EventsReply(Reply):
    """Every event of the batch by name; the accepted ones are on disk."""

    accepted: list[str]
    duplicate: list[str]
    rejected: list[RejectedEvent]


class ProductReply(Reply):
    """One product."""

    item: Item


class _ChangeReply(Reply):
    indexed: bool = Field(description="Whether searches and recommendations know of it already.")
    task_id: str | None = Field(
        description="Asks /v1/tasks how far that is; null where nothing is left to do."
    )


class ChangedProductReply(ProductReply, _ChangeReply):
    """A product as it is stored now."""


class DeletedProductReply(_ChangeReply):
    """A product that is deleted."""

    item_id: str


class RejectedLine(Shape):
    """A line of a batch that changed nothing, and why; the first line is 1."""

    line: int
    reason: str


class BatchReply(_ChangeReply):
    """What became of the lines of a batch."""

    stored: int
    deleted: int
    rejected: list[RejectedLine]


class TaskReply(Reply):
    """How far the server that answers is with what was stored."""

    task_id: str
    status: Literal["running", "done"]
    progress: float = Field(ge=0, le=1, description="1 when it is done.")


class SeenItem(Shape):
    """An item by id and title."""

    item_id: str
    title: str


class PastEvent(SeenItem):
    """One event of a visitor; `time` is UTC milliseconds, null in logs without a clock."""

    event: Kind
    time: int | None


class ExampleVisitor(Shape):
    """A user of the log whose eyes the page can borrow; `recent` is newest first."""

    user_id: str
    n_events: int
    tastes: list[str] = Field(
        description="The categories that this user was in most, at most two; the first comes first."
    )
    recent: list[SeenItem]


class VisitorsReply(Reply):
    """Example visitors of the log."""

    visitors: list[ExampleVisitor]


class Session(Shape):
    """A visit: events with no pause of half an hour between them. Times are UTC milliseconds."""

    began: int
    ended: int
    n_events: int


class VisitorReply(Reply):
    """What is known of one visitor, live events included; the newest first."""

    visitor_id: str
    n_events: int
    recent: list[PastEvent]
    sessions: list[Session] = Field(description="Of the events of `recent` that have a time.")


class AnsweredItem(Shape):
    """What came of one product of a list."""

    item_id: str
    impressions: int
    events: dict[Kind, int] = Field(description="How often, by kind; those that happened.")


class OutcomeReply(Reply):
    """What came of a list: what was seen of it, and what was done next with what it showed."""

    answer_id: str = Field(description="The `request_id` of the list.")
    impressions: int
    events: dict[Kind, int] = Field(description="How often, by kind; those that happened.")
    items: list[AnsweredItem] = Field(description="In the order in which they were first told of.")
    is_whole: bool = Field(description="False where the list has more events than were counted.")


class ErasedReply(Reply):
    """Somebody of whom nothing is known from now on."""

    visitor_id: str
    n_events: int = Field(description="Live events that were deleted.")


class Count(Shape):
    """A name and how many items bear it."""

    name: str
    items: int


class StatsReply(Reply):
    """The shop in numbers."""

    name: str
    synthetic: bool = Field(description="True for a made-up demo shop.")
    bundle_version: str
    width: int = Field(description="Numbers per vector.")
    items: int
    live_items: int = Field(description="Products added or changed since the bundle was built.")
    users: int
    log_events: int
    live_events: int
    brands: int
    categories: int
    top_categories: list[Count]


class VersionReply(Reply):
    """Which software and which bundle answer."""

    twotower: str
    bundle_version: str
    bundle_format: int
    name: str
    synthetic: bool


class ReportReply(Reply):
    """How good the bundle that answers is."""

    bundle_version: str
    report: dict[str, Any] = Field(description="As `report.json` of the bundle has it.")


class ReleasesReply(Reply):
    """The bundles that can be promoted, the oldest first, and which of them answers."""

    current: str
    previous: str | None = Field(description="What a rollback goes back to.")
    bundle_version: str
    releases: list[str]


class HealthReply(Reply):
    """`live` or `ready`; anything else is a problem with status 503."""

    status: Literal["live", "ready"]


# -- problems (RFC 9457) -----------------------------------------------------------


class Fault(Shape):
    """One fault of a request: where, and what was expected."""

    path: str
    message: str
    position: int | None = Field(
        default=None, description="In a filter: of the character, counted from 1."
    )


class Problem(Shape):
    """An error; `type` is stable, `detail` says what to do."""

    type: str
    title: str
    status: int
    detail: str
    request_id: str
    errors: list[Fault] | None = None
