"""`twotower compare`: two bundles of one shop, and what cannot be compared."""

import json
import shutil
from pathlib import Path

import pytest

GOLDEN = Path(__file__).parents[1] / "golden" / "format-2"


@pytest.fixture
def by_words(tiny_bundle, tmp_path):
    """The tiny bundle, whose search goes by words alone."""
    folder = tmp_path / "by-words"
    shutil.copytree(tiny_bundle, folder)
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["settings"]["semantic_weight"] = 0.0
    (folder / "manifest.json").write_text(json.dumps(manifest))
    return folder


def test_a_bundle_that_searches_by_words_alone_differs_there_and_nowhere_else(
    twotower, tiny_bundle, by_words, tmp_path
):
    page = tmp_path / "page.html"
    found = twotower("compare", tiny_bundle, by_words, "--json", "--out", page).json

    search, recommendation = (found["tasks"][name] for name in ("search", "recommendation"))
    report = json.loads((tiny_bundle / "report.json").read_text())["tasks"]["search"]
    number = search["slices"]["all"]["ndcg@10"]
    assert number["a"] == pytest.approx(report["variants"]["hybrid"]["all"]["ndcg@10"]["mean"])
    assert number["b"] == pytest.approx(
        report["variants"]["lexical"]["all"]["ndcg@10"]["mean"], abs=0.03
    )
    assert search["counts"]["lost"] > 0
    assert search["losses"][0]["a"]["hits"] != search["losses"][0]["b"]["hits"]
    assert recommendation["counts"]["equal"] == recommendation["cases"]
    assert search["losses"][0]["key"] in page.read_text("utf-8")


def test_the_terminal_shows_both_lists_and_ends_with_the_verdicts(
    twotower, tiny_bundle, by_words, tmp_path
):
    said = twotower(
        "compare", tiny_bundle, by_words, "--split", "validation", "--out", tmp_path / "c.html"
    )
    assert said.code == 0
    assert "losses: " in said.out
    assert "B: " in said.out
    assert "Search: B is worse; NDCG@10 differs by -" in said.out.splitlines()[-2]
    assert str(tmp_path / "c.html") in said.out.splitlines()[-1]


def test_bundles_of_different_data_are_refused(twotower, tiny_bundle, tmp_path):
    page = tmp_path / "page.html"
    said = twotower("compare", tiny_bundle, GOLDEN, "--out", page)
    assert said.code == 1
    assert "A and B must be of the same data" in said.err
    assert "build both from the same tables" in said.err
    assert not page.exists()


def test_another_split_is_refused(twotower, tiny_bundle):
    said = twotower("compare", tiny_bundle, tiny_bundle, "--split", "train")
    assert said.code == 1
    assert "--split must be test or validation, got 'train'" in said.err
