import json
import sqlite3
import subprocess
import sys
from pathlib import Path

from twotower.shop.database import ShopDatabase

KILLS = 40


def test_every_acknowledged_event_is_there_exactly_once_after_many_kills(tmp_path):
    where = tmp_path / "shop.sqlite"
    program = Path(__file__).with_name("kill_writers.py")
    finished = subprocess.run(
        [sys.executable, program, where, str(KILLS)], capture_output=True, text=True, check=True
    )
    acknowledged = json.loads(finished.stdout)
    assert len(acknowledged) > KILLS
    ShopDatabase(where).close()
    with sqlite3.connect(where) as file:
        stored = [event_id for (event_id,) in file.execute("SELECT event_id FROM events")]
        assert file.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    file.close()
    assert len(stored) == len(set(stored))
    assert set(acknowledged) <= set(stored)
