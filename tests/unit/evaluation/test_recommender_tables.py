"""The tables of `benchmarks/`: what they rank once, and what they say."""

import argparse
import importlib
import json
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from twotower.errors import ConfigError
from twotower.evaluation.baselines.lineup import baselines
from twotower.evaluation.baselines.popularity import popularity_scorer, random_scorer
from twotower.evaluation.cases import recommendation_cases
from twotower.evaluation.protocol import evaluate
from twotower.recipes import derive, recipe

from .conftest import make_dataset

BENCHMARKS = Path(__file__).parents[3] / "benchmarks"


@pytest.fixture
def recommenders(monkeypatch):
    monkeypatch.syspath_prepend(BENCHMARKS)
    return importlib.import_module("recommenders")


@pytest.fixture
def cases(tastes):
    return recommendation_cases(tastes, "test")


@pytest.fixture
def found(recommenders, tastes, cases):
    """`everyone` gets the popular list, and chance is the only baseline."""
    popular = evaluate(cases, popularity_scorer(tastes, "test"))
    chance = evaluate(cases, random_scorer(tastes.n_items))
    minutes = {"everyone": 1.5, "chance": 0.25}
    return recommenders.Field({"everyone": popular}, {"chance": chance}, minutes)


def rows(table):
    """Cells by the name of the row, and the head."""
    lines = [line for line in table.splitlines() if line.startswith("|")]
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    return cells[0], {row[0].strip("*"): dict(zip(cells[0], row, strict=True)) for row in cells[2:]}


def test_a_table_has_what_lists_are_like_beside_accuracy_for_ours_and_for_baselines(
    recommenders, tastes, found
):
    report = recommenders.report_of(found, tastes, seed=3)
    head, row = rows(recommenders.as_markdown(report, ""))

    assert set(recommenders.ACCURACY + recommenders.LISTS) < set(head)
    assert float(row["everyone"]["overlap@10"]) > 0.5 > float(row["chance"]["overlap@10"])
    assert row["everyone"]["minutes"] == "1.5"
    assert row["chance"]["minutes"] == "0.2"


def test_the_difference_to_the_best_baseline_is_paired_and_has_its_interval(
    recommenders, tastes, found
):
    report = recommenders.report_of(found, tastes, seed=3)
    _, row = rows(recommenders.as_markdown(report, ""))

    difference = report["tasks"]["recommendation"]["comparisons"]["model"]["chance"]["ndcg@10"]
    above = row["everyone"]["ndcg@10 above chance"]
    assert above == recommenders.signed(difference)
    assert re.fullmatch(r"[+-]0\.\d{4} \[[+-]0\.\d{4}, [+-]0\.\d{4}\]", above)
    assert row["chance"]["ndcg@10 above chance"] == ""


def test_published_rows_stand_below_with_only_the_metrics_they_have(recommenders, tastes, found):
    report = recommenders.report_of(found, tastes, seed=3)
    _, row = rows(recommenders.as_markdown(report, "", published={"a paper": {"ndcg@10": 0.1234}}))

    assert {name: cell for name, cell in row["a paper"].items() if cell} == {
        "": "a paper",
        "ndcg@10": "0.1234",
    }


def test_below_a_table_stand_seed_data_and_why_a_baseline_is_missing(recommenders, tastes, found):
    found.left_out["ease"] = "too many items"
    report = recommenders.report_of(found, tastes, seed=3)
    table = recommenders.as_markdown(report, recommenders.provenance(tastes, 3))

    assert "seed 3" in table
    assert tastes.content_hash[:8] in table
    assert "- ease is left out: too many items" in table


def test_a_baseline_is_tuned_once_and_then_read(recommenders, tastes, cases, tmp_path):
    [knn] = [one for one in baselines("quick") if one.name == "item_knn"]
    validation = recommendation_cases(tastes, "validation")
    told, first = recommenders.ranked_baseline(knn, tastes, cases, validation, tmp_path)

    def never(dataset, split):
        raise AssertionError("it is fitted again")

    again = replace(knn, fit=never)
    assert recommenders.ranked_baseline(again, tastes, cases, validation, tmp_path)[0] == told
    _, second = recommenders.ranked_baseline(again, tastes, cases, validation, tmp_path)
    assert second.ranks.tolist() == first.ranks.tolist()
    assert second.lists.tolist() == first.lists.tolist()
    assert told["tuned"]["trials"] == 12


