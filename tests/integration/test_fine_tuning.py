"""A text encoder is fine-tuned: it gets better, resumes exactly, and never silently gets worse."""

import json
from dataclasses import replace

import numpy as np
import polars as pl
import pytest
import torch

from small_encoder import save_small_encoder
from twotower.data.prepare import prepare
from twotower.encoders.export import text_encoder
from twotower.encoders.packed import PackedTextEncoder
from twotower.errors import DataError
from twotower.evaluation.cases import search_cases
from twotower.evaluation.protocol import evaluate
from twotower.evaluation.vectors import vector_scorer
from twotower.features.text import item_texts
from twotower.pipeline import (
    Workshop,
    bundle_run,
    evaluate_folder,
    search_settings,
    train,
    tune,
)
from twotower.recipes import derive, recipe
from twotower.training.fine_tuning.encoder import TrainableEncoder
from twotower.training.fine_tuning.stage import best_epoch, fine_tuned

SMALL = [
    "fine_tuning.epochs=2",
    "fine_tuning.patience=9",
    "fine_tuning.batch_queries=8",
    "fine_tuning.checkpoint_steps=2",
    "fine_tuning.mined_skip=1",
    "fine_tuning.mined_by=both",
    "fine_tuning.learning_rate=1e-3",
    "towers.width=16",
    "training.epochs=1",
]
TITLES = ["features.text_fields=title", "fine_tuning.epochs=1", "fine_tuning.batch_queries=32"]
JUDGED_ALONE = [
    *TITLES,
    "fine_tuning.title_queries=0",
    "fine_tuning.judged_items=4",
    "fine_tuning.learning_rate=2e-4",
]


class KilledError(Exception):
    """As if the process had ended there."""


@pytest.fixture(scope="module")
def shop():
    return prepare("synthetic:products=90,shoppers=60,queries=60,seed=3")


@pytest.fixture(scope="module")
def blind(shop):
    """Without validation queries: the last epoch is kept, whatever it is worth."""
    return replace(shop, judgments=shop.judgments.filter(pl.col("split") != "validation"))


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    """A random sentence-transformers model, exported."""
    folder = tmp_path_factory.mktemp("small")
    return text_encoder(str(save_small_encoder(folder / "model")), folder / "cache")


def tuned(shop, encoder, folder, progress=None, settings=SMALL):
    return fine_tuned(
        shop, derive(recipe("search-finetune"), settings).design, encoder, folder, progress
    )


@pytest.fixture(scope="module")
def whole(blind, small, tmp_path_factory):
    """The fine-tuning that nothing interrupted, and the steps that it told of."""
    steps = []
    found = tuned(
        blind, small, tmp_path_factory.mktemp("whole") / "made", lambda *told: steps.append(told)
    )
    return found, steps


@pytest.mark.parametrize("share", [0.1, 0.35, 0.5, 0.75, 0.95])
def test_interrupted_anywhere_it_ends_at_the_encoder_of_a_whole_one(
    share, blind, small, whole, tmp_path
):
    made, steps = whole
    left = [int(share * len(steps))]

    def dies(*_):
        left[0] -= 1
        if left[0] < 0:
            raise KilledError

    with pytest.raises(KilledError):
        tuned(blind, small, tmp_path / "made", dies)
    resumed = tuned(blind, small, tmp_path / "made")
    assert resumed.curve == made.curve
    assert resumed.encoder.hash == made.encoder.hash != small.hash


def test_it_goes_on_in_the_middle_of_an_epoch(blind, small, whole, tmp_path):
    _, steps = whole
    places = [n for n, (stage, _, _) in enumerate(steps) if stage.startswith("fine-tune, epoch 1")]

    def dies(stage, done, _):
        if stage.startswith("fine-tune, epoch 1") and done == 3:
            raise KilledError

    with pytest.raises(KilledError):
        tuned(blind, small, tmp_path / "made", dies)
    again = []
    tuned(blind, small, tmp_path / "made", lambda *step: again.append(step))
    first = [done for stage, done, _ in again if stage.startswith("fine-tune, epoch 1")]
    assert len(places) > 3
    assert first == list(range(3, len(places) + 1))


