"""The whole demo shop, by seed."""

import numpy as np
import polars as pl

from twotower import schema
from twotower.data.synthetic.assortment import assortment
from twotower.data.synthetic.catalogue import make_catalogue
from twotower.data.synthetic.queries import Queries
from twotower.data.synthetic.shoppers import (
    Shopping,
    log_of,
    make_tastes,
    make_users,
    make_visits,
)
from twotower.data.tables import Tables
from twotower.errors import ConfigError

NAME = "Synthetic demo shop"
QUERIES_PER_PRODUCT = 0.3


def synthetic_shop(
    *, products: int = 3000, shoppers: int = 2500, queries: int | None = None, seed: int = 0
) -> Tables:
    """A made-up shop: catalogue, log, users and judged queries; the same bytes for a seed.

    What shoppers like, which products are alike and which answer a query was planted, so
    that right answers are known. It is no real shop and says so: `Tables.synthetic`.

    Args:
        products: items of the catalogue.
        shoppers: users of the log, each with about 16 views, some carts and purchases.
        queries: judged queries; .3 of the products, 900 at most, when left out.
        seed: of everything drawn.

    Raises:
        ConfigError: a size is below what a shop needs.
    """
    if products < 20 or shoppers < 5:
        raise ConfigError(
            "a synthetic shop needs 20 products and 5 shoppers at least, "
            f"got {products} and {shoppers}"
        )
    shop = assortment()
    # One stream for each part: more shoppers do not change the catalogue.
    streams = (np.random.default_rng([seed, part]) for part in range(5))
    catalogue = make_catalogue(shop, products, next(streams))
    tastes = make_tastes(shop, catalogue, shoppers, next(streams))
    rng = next(streams)
    visits = make_visits(shoppers, rng)
    choices = Shopping(shop, catalogue, tastes, rng).choose(visits)
    asking = Queries(shop, catalogue, next(streams))
    count = min(900, round(products * QUERIES_PER_PRODUCT)) if queries is None else queries
    judgments = asking.judge(asking.make(count))
    log = [log_of(catalogue, visits, choices), asking.searches(visits, choices)]
    return Tables(
        items=catalogue.items,
        events=pl.concat(log, how="diagonal").sort(schema.TIME, maintain_order=True),
        users=make_users(tastes, next(streams)),
        judgments=judgments,
        name=NAME,
        synthetic=True,
    )
