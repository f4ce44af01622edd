"""Why hits have their scores, in the shape of the HTTP interface."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from twotower import schema
from twotower.retrieval.answers import Hit
from twotower.server.replies import Explanation, Reason

Titles = Mapping[str, str]


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
