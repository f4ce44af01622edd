"""The report: its shape, the verdict, the files and the page."""

import io
import json
from html.parser import HTMLParser

import numpy as np
import pytest
from rich.console import Console

from twotower.errors import ConfigError, DataError, OutputError
from twotower.evaluation import report as reports
from twotower.evaluation.baselines.item_knn import ItemKnn, ItemKnnConfig
from twotower.evaluation.baselines.popularity import (
    constant_scorer,
    popularity_scorer,
    random_scorer,
)
from twotower.evaluation.cases import recommendation_cases, search_cases
from twotower.evaluation.diversity import Traits
from twotower.evaluation.examples import sample_examples
from twotower.evaluation.gate import gate, task_gate
from twotower.evaluation.health import health
from twotower.evaluation.page import render, save_page
from twotower.evaluation.protocol import evaluate
from twotower.evaluation.results import TaskResult, task_section
from twotower.evaluation.table import shown, slice_table, task_table

ORIGIN = reports.Origin(name="<b>Toy</b> & sons", data_hash="abc", seed=3, synthetic=True)


@pytest.fixture
def good(tastes):
    cases = recommendation_cases(tastes, "test")
    model = evaluate(cases, ItemKnn(tastes).scorer(cases.histories, ItemKnnConfig()))
    titles = [f"<script>alert({row})</script>" for row in range(40)]
    return TaskResult(
        split="test",
        systems={"model": model},
        baselines={
            "random": evaluate(cases, random_scorer(40)),
            "popularity": evaluate(cases, popularity_scorer(tastes, "test")),
        },
        settings={"popularity": "events before the split"},
        left_out={"ease": "9,000 items are <more> than 5,000"},
        traits=Traits(groups={"brand": np.arange(40) % 3}),
        health=health(model, constant_scorer(np.arange(40.0)), np.eye(40, dtype=np.float32)),
        examples=sample_examples(model, titles, count=6),
    )


@pytest.fixture
def report(good):
    training = {"epochs": 3, "curve": [{"epoch": n, "loss": 3.0 - n} for n in range(3)]}
    return reports.assemble(
        {"recommendation": task_section(good, resamples=200)},
        ORIGIN,
        reports.Attachments(training=training, index={"kind": "exact"}),
    )


def test_every_number_is_a_mean_with_its_interval_and_count(report):
    number = report["metrics"]["all"]["ndcg@10"]

    assert number["low"] <= number["mean"] <= number["high"]
    assert number["n"] == 120
    assert report["baselines"]["popularity"]["warm"]["recall@50"]["n"] == 120
    for summary in (report["metrics"], *report["baselines"].values()):
        assert {"coverage@10", "gini@10", "overlap@10", "novelty@10"} <= set(summary["all"])


def test_an_empty_slice_is_said_to_be_empty_and_has_no_numbers(report):
    section = report["tasks"]["recommendation"]

    assert section["protocol"]["slices"]["cold"] == 0
    assert "cold" not in section["metrics"]


def test_the_means_are_those_of_the_cases(good, report):
    expected = good.systems["model"].per_case("tail").values["mrr"].mean()

    if len(good.systems["model"].per_case("tail").cases):
        assert report["metrics"]["tail"]["mrr"]["mean"] == pytest.approx(expected)


def test_what_beats_popularity_is_promoted_and_says_by_how_much(report):
    assert report["verdict"]["promoted"]
    assert "beats popularity: NDCG@10 differs by +0." in report["verdict"]["sentence"]
    assert report["headline"]["task"] == "recommendation"
    assert report["headline"]["mean"] == report["metrics"]["all"]["ndcg@10"]["mean"]


def test_chance_is_not_promoted_and_the_baseline_ahead_is_named(good):
    turned = TaskResult(
        split="test",
        systems={"model": good.baselines["random"]},
        baselines={"popularity": good.baselines["popularity"], "knn": good.systems["model"]},
    )

    verdict = task_gate("recommendation", task_section(turned, resamples=200))

    assert not verdict.promoted
    assert "does not beat popularity" in verdict.sentence
    assert "baseline knn is ahead" in verdict.sentence


def test_equal_to_popularity_is_not_better(good):
    same = TaskResult(
        split="test",
        systems={"model": good.baselines["popularity"]},
        baselines={"popularity": good.baselines["popularity"]},
    )

    verdict = gate({"recommendation": task_section(same, resamples=50)})

    assert not verdict.promoted
    assert "contains zero" in verdict.sentence


