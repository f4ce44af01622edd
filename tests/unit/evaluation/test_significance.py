"""Intervals cover, are the same under a seed, and call a difference inside them none."""

import numpy as np
import pytest

from twotower.evaluation import significance
from twotower.evaluation.significance import Difference, intervals, paired_difference


def test_the_interval_covers_the_true_mean_about_as_often_as_it_says():
    generator = np.random.default_rng(1)
    samples = generator.exponential(1.0, (100, 200))

    found = intervals(samples, resamples=500)  # 200 experiments of 100 cases

    covered = np.mean([each.low <= 1.0 <= each.high for each in found])
    assert 0.88 <= covered <= 0.99


def test_the_interval_is_that_of_the_normal_theory_for_many_cases():
    values = np.random.default_rng(2).normal(0.3, 0.1, (4000, 1))

    found = intervals(values)[0]

    half = 1.96 * values.std() / np.sqrt(4000)
    assert found.mean == pytest.approx(values.mean())
    assert found.high - found.mean == pytest.approx(half, rel=0.1)
    assert found.mean - found.low == pytest.approx(half, rel=0.1)


def test_the_same_seed_gives_the_same_interval_and_chunks_change_nothing(monkeypatch):
    values = np.random.default_rng(3).random((50, 2))

    whole = intervals(values, seed=7)
    monkeypatch.setattr(significance, "_CELLS", 200)

    assert intervals(values, seed=7) == whole
    assert intervals(values, seed=8) != whole


def test_pairing_sees_a_small_difference_that_the_spread_would_hide():
    generator = np.random.default_rng(4)
    theirs = generator.random(300)
    ours = theirs + 0.01 + generator.normal(0, 0.01, 300)

    assert paired_difference(ours, theirs).verdict == "better"
    assert paired_difference(theirs, ours).verdict == "worse"


def test_a_difference_whose_interval_contains_zero_is_called_none():
    assert Difference(0.1, -0.01, 0.2, 9).verdict == "none: the interval contains zero"
    assert Difference(0.0, 0.0, 0.0, 9).verdict == "none: the interval contains zero"


def test_equal_cases_have_an_interval_of_no_width():
    found = intervals(np.full((7, 1), 0.1))[0]
    assert found.low == pytest.approx(found.high)
    assert found.low <= found.mean <= found.high


@pytest.mark.parametrize("n", [1, 4])
def test_too_few_cases_say_nothing_however_alike_they_are(n):
    unit, bits = intervals(np.full((n, 2), 0.9), bounds=(0.0, np.array([1.0, 7.0])))
    assert (unit.mean, unit.low, unit.high, unit.n) == (pytest.approx(0.9), 0.0, 1.0, n)
    assert (bits.low, bits.high) == (0.0, 7.0)
    apart = paired_difference(np.ones(n), np.zeros(n))
    assert (apart.low, apart.high) == (-1.0, 1.0)
    assert apart.verdict == "none: too few cases to say"


def test_no_case_and_undefined_values_are_refused():
    with pytest.raises(ValueError, match="at least one case"):
        intervals(np.empty((0, 1)))
    with pytest.raises(ValueError, match="finite"):
        intervals(np.array([[np.nan]]))
    with pytest.raises(ValueError, match="same cases"):
        paired_difference(np.ones(2), np.ones(3))