def test_only_what_is_needed_is_kept(shop, small, tmp_path):
    made = tuned(shop, small, tmp_path / "made")
    kept = {path.name for path in (tmp_path / "made").iterdir()}
    best = best_epoch(made.curve)
    assert kept == {"fine-tuning.json"} | ({f"encoder-{best}"} if best else set())


def test_where_no_epoch_is_better_the_encoder_stays_as_it_was(shop, cache, tmp_path):
    untrained = text_encoder("minilm", cache)
    ruin = [*JUDGED_ALONE, "fine_tuning.learning_rate=0.3"]
    made = tuned(shop, untrained, tmp_path / "made", settings=ruin)
    assert made.curve[1]["ndcg@10"] < made.curve[0]["ndcg@10"]
    assert made.encoder.hash == untrained.hash


def test_the_best_epoch_is_the_first_of_equals_and_the_last_without_validation():
    points = [{"epoch": n, "ndcg@10": value} for n, value in enumerate([0.3, 0.4, 0.4, 0.2])]
    assert best_epoch(points) == 1
    assert best_epoch([{"epoch": 0}, {"epoch": 1}, {"epoch": 2}]) == 2


def gradients(folder, memory_tokens):
    encoder = TrainableEncoder(str(folder), memory_tokens=memory_tokens)
    vectors = encoder([f"product {n} is a thing" for n in range(90)], 32)
    (vectors @ vectors.T).square().sum().backward()
    return vectors, [p.grad for p in encoder.model.parameters() if p.grad is not None]


def test_less_memory_gives_the_same_vectors_and_gradients(small):
    held_vectors, held = gradients(small.name, 10**6)
    made_vectors, made = gradients(small.name, 1)
    torch.testing.assert_close(held_vectors, made_vectors)
    assert len(held) > 10
    for one, other in zip(held, made, strict=True):
        torch.testing.assert_close(one, other)


def test_words_stay_and_lower_layers_learn_more_slowly():
    encoder = TrainableEncoder("minilm", memory_tokens=100)
    groups = encoder.groups(1e-4, 0.5)
    rates = [group["lr"] for group in groups]
    assert rates == [1e-4 * 0.5**below for below in range(7)]
    learning = {id(p) for group in groups for p in group["params"]}
    embeddings = encoder.model[0].auto_model.embeddings
    assert id(embeddings.word_embeddings.weight) not in learning
    assert id(embeddings.LayerNorm.weight) in learning


def test_the_exported_encoder_says_what_the_trained_one_says(small, tmp_path):
    encoder = TrainableEncoder(small.name, memory_tokens=1000)
    with torch.no_grad():
        for parameter in encoder.model.parameters():
            parameter.mul_(1.1)
        texts = ["red sofa", "a much longer text about a lamp", "x"]
        expected = encoder(texts, 64).numpy()
    encoder.write(tmp_path)
    found = PackedTextEncoder(tmp_path)
    assert found.name == f"{small.name}, fine-tuned"
    assert found.hash != small.hash
    np.testing.assert_allclose(found.encode(texts), expected, atol=1e-4)


def ndcg(dataset, encoder):
    """Of the test queries, by the text encoder alone."""
    cases = search_cases(dataset, "test")
    items = encoder.encode(item_texts(dataset.items, ["title"]))
    return evaluate(cases, vector_scorer(encoder.encode(cases.keys), items)).mean("ndcg@10")


@pytest.fixture(scope="module")
def larger():
    return prepare("synthetic:products=300,shoppers=60,queries=240,seed=3")


def test_judged_queries_make_the_encoder_better_on_queries_it_has_not_seen(larger, cache, tmp_path):
    untrained = text_encoder("minilm", cache)
    made = tuned(larger, untrained, tmp_path / "made", settings=JUDGED_ALONE)
    assert ndcg(larger, made.encoder) > ndcg(larger, untrained) + 0.03