@pytest.mark.parametrize(("split", "opening"), [("test", "Promoted."), ("validation", "On val")])
def test_validation_promotes_nothing_in_words(good, split, opening):
    measured = TaskResult(split, good.systems, good.baselines)

    sentence = gate({"recommendation": task_section(measured, resamples=50)}).sentence

    assert sentence.startswith(opening)
    assert ("the test split decides" in sentence) == (split == "validation")


def test_search_is_judged_by_the_variant_that_is_served(shop):
    cases = search_cases(shop, "test").take(np.array([0, 1] * 3))
    right = np.zeros((6, 6), np.float32)
    right[::2, 0], right[::2, 1], right[1::2, 4] = 2, 1, 2
    perfect, wrong = evaluate(cases, lambda part: right[part]), evaluate(cases, lambda p: -right[p])
    systems = {"model": wrong, "hybrid": perfect}

    hybrid = TaskResult("test", systems, {"bm25": wrong}, served="hybrid")
    alone = TaskResult("test", systems, {"bm25": wrong}, served="model")

    assert task_gate("search", task_section(hybrid)).promoted
    assert not task_gate("search", task_section(alone)).promoted


def test_nothing_measured_is_nothing_promoted(good):
    unmeasured = TaskResult(split="test", systems=good.systems)

    assert not gate({}).promoted
    assert not task_gate("recommendation", task_section(unmeasured, resamples=50)).promoted


def test_one_case_is_too_few_to_say_anything_and_is_one_case(good):
    cases = good.cases.take(np.array([3]))
    scores = np.zeros((1, 40), np.float32)
    scores[0, cases.rows] = 1
    perfect, wrong = evaluate(cases, lambda _: scores), evaluate(cases, lambda _: -scores)
    result = TaskResult("test", {"model": perfect}, {"popularity": wrong})

    report = reports.assemble({"recommendation": task_section(result)}, ORIGIN)

    found = report["metrics"]["all"]
    assert found["ndcg@10"] == {"mean": 1.0, "low": 0.0, "high": 1.0, "n": 1}
    assert 0 < found["novelty@10"]["mean"] < found["novelty@10"]["high"]
    reports.validate(report)
    sentence = report["verdict"]["sentence"]
    assert "Not promoted. Recommendation (model) cannot be told from popularity" in sentence
    assert "over 1 case, too few to say." in sentence
    page, told = render(report), io.StringIO()
    assert "95 % interval: too few cases, 1 case<" in page
    assert "0.0000 to 1.0000" not in page
    Console(file=told, width=100).print(*shown(report), sep="\n")
    assert "recommendation: 1 case, 40 items" in told.getvalue()
    assert "±?" in told.getvalue()


def test_a_split_without_cases_gives_a_report_that_says_so(good):
    cases = good.cases.take(np.empty(0, np.int64))
    empty = evaluate(cases, random_scorer(40))
    section = task_section(TaskResult("test", {"model": empty}, {"popularity": empty}))

    report = reports.assemble({"recommendation": section}, ORIGIN)

    assert not report["verdict"]["promoted"]
    assert "no held-out case" in report["verdict"]["sentence"]
    assert "Toy" in render(report)


def test_systems_of_different_cases_are_refused(good):
    other = evaluate(good.cases.sample(10), random_scorer(40))

    with pytest.raises(ConfigError, match="one Cases object"):
        TaskResult("test", good.systems, {"popularity": other})


def test_a_saved_report_loads_the_same(report, tmp_path):
    reports.save(report, tmp_path / "new" / "report.json")

    assert reports.load(tmp_path / "new" / "report.json") == json.loads(json.dumps(report))
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["report.json"]


def test_what_stands_at_the_top_is_written_once_and_read_under_its_task_again(report, tmp_path):
    reports.save(report, tmp_path / "report.json")
    written = json.loads((tmp_path / "report.json").read_text())
    main = written["tasks"][report["headline"]["task"]]
    assert written["metrics"]["all"]["ndcg@10"] == report["metrics"]["all"]["ndcg@10"]
    assert written["baselines"]["popularity"] == json.loads(
        json.dumps(report["baselines"]["popularity"])
    )
    assert not {"metrics", "baselines"} & set(main)
    read = reports.load(tmp_path / "report.json")["tasks"][report["headline"]["task"]]
    assert (read["metrics"], read["baselines"]) == (written["metrics"], written["baselines"])
    assert reports.whole(report) == report


