"""The retriever's answers in the shapes of the HTTP interface."""

import time
from collections.abc import Mapping, Sequence
from typing import Any, cast

from twotower import schema
from twotower.filtering.facets import Facet as FoundFacet
from twotower.retrieval import answers as retrieved
from twotower.retrieval.answers import Answer
from twotower.retrieval.rules import Rule
from twotower.server.explanations import as_explanation, titles_of_reasons
from twotower.server.images import shown_image
from twotower.server.live_shop import LiveShop
from twotower.server.placements import placed
from twotower.server.replies import (
    Facet,
    FacetValue,
    Hit,
    Item,
    Parts,
    RecommendationReply,
    SearchReply,
    Suggestion,
    SuggestReply,
)
from twotower.server.requests import FacetName, Mode, RecommendationRequest, SearchRequest

_MS_PER_S = 1_000
_NS_PER_MS = 1_000_000
_SEARCH = "/v1/search"
_SUGGEST = "/v1/suggest"
_RECOMMENDATIONS = "/v1/recommendations"


def search_reply(shop: LiveShop, question: SearchRequest, request_id: str) -> SearchReply:
    """Answers a search.

    Args:
        shop: The open shop.
        question: What was asked.
        request_id: Of this request.

    Returns:
        One page of hits.
    """
    started = time.perf_counter()
    now_ms = time.time_ns() // _NS_PER_MS
    # Stamp and rules are read before the answer is made, so it is never older than its key says.
    stamp = shop.stamp
    rules = [one for one in shop.rulebook.rules if one.holds("search", question.query, now_ms)]
    key = shop.cache.key(stamp, rules, question)
    kept = shop.cache.search(key)
    if kept is not None:
        return _again(shop, kept, request_id, started)
    reply = _searched(shop, question, rules, request_id, started)
    shop.cache.keep(key, reply)
    return reply


def _again(shop: LiveShop, kept: SearchReply, request_id: str, started: float) -> SearchReply:
    took_ms = dict.fromkeys(("cache", "total"), (time.perf_counter() - started) * _MS_PER_S)
    _count(shop, _SEARCH, took_ms, kept.fallback_used)
    return kept.model_copy(update={"request_id": request_id, "took_ms": _rounded(took_ms)})


def _searched(
    shop: LiveShop,
    question: SearchRequest,
    rules: Sequence[Rule],
    request_id: str,
    started: float,
) -> SearchReply:
    answer = found_by(shop, question, rules)
    return SearchReply(
        **_envelope(shop, answer, request_id, _SEARCH, started),
        query=question.query,
        mode=cast(Mode, answer.mode),
        weak_hits=_hits(shop, answer.weak),
        corrected_query=answer.corrected_query,
        facets=[_facet(one) for one in answer.facets],
        is_exact=answer.is_exact,
        next_cursor=answer.next_cursor,
    )


def found_by(shop: LiveShop, question: SearchRequest, rules: Sequence[Rule]) -> Answer:
    """Searches under rules.

    Args:
        shop: The open shop.
        question: What was asked.
        rules: Those of the shop, or others to try.

    Returns:
        One page of hits.
    """
    return shop.retriever.search(
        question.query,
        rules=rules,
        k=question.k,
        offset=question.offset,
        mode=question.mode,
        filter=question.filter,
        facets=tuple(question.facets),
        max_values=question.max_values,
        sort=question.sort,
        cursor=question.cursor,
        explain=question.explain,
    )


def suggest_reply(shop: LiveShop, typed: str, k: int, request_id: str) -> SuggestReply:
    """Answers what a shopper may be typing.

    Args:
        shop: The open shop.
        typed: What was typed so far.
        k: Most suggestions of each kind.
        request_id: Of this request.

    Returns:
        The suggestions.
    """
    started = time.perf_counter()
    found = shop.retriever.suggest(typed, k=k)
    took_ms = {"total": (time.perf_counter() - started) * _MS_PER_S}
    shop.metrics.staged(_SUGGEST, took_ms)
    return SuggestReply(
        request_id=request_id,
        bundle_version=shop.retriever.bundle.version,
        took_ms=_rounded(took_ms),
        query=typed,
        suggestions=[
            Suggestion(kind=one.kind, text=one.text, item_id=one.item_id) for one in found
        ],
    )


