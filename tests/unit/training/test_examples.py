"""Training examples: every event once in an epoch, and batches that depend on the step alone."""

from collections import Counter

import numpy as np
import polars as pl
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from twotower.errors import ConfigError
from twotower.features.history import Histories, History
from twotower.schema import KIND_CODE, PAD
from twotower.training.examples import ExampleStream, HistoryExamples, QueryExamples

lengths = st.lists(st.integers(1, 23), min_size=1, max_size=30)


def histories_of(sizes):
    """Item rows count up over all visitors, so that every event is known by its row."""
    start, made = 0, []
    for size in sizes:
        kinds = [1 + place % 4 for place in range(size)]
        made.append(History.of(range(start, start + size), kinds))
        start += size
    return Histories.from_lists(made)


def examples_of(sizes, *, max_length=5, batch_size=4, batch_events=1000, weights=None):
    return HistoryExamples(
        histories_of(sizes),
        kind_weights=weights or {},
        max_length=max_length,
        batch_histories=batch_size,
        batch_events=batch_events,
    )


def targets(batch):
    return batch.target_BS[batch.weight_BS > 0].tolist()


def epoch(examples, seed=0):
    batch = examples.epoch(np.random.default_rng(seed))
    return [batch(place) for place in range(examples.n_batches)]


@given(lengths, st.integers(1, 6), st.integers(1, 7))
def test_an_epoch_shows_every_event_exactly_once_as_a_target(sizes, max_length, batch_size):
    examples = examples_of(sizes, max_length=max_length, batch_size=batch_size)
    shown = [row for batch in epoch(examples) for row in targets(batch)]
    assert sorted(shown) == list(range(sum(sizes)))
    assert sorted(examples.positives.tolist()) == sorted(shown)


@given(lengths, st.integers(1, 40))
def test_long_histories_make_smaller_batches(sizes, events):
    batches = epoch(examples_of(sizes, max_length=9, batch_size=20, batch_events=events))
    held = [len(batch.target_BS) for batch in batches]
    mean_length = sum(int((batch.target_BS != PAD).sum()) for batch in batches) / sum(held)
    fitting = max(size for size in range(1, 21) if size == 1 or size * mean_length <= events + 1e-9)
    assert max(held) == min(fitting, sum(held))


@given(lengths, st.integers(1, 6))
def test_windows_hold_a_longest_history_and_what_followed_and_the_last_one_is_full(
    sizes, max_length
):
    examples = examples_of(sizes, max_length=max_length, batch_size=1)
    windows = sorted(targets(batch) for batch in epoch(examples))
    ends = np.cumsum(sizes)
    for window in windows:
        assert len(window) <= max_length + 1
        assert window == list(range(window[0], window[-1] + 1))
        if window[-1] + 1 in ends:
            size = sizes[int(np.searchsorted(ends, window[-1] + 1))]
            assert len(window) == min(size, max_length + 1)


@given(lengths)
def test_each_state_predicts_the_event_after_those_it_has_seen(sizes):
    for batch in epoch(examples_of(sizes)):
        rows, states = batch.target_BS.shape
        assert (
            batch.item_BL.shape == batch.kind_BL.shape == batch.gap_BL.shape == (rows, states - 1)
        )
        for row in range(rows):
            wanted = batch.target_BS[row][batch.weight_BS[row] > 0].tolist()
            seen = batch.item_BL[row, : len(wanted) - 1].tolist()
            assert seen == wanted[:-1]


def test_what_is_after_the_end_is_padding_of_weight_zero():
    (batch,) = epoch(examples_of([1, 4], batch_size=2))
    short = int(batch.target_BS[:, 1].eq(PAD).nonzero())
    assert batch.target_BS[short].tolist() == [0, PAD, PAD, PAD]
    assert batch.weight_BS[short].tolist() == [1, 0, 0, 0]


def test_targets_weigh_what_their_kind_weighs():
    (batch,) = epoch(examples_of([4], weights={"purchase": 3.0, "cart": 2.0}))
    by_code = {
        KIND_CODE["view"]: 1,
        KIND_CODE["cart"]: 2,
        KIND_CODE["purchase"]: 3,
        KIND_CODE["review"]: 1,
    }
    assert batch.weight_BS[0].tolist() == [by_code[code] for code in (1, 2, 3, 4)]


def test_kinds_of_weight_zero_are_read_and_never_predicted():
    examples = examples_of([1, 4, 2], weights={"view": 0.0, "cart": 0.0, "review": 0.0})
    (batch,) = epoch(examples)

    assert batch.item_BL.tolist() == [[1, 2, 3]], "the two without a purchase are left out"
    assert targets(batch) == examples.positives.tolist() == [3]


def test_weights_that_leave_nothing_to_predict_are_refused():
    with pytest.raises(ConfigError, match=r"kind_weights .* nothing to predict"):
        examples_of([2, 1], weights={"view": 0.0, "cart": 0.0})


def test_batches_hold_histories_of_similar_length():
    sizes = np.random.default_rng(0).integers(1, 40, 640).tolist()
    examples = examples_of(sizes, max_length=40, batch_size=16)
    padded = sum(batch.weight_BS.numel() for batch in epoch(examples))
    assert padded < 1.25 * sum(sizes)