def test_a_place_that_cannot_be_written_is_named_and_left_alone(report, tmp_path):
    (tmp_path / "file").write_text("mine")

    with pytest.raises(OutputError, match=r"report\.json"):
        reports.save(report, tmp_path / "file" / "report.json")

    assert (tmp_path / "file").read_text() == "mine"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "is unreadable"),
        ("[]", "JSON object"),
        ("{}", "lacks format"),
    ],
    ids=["truncated", "list", "empty"],
)
def test_a_damaged_report_is_refused(text, said, tmp_path):
    path = tmp_path / "report.json"
    path.write_text(text)

    with pytest.raises(DataError, match=said):
        reports.load(path)


def test_a_number_outside_its_interval_is_refused_by_its_path(report):
    report["metrics"]["all"]["mrr"] = {"mean": 2, "low": 0, "high": 1, "n": 3}

    with pytest.raises(DataError, match=r"metrics\.all\.mrr"):
        reports.validate(report)


def test_another_format_is_refused_with_both_numbers(report):
    with pytest.raises(DataError, match="format 2, this release reads 1"):
        reports.validate({**report, "format": 2})


def test_examples_are_half_good_and_half_bad_where_there_are_both(good):
    found = sample_examples(good.baselines["random"], ["t"] * 40, count=10)

    hits = [example["best_rank"] <= 10 for example in found]
    assert sum(hits) == 5
    shown = [any(hit["relevant"] for hit in example["hits"]) for example in found]
    assert shown == hits


class _Page(HTMLParser):
    def __init__(self):
        super().__init__()
        self.tags, self.open, self.text = [], [], ""

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in ("meta", "br"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_startendtag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data):
        self.text += data


def test_the_page_is_self_contained_well_formed_and_escapes_the_shops_words(report):
    page = _Page()
    page.feed(render(report))

    names = [tag for tag, _ in page.tags]
    assert page.open == []
    assert not {"script", "link", "img", "iframe"} & set(names)
    assert not any("href" in attrs or "src" in attrs for _, attrs in page.tags)
    assert "<script>alert(" in page.text  # a product's title, shown as words
    assert "<b>Toy</b> & sons" in page.text
    assert names.count("svg") == 2
    assert report["verdict"]["sentence"] in page.text
    assert report["health"]["recommendation"]["sentence"] in page.text
    assert "9,000 items are <more> than 5,000" in page.text
    assert "brand_diversity@10" in page.text


def test_the_page_draws_whether_probabilities_hold(report):
    bins = [
        {"predicted": 0.1, "observed": 0.1, "n": 5},
        {"predicted": 0.8, "observed": 0.6, "n": 5},
    ]
    told = {"ece": 0.1, "bins": bins, "cut_off": 0.25, "queries": 40}
    task = report["headline"]["task"]
    section = {**report["tasks"][task], "relevance": told}
    page = render({**report, "tasks": {**report["tasks"], task: section}})
    assert "expected calibration error 0.100" in page
    assert (
        page.count("predicted and observed") == 3 > render(report).count("predicted and observed")
    )
    assert "<dt>cut off</dt><dd>0.25</dd>" in page


def test_the_page_is_written_whole(report, tmp_path):
    save_page(report, tmp_path / "report.html")

    assert (tmp_path / "report.html").read_text().startswith("<!doctype html>")


def test_the_tables_show_ours_before_the_baselines(report):
    console = Console(width=140, record=True, file=io.StringIO())
    section = report["tasks"]["recommendation"]

    console.print(task_table("recommendation", section), slice_table(section))

    text = console.export_text()
    assert text.index("model (served)") < text.index("random") < text.index("popularity")
    assert f"{section['metrics']['all']['ndcg@10']['mean']:.4f}".removeprefix("0") in text
    assert "history_3-5" in text


def test_a_report_in_the_terminal_says_diversity_health_and_what_was_left_out(report):
    console = Console(width=80, record=True, file=io.StringIO())

    console.print(*shown(report), sep="\n")

    text = " ".join(console.export_text().split())
    assert "coverage@10 gini@10 overlap@10 novelty@10 brand_diversity@10" not in text
    assert "coverage@10 gini@10 overlap@10 novelty@10" in text
    assert "The baseline ease is left out: 9,000 items" in text
    assert f"Health of recommendation: {report['health']['recommendation']['sentence']}" in text
    assert report["verdict"]["sentence"] in text
