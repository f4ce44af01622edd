"""The search for settings: what is tried, what is given up, and how it goes on after a stop."""

import json
from dataclasses import replace

import optuna
import polars as pl
import pytest

from twotower.data.prepare import prepare
from twotower.encoders.cache import CachedTextEncoder
from twotower.encoders.export import text_encoder
from twotower.errors import ConfigError, DataError, OutputError
from twotower.recipes import as_words, derive, recipe
from twotower.training.material import gather
from twotower.training.space import Choice, Range
from twotower.training.study import Study, _Watch

TINY = derive(recipe("tiny"), ["training.epochs=3", "training.patience=9", "towers.width=16"])
SPACE = {"towers.dropout": Range(0.0, 0.5), "training.learning_rate": Range(1e-4, 1e-2, log=True)}
START = {"towers.dropout": 0.2, "training.learning_rate": 3e-3}
ABOUT = {"recipe": "tiny", "data_hash": "abc"}


@pytest.fixture(scope="module")
def dataset():
    return prepare("synthetic:products=60,shoppers=60")


@pytest.fixture(scope="module")
def gathered(cache):
    def gathered(dataset):
        encoder = CachedTextEncoder(text_encoder("minilm", cache), cache)
        return gather(dataset, TINY.features, encoder, validation_cases=100)

    return gathered


@pytest.fixture(scope="module")
def material(dataset, gathered):
    return gathered(dataset)


def run(folder, material, n_trials, *, progress=None, seed=0, space=SPACE, about=ABOUT):
    start = {path: START[path] for path in space}
    study = Study(folder, about, space, start, seed)
    return study.run(n_trials, lambda s: derive(TINY, as_words(s)).design, material, progress)


@pytest.fixture(scope="module")
def whole(material, tmp_path_factory):
    """A search of three trials that nothing interrupted, and its folder."""
    folder = tmp_path_factory.mktemp("study") / "whole"
    return run(folder, material, 3), folder


def told(found):
    """The trials without how long they took."""
    return [
        {name: value for name, value in trial.items() if name != "seconds"}
        for trial in found["trials"]
    ]


def test_the_recipe_itself_is_tried_first_and_every_trial_is_recorded(whole):
    found, folder = whole
    first = found["trials"][0]
    assert first["settings"] == START
    assert len({json.dumps(trial["settings"]) for trial in found["trials"]}) == 3
    for trial in found["trials"]:
        assert trial["state"] == "complete"
        assert trial["value"] == max(trial["curve"])
        assert trial["curve"][trial["epochs"] - 1] == trial["value"]
        assert trial["seconds"] > 0
        assert all(SPACE[path].holds(value) for path, value in trial["settings"].items())
    assert json.loads((folder / "study.json").read_text()) == found
    assert (found["seed"], found["metric"]) == (0, "ndcg@10")


def test_the_best_is_kept_as_settings_that_a_recipe_takes(whole):
    found, folder = whole
    best = found["trials"][found["best"]]
    assert best["value"] == max(trial["value"] for trial in found["trials"])
    assert best["value"] > min(trial["value"] for trial in found["trials"])
    derived = derive(recipe("tiny"), [f"@{folder / 'settings.json'}"])
    assert derived.towers.dropout == best["settings"]["towers.dropout"]
    assert derived.training.learning_rate == best["settings"]["training.learning_rate"]


def test_nothing_of_the_trials_is_left_but_their_record(whole):
    _, folder = whole
    assert sorted(path.name for path in folder.iterdir()) == ["settings.json", "study.json"]


def test_an_interrupted_search_goes_on_in_the_middle_of_its_trial(whole, material, tmp_path):
    seen = []

    def interrupt(stage, done, total):
        if stage.startswith("trial 2 of 3: train, epoch 3"):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(tmp_path / "cut", material, 3, progress=interrupt)
    cut = json.loads((tmp_path / "cut" / "study.json").read_text())
    assert [trial["state"] for trial in cut["trials"]] == ["complete", "running"]
    again = run(tmp_path / "cut", material, 3, progress=lambda stage, *_: seen.append(stage))
    assert told(again) == told(whole[0])
    epochs = [stage.partition(",")[2] for stage in seen if stage.startswith("trial 2")]
    assert all(epoch.startswith(" epoch 3") for epoch in epochs)
    assert not any(stage.startswith("trial 1 ") for stage in seen)


