"""Which list a place on the page gets."""

import time
from collections.abc import Sequence
from dataclasses import replace

from twotower.errors import StorageUnavailable, UnknownItem
from twotower.features.history import History
from twotower.retrieval.answers import Answer
from twotower.retrieval.diversity import Diversity
from twotower.retrieval.listing import Wishes
from twotower.retrieval.rules import Rule
from twotower.retrieval.shelves import WEEK_MS
from twotower.server.live_shop import LiveShop
from twotower.server.problems import ProblemError
from twotower.server.requests import RecommendationRequest

_NS_PER_MS = 1_000_000
_LATEST = 1_000
"""Live events that trending looks at."""


def placed(shop: LiveShop, question: RecommendationRequest, rules: Sequence[Rule]) -> Answer:
    """Asks the retriever for the products of a place.

    Args:
        shop: The open shop.
        question: What was asked.
        rules: Those of the shop, or others to try.

    Returns:
        The answer; `degraded` where the live events could not be read.

    Raises:
        ProblemError: The given history names items that are not in the catalogue.
        UnknownItem: The item that the list is about is not in the catalogue.
    """
    wishes: Wishes = {
        "k": question.k,
        "exclude": question.exclude or (),
        "filter": question.filter,
        "explain": question.explain,
        "diversity": Diversity(question.diversity, question.at_most),
        "rules": rules,
    }
    item_id = question.item_id or ""
    match question.placement:
        case "home":
            history, is_whole = _history(shop, question)
            answer = shop.retriever.recommend(history, **wishes)
            return replace(answer, degraded=answer.degraded or not is_whole)
        case "similar":
            return shop.retriever.similar(item_id, **wishes)
        case "also_bought":
            return shop.retriever.also_bought(item_id, **wishes)
        case "trending":
            return _trending(shop, wishes)
        case "newest":
            return shop.retriever.newest(**wishes)


def _trending(shop: LiveShop, wishes: Wishes) -> Answer:
    since, log_ends = time.time_ns() // _NS_PER_MS - WEEK_MS, shop.retriever.log_ends or 0
    try:
        lately = shop.database.events.visitors_lately(since, after_ms=log_ends, latest=_LATEST)
    except StorageUnavailable:
        return replace(shop.retriever.trending({}, since, **wishes), degraded=True)
    return shop.retriever.trending(lately, since, **wishes)


def _history(shop: LiveShop, question: RecommendationRequest) -> tuple[History, bool]:
    """What the visitor did, and whether that is all: without the database the log is left."""
    if question.history is not None:
        return _given(shop, question.history), True
    try:
        return shop.history(question.visitor_id, question.user_id), True
    except StorageUnavailable:
        return shop.logged(question.user_id), False


def _given(shop: LiveShop, item_ids: Sequence[str]) -> History:
    rows, faults = [], []
    for place, item_id in enumerate(item_ids):
        try:
            rows.append(shop.retriever.item_row(item_id))
        except UnknownItem as error:
            faults.append((f"body.history[{place}]", str(error)))
    if faults:
        raise ProblemError("invalid-request", _first(faults), faults)
    return History.of(rows)


def _first(faults: Sequence[tuple[str, str]]) -> str:
    return "; ".join(f"{path}: {message}" for path, message in faults[:3])
