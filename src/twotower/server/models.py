"""What goes in and out over HTTP, each shape spelled once.

Requests are strict: no coercion, no unknown fields, every length bounded.
"""

from typing import Annotated, Literal, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    field_validator,
    model_validator,
)

from twotower.errors import DataError
from twotower.server.images import IMAGE_PATTERN, decode_picture, is_data_uri

Identifier = Annotated[
    str, StringConstraints(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]+$")
]
"""An id of the shop: 1..200 characters, none of them a control character."""
Mode = Literal["hybrid", "semantic", "lexical"]
Placement = Literal["home", "similar"]
Kind = Literal["view", "cart", "purchase", "review"]

MAX_K = 100
MAX_EVENTS = 1_000
MAX_HISTORY = 500
LATEST_MS = 4_102_444_800_000
"""2100-01-01: a launch later than this is a wrong unit."""


class _Request(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class _Answer(BaseModel):
    model_config = ConfigDict(frozen=True)


# -- questions -------------------------------------------------------------------


class SearchRequest(_Request):
    """A typed query, and who asks."""

    query: Annotated[str, StringConstraints(min_length=1, max_length=500, pattern=r"\S")]
    k: int = Field(default=24, ge=1, le=MAX_K)
    offset: int = Field(default=0, ge=0, le=10_000)
    mode: Mode = "hybrid"
    visitor_id: Identifier | None = None
    user_id: Identifier | None = None


class RecommendationRequest(_Request):
    """A place on the page that wants products, and who looks at it.

    `history` (oldest first) replaces what the shop knows of the visitor.
    """

    placement: Placement
    visitor_id: Identifier | None = None
    user_id: Identifier | None = None
    item_id: Identifier | None = None
    history: list[Identifier] | None = Field(default=None, max_length=MAX_HISTORY)
    k: int = Field(default=12, ge=1, le=MAX_K)
    exclude: list[Identifier] | None = Field(default=None, max_length=MAX_HISTORY)

    @model_validator(mode="after")
    def _item_belongs_to_similar(self) -> Self:
        if self.placement == "similar" and self.item_id is None:
            raise ValueError("placement 'similar' needs item_id: similar to what?")
        if self.placement == "similar" and self.history is not None:
            raise ValueError("history belongs to placement 'home'; 'similar' does not read it")
        if self.placement == "home" and self.item_id is not None:
            raise ValueError("item_id belongs to placement 'similar'; leave it out of 'home'")
        return self


class EventIn(_Request):
    """One thing a visitor did. `event_id` is made by the caller and makes sending it again safe."""

    event_id: Identifier
    visitor_id: Identifier
    user_id: Identifier | None = None
    item_id: Identifier
    event: Kind
    time: Annotated[str, StringConstraints(min_length=1, max_length=40)] | int | None = Field(
        default=None,
        description="UTC milliseconds, or ISO 8601 with an offset; left out, it is now.",
    )
    request_id: Identifier | None = Field(
        default=None, description="The `request_id` of the list in which the item was seen."
    )


class EventsRequest(_Request):
    """A batch of events."""

    events: list[EventIn] = Field(min_length=1, max_length=MAX_EVENTS)


class ProductIn(_Request):
    """A product as the shop describes it. Only the title is required."""

    title: Annotated[str, StringConstraints(min_length=1, max_length=500, pattern=r"\S")]
    description: Annotated[str, StringConstraints(max_length=20_000)] | None = None
    brand: Annotated[str, StringConstraints(max_length=200)] | None = None
    category: Annotated[str, StringConstraints(max_length=500)] | None = Field(
        default=None, description="A path such as 'Home > Kitchen > Kettles'."
    )
    price: float | None = Field(default=None, ge=0, le=1e12, allow_inf_nan=False)
    rating: float | None = Field(default=None, ge=0, le=100, allow_inf_nan=False)
    attributes: list[Annotated[str, StringConstraints(min_length=1, max_length=200)]] | None = (
        Field(default=None, max_length=100)
    )
    in_stock: bool | None = None
    launched: int | None = Field(
        default=None, ge=0, le=LATEST_MS, description="On sale since, UTC milliseconds."
    )
    image: Annotated[str, StringConstraints(max_length=500_000, pattern=IMAGE_PATTERN)] | None = (
        Field(default=None, description="An http(s) URL, or a `data:image/` URI.")
    )

    @field_validator("image")
    @classmethod
    def _picture_can_be_decoded(cls, image: str | None) -> str | None:
        if image is not None and is_data_uri(image):
            try:
                decode_picture(image)
            except DataError as error:
                raise ValueError(str(error)) from error
        return image


# -- answers ---------------------------------------------------------------------


class Item(_Answer):
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


class Parts(_Answer):
    """What the score is made of; null where that part had no say."""

    semantic: float | None
    lexical: float | None


class Hit(_Answer):
    """One product of a list; `rank` counts from 1 over all pages."""

    rank: int
    item_id: str
    score: float
    parts: Parts
    item: Item


class _Reply(_Answer):
    request_id: str


class _ListReply(_Reply):
    bundle_version: str
    took_ms: dict[str, float] = Field(description="Milliseconds: `total`, and each stage by name.")
    total: int
    total_definition: str = Field(description="What `total` counts, in words.")
    degraded: bool
    fallback_used: str | None = Field(
        description="Null, or the name of the simpler method that answered instead."
    )
    hits: list[Hit]


class SearchReply(_ListReply):
    """The products for a query, best first."""

    query: str
    mode: Mode


class RecommendationReply(_ListReply):
    """The products for a place on the page, best first."""

    placement: Placement
    history_length: int = Field(description="How many known events shaped this list.")


class RejectedEvent(_Answer):
    """An event that was not stored, and why."""

    event_id: str
    reason: str


class EventsReply(_Reply):
    """Every event of the batch by name; the accepted ones are on disk."""

    accepted: list[str]
    duplicate: list[str]
    rejected: list[RejectedEvent]


class ProductReply(_Reply):
    """One product."""

    item: Item


class IndexedProductReply(ProductReply):
    """A stored product that searches and recommendations can already return."""

    indexed: bool


class SeenItem(_Answer):
    """An item by id and title."""

    item_id: str
    title: str


class PastEvent(SeenItem):
    """One event of a visitor; `time` is UTC milliseconds, null in logs without a clock."""

    event: Kind
    time: int | None


class ExampleVisitor(_Answer):
    """A user of the log whose eyes the page can borrow; `recent` is newest first."""

    user_id: str
    n_events: int
    recent: list[SeenItem]


class VisitorsReply(_Reply):
    """Example visitors of the log."""

    visitors: list[ExampleVisitor]


class VisitorReply(_Reply):
    """What is known of one visitor, live events included; `recent` is newest first."""

    visitor_id: str
    n_events: int
    recent: list[PastEvent]


class Count(_Answer):
    """A name and how many items bear it."""

    name: str
    items: int


class StatsReply(_Reply):
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


class VersionReply(_Reply):
    """Which software and which bundle answer."""

    twotower: str
    bundle_version: str
    bundle_format: int
    name: str
    synthetic: bool


class HealthReply(_Reply):
    """`live` or `ready`; anything else is a problem with status 503."""

    status: Literal["live", "ready"]


# -- problems (RFC 9457) -----------------------------------------------------------


class Fault(_Answer):
    """One fault of a request: where, and what was expected."""

    path: str
    message: str


class Problem(_Answer):
    """An error; `type` is stable, `detail` says what to do."""

    type: str
    title: str
    status: int
    detail: str
    request_id: str
    errors: list[Fault] | None = None