def test_more_trials_of_a_finished_search_are_those_of_a_longer_one(whole, material, tmp_path):
    run(tmp_path / "study", material, 2)
    assert told(run(tmp_path / "study", material, 3)) == told(whole[0])
    assert told(run(tmp_path / "study", material, 3)) == told(whole[0])  # nothing left to do


def test_another_seed_tries_something_else(whole, material, tmp_path):
    found = run(tmp_path / "study", material, 2, seed=1)
    assert found["trials"][0]["settings"] == START
    assert found["trials"][1]["settings"] != whole[0]["trials"][1]["settings"]


def test_what_the_test_split_holds_changes_nothing(whole, dataset, gathered, tmp_path):
    unseen = replace(
        dataset,
        events=dataset.events.filter(pl.col("split") != "test"),
        judgments=dataset.judgments.filter(pl.col("split") != "test"),
    )
    found = run(tmp_path / "study", gathered(unseen), 2)
    assert told(found) == told(whole[0])[:2]


def test_a_search_of_something_else_is_refused_and_stays(whole, material):
    _, folder = whole
    before = (folder / "study.json").read_text()
    for other in (
        {"about": {**ABOUT, "data_hash": "other"}},
        {"space": {"towers.dropout": Range(0.0, 0.5)}},
        {"seed": 5},
    ):
        with pytest.raises(ConfigError, match=r"another (data_hash|space|seed); choose another"):
            run(folder, material, 3, **other)
    assert (folder / "study.json").read_text() == before


def test_a_folder_of_something_else_is_refused(material, tmp_path):
    (tmp_path / "letters.txt").write_text("dear")
    with pytest.raises(OutputError, match="no study"):
        run(tmp_path, material, 1)


def test_there_must_be_something_to_change_and_something_to_tell_by(material, tmp_path):
    with pytest.raises(ConfigError, match="nothing to search"):
        run(tmp_path / "study", material, 1, space={})
    with pytest.raises(DataError, match="validation cases"):
        run(tmp_path / "study", replace(material, validation={}), 1)


# -- giving up -----------------------------------------------------------------------


EARLIER = [
    {
        "state": "complete",
        "settings": {"towers.dropout": place / 10, "training.learning_rate": 1e-3},
        "value": 0.5,
        "curve": [0.3, 0.4, 0.5, 0.5],
    }
    for place in range(5)
]


def epochs_until_given_up(values, *, earlier=EARLIER, before=()):
    watch = _Watch(SPACE, earlier, [{"ndcg@10": value} for value in before])
    for place, value in enumerate(values):
        try:
            watch(lambda value=value: {"ndcg@10": value})()
        except optuna.TrialPruned:
            return place + 1
    return None


def test_a_trial_below_the_median_is_given_up_but_not_in_its_first_epochs():
    assert epochs_until_given_up([0.1, 0.1, 0.1, 0.1]) == 3


def test_a_trial_above_the_median_is_not_given_up():
    assert epochs_until_given_up([0.3, 0.45, 0.6, 0.7]) is None


def test_the_first_trials_are_not_given_up():
    assert epochs_until_given_up([0.1] * 4, earlier=EARLIER[:4]) is None


def test_epochs_before_an_interruption_count():
    assert epochs_until_given_up([0.1], before=[0.1, 0.1]) == 1


def test_a_trial_given_up_is_recorded_and_is_never_the_best(material, tmp_path):
    study = Study(tmp_path / "study", ABOUT, SPACE, START)
    study.trials = [{**trial, "number": n, "value": 0.999} for n, trial in enumerate(EARLIER)]
    for trial in study.trials:
        trial["curve"] = [0.999] * 3
    found = study.run(6, lambda s: derive(TINY, as_words(s)).design, material)
    assert found["trials"][-1]["state"] == "pruned"
    assert len(found["trials"][-1]["curve"]) == 3
    assert found["best"] == 0


@pytest.mark.parametrize(
    "wrong", [lambda: Choice((1,)), lambda: Range(2, 1), lambda: Range(0, 1, log=True)]
)
def test_a_space_without_anything_in_it_is_refused(wrong):
    with pytest.raises(ConfigError):
        wrong()
