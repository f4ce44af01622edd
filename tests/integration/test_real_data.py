"""The public data sets that the project is measured on are read as the papers count them."""

import pytest

from public_data import folder
from twotower.data.config import PrepareConfig
from twotower.data.prepare import prepare
from twotower.evaluation.cases import recommendation_cases, search_cases
from twotower.schema import Split

pytestmark = pytest.mark.real


def test_amazon_beauty_has_a_test_case_for_every_user():
    dataset = prepare(folder("amazon_beauty_2014"), PrepareConfig(split="leave-one-out"))
    assert dataset.n_items == 12_101
    for split in (Split.VALIDATION, Split.TEST):
        assert len(recommendation_cases(dataset, split)) == 22_363


def test_home_depot_has_its_test_queries():
    dataset = prepare(folder("home_depot"))
    assert dataset.n_items == 54_667
    assert len(search_cases(dataset, Split.TEST)) == 1_147
