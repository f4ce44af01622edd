"""Measuring: settings come from validation, and everything to beat is beside the towers."""

from dataclasses import replace

import polars as pl
import pytest

from twotower.bundle import Bundle
from twotower.data.outside import Outside
from twotower.errors import DataError
from twotower.measurement import compare, measure, measure_outside
from twotower.schema import Split
from twotower.serving.choose import choose_serving
from twotower.serving.scorers import Subject
from twotower.serving.settings import Serving


@pytest.fixture(scope="module")
def subject(tiny_bundle, cache):
    from twotower.encoders.cache import CachedTextEncoder

    bundle = Bundle.load(tiny_bundle)
    encoder = CachedTextEncoder(bundle.model.text_encoder, cache)
    return Subject(bundle.model, bundle.dataset, encoder)


@pytest.fixture(scope="module")
def sections(subject):
    return measure(subject, Serving())


def test_settings_of_serving_do_not_depend_on_what_is_reported(subject):
    dataset = subject.dataset
    unseen = dataset.judgments.filter(pl.col("split") != Split.TEST)
    other = replace(subject, dataset=replace(dataset, judgments=unseen))
    assert choose_serving(other) == choose_serving(subject)


def test_serving_is_read_back_and_settings_of_other_releases_are_passed_over():
    chosen = Serving(k1=1.2, b=0.25, semantic_weight=0.125, frozen_weight=0.75)
    assert Serving.from_json(chosen.to_json() | {"of_later": 1}) == chosen
    assert Serving.from_json({"k1": 1.2}) == Serving(k1=1.2)


def test_a_shop_without_judgments_is_served_with_the_defaults(subject):
    other = replace(subject, dataset=replace(subject.dataset, judgments=None))
    assert choose_serving(other) == Serving()


def test_everything_to_beat_is_beside_the_towers(sections):
    assert set(sections["recommendation"]["baselines"]) == {
        "random",
        "popularity",
        "recent_popularity",
        "item_knn",
        "ease",
    }
    assert set(sections["search"]["baselines"]) == {
        "random",
        "bm25",
        "frozen_encoder",
        "frozen_fusion",
    }
    assert sections["recommendation"]["served"] == "model"
    assert sections["search"]["served"] == "hybrid"


def test_progress_is_told_of_every_system_to_the_last_case(subject, sections):
    told = {}

    def tell(stage, done, total):
        told[stage] = (done, total)

    search = replace(subject, dataset=replace(subject.dataset, events=None))
    measure(
        search, Serving(), progress=lambda stage, done, total: told.update({stage: (done, total)})
    )
    section = sections["search"]
    systems = {"model", *section["variants"], *section["baselines"]}
    n_cases = section["metrics"]["all"]["ndcg@10"]["n"]
    assert told == {f"rank, search, {name}": (n_cases, n_cases) for name in systems}


def test_what_lists_are_like_is_measured_for_everyone_beside_accuracy(sections):
    for section in sections.values():
        for summary in (section["metrics"], *section["variants"].values()):
            expected = {name for name in summary["all"] if name.endswith("diversity@10")}
            assert {"diversity@10", "category_diversity@10", "brand_diversity@10"} == expected
        for summary in section["baselines"].values():
            assert set(section["metrics"]["all"]) == set(summary["all"])
    random, popular = (
        sections["recommendation"]["baselines"][name]["all"] for name in ("random", "popularity")
    )
    assert random["coverage@10"]["mean"] > 0.9
    assert popular["coverage@10"]["mean"] < 0.2
    assert (
        random["diversity@10"]["mean"]
        > sections["search"]["metrics"]["all"]["diversity@10"]["mean"]
    )


def test_a_trained_model_is_healthy(sections):
    assert {task: section["health"]["state"] for task, section in sections.items()} == {
        "recommendation": "good",
        "search": "good",
    }


def test_a_log_without_a_clock_has_no_recent_popularity(subject):
    events = subject.dataset.events.with_columns(time=pl.lit(None, pl.Int64))
    other = replace(subject, dataset=replace(subject.dataset, events=events, judgments=None))
    found = measure(other, Serving())
    assert "recent_popularity" not in found["recommendation"]["baselines"]


def test_the_same_seed_gives_the_same_numbers(subject, sections):
    again = measure(subject, Serving())
    for task, section in sections.items():
        assert again[task]["metrics"] == section["metrics"]
        assert again[task]["baselines"] == section["baselines"]


@pytest.mark.parametrize("weight", [0.0, 1.0])
def test_all_meaning_is_the_query_tower_and_none_is_words(subject, weight):
    section = measure(subject, Serving(semantic_weight=weight))["search"]
    alone = section["metrics"] if weight else section["variants"]["lexical"]
    for name, found in section["variants"]["hybrid"]["all"].items():
        assert found["mean"] == pytest.approx(alone["all"][name]["mean"], abs=0.03), name


def test_validation_is_measured_on_other_cases_than_test(subject, sections):
    validation = measure(subject, Serving(), Split.VALIDATION)
    for task, section in sections.items():
        assert validation[task]["protocol"]["split"] == Split.VALIDATION
        ours, theirs = (s["metrics"]["all"]["ndcg@10"] for s in (validation[task], section))
        assert ours != theirs


def test_two_systems_are_compared_at_what_both_of_them_serve(subject, sections):
    search = replace(subject, dataset=replace(subject.dataset, events=None))
    found = compare((subject, Serving()), (search, Serving(semantic_weight=1.0)))
    assert set(found) == {"search"}
    number, section = found["search"]["slices"]["all"]["ndcg@10"], sections["search"]
    assert number["a"] == pytest.approx(section["variants"]["hybrid"]["all"]["ndcg@10"]["mean"])
    assert number["b"] == pytest.approx(section["metrics"]["all"]["ndcg@10"]["mean"], abs=0.03)
    neither = replace(search, dataset=replace(search.dataset, judgments=None))
    assert compare((subject, Serving()), (neither, Serving())) == {}


@pytest.mark.parametrize(
    ("table", "lacking"), [("events", "has_users"), ("judgments", "has_queries")]
)
def test_a_table_without_a_tower_for_it_is_refused(subject, table, lacking):
    class Towers:
        def __getattr__(self, name):
            return False if name == lacking else getattr(subject.model.towers, name)

    bare = replace(subject, model=replace(subject.model, towers=Towers()))
    with pytest.raises(DataError, match=f"--{table} needs a .* tower, this model has none"):
        measure_outside(bare, Serving(), **{table: Outside(pl.DataFrame())})
