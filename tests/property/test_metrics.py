"""Laws of the metrics, and agreement with trec_eval and ir-measures."""

import math
from itertools import pairwise

import ir_measures
import numpy as np
import pytest
import pytrec_eval
from hypothesis import given, settings
from hypothesis import strategies as st

from twotower.evaluation import metrics
from twotower.evaluation.ranks import pessimistic_ranks, top_rows

KS = (1, 3, 5, 10)


@st.composite
def _runs(draw, *, ties=True, max_gain=3):
    """Scores [N] and gains [N] of one case, at least one gain above zero."""
    n_items = draw(st.integers(1, 40))
    if ties:
        scores = draw(st.lists(st.integers(-3, 3), min_size=n_items, max_size=n_items))
    else:
        scores = draw(st.permutations(range(n_items)))
    gains = draw(st.lists(st.integers(0, max_gain), min_size=n_items, max_size=n_items))
    gains[draw(st.integers(0, n_items - 1))] = draw(st.integers(1, max_gain))
    return np.array(scores, float), np.array(gains, float)


def _measured(scores, gains):
    rows = np.flatnonzero(gains)
    ranks = pessimistic_ranks(scores, rows, gains[rows])
    offsets = np.array([0, len(rows)])
    found = {name: formula(ranks, offsets)[0] for name, formula in metrics.RELEVANCE.items()}
    for k in (*KS, *metrics.KS):
        found[f"ndcg@{k}"] = metrics.ndcg(ranks, gains[rows], offsets, k)[0]
        found[f"recall@{k}"] = metrics.recall(ranks, offsets, k)[0]
        found[f"precision@{k}"] = metrics.precision(ranks, offsets, k)[0]
        found[f"hit_rate@{k}"] = metrics.hit_rate(ranks, offsets, k)[0]
    return found


@given(_runs(ties=False))
@settings(max_examples=150, deadline=None)
def test_without_ties_the_numbers_are_those_of_trec_eval(run):
    scores, gains = run
    judged = {"q": {str(row): int(gain) for row, gain in enumerate(gains)}}
    ranked = {"q": {str(row): float(score) for row, score in enumerate(scores)}}
    cuts = ",".join(map(str, KS))
    wanted = {f"{name}.{cuts}" for name in ("recall", "P", "ndcg_cut", "success")}
    theirs = pytrec_eval.RelevanceEvaluator(judged, wanted | {"map", "recip_rank"})
    theirs = theirs.evaluate(ranked)["q"]

    ours = _measured(scores, gains)

    assert ours["map"] == pytest.approx(theirs["map"], abs=1e-9)
    assert ours["mrr"] == pytest.approx(theirs["recip_rank"], abs=1e-9)
    names = {"recall": "recall", "precision": "P", "ndcg": "ndcg_cut", "hit_rate": "success"}
    for name, their_name in names.items():
        for k in KS:
            assert ours[f"{name}@{k}"] == pytest.approx(theirs[f"{their_name}_{k}"], abs=1e-9)


@given(st.lists(_runs(ties=False), min_size=1, max_size=6))
@settings(max_examples=60, deadline=None)
def test_means_over_several_cases_are_those_of_ir_measures(runs):
    """Cases with unjudged and missed items included; one ragged array holds all of them."""
    judged, ranked, rows, ranks, gains = [], [], [], [], []
    for case, (scores, gain) in enumerate(runs):
        kept = np.flatnonzero(gain)
        retrieved = scores >= scores.min() + case % 2  # the last item of every other run is missed
        judged += [ir_measures.Qrel(str(case), str(row), int(gain[row])) for row in kept]
        ranked += [
            ir_measures.ScoredDoc(str(case), str(row), float(scores[row]))
            for row in np.flatnonzero(retrieved)
        ]
        rows.append(len(kept))
        ranks.append(pessimistic_ranks(np.where(retrieved, scores, -np.inf), kept, gain[kept]))
        gains.append(gain[kept])
    offsets, joined = np.concatenate([[0], np.cumsum(rows)]), np.concatenate(ranks)
    ours = {
        ir_measures.parse_measure("AP"): metrics.average_precision(joined, offsets),
        ir_measures.parse_measure("RR"): metrics.mrr(joined, offsets),
    }
    for k in KS:
        found = {
            "R": metrics.recall(joined, offsets, k),
            "P": metrics.precision(joined, offsets, k),
            "Success": metrics.hit_rate(joined, offsets, k),
            "nDCG": metrics.ndcg(joined, np.concatenate(gains), offsets, k),
        }
        ours |= {ir_measures.parse_measure(f"{name}@{k}"): one for name, one in found.items()}

    theirs = ir_measures.calc_aggregate(list(ours), judged, ranked)

    for measure, values in ours.items():
        assert values.mean() == pytest.approx(theirs[measure], abs=1e-9), measure


