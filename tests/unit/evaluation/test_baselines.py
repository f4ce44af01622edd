"""Baselines give hand-computed scores, and beat chance where tastes are planted."""

from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from twotower.errors import ConfigError, DataError, MissingExtra
from twotower.evaluation.baselines import lineup
from twotower.evaluation.baselines.ease import Ease, EaseConfig
from twotower.evaluation.baselines.factors import BprConfig, IalsConfig, LightFmConfig
from twotower.evaluation.baselines.frequency import FrequencyConfig, PersonalFrequency
from twotower.evaluation.baselines.item_knn import GRID, ItemKnn, ItemKnnConfig
from twotower.evaluation.baselines.lineup import baselines, contenders
from twotower.evaluation.baselines.popularity import (
    Window,
    has_times,
    popularity_order,
    popularity_scorer,
    random_scorer,
    recent_popularity_scorer,
)
from twotower.evaluation.baselines.tuning import TRIALS, drawn, tune
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


def test_personal_frequency_puts_what_was_had_often_and_lately_first():
    dataset = _log([0, 1], [0, 1], [0, 2], [3])
    histories = Histories.from_lists([History.of([1, 1, 2]), History.of([])])

    often, lately = (
        PersonalFrequency(dataset).scorer(histories, FrequencyConfig(decay))(np.array([0, 1]))
        for decay in (1.0, 0.5)
    )

    assert often[0, [1, 2]].tolist() == [2, 1]
    assert lately[0, [1, 2]].tolist() == [0.75, 1]
    popular = popularity_scorer(dataset, "validation")(FIRST)[0]
    assert np.argsort(-often[1]).tolist() == np.argsort(-popular).tolist()
    assert often[0, [0, 3, 4]].max() < 0


def test_personal_frequency_keeps_the_oldest_events_above_what_was_never_had():
    dataset = _log([0, 1], [0, 2])
    histories = Histories.from_lists([History.of([4, *[3] * 5000])])
    scores = PersonalFrequency(dataset).scorer(histories, FrequencyConfig(0.5))(FIRST)[0]
    assert np.argsort(-scores).tolist()[:2] == [3, 4]


def test_personal_frequency_stands_only_where_the_same_is_bought_again():
    [baseline] = [one for one in baselines("quick") if one.name == "personal_frequency"]
    events = [("a", 0, DAY, "train")]
    assert baseline.why_not(make_dataset(events, n_items=2, repeat=True)) is None
    assert "taken out" in baseline.why_not(make_dataset(events, n_items=2))


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
    printed = tuned.to_json()
    assert (printed["trials"], printed["validation_cases"]) == (3, 60)
    assert [tried["shrinkage"] for tried in printed["tried"]] == [s.shrinkage for s in GRID[:3]]
    assert printed["chosen"]["neighbours"] == tuned.settings.neighbours


def test_settings_are_drawn_without_repeats_the_same_for_the_same_seed():
    values = {"l2": (1.0, 2.0, 3.0, 4.0), "decay": (0.2, 0.4, 0.6, 0.8, 1.0)}

    one, again, other = (drawn(EaseConfig, values, 6, seed=seed) for seed in (3, 3, 4))

    assert one == again != other
    assert len(set(one)) == 6
    assert len(drawn(EaseConfig, values, 99)) == 20


def test_settings_outside_their_range_are_named():
    for kind, wrong in (
        (ItemKnnConfig, {"neighbours": 0}),
        (ItemKnnConfig, {"shrinkage": -1}),
        (ItemKnnConfig, {"decay": 0}),
        (ItemKnnConfig, {"decay": 1.1}),
        (EaseConfig, {"l2": 0}),
        (EaseConfig, {"decay": 0}),
        (Window, {"days": 0}),
    ):
        with pytest.raises(ConfigError, match=next(iter(wrong))):
            kind(**wrong)


# -- EASE ------------------------------------------------------------------------


def test_ease_is_the_ridge_regression_of_each_item_on_the_others():
    baskets = [[0, 1], [0, 1, 2], [1, 2], [3, 4], [0, 4], [2]]
    matrix = np.zeros((6, 5))
    for user, rows in enumerate(baskets):
        matrix[user, rows] = 1

    found = Ease(_log(*baskets)).weights(2.0)

    for item in range(5):
        others = np.delete(np.arange(5), item)
        x, y = matrix[:, others], matrix[:, item]
        expected = np.linalg.solve(x.T @ x + 2 * np.eye(4), x.T @ y)
        assert found[others, item] == pytest.approx(expected, abs=1e-5)
        assert found[item, item] == 0


