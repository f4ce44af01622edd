"""Writes the shop that `benchmarks/service.py` is asked about: real products, made-up visitors.

Best Buy's catalogue has no events with products and no judgments. So that its bundle has all
three towers, 3,000 visitors walk at random through products that share a word, and words of
titles stand for judged queries. That says how long answers take, and nothing of their quality.

    python benchmarks/service_shop.py PATH/bestbuy_catalogue SHOP
    twotower build SHOP --out BUNDLE --set training.epochs=1 --set training.negatives=uniform
"""

import argparse
from pathlib import Path

import numpy as np
import polars as pl

VISITORS, STEPS, QUERIES = 3_000, 12, 600
START_MS, STEP_MS = 1_700_000_000_000, 60_000
KINDS = ("view", "view", "view", "cart", "purchase")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("catalogue", type=Path, help="folder of products.parquet")
    parser.add_argument("shop", type=Path, help="folder to write")
    asked = parser.parse_args()
    rng = np.random.default_rng(0)
    items = products(pl.read_parquet(asked.catalogue / "products.parquet"))
    asked.shop.mkdir(parents=True, exist_ok=True)
    items.write_parquet(asked.shop / "items.parquet")
    walks(items, rng).write_parquet(asked.shop / "events.parquet")
    judged(items, rng).write_parquet(asked.shop / "judgments.parquet")


def products(catalogue: pl.DataFrame) -> pl.DataFrame:
    """Each product once, with made-up prices and stock, so that there is something to filter."""
    unique = catalogue.unique("upc", keep="first", maintain_order=True)
    number = pl.int_range(pl.len())
    return unique.select(
        item_id="upc",
        title="name",
        brand="manufacturer",
        description=pl.concat_str(
            ["short_description", "long_description"], separator=" ", ignore_nulls=True
        ),
        category=pl.concat_str(pl.lit("Aisle "), (number % 40).cast(pl.String)),
        price=(5 + (number * 37) % 500).cast(pl.Float64),
        in_stock=number % 10 != 0,
    )


def walks(items: pl.DataFrame, rng: np.random.Generator) -> pl.DataFrame:
    """One row per event; neighbours in the list of titles stand for products that are alike."""
    by_title = items.sort("title")["item_id"].to_numpy()
    starts = rng.integers(0, len(by_title), VISITORS)
    steps = rng.integers(-20, 21, (VISITORS, STEPS)).cumsum(axis=1)
    places = (starts[:, None] + steps) % len(by_title)
    times = rng.integers(0, 100_000, VISITORS)[:, None] + np.arange(STEPS)
    return pl.DataFrame(
        {
            "user_id": np.repeat([f"user-{one}" for one in range(VISITORS)], STEPS),
            "item_id": by_title[places.ravel()],
            "event": rng.choice(KINDS, VISITORS * STEPS),
            "time": START_MS + times.ravel() * STEP_MS,
        }
    )


def judged(items: pl.DataFrame, rng: np.random.Generator) -> pl.DataFrame:
    """One row per judged pair: the first two words of a title find it."""
    some = items[rng.choice(len(items), QUERIES, replace=False)]
    return some.select(
        query=pl.col("title").str.split(" ").list.head(2).list.join(" "),
        item_id="item_id",
        grade=pl.lit(1.0),
    )


if __name__ == "__main__":
    main()
