"""Baselines give hand-computed scores, and beat chance where tastes are planted."""

import numpy as np
import pytest

from twotower.errors import ConfigError, DataError
from twotower.evaluation.baselines.item_knn import GRID, ItemKnn, ItemKnnConfig
from twotower.evaluation.baselines.popularity import (
    has_times,
    popularity_order,
    popularity_scorer,
    random_scorer,
    recent_popularity_scorer,
)
from twotower.evaluation.baselines.tuning import tune
from twotower.evaluation.cases import recommendation_cases
from twotower.evaluation.protocol import evaluate
from twotower.features.history import Histories, History

from .conftest import DAY, make_dataset

FIRST = np.array([0])


def _log(*baskets):
    """One training visitor per basket."""
    events = [(f"u{n}", row, n, "train") for n, rows in enumerate(baskets) for row in rows]
    return make_dataset(events, n_items=5)


def test_popularity_counts_what_happened_before_the_split(shop):
    validation = popularity_scorer(shop, "validation")(FIRST)[0]
    test = popularity_scorer(shop, "test")(FIRST)[0]

    assert set(np.argsort(-validation)[:2]) == {0, 1}
    assert set(np.argsort(-test)[:3]) == {0, 1, 2}  # item 2 was bought in validation


def test_popularity_has_no_ties_and_breaks_them_without_looking_at_the_items():
    scores = popularity_order(np.array([5, 1, 1, 1]))

    assert len(set(scores.tolist())) == 4
    assert scores.argmax() == 0
    assert popularity_order(np.array([1, 1, 9]), np.array([2, 1, 0])).tolist() == [1, 0, 2]


def test_recent_popularity_forgets_what_is_old():
    events = [("a", 0, DAY, "train"), ("b", 0, 2 * DAY, "train"), ("c", 1, 50 * DAY, "train")]
    dataset = make_dataset(events, n_items=3)

    week = recent_popularity_scorer(dataset, "validation", days=7)(FIRST)[0]
    quarter = recent_popularity_scorer(dataset, "validation", days=90)(FIRST)[0]

    assert np.argsort(-week).tolist()[:2] == [1, 0]
    assert np.argsort(-quarter).tolist()[:2] == [0, 1]


def test_recent_popularity_needs_a_clock():
    dataset = make_dataset([("a", 0, None, "train")], n_items=2)

    assert not has_times(dataset)
    with pytest.raises(DataError, match="times"):
        recent_popularity_scorer(dataset, "test", days=7)


def test_item_knn_is_the_shrunk_cosine_of_common_visitors():
    dataset = _log([0, 1], [0, 1], [0, 2], [3])

    found = ItemKnn(dataset).similarity(ItemKnnConfig(10, 2.0, 1.0)).toarray()

    assert found[0, 1] == pytest.approx(2 / (np.sqrt(3 * 2) + 2))
    assert found[0, 2] == pytest.approx(1 / (np.sqrt(3 * 1) + 2))
    assert found[1, 0] == found[0, 1]
    assert found[0, 0] == 0
    assert found[3].sum() == 0


def test_item_knn_keeps_the_nearest_neighbours_only():
    found = ItemKnn(_log([0, 1], [0, 1], [0, 2])).similarity(ItemKnnConfig(1, 0.0, 1.0)).toarray()

    assert np.flatnonzero(found[0]).tolist() == [1]


def test_item_knn_sums_over_the_history_and_fades_with_age():
    knn = ItemKnn(_log([0, 1], [0, 1], [0, 2], [3, 4]))
    config = ItemKnnConfig(10, 0.0, 0.5)
    similar = knn.similarity(config).toarray()
    histories = Histories.from_lists([History.of([3, 0, 3, 1]), History.of([])])

    scores = knn.scorer(histories, config)(np.array([0, 1]))

    assert scores[0, 2] == pytest.approx(0.25 * similar[0, 2])
    assert scores[0, 4] == pytest.approx(0.5 * similar[3, 4])  # the latest visit to 3 counts
    assert scores[0, 0] == pytest.approx(1.0 * similar[1, 0])
    assert (scores[1] < 0).all()
    assert scores[1].argmax() == 0  # nothing known: the popular list


def test_item_knn_and_chance_stand_in_the_expected_order(tastes):
    cases = recommendation_cases(tastes, "test")
    knn = ItemKnn(tastes)

    chance = np.mean(
        [evaluate(cases, random_scorer(40, seed=seed)).mean("recall@10") for seed in range(20)]
    )
    near = evaluate(cases, knn.scorer(cases.histories, ItemKnnConfig())).mean("recall@10")

    assert near == 1.0  # five items are left of the visitor's group
    assert abs(chance - 10 / 35) < 0.03


def test_popularity_beats_chance_where_some_items_are_popular():
    generator = np.random.default_rng(9)
    draw = generator.choice(50, (150, 3), p=np.arange(50, 0, -1) ** 3 / (np.arange(51) ** 3).sum())
    events = [
        (f"u{user:03}", int(row), step, split)
        for user, rows in enumerate(draw)
        for step, (row, split) in enumerate(zip(rows, ("train", "validation", "test"), strict=True))
    ]
    dataset = make_dataset(events, n_items=50)
    cases = recommendation_cases(dataset, "test")

    popular = evaluate(cases, popularity_scorer(dataset, "test")).mean("recall@10")

    assert popular > 1.5 * evaluate(cases, random_scorer(50)).mean("recall@10")


def test_chance_is_the_same_in_any_batch():
    scorer = random_scorer(6, seed=4)

    assert np.array_equal(scorer(np.array([3, 1]))[1], scorer(np.array([1]))[0])


def test_tuning_takes_the_best_of_the_grid_and_prints_all_of_it(tastes):
    validation = recommendation_cases(tastes, "validation")
    knn = ItemKnn(tastes)

    tuned = tune(GRID[:3], lambda s, cases: knn.scorer(cases.histories, s), validation, sample=60)

    best = max(value for _, value in tuned.trials)
    assert dict(tuned.trials)[tuned.settings] == best
    printed = tuned.to_json(ItemKnnConfig.to_json)
    assert len(printed["trials"]) == 3
    assert printed["chosen"]["neighbours"] == tuned.settings.neighbours


def test_settings_outside_their_range_are_named():
    for wrong in ({"neighbours": 0}, {"shrinkage": -1}, {"decay": 0}, {"decay": 1.1}):
        with pytest.raises(ConfigError, match=next(iter(wrong))):
            ItemKnnConfig(**wrong)