def judgments(n_queries=7, n_judged=6):
    rng = np.random.default_rng(0)
    rows = [
        (f"query {query}", int(item), float(gain), bool(gain >= 1))
        for query in range(n_queries)
        for item, gain in zip(
            rng.permutation(50)[:n_judged],
            rng.permutation([1.0, 1.0, 0.1, 0.01, 0, 0]),
            strict=True,
        )
    ]
    return pl.DataFrame(rows, schema=["query", "item_row", "gain", "positive"], orient="row")


def query_examples(table=None, *, max_judged=16, batch_size=3):
    table = judgments() if table is None else table
    vectors = {
        query: np.full(4, place, np.float32)
        for place, query in enumerate(table["query"].unique(maintain_order=True))
    }
    return QueryExamples(table, vectors, max_judged=max_judged, batch_size=batch_size), vectors


@pytest.mark.parametrize("max_judged", [1, 3, 16])
def test_judged_items_are_kept_best_first(max_judged):
    examples, vectors = query_examples(max_judged=max_judged)
    by_vector = {float(vector[0]): query for query, vector in vectors.items()}
    for batch in epoch(examples):
        for row in range(len(batch.text_BW)):
            query = by_vector[float(batch.text_BW[row, 0])]
            told = judgments().filter(pl.col("query") == query)
            gains = dict(zip(told["item_row"], told["gain"], strict=True))
            items = [item for item in batch.judged_BJ[row].tolist() if item != PAD]
            kept = batch.gain_BJ[row, : len(items)].tolist()
            assert kept == pytest.approx([gains[item] for item in items])
            assert kept == pytest.approx(sorted(gains.values(), reverse=True)[:max_judged])
            assert batch.positive_BJ[row].tolist()[: len(items)] == [g >= 1 for g in kept]


def test_every_query_comes_once_in_an_epoch():
    examples, vectors = query_examples()
    shown = [vector for batch in epoch(examples) for vector in batch.text_BW[:, 0].tolist()]
    assert sorted(shown) == sorted(float(vector[0]) for vector in vectors.values())


def test_queries_without_a_positive_are_left_out():
    table = judgments().with_columns(positive=pl.col("positive") & (pl.col("query") != "query 2"))
    examples, vectors = query_examples(table)
    shown = [vector for batch in epoch(examples) for vector in batch.text_BW[:, 0].tolist()]
    assert float(vectors["query 2"][0]) not in shown
    assert len(shown) == 6


def test_queries_judged_on_fewer_items_are_padded():
    table = judgments().filter((pl.col("query") != "query 0") | (pl.col("gain") >= 1))
    examples, vectors = query_examples(table, batch_size=7)
    (batch,) = epoch(examples)
    row = int((batch.text_BW[:, 0] == vectors["query 0"][0]).nonzero())
    assert (batch.judged_BJ[row, 2:] == PAD).all()
    assert not batch.positive_BJ[row, 2:].any()


def test_each_epoch_draws_an_order_of_what_was_bought_at_once():
    at_once = Histories.from_lists([History.of(range(9), times=[7] * 8 + [8])])
    examples = HistoryExamples(
        at_once, kind_weights={}, max_length=9, batch_histories=4, batch_events=1000
    )
    first, second = (targets(epoch(examples, seed)[0]) for seed in (0, 1))
    assert sorted(first) == sorted(second) == list(range(9))
    assert first != second
    assert first[-1] == second[-1] == 8


def as_plain(batch):
    return {name: value.tolist() for name, value in vars(batch).items()}


def stream(seed=4):
    return ExampleStream([examples_of([3, 9, 2, 14, 1, 5, 5]), query_examples()[0]], seed=seed)


@settings(max_examples=25)
@given(st.lists(st.integers(0, 40), min_size=1, max_size=12))
def test_a_batch_depends_on_the_seed_and_the_step_alone(steps):
    asked = stream()
    found = [as_plain(asked[step]) for step in steps]
    assert found == [as_plain(stream()[step]) for step in steps]


def test_another_seed_and_another_epoch_give_another_order():
    n_batches = stream().n_batches
    first = [as_plain(stream()[step]) for step in range(n_batches)]
    assert first != [as_plain(stream(seed=5)[step]) for step in range(n_batches)]
    assert first != [as_plain(stream()[n_batches + step]) for step in range(n_batches)]


@pytest.mark.parametrize("number", [0, 1, 5])
def test_every_epoch_shows_everything_of_all_tasks_once(number):
    asked = stream()
    batches = [asked[number * asked.n_batches + place] for place in range(asked.n_batches)]
    kinds = Counter(type(batch).__name__ for batch in batches)
    events = [row for b in batches if hasattr(b, "target_BS") for row in targets(b)]
    queries = [v for b in batches if hasattr(b, "text_BW") for v in b.text_BW[:, 0].tolist()]
    assert kinds == {"HistoryBatch": 3, "QueryBatch": 3}
    assert sorted(events) == list(range(39))
    assert sorted(queries) == [float(query) for query in range(7)]


def test_batches_are_tensors_of_the_types_that_towers_read():
    batch = epoch(examples_of([3]))[0]
    assert batch.item_BL.dtype == batch.kind_BL.dtype == batch.gap_BL.dtype == torch.int64
    assert batch.weight_BS.dtype == torch.float32
