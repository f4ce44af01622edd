"""`twotower tune` on a very small shop: interrupted, taken up again, and used by `train`."""

import json
import os
import signal
import subprocess
import sys
import time

import pytest

from twotower.data.prepare import prepare

FAST = ["--recipe", "tiny", "--set", "training.epochs=2", "--set", "towers.width=16"]


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tune") / "data"
    prepare("synthetic:products=60,shoppers=60").save(folder)
    return folder


def test_ctrl_c_stops_it_in_one_line_and_the_same_command_goes_on(twotower, data, tmp_path, cache):
    out = tmp_path / "study"
    call = [sys.executable, "-c", "from twotower.cli import main; main()"]
    words = ["tune", str(data), "--out", str(out), "--trials", "2", *FAST]
    running = subprocess.Popen(
        [*call, *words],
        env={**os.environ, "TWOTOWER_CACHE": str(cache)},
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        while not (out / "study.json").is_file():
            assert running.poll() is None, "it ended before it could be interrupted"
            time.sleep(0.002)
    finally:
        running.send_signal(signal.SIGINT)
        said = running.communicate()[1]
    assert running.returncode == 130, said
    assert said.splitlines()[-1] == "stopped; the same command goes on where it was"
    assert "Traceback" not in said
    cut = json.loads((out / "study.json").read_text())
    assert [trial["state"] for trial in cut["trials"]] == ["running"]

    gone_on = twotower(*words)
    assert gone_on.code == 0, gone_on
    found = json.loads((out / "study.json").read_text())
    assert [trial["state"] for trial in found["trials"]] == ["complete", "complete"]
    best = found["trials"][found["best"]]
    assert f"--set towers.dropout={best['settings']['towers.dropout']}" in gone_on.out
    assert f"--set @{out}/settings.json --out RUN" in gone_on.out
    assert "towers.width" not in best["settings"]  # it was set by hand


def test_what_it_found_is_what_train_takes(twotower, data, tmp_path):
    out = tmp_path / "study"
    found = twotower("tune", data, "--out", out, "--trials", "2", *FAST, "--json").json
    best = found["trials"][found["best"]]
    settings = ["--set", f"@{out}/settings.json"]
    run = twotower("train", data, "--out", tmp_path / "run", *FAST, *settings, "--json").json
    curve = [point["ndcg@10"] for point in run["training"]["curve"]]
    assert curve == best["curve"]
    assert (
        f"training.learning_rate={best['settings']['training.learning_rate']}"
        in (found["arguments"])
    )


def test_a_search_without_trials_is_not_understood(twotower, data, tmp_path):
    assert twotower("tune", data, "--out", tmp_path / "study", "--trials", "0").code == 2
    assert not (tmp_path / "study").exists()
