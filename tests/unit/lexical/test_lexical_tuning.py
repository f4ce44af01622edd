"""k1, b and field weights are chosen by the quality that validation cases report."""

import numpy as np
import pytest

from public_data import folder
from twotower.errors import ConfigError
from twotower.lexical.bm25 import Bm25, Parameters
from twotower.lexical.tuning import tune


def first_rank(targets: list[int]):
    """Reciprocal rank of one wanted row per case."""

    def quality(scores: np.ndarray, cases: np.ndarray) -> np.ndarray:
        wanted = np.array(targets)[cases]
        own = scores[np.arange(len(cases)), wanted][:, None]
        return 1 / (scores >= own).sum(axis=1)

    return quality


def test_repetition_counts_when_validation_says_so():
    texts = ["drill drill drill drill set", "drill set"]
    words = Bm25.fit({"title": texts})
    queries = ["drill"] * 3
    likes_repeats = tune(words, queries, first_rank([0, 0, 0]), k1_grid=(0.0, 2.0), b_grid=(0.0,))
    assert (likes_repeats.parameters.k1, likes_repeats.quality) == (2.0, 1.0)
    words = Bm25.fit({"title": ["drill set, many parts inside", "drill set"]})
    likes_short = tune(words, queries, first_rank([1, 1, 1]), k1_grid=(1.0,), b_grid=(0.0, 1.0))
    assert likes_short.parameters.b == 1.0


def test_everything_tried_is_reported_and_the_first_of_equals_wins():
    words = Bm25.fit({"title": ["lamp", "desk"]})
    tuning = tune(words, ["lamp"], first_rank([0]), k1_grid=(0.3, 0.9), b_grid=(0.4, 0.8))
    tried = [(point.k1, point.b) for point, _ in tuning.tried]
    assert tried == [(0.3, 0.4), (0.3, 0.8), (0.9, 0.4), (0.9, 0.8)]
    assert (tuning.parameters.k1, tuning.parameters.b) == (0.3, 0.4)


@pytest.mark.parametrize(("wanted", "is_light"), [(0, False), (1, True)])
def test_a_field_weighs_what_validation_says(wanted, is_light):
    documents = {"title": ["desk", "lamp", "x1", "x2"], "brand": ["lamp", "acme", "b1", "b2"]}
    words = Bm25.fit(documents, parameters=Parameters(weights={"brand": 1.0}))
    tuning = tune(words, ["lamp"], first_rank([wanted]), weight_grid=(0.1, 1.0, 4.0))
    assert (tuning.parameters.weights["brand"] < 1) == is_light
    assert tuning.quality == 1.0
    assert tuning == tune(words, ["lamp"], first_rank([wanted]), weight_grid=(0.1, 1.0, 4.0))


def test_the_search_ends_within_its_budget_and_tries_nothing_twice():
    words = Bm25.fit({"title": ["desk", "lamp"], "brand": ["lamp", "acme"]})
    tuning = tune(words, ["lamp"], first_rank([0]), budget=7)
    assert len(tuning.tried) == 7
    points = [(point.k1, point.b, tuple(point.weights.items())) for point, _ in tuning.tried]
    assert len(set(points)) == 7


def test_tuning_on_nothing_is_refused():
    with pytest.raises(ConfigError, match="validation queries"):
        tune(Bm25.fit({"title": ["lamp"]}), [], first_rank([]))


@pytest.mark.real
def test_home_depot_is_answered_as_well_as_the_published_baseline():
    import polars as pl

    source = folder("home_depot")
    items = pl.read_parquet(source / "items.parquet")
    row_of = {item_id: row for row, item_id in enumerate(items["item_id"])}
    judged = pl.read_parquet(source / "judgments.parquet").filter(
        (pl.col("split") == "validation") & (pl.col("grade").max().over("query") >= 2.33)
    )
    words = Bm25.fit({"title": items["title"].to_list()}, parameters=Parameters(0.3, 0.6))
    discounts = 1 / np.log2(np.arange(2, 12))
    found, recalled = [], []
    for (query,), rows in judged.group_by("query", maintain_order=True):
        gains = {row_of[item]: 2 ** (grade - 1) - 1 for _, item, grade, _ in rows.iter_rows()}
        positive = {row_of[item] for _, item, grade, _ in rows.iter_rows() if grade >= 2.33}
        top = words.search(query, 100)[0].tolist()
        won = np.array([gains.get(row, 0.0) for row in top[:10]])
        ideal = np.sort(np.array(list(gains.values())))[::-1][:10]
        found.append(won @ discounts / (ideal @ discounts[: len(ideal)]))
        recalled.append(len(positive & set(top)) / len(positive))
    assert len(found) == 1147
    assert np.mean(found) >= 0.385
    assert np.mean(recalled) >= 0.751