def test_baselines_of_other_data_are_refused(recommenders, tastes, cases, tmp_path):
    popular = baselines("quick")[1]
    recommenders.ranked_baseline(popular, tastes, cases, cases, tmp_path)
    other = replace(tastes, events=tastes.events.head(30))

    with pytest.raises(ConfigError, match="other data"):
        recommenders.ranked_baseline(popular, other, cases, cases, tmp_path)


@pytest.fixture
def ablation(monkeypatch):
    monkeypatch.syspath_prepend(BENCHMARKS)
    return importlib.import_module("ablation")


def test_every_row_of_an_ablation_is_a_change_that_the_recipe_can_take(ablation):
    for table in ablation.TABLES.values():
        whole = recipe(table.recipe)
        made = [
            derive(whole, [*filter(None, settings)]).to_json() for settings in table.rows.values()
        ]
        assert all(made.count(one) == 1 for one in made), "no two rows are the same"


def test_an_ablation_says_what_a_change_did_to_each_slice_there_is(ablation, tastes, cases):
    kinds = replace(cases, slices=cases.slices | {"kind_view": cases.rows >= 0})
    first = evaluate(kinds, random_scorer(tastes.n_items))
    other = evaluate(kinds, popularity_scorer(tastes, "test"))
    slices = ("kind_view", "kind_cart")

    table = ablation.as_markdown(
        {
            name: {"slices": ablation.numbers(found, base, slices), "epochs": 3, "minutes": 2.0}
            for name, found, base in (("chance", first, None), ("popular", other, first))
        },
        slices,
    )

    _, row = rows(table)
    gap = other.mean("ndcg@10", "kind_view") - first.mean("ndcg@10", "kind_view")
    assert row["chance"]["difference"] == row["popular"]["kind_cart"] == ""
    assert f"{gap:+.4f} [" in row["popular"]["kind_view"]


def test_new_visitors_are_asked_for_the_same_however_much_is_known_of_them(monkeypatch):
    monkeypatch.syspath_prepend(BENCHMARKS)
    cold_start = importlib.import_module("cold_start")
    past = [("ann", item, item, "train") for item in range(5)]
    held = [("ann", 1, 10, "test"), ("ann", 6, 11, "test"), ("ann", 7, 12, "test")]
    dataset = make_dataset([*past, *held, ("bob", 0, 0, "train")], n_items=8)
    hidden = cold_start.Hidden(np.arange(8) == 4, ["ann"])

    one, every = (cold_start.new_visitors(dataset, hidden, n) for n in (1, None))

    assert one.rows.tolist() == every.rows.tolist() == [6, 7], "item 1 was bought before"
    assert one.histories[0].item_rows.tolist() == [3], "the latest that is not hidden"
    assert every.histories[0].item_rows.tolist() == [0, 1, 2, 3]


@pytest.mark.slow
def test_a_table_is_made_from_prepared_data_and_made_again_without_training(
    recommenders, twotower, cache, tmp_path, monkeypatch, capsys
):
    data, out = tmp_path / "data", tmp_path / "runs"
    twotower("prepare", "synthetic:products=150,shoppers=200,seed=2", "--out", data)
    words = [data, "--recipes", "tiny,pointwise", "--baselines", "quick", "--out", out]
    settings = ["--set", "training.epochs=1", "--set", "towers.width=16"]
    asked = recommenders.arguments([*map(str, words), *settings])
    recommenders.main(asked)
    first = json.loads((out / "report.json").read_text())

    monkeypatch.setattr("twotower.training.train.fit_towers", None)
    recommenders.main(argparse.Namespace(**vars(asked)))

    again = json.loads((out / "report.json").read_text())
    assert again["metrics"] == first["metrics"]
    assert again["training"]["minutes"]["tiny"] == first["training"]["minutes"]["tiny"] > 0
    _, row = rows((out / "table.md").read_text())
    assert {"tiny", "pointwise", "item_knn", "ease"} < set(row)
    assert "Whether lists differ" in (out / "report.html").read_text()
