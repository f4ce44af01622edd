"""Lists of like items are told from lists of unlike ones, by traits that no model has made."""

import numpy as np
import polars as pl
import pytest

from twotower.evaluation.diversity import Traits, different, dissimilarity
from twotower.evaluation.metrics import overlap


def test_dissimilarity_is_one_minus_the_mean_cosine_of_all_pairs_of_the_list():
    vectors = np.random.default_rng(0).normal(size=(9, 5)).astype(np.float32)
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    rows = [3, 1, 8]
    expected = 1 - np.mean([unit[i] @ unit[j] for i in rows for j in rows if i != j])

    found = dissimilarity(np.array([[3, 1, 8, -1], [2, -1, -1, -1]]), vectors)

    assert found[0] == pytest.approx(expected, abs=1e-6)
    assert found[1] == 0


def test_many_lists_give_what_each_gives_alone():
    generator = np.random.default_rng(0)
    lists, vectors = generator.integers(0, 50, (5000, 4)), generator.normal(size=(50, 3))

    together = dissimilarity(lists, vectors.astype(np.float32))

    alone = dissimilarity(lists[[0, 2047, 2048, 4999]], vectors.astype(np.float32))
    assert together[[0, 2047, 2048, 4999]] == pytest.approx(alone)


def test_items_of_no_group_say_nothing():
    codes = np.array([0, 0, 1, -1])

    assert different(np.array([[0, 1, 3], [0, 2, 3], [3, -1, -1]]), codes).tolist() == [0, 1, 0]


def test_traits_are_those_the_catalogue_has():
    items = pl.DataFrame(
        {"title": ["a", "b"], "brand": ["x", None], "category": ["A > B", "A > C"]}
    )

    found = Traits.of(items).per_list(np.array([[0, 1]]))

    assert {name: values.tolist() for name, values in found.items()} == {
        "category_diversity": [1.0],
        "brand_diversity": [0.0],
    }
    assert Traits.of(items.select("title")).per_list(np.array([[0, 1]])) == {}


def test_overlap_is_the_mean_over_pairs_of_lists():
    lists = np.array([[0, 1, 2], [2, 3, 4], [0, 2, 5]])
    pairs = [len({*a} & {*b}) / 3 for i, a in enumerate(lists) for b in lists[i + 1 :]]

    assert overlap(lists, 9) == pytest.approx(np.mean(pairs))
