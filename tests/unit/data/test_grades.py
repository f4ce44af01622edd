"""Grades into gains, on scales that shops really have."""

import polars as pl
import pytest

from twotower.data.grades import with_gains
from twotower.errors import DataError


def gains(*grade):
    found = with_gains(pl.DataFrame({"grade": grade}))[0]
    return found["gain"].to_list(), found["positive"].to_list()


def test_gains_grow_from_the_lowest_grade_and_the_upper_third_is_right():
    assert gains(1.0, 2.0, 3.0) == ([0, 1, 3], [False, False, True])


def test_one_grade_for_all_is_right_where_it_is_above_zero():
    """A table of clicked pairs says nothing of what was not clicked."""
    assert gains(1.0, 1.0) == ([1, 1], [True, True])
    assert gains(0.0, 0.0) == ([0, 0], [False, False])


def test_percentages_are_refused_with_the_remedy():
    with pytest.raises(DataError, match=r"from 0 to 100.*map them to a scale such as 0 to 3"):
        gains(0.0, 50.0, 100.0)
