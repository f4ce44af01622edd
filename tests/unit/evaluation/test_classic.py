"""The classic protocol beside the full ranking: exact, with chance beside it."""

import re

import numpy as np
import pytest

from twotower.evaluation import report as reports
from twotower.evaluation.cases import recommendation_cases, search_cases
from twotower.evaluation.classic import (
    NEGATIVES,
    category_separation,
    chance,
    classic,
    pointwise_auc,
)
from twotower.evaluation.page import render
from twotower.evaluation.protocol import evaluate
from twotower.evaluation.results import TaskResult, task_section

from .conftest import DAY, make_dataset

N_ITEMS = 300


@pytest.fixture(scope="module")
def cases():
    """Visitors with two held-out items each, in a catalogue of 300."""
    generator = np.random.default_rng(3)
    events = [
        (f"u{user}", int(row), step * DAY, split)
        for user in range(60)
        for step, (row, split) in enumerate(
            zip(generator.permutation(N_ITEMS)[:5], ["train"] * 3 + ["test"] * 2, strict=True)
        )
    ]
    return recommendation_cases(make_dataset(events, n_items=N_ITEMS), "test")


@pytest.fixture(scope="module")
def scores(cases):
    """Random, and better than that for what is right."""
    found = np.random.default_rng(4).normal(size=(len(cases), N_ITEMS))
    for case in range(len(cases)):
        found[case, cases.rows[cases.targets(case)]] += 1.0
    return found


def test_it_is_what_drawing_fifty_wrong_items_gives_on_average(cases, scores):
    generator = np.random.default_rng(5)
    hits, reciprocals = [], []
    for case in range(len(cases)):
        right = cases.rows[cases.targets(case)]
        wrong = np.setdiff1d(np.arange(N_ITEMS), np.concatenate([right, cases.hidden(case)]))
        for row in right:
            for _ in range(200):
                drawn = generator.choice(wrong, NEGATIVES, replace=False)
                rank = 1 + (scores[case, drawn] >= scores[case, row]).sum()
                hits.append(rank <= 10)
                reciprocals.append(1 / rank)

    found = classic({"model": evaluate(cases, lambda part: scores[part])})

    assert found["targets"] == 120
    assert found["systems"]["model"]["hit_rate@10"] == pytest.approx(np.mean(hits), abs=0.01)
    assert found["systems"]["model"]["mrr"] == pytest.approx(np.mean(reciprocals), abs=0.01)


def test_a_random_order_has_what_is_printed_as_chance(cases):
    generator = np.random.default_rng(6)
    orders = [generator.normal(size=(len(cases), N_ITEMS)) for _ in range(20)]
    found = [classic({"random": evaluate(cases, lambda part, s=s: s[part])}) for s in orders]

    for metric, expected in chance().items():
        mean = np.mean([one["systems"]["random"][metric] for one in found])
        assert mean == pytest.approx(expected, abs=0.02), metric


def test_it_looks_far_better_than_full_ranking_does(cases, scores):
    evaluation = evaluate(cases, lambda part: scores[part])
    sampled = classic({"model": evaluation})["systems"]["model"]["hit_rate@10"]
    assert sampled > 2 * evaluation.mean("recall@10") > 0


def test_what_is_outside_the_ranking_is_never_a_hit(cases):
    found = classic({"blind": evaluate(cases, lambda part: np.full((len(part), N_ITEMS), -np.inf))})
    assert set(found["systems"]["blind"].values()) == {0.0}


def test_where_fewer_than_fifty_can_be_drawn_all_are(shop):
    cases = search_cases(shop, "test")
    worst = evaluate(cases, lambda part: np.zeros((len(part), 6)))
    found = classic({"level": worst})["systems"]["level"]
    assert found["hit_rate@10"] == 1.0  # six items in all
    assert found["mrr"] == pytest.approx(1 / 6)
    assert found["auc"] == 0.0  # ties count against it


def test_categories_without_meaning_have_no_separation():
    generator = np.random.default_rng(7)
    vectors = generator.normal(size=(2000, 8)).astype(np.float32)
    codes = generator.integers(0, 5, 2000)
    assert category_separation(vectors, codes)["separation"] == pytest.approx(0, abs=0.01)


def test_separation_is_the_difference_of_two_mean_cosines():
    generator = np.random.default_rng(8)
    vectors, codes = generator.normal(size=(30, 4)).astype(np.float32), np.arange(30) % 4 - 1
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    pairs = [
        (a, b) for a in range(30) for b in range(30) if a != b and min(codes[a], codes[b]) >= 0
    ]
    means = {
        same: np.mean([unit[a] @ unit[b] for a, b in pairs if (codes[a] == codes[b]) == same])
        for same in (True, False)
    }

    found = category_separation(vectors, codes)

    assert found["within"] == pytest.approx(means[True])
    assert found["between"] == pytest.approx(means[False])
    assert found["separation"] == pytest.approx(means[True] - means[False])


@pytest.mark.parametrize("codes", [[-1, -1, -1], [0, 0, 0], [0, 1, 2]])
def test_without_pairs_of_both_kinds_there_is_no_separation(codes):
    assert category_separation(np.eye(3, dtype=np.float32), np.array(codes)) is None


def test_pairs_of_one_kind_have_no_auc():
    assert pointwise_auc(np.array([0.2, 0.3]), np.array([True, True])) is None


def test_the_page_shows_every_system_beside_chance_and_full_ranking(cases, scores):
    ours = evaluate(cases, lambda part: scores[part])
    level = evaluate(cases, lambda part: np.zeros((len(part), N_ITEMS)))
    section = task_section(TaskResult("test", {"model": ours}, {"popularity": level}), resamples=50)
    origin = reports.Origin("Toy", "0" * 64, 0)

    page = render(reports.assemble({"recommendation": section}, origin))

    [shown] = re.findall(r"classic protocol, for comparison alone.*?</details>", page, re.DOTALL)
    assert "0.1961" in shown  # chance
    assert f"{section['classic']['systems']['model']['hit_rate@10']:.4f}" in shown
    assert f"{section['metrics']['all']['hit_rate@10']['mean']:.4f}" in shown
    assert shown.count('scope="row"') == 3
