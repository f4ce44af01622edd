"""Killed at any moment, `prepare` leaves the old dataset or the new one, whole."""

import subprocess
import sys
from pathlib import Path

import pytest
from messy_shop import messy_log, messy_shop

KILLER = Path(__file__).with_name("kill_prepare.py")


@pytest.mark.parametrize(
    ("kind", "kills"),
    [
        ("large", 6),
        pytest.param("large", 200, marks=pytest.mark.slow),
        pytest.param("small", 200, marks=pytest.mark.slow),
    ],
)
def test_a_killed_prepare_leaves_the_old_dataset_or_the_new_one(tmp_path, kind, kills):
    for seed in (0, 1):
        messy_shop(tmp_path / str(seed), events=messy_log(seed, n=80, busy=60))
    done = subprocess.run(
        [sys.executable, str(KILLER), str(tmp_path), str(kills), kind],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found = [line.split() for line in done.stdout.splitlines()]
    assert len(found) == kills + 1
    assert all(left in (old, new) for old, new, left in found)
    assert found[0][2] == found[0][0], "killed before it began, it cannot have replaced anything"
    assert found[-1][2] == found[-1][1], "the last one was not killed"
