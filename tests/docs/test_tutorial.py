"""The tutorial is run, block by block, in an empty folder."""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from server_process import ServerProcess
from twotower.data.tables import read_source
from twotower.errors import DataError

ROOT = Path(__file__).parents[2]
TUTORIAL = ROOT / "docs" / "tutorial.md"
ADDRESS = "http://127.0.0.1:8000"
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```$", TUTORIAL.read_text("utf-8"), re.MULTILINE | re.DOTALL)


def blocks(kind):
    return [text for found, text in BLOCKS if found == kind]


COMMANDS = [line for block in blocks("sh") for line in block.splitlines()]
CURLS = [line for line in COMMANDS if line.startswith("curl")]
SERVE = next(line for line in COMMANDS if line.startswith("twotower serve"))


@pytest.fixture(scope="module")
def surroundings(cache):
    found = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return {**os.environ, "PATH": found, "TWOTOWER_CACHE": str(cache), "COLUMNS": "160"}


@pytest.fixture(scope="module")
def place(tmp_path_factory, surroundings):
    """A folder in which every step before serving was done."""
    place = tmp_path_factory.mktemp("tutorial")
    [practice], [mapping] = blocks("python"), blocks("toml")
    subprocess.run([sys.executable, "-c", practice], cwd=place, env=surroundings, check=True)
    (place / "my-shop" / "shop.toml").write_text(mapping, encoding="utf-8")
    return place


@pytest.fixture(scope="module")
def said(place, surroundings):
    """What every command before `serve` printed, by command."""
    found = {}
    for command in COMMANDS[: COMMANDS.index(SERVE)]:
        done = subprocess.run(
            shlex.split(command), cwd=place, env=surroundings, capture_output=True, text=True
        )
        assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
        found[command] = done.stdout
    return found


@pytest.fixture(scope="module")
def address(said, place, surroundings):
    command = [*shlex.split(SERVE), "--port", "0"]
    with ServerProcess(command, cwd=place, env=surroundings) as server:
        yield server.address


def sent(command, address):
    """A curl command of the tutorial, sent to the server of this test."""
    _, *words = shlex.split(command.replace(ADDRESS, address))
    options = ("-H", "-d", "-X")
    values = {word: words[place + 1] for place, word in enumerate(words) if word in options}
    [url] = [word for word in words if word.startswith("http")]
    name, _, kind = values["-H"].partition(": ")
    method = values.get("-X", "POST")
    return httpx.request(method, url, content=values["-d"], headers={name: kind}, timeout=30)


def test_the_files_look_as_shown(place):
    for shown, name in zip(blocks("csv"), ("items.csv", "events.csv"), strict=True):
        header, example = shown.strip().splitlines()
        written = (place / "my-shop" / name).read_text("utf-8").splitlines()
        assert written[0] == header
        assert example in written


def test_every_command_succeeds_and_the_bundle_beats_its_baselines(said):
    prepare, train, evaluate, bundle, report, search, recommend = said
    assert "events" in said[prepare]
    assert "recall@10" in said[train]
    assert "popularity" in said[evaluate]
    assert "Promoted." in said[report]
    assert "Bundle in my-bundle" in said[bundle]
    assert "P00005" in said[search]
    assert "P0" in said[recommend]


def test_without_the_mapping_the_line_to_write_is_said(place, tmp_path):
    for name in ("items.csv", "events.csv"):
        (tmp_path / name).write_bytes((place / "my-shop" / name).read_bytes())
    with pytest.raises(DataError, match=r'\[events.columns\]\nuser_id = "customer"'):
        read_source(tmp_path)


def test_an_event_changes_the_next_recommendations(address):
    before, event, after = (sent(line, address) for line in CURLS[:3])
    assert (before.status_code, event.status_code, after.status_code) == (200, 202, 200)
    assert event.json()["accepted"] == ["e1"]
    shown = [[hit["item_id"] for hit in answer.json()["hits"]] for answer in (before, after)]
    assert len(shown[0]) == len(shown[1]) == 5
    assert shown[0] != shown[1]
    assert "P00005" not in shown[1]
    assert httpx.get(address).status_code == 200


def test_a_new_product_is_found_at_once(address):
    put, search = (sent(line, address) for line in CURLS[3:])
    assert put.status_code == search.status_code == 200
    assert search.json()["hits"][0]["item_id"] == "NEW-1"
