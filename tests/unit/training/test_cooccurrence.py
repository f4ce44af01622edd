"""Where item ids start: items seen together lie together."""

import numpy as np

from twotower.features.history import Histories, History
from twotower.training.cooccurrence import REACH, cooccurrence_vectors


def histories(*item_rows):
    return Histories.from_lists([History.of(rows) for rows in item_rows])


def two_worlds():
    """Items 0-4 are seen with each other only, and so are 5-9; item 10 with nobody."""
    generator = np.random.default_rng(0)
    visits = [generator.permutation(5)[:4] + 5 * (n % 2) for n in range(200)]
    return histories(*visits, [10])


def test_items_seen_together_score_each_other_above_items_never_seen_together():
    vectors = cooccurrence_vectors(two_worlds(), 11, 4)
    scores = vectors @ vectors.T
    together, apart = scores[:5, :5], scores[:5, 5:10]
    assert together.min() > apart.max()


def test_inner_products_are_the_mutual_information_when_there_is_room_for_all_of_it():
    vectors = cooccurrence_vectors(two_worlds(), 11, 10).astype(float)
    found = vectors @ vectors.T
    within = found[:5, :5][~np.eye(5, dtype=bool)]
    assert within.std() < 0.2 * within.mean()  # every pair of a world is as likely as the next
    assert abs(found[:5, 5:10]).max() < 0.2 * within.mean()


def test_vectors_are_one_long_on_average_and_zero_for_an_item_seen_with_nobody():
    vectors = cooccurrence_vectors(two_worlds(), 12, 4)
    assert vectors.shape == (12, 4)
    assert vectors.dtype == np.float32
    assert np.isclose(np.linalg.norm(vectors[:10], axis=1).mean(), 1, atol=1e-5)
    assert not vectors[10:].any()


def test_the_same_log_gives_the_same_vectors():
    assert np.array_equal(
        cooccurrence_vectors(two_worlds(), 11, 4), cooccurrence_vectors(two_worlds(), 11, 4)
    )


def test_only_near_items_of_a_history_count_as_seen_together():
    apart = [0, *[1] * REACH, 2]
    vectors = cooccurrence_vectors(histories(apart, apart), 3, 2)
    assert abs(vectors[0] @ vectors[2]) < vectors[0] @ vectors[1]


def test_a_log_without_any_pair_gives_zeros():
    assert not cooccurrence_vectors(histories([0], [1], [1, 1]), 3, 2).any()
    assert cooccurrence_vectors(histories([0, 1]), 3, 8).shape == (3, 8)
