"""The examples of the formulas' docstrings are true."""

import doctest

import pytest

from twotower.evaluation import metrics, ranks, slices
from twotower.evaluation.baselines import popularity


@pytest.mark.parametrize("module", [metrics, ranks, slices, popularity], ids=lambda m: m.__name__)
def test_docstring_examples_hold(module):
    failed, tried = doctest.testmod(module)

    assert tried > 0
    assert failed == 0
