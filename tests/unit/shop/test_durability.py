"""What was acknowledged is there exactly once, whenever the writer dies."""

import json
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from twotower.shop.database import ShopDatabase


def killed(address, kills):
    """What the killed writers had told of."""
    program = Path(__file__).with_name("kill_writers.py")
    finished = subprocess.run(
        [sys.executable, program, address, str(kills)], capture_output=True, text=True, check=True
    )
    return json.loads(finished.stdout)


def step_left(body):
    """The step that left a product like this; of deletions any one."""
    return "deleted" if body is None else body["price"]


@pytest.mark.parametrize("kills", [30, pytest.param(300, marks=pytest.mark.slow)])
def test_all_that_was_acknowledged_is_there_exactly_once_after_many_kills(shop_address, kills):
    acknowledged = killed(shop_address, kills)
    events = acknowledged["events"]
    assert len(events) > kills
    with ShopDatabase(shop_address) as database:
        stored = [one.event_id for _, one in database.events.after(0, limit=1_000_000)]
        left = {one.item_id: step_left(one.body) for one in database.products.after(0, limit=999)}
    assert len(stored) == len(set(stored))
    assert set(events) <= set(stored)
    changed = {run: step for run, step in acknowledged["steps"].items() if step >= 0}
    assert len(changed) > kills / 4
    for run, step in changed.items():
        possible = {"deleted" if one % 5 == 4 else one for one in (step, step + 1)}
        assert left[f"product-{run}"] in possible, "the last change told of, or the one after it"


def test_a_killed_writer_leaves_a_sound_file(tmp_path):
    where = tmp_path / "shop.sqlite"
    killed(str(where), 5)
    ShopDatabase(where).close()
    with sqlite3.connect(where) as file:
        assert file.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    file.close()
