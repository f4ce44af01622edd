"""Which shop this is: its numbers and its versions."""

import polars as pl

from twotower import __version__, schema
from twotower.server.live_shop import LiveShop
from twotower.server.replies import Count, StatsReply, VersionReply

_TOP = 12


def stats_of(shop: LiveShop, request_id: str) -> StatsReply:
    """Gives the shop in numbers; brands and categories are those of the bundle."""
    bundle = shop.retriever.bundle
    items = bundle.dataset.items
    counts = shop.database.counts()
    return StatsReply(
        request_id=request_id,
        name=bundle.dataset.about.name,
        synthetic=bundle.dataset.about.synthetic,
        bundle_version=bundle.version,
        width=bundle.manifest["width"],
        items=shop.retriever.n_items,
        live_items=counts.products,
        users=len(shop.log),
        log_events=shop.log.n_events,
        live_events=counts.events,
        brands=_distinct(items, schema.BRAND),
        categories=_distinct(items, schema.CATEGORY),
        top_categories=_top_categories(items),
    )


def version_of(shop: LiveShop, request_id: str) -> VersionReply:
    """Says which software and which bundle answer."""
    bundle = shop.retriever.bundle
    return VersionReply(
        request_id=request_id,
        twotower=__version__,
        bundle_version=bundle.version,
        bundle_format=bundle.manifest["format"],
        name=bundle.dataset.about.name,
        synthetic=bundle.dataset.about.synthetic,
    )


def _distinct(items: pl.DataFrame, column: str) -> int:
    return items[column].drop_nulls().n_unique() if column in items.columns else 0


def _top_categories(items: pl.DataFrame) -> list[Count]:
    if schema.CATEGORY not in items.columns:
        return []
    widest = items[schema.CATEGORY].drop_nulls().str.split(schema.CATEGORY_SEPARATOR).list.first()
    counted = widest.alias("name").value_counts().sort("count", "name", descending=[True, False])
    return [Count(name=name, items=count) for name, count in counted.head(_TOP).iter_rows()]
