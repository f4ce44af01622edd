"""What came of a list that was answered: impressions and interactions, by its request_id."""

from collections import Counter
from collections.abc import Iterable
from typing import cast

from twotower import schema
from twotower.server.live_shop import LiveShop
from twotower.server.replies import AnsweredItem, OutcomeReply
from twotower.server.requests import Kind
from twotower.shop.records import LiveEvent

_MOST = 10_000
"""Events of one list that are counted."""


def outcome_of(shop: LiveShop, answer_id: str, request_id: str) -> OutcomeReply:
    """Counts the events that refer to a list.

    Args:
        shop: The open shop.
        answer_id: The list's own `request_id`; one that nobody referred to has no events.
        request_id: Of this request.

    Returns:
        The counts, whole and by product.
    """
    found = shop.database.events.of_request(answer_id, limit=_MOST)
    impressions, events = _counted(found)
    by_item: dict[str, list[LiveEvent]] = {}
    for one in found:
        by_item.setdefault(one.item_id, []).append(one)
    return OutcomeReply(
        request_id=request_id,
        answer_id=answer_id,
        impressions=impressions,
        events=events,
        items=[_item(item_id, its) for item_id, its in by_item.items()],
        is_whole=len(found) < _MOST,
    )


def _item(item_id: str, found: Iterable[LiveEvent]) -> AnsweredItem:
    impressions, events = _counted(found)
    return AnsweredItem(item_id=item_id, impressions=impressions, events=events)


def _counted(found: Iterable[LiveEvent]) -> tuple[int, dict[Kind, int]]:
    counts = Counter(one.event for one in found)
    impressions = counts.pop(schema.IMPRESSION, 0)
    return impressions, {cast(Kind, kind): n for kind, n in counts.items()}
