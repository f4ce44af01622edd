"""Ranks under a scorer: the whole catalogue, ties against us, seen items out."""

import numpy as np
import pytest

from twotower.evaluation import protocol
from twotower.evaluation.cases import recommendation_cases, search_cases
from twotower.evaluation.protocol import evaluate
from twotower.evaluation.ranks import pessimistic_ranks, top_rows

from .conftest import make_dataset


def _fixed(scores):
    return lambda cases: np.broadcast_to(np.asarray(scores, np.float32), (len(cases), len(scores)))


def _cheating(cases):
    def score(part):
        scores = np.zeros((len(part), cases.n_items), np.float32)
        for row, case in enumerate(part):
            where = cases.targets(case)
            scores[row, cases.rows[where]] = cases.gains[where]
        return scores

    return score


def test_a_scorer_that_knows_the_answers_gets_one(shop, tastes):
    for cases in (recommendation_cases(tastes, "test"), search_cases(shop, "test")):
        found = evaluate(cases, _cheating(cases))

        for metric in ("recall@5", "hit_rate@5", "ndcg@10", "mrr", "map"):
            assert found.mean(metric) == 1.0


def test_a_collapsed_scorer_scores_about_k_of_n(tastes):
    cases = recommendation_cases(tastes, "test", repeat=True)

    found = evaluate(cases, _fixed(np.ones(40)))

    assert found.mean("recall@10") == 0  # a single target stands last of 40
    assert found.mean("mrr") == pytest.approx(1 / 40)


def test_many_tied_targets_fill_the_end_of_the_list_and_no_more():
    ranks = pessimistic_ranks(np.zeros(10), np.array([2, 5, 7]), np.array([1.0, 3.0, 2.0]))

    assert ranks.tolist() == [8, 10, 9]  # distinct, the best gain last


def test_not_a_number_is_never_a_hit(tastes):
    cases = recommendation_cases(tastes, "test")

    found = evaluate(cases, _fixed(np.full(40, np.nan)))

    assert found.mean("recall@100") == 0
    assert found.mean("mrr") == 0
    assert (found.lists == -1).all()


def test_not_a_number_elsewhere_does_not_push_a_target_back():
    many = np.arange(20)
    scores = np.concatenate([np.linspace(1, 2, 20), [np.nan, np.nan]])

    assert pessimistic_ranks(scores, np.array([0])).tolist() == [20]
    assert pessimistic_ranks(scores, many).tolist() == (20 - many).tolist()


def test_an_item_outside_the_catalogue_is_a_miss():
    assert pessimistic_ranks(np.array([1.0, 2.0]), np.array([-1, 0])).tolist() == [np.inf, 2]


def test_no_seen_item_is_in_any_list(tastes):
    cases = recommendation_cases(tastes, "test")

    found = evaluate(cases, _fixed(np.arange(40)))

    for case in range(len(cases)):
        assert not set(found.lists[case]) & set(cases.hidden(case))
        assert not set(cases.rows[cases.targets(case)]) & set(cases.hidden(case))


def test_hidden_items_do_not_stand_before_a_target():
    events = [("a", 0, 1, "train"), ("a", 1, 2, "train"), ("a", 2, 3, "test")]
    cases = recommendation_cases(make_dataset(events, n_items=4), "test")

    found = evaluate(cases, _fixed([9, 8, 7, 1]))

    assert found.ranks.tolist() == [1]
    assert found.lists[0, :3].tolist() == [2, 3, -1]


def test_the_batch_size_and_the_memory_limit_change_nothing(tastes, monkeypatch):
    cases = recommendation_cases(tastes, "test")
    generator = np.random.default_rng(0)
    table = generator.integers(0, 9, (len(cases), 40)).astype(np.float32)

    whole = evaluate(cases, lambda part: table[part], batch=1000)
    monkeypatch.setattr(protocol, "CELLS", 100)
    pieces = evaluate(cases, lambda part: table[part], batch=7)

    assert np.array_equal(whole.ranks, pieces.ranks)
    assert np.array_equal(whole.lists, pieces.lists)


def test_the_memory_limit_bounds_the_batch():
    sizes = [len(part) for part in protocol.batches(10, protocol.CELLS // 4, 256)]

    assert sizes == [4, 4, 2]


def test_the_scorer_keeps_its_own_array(tastes):
    cases = recommendation_cases(tastes, "test")
    scores = np.ones((len(cases), 40), np.float32)

    evaluate(cases, lambda part: scores[part[0] : part[-1] + 1])

    assert (scores == 1).all()


def test_progress_is_told_to_the_end(tastes):
    cases = recommendation_cases(tastes, "test")
    said = []

    evaluate(cases, _fixed(np.ones(40)), batch=50, progress=lambda *done: said.append(done))

    assert said == [(50, 120), (100, 120), (120, 120)]


def test_a_scorer_of_the_wrong_shape_is_told_so(tastes):
    cases = recommendation_cases(tastes, "test")

    with pytest.raises(ValueError, match=r"\[120, 40\], got \[120, 39\]"):
        evaluate(cases, _fixed(np.ones(39)))


def test_a_slice_keeps_the_ranking_and_drops_other_targets(shop):
    cases = recommendation_cases(shop, "test")
    found = evaluate(cases, _fixed([0, 0, 0, 3, 2, 1]))

    cold = found.per_case("cold")

    assert [cases.keys[case] for case in cold.cases] == list(cases.keys)  # 3, 4 and 5 are all cold
    assert len(found.per_case("warm").cases) == 0
    assert len(found.per_case("history_none").cases) == 1


def test_graded_answers_count_for_ndcg_only(shop):
    cases = search_cases(shop, "test")
    found = evaluate(cases, _fixed([1, 2, 0, 0, 3, 0]))

    values = found.per_case().values

    dcg = 3 / np.log2(3) + 7 / np.log2(4)
    assert values["ndcg@10"][0] == pytest.approx(dcg / (7 + 3 / np.log2(3)))
    assert values["recall@10"].tolist() == [1, 1]
    assert values["mrr"].tolist() == [pytest.approx(1 / 3), 1]


def test_top_rows_break_ties_by_row_and_pad():
    assert top_rows(np.array([1.0, 2.0, 2.0, 2.0]), 2).tolist() == [1, 2]
    assert top_rows(np.array([1.0, -np.inf]), 3).tolist() == [0, -1, -1]
