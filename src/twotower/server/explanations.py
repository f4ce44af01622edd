"""Why hits have their scores, in the shape of the HTTP interface."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from pydantic import Field

from twotower import schema
from twotower.retrieval.answers import Hit, ReasonKind
from twotower.server.shape import Shape

Titles = Mapping[str, str]


class Reason(Shape):
    """A part of a score; the reasons of a hit sum to its score."""

    kind: ReasonKind = Field(
        description="`words`: one word of the query. `history`: one product that the visitor "
        "touched. `baskets`: buyers in common. `launch`: the first day on sale. `rule`: a wish of "
        "the shop. `rest`: what the products of a history only say together, and what anyone gets."
    )
    value: float = Field(description="What it adds; less than 0 where it takes away.")
    words: str | None = Field(description="Of the query, in small letters.")
    item_id: str | None = Field(description="Of that product of the history.")
    title: str | None = Field(description="Of the same; null when it was deleted since.")
    rule_id: str | None = Field(description="Of a rule of the shop.")


class Explanation(Shape):
    """Why a hit has its score, from the parts of the score alone."""

    reasons: list[Reason] = Field(
        description="Those of rules first, then the greatest, `rest` last."
    )
    attention: dict[str, float] = Field(
        description="How much each feature weighs in the product's vector; they sum to 1."
    )


def titles_of_reasons(
    hits: Sequence[Hit], known: Callable[[str], Mapping[str, Any] | None]
) -> Titles:
    """Looks up the titles of the products that reasons name, each once.

    Args:
        hits: Of an answer.
        known: Gives what is known of a product now; None when it is gone.

    Returns:
        Titles by id.
    """
    named = {one.item_id for hit in hits for one in hit.reasons if one.item_id is not None}
    products = {item_id: known(item_id) for item_id in named}
    return {name: one[schema.TITLE] for name, one in products.items() if one is not None}


def as_explanation(hit: Hit, titles: Titles) -> Explanation | None:
    """Shows why a hit has its score.

    Args:
        hit: Of an answer.
        titles: Of the products that its reasons name.

    Returns:
        Its reasons and the attention of its features; None where nobody asked for them.
    """
    if hit.attention is None:
        return None
    reasons = [
        Reason(
            kind=one.kind,
            value=one.value,
            words=one.words,
            item_id=one.item_id,
            rule_id=one.rule_id,
            title=None if one.item_id is None else titles.get(one.item_id),
        )
        for one in hit.reasons
    ]
    return Explanation(reasons=reasons, attention=dict(hit.attention))
