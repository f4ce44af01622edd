"""What is known of visitors, for the page: examples of the log, and one visitor's events."""

from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import islice

from twotower import schema
from twotower.features.history import UNKNOWN_TIME, History
from twotower.server.live_shop import LiveShop
from twotower.server.replies import ExampleVisitor, PastEvent, SeenItem, Session, VisitorReply
from twotower.server.requests import Kind
from twotower.shop.records import LiveEvent

_SHOWN = 5
_CHOICE = 4
"""How many times as many users are looked at as are wanted, for tastes that differ."""
_LATELY = 50
_TASTES = 2
_PAUSE_MS = 30 * 60_000
_KIND_OF: dict[int, Kind] = {
    schema.KIND_CODE["view"]: "view",
    schema.KIND_CODE["cart"]: "cart",
    schema.KIND_CODE["purchase"]: "purchase",
    schema.KIND_CODE["review"]: "review",
}


def example_visitors_of(shop: LiveShop, limit: int) -> list[ExampleVisitor]:
    """Gives users of the log whose tastes differ, with their newest distinct items.

    They are spread over all of the log; two with the same first taste only where there are
    not enough others.
    """
    people = [_example(shop, user_id) for user_id in shop.log.examples(limit * _CHOICE)]
    tastes: set[str] = set()
    chosen: list[ExampleVisitor] = []
    others: list[ExampleVisitor] = []
    for one in people:
        is_new = bool(one.tastes) and one.tastes[0] not in tastes
        (chosen if is_new else others).append(one)
        tastes.update(one.tastes[:1])
    return [*chosen, *others][:limit]


def _example(shop: LiveShop, user_id: str) -> ExampleVisitor:
    history = shop.log.history(user_id)
    return ExampleVisitor(
        user_id=user_id,
        n_events=len(history),
        tastes=_tastes(shop, history),
        recent=_newest_items(shop, history),
    )


def _tastes(shop: LiveShop, history: History) -> list[str]:
    """The narrowest categories of most of the newest events, the most frequent first."""
    rows = history.item_rows[-_LATELY:].tolist()
    items = shop.retriever.bundle.dataset.items
    if schema.CATEGORY not in items.columns:
        return []
    paths = [items[row, schema.CATEGORY] for row in rows]
    counts = Counter(path.split(schema.CATEGORY_SEPARATOR)[-1] for path in paths if path)
    return [name for name, _ in counts.most_common(_TASTES)]


def visitor_of(shop: LiveShop, visitor_id: str, limit: int, request_id: str) -> VisitorReply:
    """Gives the newest events of whoever is known by this id, as visitor or as user."""
    logged = shop.log.history(visitor_id)
    live = shop.database.events.recent(visitor_id, visitor_id, limit=limit)
    events = [*_logged_events(shop, logged, limit), *_live_events(shop, live)]
    recent = events[::-1][:limit]
    return VisitorReply(
        request_id=request_id,
        visitor_id=visitor_id,
        n_events=len(logged) + shop.database.events.count(visitor_id, visitor_id),
        recent=recent,
        sessions=list(_sessions([one.time for one in recent if one.time is not None])),
    )


def _sessions(times: Iterable[int]) -> Iterator[Session]:
    """The visits that some moments belong to, newest first."""
    visit: list[int] = []
    for time in sorted(times, reverse=True):
        if visit and visit[-1] - time >= _PAUSE_MS:
            yield Session(began=visit[-1], ended=visit[0], n_events=len(visit))
            visit = []
        visit.append(time)
    if visit:
        yield Session(began=visit[-1], ended=visit[0], n_events=len(visit))


def _newest_items(shop: LiveShop, history: History) -> list[SeenItem]:
    newest = dict.fromkeys(history.item_rows[::-1].tolist())
    seen = (_seen(shop, row) for row in newest)
    return list(islice((one for one in seen if one is not None), _SHOWN))


def _seen(shop: LiveShop, row: int) -> SeenItem | None:
    """An item of the log; None when it was taken out of the catalogue since."""
    item_id = shop.retriever.bundle.dataset.items[row, schema.ITEM_ID]
    known = shop.known(item_id)
    return None if known is None else SeenItem(item_id=item_id, title=known[schema.TITLE])


def _logged_events(shop: LiveShop, history: History, limit: int) -> Iterable[PastEvent]:
    first = max(0, len(history) - limit)
    for place in range(first, len(history)):
        seen = _seen(shop, int(history.item_rows[place]))
        if seen is None:
            continue
        time = int(history.times[place])
        yield PastEvent(
            item_id=seen.item_id,
            title=seen.title,
            event=_KIND_OF[int(history.kinds[place])],
            time=None if time == UNKNOWN_TIME else time,
        )


def _live_events(shop: LiveShop, live: Iterable[LiveEvent]) -> Iterable[PastEvent]:
    for one in live:
        known = shop.known(one.item_id)
        if known is None:
            continue
        yield PastEvent(
            item_id=one.item_id,
            title=known[schema.TITLE],
            event=_KIND_OF[schema.KIND_CODE[one.event]],
            time=one.time,
        )
