"""How much it counts that a visitor had an item: learnt where it helps, and nothing elsewhere."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from twotower.errors import ConfigError
from twotower.evaluation.cases import Cases
from twotower.evaluation.protocol import evaluate
from twotower.evaluation.vectors import vector_scorer, visitor_scorer
from twotower.features.again import NOT_AGAIN, Again
from twotower.features.history import Histories, History
from twotower.server.settings import ServerSettings
from twotower.training.again import choose_again

ITEMS, VISITORS = 60, 80


def cases_of(targets, pasts, *, seen_removed=False):
    n = len(pasts)
    return Cases(
        task="recommendation",
        n_items=ITEMS,
        rows=np.array(targets),
        gains=np.ones(n),
        positive=np.ones(n, bool),
        offsets=np.arange(n + 1),
        slices={"all": np.ones(n, bool)},
        keys=tuple(f"u{number}" for number in range(n)),
        histories=Histories.from_lists([History.of(past) for past in pasts]),
        now_ms=np.zeros(n, np.int64),
        seen_removed=seen_removed,
    )


def planted(buys_again):
    """Visitors who buy their latest item again, or what their vector points at."""
    drawn = np.random.default_rng(0)
    items = np.eye(ITEMS, dtype=np.float32)
    pasts = [drawn.choice(ITEMS, 6, replace=False).tolist() for _ in range(VISITORS)]
    wanted = [int(drawn.choice(sorted(set(range(ITEMS)) - set(past)))) for past in pasts]
    users = items[wanted] + 0.1 * drawn.normal(size=(VISITORS, ITEMS)).astype(np.float32)
    return cases_of([past[-1] for past in pasts] if buys_again else wanted, pasts), users, items


def quality(cases, users, items, again):
    return evaluate(cases, visitor_scorer(users, items, cases.histories, again)).mean("ndcg@10")


def test_where_the_same_is_bought_again_it_counts_and_the_latest_counts_most():
    cases, users, items = planted(buys_again=True)
    again = choose_again(cases, users, items)
    assert again.weight > 0
    assert again.decay < 1
    assert quality(cases, users, items, again) > quality(cases, users, items, NOT_AGAIN) + 0.3


def test_where_something_else_is_bought_it_counts_for_nothing():
    assert choose_again(*planted(buys_again=False)).weight == 0


def test_where_nothing_is_shown_again_or_nothing_can_choose_it_counts_for_nothing():
    cases, users, items = planted(buys_again=True)
    assert choose_again(replace(cases, seen_removed=True), users, items) == NOT_AGAIN
    assert choose_again(cases.take(np.array([], np.int64)), users[:0], items) == NOT_AGAIN


def test_scores_are_lifted_for_each_visitors_own_past():
    cases = cases_of([0, 1], [[3, 9, 3], []])
    vectors = np.ones((2, 2), np.float32), np.ones((ITEMS, 2), np.float32)
    both = np.array([1, 0])
    lifts = visitor_scorer(*vectors, cases.histories, Again(2.0))(both) - vector_scorer(*vectors)(
        both
    )
    assert lifts[1, 3] == pytest.approx(2 * np.log(3))
    assert lifts[1, 9] == pytest.approx(2 * np.log(2))
    assert np.count_nonzero(lifts) == 2


@given(st.lists(st.integers(0, 3), max_size=600))
def test_a_history_is_read_as_the_server_keeps_it(rows):
    whole = History.of(rows)
    newest = Histories.from_lists([History.of(rows[-ServerSettings().max_history :])])
    for one, other in zip(
        Again(2.0, 0.9).lifts(whole), Again(2.0, 0.9).lifts(newest.collapsed()[0]), strict=True
    ):
        assert one.tolist() == other.tolist()


@pytest.mark.parametrize(
    ("wrong", "field"),
    [({"weight": -1.0}, "weight"), ({"weight": np.nan}, "weight"), ({"decay": 0.0}, "decay")],
)
def test_numbers_outside_their_range_are_refused(wrong, field):
    with pytest.raises(ConfigError, match=field):
        Again(**wrong)
