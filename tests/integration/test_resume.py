"""Killed while it trains, `twotower train` goes on and ends at the same weights."""

import json
import os
import signal
import subprocess
import sys
import time

import pytest

from twotower.data.prepare import prepare
from twotower.errors import ConfigError, DataError, OutputError
from twotower.pipeline import Workshop, train
from twotower.recipes import derive, recipe
from twotower.training.run import Run

EPOCHS = 6
SETTINGS = [f"training.epochs={EPOCHS}", "training.patience=9", "training.batch_histories=16"]


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    folder = tmp_path_factory.mktemp("resume") / "data"
    prepare("synthetic:products=120,shoppers=120").save(folder)
    return folder


@pytest.fixture(scope="module")
def whole(data, cache):
    """The run that nothing interrupted."""
    folder = data.parent / "whole"
    train(data, derive(recipe("tiny"), SETTINGS), folder, Workshop(cache))
    return folder


def weights(folder):
    return (folder / "model" / "towers.safetensors").read_bytes()


def words(data, out, name="tiny", settings=SETTINGS):
    """The command line that trains."""
    settings = [part for setting in settings for part in ("--set", setting)]
    return ["train", str(data), "--recipe", name, "--out", str(out), "--json", *settings]


def killed_when(condition, out, cache, command):
    """Starts training and kills it, without warning, once the condition holds."""
    running = subprocess.Popen(
        [sys.executable, "-c", "from twotower.cli import main; main()", *command],
        env={**os.environ, "TWOTOWER_CACHE": str(cache)},
        stdout=subprocess.DEVNULL,
    )
    try:
        while not condition(out):
            assert running.poll() is None, "it ended before it could be killed"
            time.sleep(0.002)
    finally:
        running.send_signal(signal.SIGKILL)
        running.wait()


def test_killed_after_a_checkpoint_it_ends_at_the_weights_of_a_whole_run(
    data, whole, tmp_path, cache, twotower
):
    out = tmp_path / "run"
    last = out / "checkpoints" / "last.safetensors"
    first_seen = []

    def second_checkpoint(_):
        if last.is_file():
            first_seen.append(last.stat().st_ino)
        return len(set(first_seen)) > 1

    killed_when(second_checkpoint, out, cache, words(data, out))
    with pytest.raises(DataError, match="has not finished; resume it with 'twotower train'"):
        Run.load(out)
    report = twotower(*words(data, out)).json
    assert [point["epoch"] for point in report["training"]["curve"]] == list(range(1, EPOCHS + 1))
    assert weights(out) == weights(whole)
    assert Run.load(out).about["curve"] == Run.load(whole).about["curve"]


def test_killed_before_the_first_checkpoint_it_starts_again(data, whole, tmp_path, cache):
    out = tmp_path / "run"
    killed_when(lambda folder: (folder / "run.json").is_file(), out, cache, words(data, out))
    assert not (out / "checkpoints" / "last.safetensors").exists()
    train(data, derive(recipe("tiny"), SETTINGS), out, Workshop(cache))
    assert weights(out) == weights(whole)


def test_killed_in_the_second_fit_of_sequential_it_ends_at_the_weights_of_a_whole_run(
    data, tmp_path, cache, twotower
):
    small = ["towers.width=32", "towers.layers=1", "training.uniform_negatives=64"]
    settings = [*SETTINGS, *small, "training.average_steps=10", "training.learning_rate=0.003"]
    design = derive(recipe("sequential"), settings)
    assert design.training.refit
    assert design.training.start_from_histories
    whole, out = tmp_path / "whole", tmp_path / "run"
    train(data, design, whole, Workshop(cache))
    last = out / "refit" / "checkpoints" / "last.safetensors"
    command = words(data, out, "sequential", settings)
    killed_when(lambda _: last.is_file(), out, cache, command)
    told = twotower(*command).json
    assert weights(out) == weights(whole)
    assert set(told) == {"training"}, "what is left to measure on is the test split, not train's"
    learnt = Run.load(out).about
    assert len(learnt["refit_curve"]) == learnt["epochs"]
    assert "ndcg@10" not in learnt["refit_curve"][-1]


def test_cut_while_the_towers_are_written_it_writes_them_again(data, whole, tmp_path, cache):
    out = tmp_path / "run"
    design = derive(recipe("tiny"), SETTINGS)
    train(data, design, out, Workshop(cache))
    about = json.loads((out / "run.json").read_text())
    (out / "run.json").write_text(json.dumps(about | {"state": "training"}))
    (out / "model" / "vectors.npy").unlink()
    (out / ".model.0.part").mkdir()
    (out / ".model.0.part" / "half").write_text("written")
    train(data, design, out, Workshop(cache))
    assert weights(out) == weights(whole)
    assert not (out / ".model.0.part").exists()


def test_a_finished_run_is_opened_and_not_trained_again(data, whole, cache):
    before = (whole / "model" / "towers.safetensors").stat().st_mtime_ns
    run = train(data, derive(recipe("tiny"), SETTINGS), whole, Workshop(cache))
    assert run.about["state"] == "complete"
    assert (whole / "model" / "towers.safetensors").stat().st_mtime_ns == before


def test_a_run_of_another_design_is_refused(data, whole, cache):
    other = derive(recipe("tiny"), [*SETTINGS, "towers.width=16"])
    with pytest.raises(ConfigError, match=r"run with another design; choose another --out"):
        train(data, other, whole, Workshop(cache))


def test_a_run_on_other_data_is_refused(whole, tmp_path, cache):
    prepare("synthetic:products=120,shoppers=121").save(tmp_path / "data")
    with pytest.raises(ConfigError, match=r"run with another data_hash"):
        train(tmp_path / "data", derive(recipe("tiny"), SETTINGS), whole, Workshop(cache))


def test_a_folder_that_is_no_run_is_refused(data, tmp_path, cache):
    (tmp_path / "letters.txt").write_text("dear")
    with pytest.raises(OutputError, match="no run"):
        train(data, recipe("tiny"), tmp_path, Workshop(cache))
    assert [path.name for path in tmp_path.iterdir()] == ["letters.txt"]
