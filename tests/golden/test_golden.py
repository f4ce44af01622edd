"""Bundles of every format that was released still open, and answer as they did."""

import json
from pathlib import Path

import pytest

from twotower.bundle import FORMAT, Bundle
from twotower.retrieval.retriever import Retriever

HERE = Path(__file__).parent
FORMATS = sorted(path for path in HERE.glob("format-*") if path.is_dir())
ASK = {
    "hybrid": lambda shop, words, k: shop.search(words, k=k),
    "semantic": lambda shop, words, k: shop.search(words, k=k, mode="semantic"),
    "lexical": lambda shop, words, k: shop.search(words, k=k, mode="lexical"),
    "similar": lambda shop, item_id, k: shop.similar(item_id, k=k),
    "recommend": lambda shop, past, k: shop.recommend(shop.history(past.split(",")), k=k),
}


def test_todays_format_has_a_golden_bundle():
    assert HERE / f"format-{FORMAT}" in FORMATS, "make it with tests/golden/make_golden.py"


@pytest.mark.parametrize("folder", FORMATS, ids=lambda folder: folder.name)
def test_a_golden_bundle_opens_and_answers_as_it_did(folder):
    shop = Retriever(Bundle.load(folder))
    answers = json.loads(folder.with_suffix(".json").read_text())
    assert set(answers) == set(ASK)
    for kind, expected in answers.items():
        assert expected, f"no question of {kind}"
        for question, ids in expected.items():
            found = ASK[kind](shop, question, len(ids))
            assert [hit.item_id for hit in found.hits] == ids, (kind, question)


@pytest.mark.parametrize("folder", FORMATS, ids=lambda folder: folder.name)
def test_a_golden_bundle_is_small(folder):
    assert sum(path.stat().st_size for path in folder.rglob("*")) < 600_000
