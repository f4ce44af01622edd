"""The share of meaning: the middle of what is level with the best, or none at all."""

import numpy as np
import pytest

from twotower.evaluation.ranks import pessimistic_ranks
from twotower.retrieval.blend import DEFAULT_WEIGHT
from twotower.serving.fusion import MEANING_FIRST, WORDS_FIRST, choose_weight

N_CASES, N_ITEMS = 300, 80
RANDOM = np.random.default_rng(1)
TRUTH = RANDOM.normal(size=(N_CASES, N_ITEMS)).astype(np.float32)
WANTED = TRUTH.argmax(axis=1)


def noisy(share: float) -> np.ndarray:
    return TRUTH + share * RANDOM.normal(size=TRUTH.shape).astype(np.float32)


def quality(scores, cases):
    """Reciprocal rank of the one wanted row, ties counted against."""
    ranks = [
        pessimistic_ranks(row, WANTED[case : case + 1], np.ones(1))[0]
        for row, case in zip(scores, cases, strict=True)
    ]
    return 1 / np.array(ranks)


def chosen(semantic, lexical, n_cases=N_CASES):
    positive = np.maximum(lexical + 3, 0)
    return choose_weight(
        lambda cases: semantic[cases], lambda cases: positive[cases], n_cases, N_ITEMS, quality
    )


def test_two_equally_good_parents_share_the_weight_and_the_reason_says_what_was_level():
    choice = chosen(noisy(1.0), noisy(1.0))
    assert 0.3 <= choice.weight <= 0.7
    assert choice.reason.startswith("the middle of the best: on 300 validation queries")
    tried = dict(choice.tried)
    assert tried[choice.weight] > max(tried[WORDS_FIRST], tried[MEANING_FIRST])


def test_the_weight_is_in_the_middle_of_a_flat_top_not_at_its_luckiest_point():
    choice = chosen(noisy(0.8), noisy(0.8))
    low, high = (
        float(word) for word in choice.reason.split(", ")[1].split(" level")[0].split(" to ")
    )
    assert low < choice.weight < high
    assert abs(choice.weight - (low + high) / 2) <= 0.05 + 1e-9


@pytest.mark.parametrize(
    ("semantic", "lexical", "weight", "name"),
    [(50.0, 0.5, WORDS_FIRST, "words"), (0.5, 50.0, MEANING_FIRST, "meaning")],
)
def test_fusion_is_off_where_one_parent_is_as_good_alone(semantic, lexical, weight, name):
    choice = chosen(noisy(semantic), noisy(lexical))
    assert choice.weight == weight
    assert choice.reason.startswith(f"off: not better than {name} alone")


def test_with_few_queries_the_weight_stays_where_it_is():
    choice = chosen(noisy(0.5), noisy(50.0), n_cases=29)
    assert choice.weight == DEFAULT_WEIGHT
    assert "too few" in choice.reason
