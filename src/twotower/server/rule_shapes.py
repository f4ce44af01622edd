"""The shop's rules as they come in and go out over HTTP."""

from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from twotower.server.requests import (
    LATEST_MS,
    Filter,
    Identifier,
    Placement,
    Question,
    RecommendationRequest,
    SearchRequest,
)
from twotower.server.shape import Reply, Shape

Place = Placement | Literal["search"]
Action = Literal["boost", "bury", "pin", "hide"]


class RuleIn(Question):
    """A wish of the shop for its lists: where and when it holds, and for which products."""

    action: Action
    filter: Filter | None = Field(
        default=None, description="Which products; `pin` has `item_ids` instead."
    )
    item_ids: list[Identifier] = Field(
        default=[], max_length=100, description="Of `pin`: these, in their order."
    )
    position: int | None = Field(
        default=None, ge=1, le=1_000, description="Of `pin`: the place of the first one, from 1."
    )
    strength: float | None = Field(
        default=None,
        gt=0,
        le=10,
        description="Of `boost` and `bury`: 1 is the way from a middling product of the catalogue "
        "to the best one of the list.",
    )
    query: Annotated[str, StringConstraints(max_length=500, pattern=r"\S")] | None = Field(
        default=None, description="It holds for searches of these words alone."
    )
    places: list[Place] = Field(
        default=[], max_length=20, description="Where it holds; everywhere when empty."
    )
    starts: int | None = Field(
        default=None, ge=0, le=LATEST_MS, description="It holds from here on, UTC milliseconds."
    )
    ends: int | None = Field(
        default=None, ge=0, le=LATEST_MS, description="It holds before this, UTC milliseconds."
    )


class RulePreviewRequest(Question):
    """A rule to try, as if its time had come, and the list to try it on."""

    rule: RuleIn
    rule_id: Identifier = Field(
        default="preview", description="A rule of this id is left out while this one is tried."
    )
    search: SearchRequest | None = None
    recommendation: RecommendationRequest | None = None

    @model_validator(mode="after")
    def _one_list(self) -> Self:
        if (self.search is None) == (self.recommendation is None):
            raise ValueError("give either search or recommendation: which list?")
        return self


class StoredRule(Shape):
    """A wish of the shop for its lists."""

    rule_id: str
    action: Action
    filter: str | None
    item_ids: list[str]
    position: int | None
    strength: float | None
    query: str | None
    places: list[Place]
    starts: int | None
    ends: int | None


class RuleReply(Reply):
    """One rule."""

    rule: StoredRule
    n_products: int = Field(description="Products that it names now.")


class RulesReply(Reply):
    """The shop's rules, by id, whether they hold now or not."""

    rules: list[StoredRule]


class DeletedRuleReply(Reply):
    """A rule that no list follows from now on."""

    rule_id: str


class PreviewHit(Shape):
    """One product of a list that was tried."""

    rank: int
    item_id: str
    title: str
    score: float
    pinned_by: str | None


class RulePreviewReply(Reply):
    """A list without a rule and with it."""

    n_products: int = Field(description="Products that the rule names now.")
    total_before: int
    before: list[PreviewHit]
    total_after: int
    after: list[PreviewHit]
