"""The classic demo interface in its own shapes: a thin layer over the same retriever."""

from collections.abc import Mapping
from typing import Any

from pydantic import Field

from twotower import schema
from twotower.server.identity import stats_of
from twotower.server.live_shop import LiveShop
from twotower.server.shape import Shape


class ClassicItem(Shape):
    """A product in the words of the classic demo interface."""

    asin: str
    title: str
    brand: str | None
    category: str | None


class ClassicHit(ClassicItem):
    """A product of a list; `rank` counts from 1."""

    rank: int
    score: float


class ClassicRecommendations(Shape):
    """Products like the one that fits the query best; without such a one there are none."""

    query: str
    query_item: ClassicItem | None
    recommendations: list[ClassicHit]
    total: int


class ClassicResults(Shape):
    """The products for a query; `total` counts all that match."""

    query: str
    results: list[ClassicItem]
    total: int


class ClassicStats(Shape):
    """The shop in numbers."""

    total_items: int
    embedding_dim: int
    brands: int
    categories: int
    top_categories: dict[str, int] = Field(description="Items by name, the most frequent first.")


def classic_recommendations(shop: LiveShop, query: str, top_k: int) -> ClassicRecommendations:
    """Gives the product that fits a query best, and products like it."""
    rules = shop.rulebook.rules
    found = shop.retriever.search(query, k=1, rules=rules).hits
    if not found:
        return ClassicRecommendations(query=query, query_item=None, recommendations=[], total=0)
    like = [
        ClassicHit(rank=hit.rank, score=hit.score, **_fields(hit.item))
        for hit in shop.retriever.similar(found[0].item_id, k=top_k, rules=rules).hits
    ]
    item = ClassicItem(**_fields(found[0].item))
    return ClassicRecommendations(
        query=query, query_item=item, recommendations=like, total=len(like)
    )


def classic_results(shop: LiveShop, query: str, limit: int) -> ClassicResults:
    """Finds products for words."""
    found = shop.retriever.search(query, k=limit, rules=shop.rulebook.rules)
    results = [ClassicItem(**_fields(hit.item)) for hit in found.hits]
    return ClassicResults(query=query, results=results, total=found.total)


def classic_stats(shop: LiveShop, request_id: str) -> ClassicStats:
    """Gives the shop in numbers."""
    stats = stats_of(shop, request_id)
    return ClassicStats(
        total_items=stats.items,
        embedding_dim=stats.width,
        brands=stats.brands,
        categories=stats.categories,
        top_categories={one.name: one.items for one in stats.top_categories},
    )


def _fields(item: Mapping[str, Any]) -> dict[str, Any]:
    named = {name: item.get(name) for name in (schema.TITLE, schema.BRAND, schema.CATEGORY)}
    return {"asin": item[schema.ITEM_ID], **named}
