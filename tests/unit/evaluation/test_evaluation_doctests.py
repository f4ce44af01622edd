"""The examples of the formulas' docstrings are true."""

import doctest

import pytest

from twotower.evaluation import diversity, health, metrics, ranks, slices
from twotower.evaluation.baselines import popularity, tuning

MODULES = [diversity, health, metrics, popularity, ranks, slices, tuning]


@pytest.mark.parametrize("module", MODULES, ids=lambda m: m.__name__)
def test_docstring_examples_hold(module):
    failed, tried = doctest.testmod(module)

    assert tried > 0
    assert failed == 0