@given(_runs())
def test_every_metric_lies_between_zero_and_one(run):
    assert all(0 <= value <= 1 + 1e-12 for value in _measured(*run).values())


@given(_runs())
def test_recall_and_hit_rate_never_fall_as_k_grows(run):
    scores, gains = run
    rows = np.flatnonzero(gains)
    ranks, offsets = pessimistic_ranks(scores, rows), np.array([0, len(rows)])

    for formula in (metrics.recall, metrics.hit_rate):
        values = [formula(ranks, offsets, k)[0] for k in range(1, len(scores) + 1)]
        assert values == sorted(values)
        assert values[-1] == 1


@given(_runs(), st.integers(1, 40))
def test_with_one_relevant_item_hit_rate_is_recall(run, k):
    scores, gains = run
    rank = pessimistic_ranks(scores, np.array([gains.argmax()]))

    one = np.array([0, 1])
    assert metrics.hit_rate(rank, one, k) == metrics.recall(rank, one, k)


@given(_runs(), st.integers(1, 40))
def test_the_best_order_has_ndcg_one(run, k):
    _, gains = run
    order = gains + np.linspace(0, 0.5, len(gains))  # the gains, and no ties

    rows = np.flatnonzero(gains)
    ranks = pessimistic_ranks(order, rows, gains[rows])
    assert metrics.ndcg(ranks, gains[rows], np.array([0, len(rows)]), k)[0] == pytest.approx(1)


@given(_runs(), st.randoms(use_true_random=False))
def test_the_names_of_the_items_change_nothing(run, random):
    scores, gains = run
    order = list(range(len(scores)))
    random.shuffle(order)

    renamed = _measured(scores[order], gains[order])

    assert renamed == pytest.approx(_measured(scores, gains))


@given(_runs())
def test_ranks_are_distinct_and_behind_every_other_item_of_at_least_the_score(run):
    scores, gains = run
    rows = np.flatnonzero(gains)

    ranks = pessimistic_ranks(scores, rows, gains[rows])

    assert len(set(ranks)) == len(ranks)
    for row, rank in zip(rows, ranks, strict=True):
        others = np.delete(np.arange(len(scores)), row)
        tied_right = np.isin(others, rows) & (scores[others] == scores[row])
        assert rank >= 1 + np.count_nonzero((scores[others] >= scores[row]) & ~tied_right)
        assert rank <= 1 + np.count_nonzero(scores[others] >= scores[row])


@given(st.integers(1, 60), st.data())
def test_a_collapsed_model_finds_no_more_than_chance(n_items, data):
    right = data.draw(st.sets(st.integers(0, n_items - 1), min_size=1))
    k = data.draw(st.integers(1, n_items))

    ranks = pessimistic_ranks(np.zeros(n_items), np.array(sorted(right)))

    assert metrics.recall(ranks, np.array([0, len(right)]), k)[0] <= k / n_items + 1e-12


@given(_runs(), st.integers(1, 12))
def test_the_kept_list_is_the_head_of_the_ranking(run, k):
    scores, _ = run
    kept = top_rows(scores, k)

    expected = np.lexsort((np.arange(len(scores)), -scores))[:k]
    assert kept[: len(expected)].tolist() == expected.tolist()
    assert (kept[len(expected) :] == -1).all()


@given(st.lists(st.lists(st.integers(-1, 9), min_size=3, max_size=3), min_size=1, max_size=20))
def test_coverage_and_gini_lie_between_zero_and_one_and_novelty_is_finite(lists):
    shown = np.array(lists)

    assert 0 <= metrics.coverage(shown, 10) <= 1
    assert -1e-12 <= metrics.gini(shown, 10) <= 1
    novelty = metrics.novelty(shown, np.arange(10))
    assert ((novelty >= 0) & np.isfinite(novelty)).all()


def test_cases_joined_together_are_measured_as_one_by_one():
    generator = np.random.default_rng(0)
    lengths = generator.integers(1, 6, 30)
    offsets = np.concatenate([[0], np.cumsum(lengths)])
    ranks = np.concatenate([generator.permutation(20)[:n] + 1.0 for n in lengths])

    for formula in metrics.RELEVANCE.values():
        together = formula(ranks, offsets)
        alone = [formula(ranks[a:b], np.array([0, b - a]))[0] for a, b in pairwise(offsets)]
        assert np.allclose(together, alone)
        assert not math.isnan(together.sum())
