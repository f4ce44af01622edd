"""What training is for, measured on a small shop whose right answers were planted."""

from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from twotower.data.prepare import prepare
from twotower.encoders.cache import CachedTextEncoder
from twotower.encoders.export import text_encoder
from twotower.evaluation.cases import recommendation_cases
from twotower.evaluation.protocol import evaluate
from twotower.features.again import NOT_AGAIN
from twotower.measurement import measure
from twotower.recipes import derive, recipe
from twotower.serving.scorers import Subject, user_scorer
from twotower.serving.settings import Serving
from twotower.training.train import train


@pytest.fixture(scope="module")
def shop():
    return prepare("synthetic:products=300,shoppers=400,queries=300,seed=3")


@pytest.fixture(scope="module")
def trained(cache, tmp_path_factory):
    """Trains the tiny recipe on a dataset; gives the sections of its report."""
    plain = text_encoder("minilm", cache)
    encoder = CachedTextEncoder(plain, cache)

    def run(dataset, *settings):
        design = derive(recipe("tiny"), settings).design
        made = train(dataset, design, encoder, plain, tmp_path_factory.mktemp("run") / "run")
        return measure(Subject(made.model, dataset, encoder), Serving())

    return run


@pytest.fixture(scope="module")
def plain(trained, shop):
    return trained(shop)


def ndcg(sections, task, who="model"):
    section = sections[task]
    everyone = {"model": section["metrics"], **section["variants"], **section["baselines"]}
    return everyone[who]["all"]["ndcg@10"]["mean"]


def with_shuffled_content(dataset):
    """The same log and judgments, but every product has another one's title and attributes."""
    other = np.random.default_rng(0).permutation(dataset.n_items).tolist()
    content = [name for name in dataset.items.columns if name != "item_id"]
    items = dataset.items.with_columns(dataset.items[other].select(content))
    return replace(dataset, items=items)


def test_where_the_same_is_bought_again_towers_are_kept_with_what_that_counts(
    shop, cache, tmp_path
):
    """Everyone's held-out events are made to be of what they had last."""
    latest = pl.col("item_row").filter(pl.col("split") == "train").last().over("user_id")
    held = pl.col("split") != "train"
    events = shop.events.with_columns(
        pl.when(held & latest.is_not_null()).then(latest).otherwise("item_row").alias("item_row")
    )
    again = replace(shop, events=events, about=replace(shop.about, repeat=True))
    encoder = text_encoder("minilm", cache)
    design = derive(recipe("tiny"), ["training.epochs=1"]).design
    found = {
        name: train(dataset, design, encoder, encoder, tmp_path / name)
        for name, dataset in (("again", again), ("once", shop))
    }
    assert found["once"].model.again == NOT_AGAIN
    assert found["again"].model.again.weight > 0
    assert found["again"].about["again"] == found["again"].model.again.to_json()
    cases = recommendation_cases(again, "test")
    alone, lifted = (
        evaluate(cases, user_scorer(model, cases)).mean("ndcg@10")
        for model in (
            replace(found["again"].model, again=NOT_AGAIN),
            found["again"].model,
        )
    )
    assert lifted > alone + 0.2


def test_trained_towers_recommend_better_than_popularity(plain):
    found = plain["recommendation"]["comparisons"]["model"]["popularity"]["ndcg@10"]
    assert found["verdict"] == "better"
    assert found["low"] > 0.05


def test_new_products_are_recommended_by_their_content(plain):
    section = plain["recommendation"]
    ours, popular = section["metrics"]["cold"], section["baselines"]["popularity"]["cold"]
    assert popular["recall@50"]["mean"] == 0
    assert ours["recall@50"]["mean"] > 0.45


def test_the_query_tower_finds_what_was_judged_right(plain):
    assert ndcg(plain, "search") > 0.45
    assert ndcg(plain, "search", "random") < 0.1


def test_it_is_the_content_that_finds_and_recommends_and_not_chance(plain, trained, shop):
    shuffled = trained(with_shuffled_content(shop))
    assert ndcg(shuffled, "search") < ndcg(plain, "search") / 2
    cold, was = (s["recommendation"]["metrics"]["cold"]["recall@50"] for s in (shuffled, plain))
    assert cold["mean"] < was["mean"] - 0.2


def test_sampled_negatives_come_close_to_all_of_them(plain, trained, shop):
    settings = ("training.negatives=mixed", "training.uniform_negatives=512")
    mixed = trained(shop, *settings)
    for task in ("recommendation", "search"):
        assert ndcg(mixed, task) > 0.8 * ndcg(plain, task)


def test_a_log_alone_and_judgments_alone_are_enough(trained, shop):
    log = trained(replace(shop, judgments=None), "training.epochs=2")
    judged = trained(replace(shop, events=None, searches=None), "training.epochs=2")
    assert set(log) == {"recommendation"}
    assert set(judged) == {"search"}
    assert ndcg(judged, "search") > ndcg(judged, "search", "random")