def test_ease_sums_the_weights_of_the_history_and_shows_newcomers_the_popular_list():
    ease = Ease(_log([0, 1], [0, 1], [0, 2], [3, 4]))
    weights = ease.weights(1.0)
    histories = Histories.from_lists([History.of([3, 0]), History.of([])])

    scores = ease.scorer(histories, EaseConfig(1.0, decay=0.5))(np.array([0, 1]))

    assert scores[0] == pytest.approx(weights[0] + 0.5 * weights[3])
    assert scores[1].argmax() == 0


def test_the_matrix_of_a_penalty_is_made_once():
    ease = Ease(_log([0, 1], [0, 2]))

    assert ease.weights(1.0) is ease.weights(1.0)
    assert not np.array_equal(ease.weights(1.0), ease.weights(9.0))


# -- matrix factorisations ---------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "settings"),
    [
        ("ials", IalsConfig(factors=8)),
        ("bpr", BprConfig(factors=8, learning_rate=0.1)),
        ("lightfm", LightFmConfig(no_components=8)),
    ],
)
def test_factorisations_find_planted_tastes_and_give_newcomers_a_list(tastes, name, settings):
    if name == "lightfm":
        pytest.importorskip(
            "lightfm", reason="LightFM is in no extra: pip install rectools-lightfm"
        )
    cases = recommendation_cases(tastes, "test")
    [baseline] = [one for one in baselines("all") if one.name == name]
    newcomer = replace(
        cases.take(np.array([0])),
        keys=("nobody",),
        histories=Histories.from_lists([History.of([])]),
    )

    scorer = baseline.fit(tastes, "test")(settings, cases)

    assert evaluate(cases, scorer).mean("recall@10") > 0.9
    assert np.array_equal(scorer(FIRST), baseline.fit(tastes, "test")(settings, cases)(FIRST))
    of_newcomer = baseline.fit(tastes, "test")(settings, newcomer)(FIRST)[0]
    assert len(np.unique(of_newcomer)) == 40


# -- the line-up --------------------------------------------------------------------


def test_every_baseline_with_settings_has_the_same_number_of_trials():
    tuned = [one for one in baselines("all") if one.name not in ("random", "popularity")]

    assert {len(set(one.grid)) for one in tuned} == {TRIALS}


def test_the_line_up_tunes_on_validation_and_prints_what_it_tried(tastes):
    cases, validation = (recommendation_cases(tastes, split) for split in ("test", "validation"))

    found = contenders(tastes, cases, "test", validation)

    assert list(found.scorers) == ["random", "popularity", "recent_popularity", "item_knn", "ease"]
    assert set(found.settings) == {"recent_popularity", "item_knn", "ease"}
    for printed in found.settings.values():
        assert len(printed["tried"]) == printed["trials"] == TRIALS
        best = max(printed["tried"], key=lambda tried: tried["ndcg@10"])
        assert {k: v for k, v in best.items() if k != "ndcg@10"} == printed["chosen"]


def test_what_the_test_split_holds_changes_no_setting(tastes):
    cases, validation = (recommendation_cases(tastes, split) for split in ("test", "validation"))
    other = replace(tastes, events=tastes.events.filter(pl.col("split") != "test"))

    found = contenders(tastes, cases, "test", validation)

    assert contenders(other, cases, "test", validation).settings == found.settings


def test_without_a_validation_case_the_defaults_are_taken(tastes):
    cases = recommendation_cases(tastes, "test")

    found = contenders(tastes, cases, "test", cases.take(np.array([], np.int64)))

    assert found.settings["ease"]["trials"] == 0
    assert found.settings["ease"]["chosen"]["l2"] == EaseConfig().l2


def test_what_cannot_be_run_is_left_out_with_the_reason(tastes, monkeypatch):
    monkeypatch.setattr(lineup, "_ease", lambda most, real=lineup._ease: real(most // 1000))
    cases = recommendation_cases(tastes, "test")
    order_only = replace(tastes, events=tastes.events.with_columns(time=pl.lit(None, pl.Int64)))

    found = contenders(order_only, cases, "test", cases)

    assert "40 items are more than 5" in found.left_out["ease"]
    assert found.left_out["recent_popularity"] == "the events have no times"
    assert set(found.scorers) == {"random", "popularity", "item_knn"}


def test_an_unknown_line_up_and_a_missing_library_are_said(monkeypatch):
    with pytest.raises(ConfigError, match="one of quick, all, got 'every'"):
        baselines("every")
    monkeypatch.setattr(lineup, "find_spec", lambda name: None)
    with pytest.raises(MissingExtra, match=r"\.\[baselines\]"):
        baselines("all")
