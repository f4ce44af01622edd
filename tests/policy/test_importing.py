"""Importing is free, and serving stays light."""

import json
import os
import pkgutil
import subprocess
import sys
from pathlib import Path

import twotower

ROOT = Path(__file__).parents[2]
HEAVY = {"torch", "lightning", "scipy", "sentence_transformers", "transformers", "onnx", "pandas"}
MODULES = sorted(
    found.name for found in pkgutil.walk_packages(twotower.__path__, prefix="twotower.")
)
NEEDS_THE_TRAIN_EXTRA = (
    "twotower.training",
    "twotower.towers",
    "twotower.pipeline",
    "twotower.measurement",
    "twotower.evaluation.baselines",
)
LIGHT = [name for name in MODULES if not name.startswith(NEEDS_THE_TRAIN_EXTRA)]


def run(program, place):
    """The program's result, as JSON, from a process of its own in an empty folder."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("TWOTOWER")}
    home, cwd = place / "home", place / "cwd"
    home.mkdir()
    cwd.mkdir()
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=cwd,
        env={**kept, "HOME": str(home), "PYTHONPATH": str(ROOT / "src")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return json.loads(done.stdout)


def test_reading_measuring_tables_and_serving_load_nothing_heavy(tmp_path):
    program = f"""
import importlib, json, sys
for name in {[*LIGHT, "twotower.towers.exported"]!r}:
    importlib.import_module(name)
print(json.dumps(sorted(sys.modules)))
"""
    assert not HEAVY & set(run(program, tmp_path))


def test_only_training_loads_pytorch_and_lightning(tmp_path):
    program = "import twotower.pipeline, sys, json; print(json.dumps(sorted(sys.modules)))"
    assert HEAVY & set(run(program, tmp_path)) == {"scipy"}


def test_the_command_line_loads_a_room_only_when_a_command_needs_it(tmp_path):
    program = "import twotower.cli, sys, json; print(json.dumps(sorted(sys.modules)))"
    rooms = {name for name in run(program, tmp_path) if name.startswith("twotower.")}
    light = {
        "admin",
        "cli",
        "comparison",
        "downloading",
        "errors",
        "exits",
        "options",
        "progress",
        "terminal",
    }
    assert rooms == {f"twotower.{name}" for name in light}


def test_importing_every_module_does_nothing(tmp_path):
    """No word is printed, no file written, no thread or process started, no signal caught."""
    program = f"""
import importlib, json, os, signal, sys, threading
handlers = {{one: signal.getsignal(one) for one in (signal.SIGINT, signal.SIGTERM)}}
for name in {MODULES!r}:
    importlib.import_module(name)
print(json.dumps({{
    "threads": threading.active_count(),
    "signals": all(signal.getsignal(one) == handler for one, handler in handlers.items()),
    "cwd": os.listdir("."),
}}))
"""
    assert run(program, tmp_path) == {"threads": 1, "signals": True, "cwd": []}


def test_the_layers_hold():
    done = subprocess.run(
        [str(Path(sys.executable).parent / "lint-imports"), "--no-cache"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
