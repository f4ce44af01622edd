"""A shop small enough to check by hand, and one with planted tastes."""

import numpy as np
import polars as pl
import pytest

from twotower.data.dataset import About, Dataset

DAY = 86_400_000


def make_dataset(
    events: list[tuple[str, int, int | None, str]] | None,
    *,
    n_items: int,
    judgments: list[tuple[str, int, float, float, bool, str]] | None = None,
    repeat: bool = False,
) -> Dataset:
    """A dataset from events (user, item_row, time, split) and judgments, column by column."""
    items = pl.DataFrame(
        {
            "item_id": [f"i{row}" for row in range(n_items)],
            "title": [f"Item {row}" for row in range(n_items)],
        }
    )
    events_df = None
    if events is not None:
        events_df = pl.DataFrame(
            events,
            schema={
                "user_id": pl.String,
                "item_row": pl.Int32,
                "time": pl.Int64,
                "split": pl.String,
            },
            orient="row",
        ).with_columns(
            event=pl.lit("purchase"),
            order=pl.int_range(pl.len(), dtype=pl.Int32).over("user_id"),
        )
    judged = None
    if judgments is not None:
        judged = pl.DataFrame(
            judgments,
            schema={
                "query": pl.String,
                "item_row": pl.Int32,
                "grade": pl.Float64,
                "gain": pl.Float64,
                "positive": pl.Boolean,
                "split": pl.String,
            },
            orient="row",
        )
    return Dataset(items, events_df, None, None, judged, About("toy", repeat=repeat))


@pytest.fixture
def shop() -> Dataset:
    """Six items; ann and bob have a past, new has none, eve only returns to a seen item."""
    return make_dataset(
        [
            ("ann", 0, 1 * DAY, "train"),
            ("ann", 1, 2 * DAY, "train"),
            ("ann", 2, 11 * DAY, "validation"),
            ("ann", 3, 21 * DAY, "test"),
            ("ann", 0, 22 * DAY, "test"),
            ("ann", 3, 23 * DAY, "test"),
            ("bob", 0, 3 * DAY, "train"),
            ("bob", 5, 24 * DAY, "test"),
            ("eve", 1, 4 * DAY, "train"),
            ("eve", 1, 25 * DAY, "test"),
            ("new", 4, 26 * DAY, "test"),
        ],
        n_items=6,
        judgments=[
            ("red shoe", 0, 3, 7, True, "test"),
            ("red shoe", 1, 2, 3, False, "test"),
            ("red shoe", 2, 1, 0, False, "test"),
            ("a very long query indeed", 4, 3, 7, True, "test"),
            ("nothing fits", 3, 1, 0, False, "test"),
            ("old words", 2, 3, 7, True, "train"),
        ],
    )


@pytest.fixture
def tastes() -> Dataset:
    """Forty items in four groups; each visitor stays in one, with a popular item now and then."""
    generator = np.random.default_rng(5)
    events = []
    for user in range(120):
        rows = user % 4 * 10 + generator.permutation(10)[:6]
        splits = ["train"] * 4 + ["validation", "test"]
        events += [
            (f"u{user:03}", int(row), int(step * DAY + user), split)
            for step, (row, split) in enumerate(zip(rows, splits, strict=True))
        ]
    return make_dataset(events, n_items=40)
