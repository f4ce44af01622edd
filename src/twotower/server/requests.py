"""Questions as they come in over HTTP: strict, no coercion, no unknown fields, all bounded."""

from typing import Annotated, Final, Literal, Self

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
Sort = Literal["relevance", "price_ascending", "price_descending", "rating", "newest"]
FacetName = Literal["brand", "category", "attributes", "price", "rating", "launched", "in_stock"]
Filter = Annotated[
    str,
    StringConstraints(min_length=1, max_length=20_000),
    Field(description='Such as `brand = "Koda" AND price < 100 AND in_stock`; docs/filters.md.'),
]
Placement = Literal["home", "similar", "also_bought", "trending", "newest"]
_OF_AN_ITEM: Final = ("similar", "also_bought")
Capped = Literal["brand", "category"]
Kind = Literal["view", "cart", "purchase", "review"]
Telling = Literal["impression", "view", "cart", "purchase", "review"]

Explain = Annotated[
    bool, Field(description="Whether each hit says what its score is made of; it takes longer.")
]
_Title = Annotated[str, StringConstraints(min_length=1, max_length=500, pattern=r"\S")]
MAX_K = 100
MAX_EVENTS = 1_000
MAX_QUESTIONS = 50
"""Searches, or recommendations, of one request."""
MAX_PRODUCTS = 1_000
"""Lines of a batch."""
MAX_QUERY = 10_000
"""Characters; beyond the first 64 words nothing is searched for, and the answer says so."""
MAX_HISTORY = 500
LATEST_MS = 4_102_444_800_000
"""2100-01-01: a launch later than this is a wrong unit."""


class Question(BaseModel):
    """What every question and part of one has in common."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class SearchRequest(Question):
    """A typed query, and who asks; everyone gets the same answer."""

    query: Annotated[str, StringConstraints(min_length=1, max_length=MAX_QUERY, pattern=r"\S")]
    k: int = Field(default=24, ge=1, le=MAX_K)
    offset: int = Field(default=0, ge=0, le=10_000)
    mode: Mode = "hybrid"
    filter: Filter | None = None
    facets: list[FacetName] = Field(
        default=[],
        max_length=20,
        description="Fields whose values are counted among all that matches.",
    )
    max_values: int = Field(default=20, ge=1, le=1_000, description="Most values of each facet.")
    sort: Sort = "relevance"
    cursor: Annotated[str, StringConstraints(min_length=1, max_length=500)] | None = Field(
        default=None, description="The `next_cursor` of the answer before; then without `offset`."
    )
    explain: Explain = False
    visitor_id: Identifier | None = None
    user_id: Identifier | None = None


class SearchInAddress(SearchRequest):
    """A search whose fields are the parameters of an address; lists are given by repeating one."""

    model_config = ConfigDict(strict=False)

    query: Annotated[
        str, StringConstraints(min_length=1, max_length=MAX_QUERY, pattern=r"\S"), Field(alias="q")
    ]


class SearchBatch(Question):
    """Searches that are answered together, each by itself."""

    searches: list[SearchRequest] = Field(min_length=1, max_length=MAX_QUESTIONS)


class RecommendationRequest(Question):
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
    filter: Filter | None = None
    explain: Explain = False
    diversity: float = Field(
        default=0.0,
        ge=0,
        le=1,
        description="0: by score alone. 1: by being unlike what stands before.",
    )
    at_most: dict[Capped, Annotated[int, Field(ge=1, le=MAX_K)]] = Field(
        default={},
        description="Products of one brand or category; more only when nothing else is left.",
    )

    @model_validator(mode="after")
    def _has_what_its_place_reads(self) -> Self:
        if self.placement in _OF_AN_ITEM and self.item_id is None:
            raise ValueError(f"placement {self.placement!r} needs item_id: of which product?")
        if self.placement not in _OF_AN_ITEM and self.item_id is not None:
            places = " and ".join(_OF_AN_ITEM)
            raise ValueError(
                f"item_id belongs to {places}; leave it out of placement {self.placement!r}"
            )
        if self.placement != "home" and self.history is not None:
            raise ValueError(
                f"history belongs to placement 'home'; {self.placement!r} does not read it"
            )
        return self


class RecommendationBatch(Question):
    """Places on the page, or visitors, that are answered together, each by itself."""

    recommendations: list[RecommendationRequest] = Field(min_length=1, max_length=MAX_QUESTIONS)


class EventIn(Question):
    """One thing a visitor did. `event_id` is made by the caller and makes sending it again safe."""

    event_id: Identifier
    visitor_id: Identifier
    user_id: Identifier | None = None
    item_id: Identifier
    event: Telling = Field(
        description="`impression`: it was seen in a list. That is in nobody's history."
    )
    time: Annotated[str, StringConstraints(min_length=1, max_length=40)] | int | None = Field(
        default=None,
        description="UTC milliseconds, or ISO 8601 with an offset; left out, it is now.",
    )
    request_id: Identifier | None = Field(
        default=None, description="The `request_id` of the list in which the item was seen."
    )

    @model_validator(mode="after")
    def _an_impression_names_its_list(self) -> Self:
        if self.event == "impression" and self.request_id is None:
            raise ValueError("an impression needs request_id: seen in which list?")
        return self


class EventsRequest(Question):
    """A batch of events."""

    events: list[EventIn] = Field(min_length=1, max_length=MAX_EVENTS)


class _ProductFields(Question):
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


class ProductIn(_ProductFields):
    """A product as the shop describes it. Only the title is required."""

    title: _Title


class ProductLine(ProductIn):
    """A line of a batch: a product, whole."""

    item_id: Identifier


class DeletedLine(Question):
    """A line of a batch: a product that goes."""

    item_id: Identifier
    deleted: Literal[True]


class ProductPatch(_ProductFields):
    """The fields of a product that change; null takes one away, what is left out stays."""

    title: _Title | None = Field(default=None, description="Not null: a product has a title.")

    @model_validator(mode="after")
    def _says_something_and_keeps_the_title(self) -> Self:
        if not self.model_fields_set:
            raise ValueError("a patch needs at least one field to change")
        if "title" in self.model_fields_set and self.title is None:
            raise ValueError("title cannot be null: a product has a title")
        return self
