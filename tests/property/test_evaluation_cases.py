"""Laws of the cases: nothing is lost without being counted, nothing of the future is known."""

import numpy as np
import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from twotower.data.dataset import About, Dataset
from twotower.evaluation.cases import recommendation_cases
from twotower.evaluation.protocol import evaluate
from twotower.schema import Split

N_ITEMS = 8


@st.composite
def _logs(draw):
    """A log split by time, with visitors in any part, repeats included; something held out."""
    event = st.tuples(st.sampled_from("abcd"), st.integers(0, N_ITEMS - 1))
    held = draw(st.lists(event, min_size=1, max_size=12))
    parts = [draw(st.lists(event, max_size=12)), draw(st.lists(event, max_size=6)), held]
    rows = [
        (user, item, time, split.value)
        for (split, part) in zip(Split, parts, strict=True)
        for time, (user, item) in enumerate(part, start=100 * list(Split).index(split))
    ]
    events = pl.DataFrame(rows, schema=["user_id", "item_row", "time", "split"], orient="row")
    events = events.sort("user_id", "time", maintain_order=True).with_columns(
        pl.col("item_row").cast(pl.Int32),
        event=pl.lit("view"),
        order=pl.int_range(pl.len(), dtype=pl.Int32).over("user_id"),
    )
    items = pl.DataFrame({"item_id": [f"i{n}" for n in range(N_ITEMS)], "title": ["t"] * N_ITEMS})
    return Dataset(items, events, None, None, None, About("log"))


@given(_logs(), st.booleans())
@settings(max_examples=100, deadline=None)
def test_every_held_out_pair_is_a_target_or_is_counted(dataset, repeat):
    held = dataset.events.filter(pl.col("split") == "test")

    cases = recommendation_cases(dataset, "test", repeat=repeat)

    pairs = held.unique(["user_id", "item_row"]).height
    assert len(cases.rows) + cases.skipped["targets_already_seen"] == pairs
    lost = cases.skipped["visitors_with_only_seen_targets"]
    assert len(cases) + lost == held["user_id"].n_unique()
    assert (np.diff(cases.offsets) > 0).all()


@given(_logs())
@settings(max_examples=100, deadline=None)
def test_a_history_ends_before_the_split_and_holds_no_target(dataset):
    cases = recommendation_cases(dataset, "test")

    for case in range(len(cases)):
        history = cases.histories[case]
        assert (history.times < 200).all()
        assert not set(cases.rows[cases.targets(case)]) & set(history.item_rows)


@given(_logs(), st.integers(0, 5))
@settings(max_examples=60, deadline=None)
def test_no_list_shows_a_seen_item_or_the_same_item_twice(dataset, seed):
    cases = recommendation_cases(dataset, "test")
    scores = np.random.default_rng(seed).integers(0, 3, (len(cases), N_ITEMS)).astype(np.float32)

    found = evaluate(cases, lambda part: scores[part])

    for case, shown in enumerate(found.lists):
        filled = shown[shown >= 0]
        assert not set(filled) & set(cases.hidden(case))
        assert len(set(filled)) == len(filled)
        assert len(filled) == N_ITEMS - len(set(cases.hidden(case)))