def test_titles_alone_can_be_learnt_from(larger, cache, tmp_path):
    untrained = text_encoder("minilm", cache)
    bare = replace(larger, judgments=None)
    made = tuned(bare, untrained, tmp_path / "made", settings=TITLES)
    assert [point["epoch"] for point in made.curve] == [0, 1]
    assert made.encoder.hash != untrained.hash
    assert ndcg(larger, made.encoder) > ndcg(larger, untrained)


def test_a_run_is_served_by_the_tuned_encoder_and_measured_against_the_untrained_one(
    shop, small, tmp_path
):
    shop.save(tmp_path / "data")
    workshop = Workshop(tmp_path / "cache")
    settings = [*SMALL, f"text_encoder={small.name}", "fine_tuning.learning_rate=0.03"]
    asked = derive(recipe("search-finetune"), settings)
    plain = replace(asked, fine_tuning=replace(asked.fine_tuning, epochs=0))
    run = train(tmp_path / "data", asked, tmp_path / "run", workshop)
    other = train(tmp_path / "data", plain, tmp_path / "plain", workshop)
    made = json.loads((tmp_path / "run" / "fine-tuning" / "fine-tuning.json").read_text())
    assert run.about["fine_tuning_curve"] == made["curve"]
    assert (run.model.text_encoder.hash != other.model.text_encoder.hash) == (made["best"] > 0)
    frozen = [tune(each, shop, workshop).frozen_weight for each in (run, other)]
    assert frozen[0] == frozen[1]
    ours, theirs = (
        evaluate_folder(tmp_path / name, workshop)["tasks"]["search"]["baselines"]
        for name in ("run", "plain")
    )
    for part, measured in ours["frozen_encoder"].items():
        beside = theirs["frozen_encoder"][part]
        # how alike the items of a list are is told by each run's own vectors
        own = {"diversity@10"}
        assert {k: v for k, v in measured.items() if k not in own} == {
            k: v for k, v in beside.items() if k not in own
        }


def test_a_catalogue_alone_is_searched_as_its_tuned_encoder_says(shop, cache, tmp_path):
    bare = replace(shop, events=None, judgments=None, searches=None)
    bare.save(tmp_path / "data")
    asked = derive(recipe("search-finetune"), ["fine_tuning.epochs=1"])
    workshop = Workshop(cache)
    train(tmp_path / "data", asked, tmp_path / "run", workshop)
    bundle = bundle_run(tmp_path / "run", tmp_path / "bundle", workshop)
    assert bundle.report["verdict"]["promoted"] is False  # nothing unmeasured is
    encoder = bundle.model.text_encoder
    assert encoder.hash != text_encoder("minilm", cache).hash
    queries = encoder.encode(["red sofa", "warm jacket"])
    expected = queries @ encoder.encode(item_texts(bare.items)).T
    found = bundle.model.towers.queries(queries) @ bundle.model.item_vectors.T
    assert expected.std() > 0.05
    np.testing.assert_allclose(found, expected, atol=1e-3)


def test_a_catalogue_alone_is_not_enough_for_towers_on_a_frozen_encoder(shop, cache, tmp_path):
    replace(shop, events=None, judgments=None, searches=None).save(tmp_path / "data")
    with pytest.raises(DataError, match="training needs events or positive judgments"):
        train(tmp_path / "data", recipe("search"), tmp_path / "run", Workshop(cache))


def test_a_search_for_settings_stands_on_the_tuned_encoder(shop, small, tmp_path):
    shop.save(tmp_path / "data")
    asked = derive(recipe("search-finetune"), [*SMALL, f"text_encoder={small.name}"])
    workshop = Workshop(tmp_path / "cache")
    search_settings(tmp_path / "data", asked, tmp_path / "study", workshop, trials=1)
    assert (tmp_path / "study" / "fine-tuning" / "fine-tuning.json").is_file()


def test_validation_and_test_queries_are_never_learnt_from(shop, small, tmp_path):
    other = shop.judgments.with_columns(
        pl.when(pl.col("split") == "test")
        .then(pl.lit("nonsense"))
        .otherwise(pl.col("query"))
        .alias("query")
    )
    one = tuned(shop, small, tmp_path / "one")
    two = tuned(replace(shop, judgments=other), small, tmp_path / "two")
    assert one.encoder.hash == two.encoder.hash
