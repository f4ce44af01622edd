"""A collapsed model, one that only knows best sellers, and a healthy one are told apart."""

import numpy as np
import pytest

from twotower.evaluation.cases import recommendation_cases, search_cases
from twotower.evaluation.health import equal_lists, health, mean_cosine, rank_correlation
from twotower.evaluation.protocol import evaluate
from twotower.evaluation.vectors import vector_scorer

from .conftest import make_dataset

N_ITEMS, N_USERS = 300, 200


@pytest.fixture
def cases():
    """Visitors of a shop whose first items are bought most."""
    generator = np.random.default_rng(2)
    chance = 1 / np.arange(1, N_ITEMS + 1)
    events = [
        (f"u{user:03}", int(row), step, split)
        for user in range(N_USERS)
        for step, (row, split) in enumerate(
            zip(
                generator.choice(N_ITEMS, 4, replace=False, p=chance / chance.sum()),
                ("train", "train", "validation", "test"),
                strict=True,
            )
        )
    ]
    return recommendation_cases(make_dataset(events, n_items=N_ITEMS), "test")


def read(cases, users, items):
    scorer = vector_scorer(users.astype(np.float32), items.astype(np.float32))
    return health(evaluate(cases, scorer), scorer, items.astype(np.float32))


def states(found):
    return {name: sign["state"] for name, sign in found["signs"].items()}


def spread(n, seed):
    return np.random.default_rng(seed).normal(size=(n, 16))


def test_a_healthy_model_is_healthy(cases):
    found = read(cases, spread(len(cases), 0), spread(N_ITEMS, 1))

    assert found["state"] == "good"
    assert set(states(found).values()) == {"good"}
    assert len(found["signs"]) == 4
    assert found["sentence"].startswith("Healthy")


def test_a_collapsed_model_is_found_out_and_said_in_words(cases):
    item = np.ones((1, 16))

    found = read(cases, np.ones((len(cases), 16)), np.repeat(item, N_ITEMS, axis=0))

    assert found["state"] == "bad"
    assert states(found)["mean_cosine"] == "bad"
    assert states(found)["equal_lists"] == "bad"
    assert "point the same way" in found["sentence"]
    assert found["signs"]["mean_cosine"]["value"] == pytest.approx(1)


def test_nearly_collapsed_vectors_are_found_out_though_their_lists_differ(cases):
    items = 5 * np.ones((N_ITEMS, 16)) + spread(N_ITEMS, 1)

    found = read(cases, spread(len(cases), 0), items)

    assert states(found)["mean_cosine"] == "bad"
    assert states(found)["equal_lists"] == "good"


def test_a_model_of_best_sellers_is_found_out_though_its_vectors_are_spread_out(cases):
    popular = (cases.train_counts + 0.01 * np.random.default_rng(1).random(N_ITEMS))[:, None]
    users = np.tile([1.0, *np.zeros(16)], (len(cases), 1))
    items = np.concatenate([popular - popular.mean(), 9 * spread(N_ITEMS, 1)], axis=1)

    found = read(cases, users, items)

    assert states(found) == {
        "mean_cosine": "good",
        "coverage@10": "caution",
        "popularity_correlation": "bad",
        "equal_lists": "bad",
    }
    assert "best sellers" in found["sentence"]
    assert "point the same way" not in found["sentence"]


def test_popularity_says_nothing_of_search():
    judgments = [(f"q{n}", n, 3.0, 7.0, True, "test") for n in range(20)]
    cases = search_cases(make_dataset(None, n_items=40, judgments=judgments), "test")

    found = read(cases, spread(20, 0), spread(40, 1))

    assert "popularity_correlation" not in found["signs"]
    assert found["state"] == "good"


def test_mean_cosine_is_that_of_all_pairs():
    vectors = spread(30, 4).astype(np.float32)
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    expected = np.mean([unit[i] @ unit[j] for i in range(30) for j in range(30) if i != j])

    assert mean_cosine(vectors) == pytest.approx(expected, abs=1e-6)


def test_rank_correlation_shares_ranks_of_equals_and_knows_no_constant():
    assert rank_correlation(np.array([5.0, 1, 3]), np.array([9, 2, 4])) == pytest.approx(1)
    assert rank_correlation(np.array([1.0, 2, 3]), np.array([9, 4, 2])) == pytest.approx(-1)
    assert rank_correlation(np.ones(3), np.array([1, 2, 3])) == 0
    assert rank_correlation(np.array([1.0, 1, 2]), np.array([1, 2, 2])) == pytest.approx(0.5)


def test_equal_lists_mind_neither_the_order_nor_what_chance_shares():
    generator = np.random.default_rng(0)
    by_chance = np.array([generator.permutation(40)[:10] for _ in range(400)])

    assert equal_lists(np.array([[1, 2, 3], [3, 1, 2]]), 30) == 1
    assert abs(equal_lists(by_chance, 40)) < 0.01
    assert equal_lists(by_chance[:1], 40) is None
    assert equal_lists(np.arange(10)[None].repeat(3, axis=0), 10) is None
