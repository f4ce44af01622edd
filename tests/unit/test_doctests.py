"""Every example in a docstring is true."""

import doctest
from importlib import import_module
from pathlib import Path

import pytest

import twotower

ROOT = Path(twotower.__file__).parent
MODULES = sorted(
    ".".join(file.relative_to(ROOT.parent).with_suffix("").parts)
    for file in ROOT.rglob("*.py")
    if ">>> " in file.read_text("utf-8")
)


@pytest.mark.parametrize("module", MODULES)
def test_docstring_examples_hold(module):
    failed, tried = doctest.testmod(import_module(module))

    assert tried > 0
    assert failed == 0