def recommendation_reply(
    shop: LiveShop, question: RecommendationRequest, request_id: str
) -> RecommendationReply:
    """Answers a request for recommendations.

    Args:
        shop: The open shop.
        question: What was asked.
        request_id: Of this request.

    Returns:
        The hits, and how many events shaped them.

    Raises:
        ProblemError: The given history names items that are not in the catalogue.
        UnknownItem: The item of a `similar` list is not in the catalogue.
    """
    started = time.perf_counter()
    answer = placed(shop, question, shop.rulebook.rules)
    return RecommendationReply(
        **_envelope(shop, answer, request_id, _RECOMMENDATIONS, started),
        placement=question.placement,
        history_length=answer.history_length,
    )


def as_item(fields: Mapping[str, Any]) -> Item:
    """Shows a product.

    Args:
        fields: By `schema` name; what the shop lacks is missing or None.

    Returns:
        The product with an image address that a page may load.
    """
    item_id = fields[schema.ITEM_ID]
    return Item(
        item_id=item_id,
        title=fields[schema.TITLE],
        description=fields.get(schema.DESCRIPTION),
        brand=fields.get(schema.BRAND),
        category=fields.get(schema.CATEGORY),
        price=fields.get(schema.PRICE),
        rating=fields.get(schema.RATING),
        attributes=fields.get(schema.ATTRIBUTES) or [],
        in_stock=fields.get(schema.IN_STOCK),
        image=shown_image(item_id, fields.get(schema.IMAGE)),
        launched=fields.get(schema.LAUNCHED),
    )


def _facet(found: FoundFacet) -> Facet:
    return Facet(
        field=cast(FacetName, found.field),
        values=[
            FacetValue(value=one.value, count=one.count, is_chosen=one.is_chosen)
            for one in found.values
        ],
        n_values=found.n_values,
        low=found.low,
        high=found.high,
    )


def _envelope(
    shop: LiveShop, answer: Answer, request_id: str, route: str, started: float
) -> dict[str, Any]:
    took_ms = dict(answer.took_ms)
    took_ms["total"] = (time.perf_counter() - started) * _MS_PER_S
    _count(shop, route, took_ms, answer.fallback_used)
    return {
        "request_id": request_id,
        "bundle_version": shop.retriever.bundle.version,
        "took_ms": _rounded(took_ms),
        "total": answer.total,
        "total_definition": answer.total_definition,
        "degraded": answer.degraded,
        "fallback_used": answer.fallback_used,
        "hits": _hits(shop, answer.hits),
    }


def _count(
    shop: LiveShop, route: str, took_ms: Mapping[str, float], fallback_used: str | None
) -> None:
    shop.metrics.staged(route, took_ms)
    if fallback_used is not None:
        shop.metrics.fell_back(route, fallback_used)


def _rounded(took_ms: Mapping[str, float]) -> dict[str, float]:
    return {stage: round(ms, 3) for stage, ms in took_ms.items()}


def _hits(shop: LiveShop, hits: Sequence[retrieved.Hit]) -> list[Hit]:
    titles = titles_of_reasons(hits, shop.known)
    return [
        Hit(
            rank=hit.rank,
            item_id=hit.item_id,
            score=hit.score,
            parts=Parts(semantic=hit.parts.semantic, lexical=hit.parts.lexical),
            relevance=hit.relevance,
            pinned_by=hit.pinned_by,
            explanation=as_explanation(hit, titles),
            item=as_item(hit.item),
        )
        for hit in hits
    ]
