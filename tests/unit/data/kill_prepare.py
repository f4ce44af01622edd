"""Kills `prepare` at moments spread over its whole run, and says what is left each time.

    python kill_prepare.py FOLDER KILLS large|small

FOLDER has the shops `0` and `1`, prepared in turn into `out`. Prints, for each kill, the hash of
what was to be replaced, of what was to come, and of what is there.
"""

import json
import os
import shutil
import signal
import sys
import time
from pathlib import Path

from twotower import pipeline
from twotower.data.dataset import MANIFEST, Dataset
from twotower.pipeline import Workshop
from twotower.recipes import recipe


def prepared(source: Path, out: Path, *, is_large: bool) -> None:
    workshop = Workshop(out.parent / "cache")
    pipeline.prepare(source, recipe("tiny"), out, workshop, incremental=is_large)


def in_child(work) -> int:
    """A child that does the work: this process itself never does, so that it can be copied."""
    child = os.fork()
    if not child:
        try:
            work()
        except BaseException:
            os._exit(1)
        os._exit(0)
    return child


def wait_for(child: int) -> bool:
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def stated(out: Path) -> str:
    """The hash of a dataset of which every file was compared with its own."""
    assert wait_for(in_child(lambda: Dataset.load(out))), f"{out} cannot be loaded"
    return json.loads((out / MANIFEST).read_text())["content_hash"]


def main(folder: Path, kills: int, *, is_large: bool) -> None:
    out = folder / "out"
    hashes = []
    for number in (0, 1):
        shutil.rmtree(out, ignore_errors=True)
        started = time.monotonic()
        assert wait_for(
            in_child(lambda n=number: prepared(folder / str(n), out, is_large=is_large))
        )
        took_s = time.monotonic() - started
        hashes.append(stated(out))
    there = 1
    for kill in range(kills + 1):
        child = in_child(lambda n=1 - there: prepared(folder / str(n), out, is_large=is_large))
        if kill < kills:
            time.sleep(took_s * kill / kills)
            os.kill(child, signal.SIGKILL)
        wait_for(child)
        found = stated(out)
        print(hashes[there][:12], hashes[1 - there][:12], found[:12], flush=True)  # noqa: T201
        there = hashes.index(found)
    assert sorted(path.name for path in folder.iterdir()) == ["0", "1", "out"]


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), is_large=sys.argv[3] == "large")
