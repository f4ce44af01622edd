"""What the benchmarks share: recipes trained once, and where a table comes from."""

import json
import os
import platform
import shlex
import subprocess
import sys
import time
from pathlib import Path

from twotower import disk
from twotower.pipeline import Workshop, train
from twotower.recipes import derive, recipe
from twotower.training.run import RUN, read_run


def workshop(**about):
    """Keeps text encoders and text vectors where the command line keeps them."""
    cache = Path(os.environ.get("TWOTOWER_CACHE", Path.home() / ".cache" / "twotower"))
    return Workshop(cache, **about)


def commit():
    """Of the source, where it is a clone."""
    git = ["git", "-C", str(Path(__file__).parent), "rev-parse", "--short", "HEAD"]
    found = subprocess.run(git, capture_output=True, text=True, check=False)  # noqa: S603 - fixed words
    return found.stdout.strip() or None


def command():
    """As it was given."""
    return shlex.join(["python", *sys.argv])


def provenance(dataset, seed):
    """The line below a table: data, seed, commit, machine, command."""
    return (
        f"{dataset.about.name}, split {dataset.about.split_kind}, data "
        f"`{dataset.content_hash[:8]}`, seed {seed}, commit {commit()}, {platform.machine()}, "
        f"{os.cpu_count()} cores, `{command()}`."
    )


def trained(data, name, settings, folder):
    """The run of a recipe with settings, and the minutes that all its sessions took.

    Args:
        data: folder of a prepared dataset.
        name: of the recipe.
        settings: words such as `towers.width=64`.
        folder: of the run; one that is complete is only opened, an interrupted one goes on.
    """
    times = folder.parent / f"{folder.name}-minutes.json"
    minutes = json.loads(times.read_text()) if times.is_file() else 0.0
    is_new = not (folder / RUN).is_file() or read_run(folder)["state"] != "complete"
    started = time.perf_counter()
    try:
        run = train(data, derive(recipe(name), settings), folder, workshop())
    finally:
        if is_new:
            minutes += (time.perf_counter() - started) / 60
            disk.write_text(times, json.dumps(minutes))
    return run, minutes
