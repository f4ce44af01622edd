"""Laws of the negative sources: what they draw, how often they say so, and what is masked."""

import numpy as np
import torch
from hypothesis import given
from hypothesis import strategies as st

from twotower.training.negatives import InBatch, Uniform, draw_candidates, keep_mask

N_ITEMS, BATCH, ROUNDS = 12, 40, 3000
COUNTS = torch.tensor([50, 30, 20, 10, 5, 5, 4, 3, 2, 1, 1, 0])


def frequencies(sources):
    """How often each item is drawn per batch, over many batches of popular positives."""
    generator = torch.Generator().manual_seed(5)
    shares = COUNTS / COUNTS.sum()
    drawn = torch.zeros(N_ITEMS)
    for _ in range(ROUNDS):
        positives = torch.multinomial(shares, BATCH, replacement=True, generator=generator)
        rows = draw_candidates(sources, positives, generator).row_C
        drawn += torch.bincount(rows, minlength=N_ITEMS)
    return (drawn / ROUNDS).numpy()


def expected(sources):
    rows = torch.arange(N_ITEMS)
    return torch.stack([source.expected(rows, BATCH) for source in sources]).sum(0).numpy()


def assert_agree(sources):
    said, seen = expected(sources), frequencies(sources)
    error = 5 * np.sqrt(np.maximum(said, 1e-9) / ROUNDS) + 1e-9
    assert (np.abs(said - seen) < error).all(), (said, seen)


def test_in_batch_counts_are_how_often_items_come_up_as_positives():
    assert_agree([InBatch(COUNTS)])


def test_uniform_counts_are_how_often_items_are_drawn():
    assert_agree([Uniform(N_ITEMS, 30)])


def test_counts_of_mixed_sources_add_up():
    assert_agree([InBatch(COUNTS), Uniform(N_ITEMS, 30)])


def test_mixed_sources_know_the_count_of_every_candidate_they_draw():
    generator = torch.Generator().manual_seed(0)
    drawn = draw_candidates(
        [InBatch(COUNTS), Uniform(N_ITEMS, 30)], torch.zeros(BATCH, dtype=torch.long), generator
    )
    assert len(drawn.row_C) == BATCH + 30
    assert torch.isfinite(drawn.log_count_C).all()  # an item that is no positive is uniform's


def test_draws_are_repeatable_by_seed():
    source = Uniform(1000, 50)
    first, same, other = (
        source.draw(torch.zeros(1, dtype=torch.long), torch.Generator().manual_seed(seed))
        for seed in (1, 1, 2)
    )
    assert torch.equal(first, same)
    assert not torch.equal(first, other)


rows = st.lists(st.integers(0, 9), min_size=1, max_size=8)
known = st.lists(st.lists(st.integers(0, 9), max_size=4), min_size=1, max_size=5)


@given(rows, known)
def test_the_mask_hides_exactly_the_known_positives_of_each_row(candidates, positives):
    width = max(len(some) for some in positives)
    padded = [some + [-1] * (width - len(some)) for some in positives]
    found = keep_mask(torch.tensor(candidates), torch.tensor(padded).reshape(len(padded), width))
    told = [[item not in some for item in candidates] for some in positives]
    assert found.tolist() == told
