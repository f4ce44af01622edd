"""The command line without a model: usage, errors in one line, nothing half-written."""

import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

VERBS = [
    "download",
    "prepare",
    "profile",
    "train",
    "tune",
    "evaluate",
    "compare",
    "bundle",
    "build",
    "search",
    "recommend",
    "report",
    "serve",
    "demo",
    "admin",
]
STAGES = {"read", "check", "clean", "profile", "split"}
"""What is told on the way, one line each, before the one line of an error."""
TO_PASTE = re.compile(r"\[\w+\.columns\]$|\w+ = ")
"""Lines for shop.toml that may follow an error."""
ITEMS = "item_id,title,price\na,Oak Table,120\nb,Wool Rug,80\nc,Desk Lamp,35\n"
EVENTS = "user_id,item_id,event,time\n" + "".join(
    f"u{user},{item},view,2025-03-0{day}\n"
    for user in range(4)
    for day, item in enumerate("abc", start=1)
)


def shop(folder, **files):
    folder.mkdir()
    for name, content in ({"items.csv": ITEMS, "events.csv": EVENTS} | files).items():
        if content is not None:
            (folder / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    return folder


def assert_one_line_error(said):
    assert said.code == 1, said
    assert said.out == ""
    told = [line for line in said.err.splitlines() if line not in STAGES]
    assert told[0].startswith("error: ")
    assert all(TO_PASTE.match(line) for line in told[1:]), told
    assert "Traceback" not in said.err


def test_help_lists_the_verbs_in_the_order_of_the_flow(twotower):
    told = twotower("--help").out
    assert re.findall(r"^│ ([a-z]+) ", told, re.MULTILINE) == VERBS


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_explains_itself(twotower, verb):
    said = twotower(verb, "--help")
    assert said.code == 0
    assert re.search(rf"Usage: .* {verb} ", said.out)


def test_the_version_is_told(twotower):
    from twotower import __version__

    assert __version__ in twotower("--version").out


@pytest.mark.parametrize(
    "words",
    [
        ["no-such-verb"],
        ["prepare"],
        ["prepare", "somewhere"],
        ["search", "bundle"],
        ["search", "bundle", "sofa", "-k", "many"],
        ["build", "synthetic", "--no-such-option"],
        ["recommend", "bundle"],
        ["recommend", "bundle", "--user", "u", "--history", "a"],
    ],
)
def test_wrong_usage_is_exit_code_2(twotower, words):
    said = twotower(*words)
    assert said.code == 2
    assert said.out == ""
    assert "Traceback" not in said.err


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["prepare", "nowhere", "--out", "out"], "nowhere is no folder"),
        (["prepare", "synthetic:products=3", "--out", "out"], "needs 20 products"),
        (["prepare", "synthetic", "--out", "out", "--split", "by-luck"], "leave-one-out"),
        (["train", "nowhere", "--out", "out"], "nowhere is no prepared dataset"),
        (["train", "nowhere", "--out", "out", "--recipe", "best"], "one of joint, sequential"),
        (["train", "nowhere", "--out", "out", "--set", "towers.with=3"], "did you mean width?"),
        (["evaluate", "nowhere"], "expected a run in nowhere"),
        (["bundle", "nowhere", "--out", "out"], "expected a run in nowhere"),
        (["build", "nowhere", "--out", "out"], "nowhere is no folder"),
        (["search", "nowhere", "sofa"], "expected a bundle in nowhere"),
        (["recommend", "nowhere", "--user", "u"], "expected a bundle in nowhere"),
        (["report", "nowhere"], "expected a run or a bundle in nowhere, found no report.json"),
        (["serve", "bundle", "--host", "192.168.1.5"], "set TWOTOWER_API_KEY in the environment"),
        (["serve", "bundle", "--allow-host", "http://a"], "names without scheme"),
    ],
)
def test_an_error_is_one_line_with_what_to_do_and_exit_code_1(
    twotower, words, told, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    said = twotower(*words)
    assert_one_line_error(said)
    assert told in said.err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("words", "stage", "told"),
    [
        (["prepare", "s", "--out", "o"], "prepare", "nothing half-written is left"),
        (["train", "d", "--out", "o"], "train", "the same command goes on from the last"),
        (["evaluate", "r"], "evaluate_folder", "nothing half-written is left"),
        (["bundle", "r", "--out", "o"], "bundle_run", "nothing half-written is left"),
        (["build", "s", "--out", "o"], "build", "the same command goes on where it was"),
        (["demo", "--out", "o"], "build", "the same command goes on where it was"),
    ],
)
def test_ctrl_c_is_one_line_with_what_to_do_and_exit_code_130(
    twotower, words, stage, told, tmp_path, monkeypatch
):
    from twotower import pipeline

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(pipeline, stage, lambda *_, **__: signal.raise_signal(signal.SIGINT))
    said = twotower(*words)
    assert said.code == 130
    assert said.err.startswith("stopped; ")
    assert told in said.err
    assert said.err.count("\n") == 1


def test_brackets_in_an_error_are_shown(twotower, tmp_path):
    source = shop(tmp_path / "shop", **{"events.csv": EVENTS.replace("user_id", "usr_id")})
    said = twotower("prepare", source, "--out", tmp_path / "out")
    assert_one_line_error(said)
    assert '[events.columns]\nuser_id = "usr_id"' in said.err


BAD_SOURCES = {
    "a missing column": {"items.csv": ITEMS.replace("item_id", "number")},
    "a wrong type": {"items.csv": ITEMS.replace("80", "dear")},
    "duplicate items": {"items.csv": ITEMS + "a,Again,1\n"},
    "an empty file": {"events.csv": ""},
    "damaged utf-8": {"items.csv": ITEMS.encode() + "d,Größe,4\n".encode() + b"e,Caf\xe9,5\n"},
    "a truncated parquet": {"items.csv": None, "items.parquet": b"PAR1 and no more"},
    "no positives": {"events.csv": "user_id,item_id,event\nu,elsewhere,view\n"},
}


@pytest.mark.parametrize("verb", ["prepare", "build"])
@pytest.mark.parametrize("fault", BAD_SOURCES)
def test_a_bad_source_is_refused_and_nothing_is_written(twotower, tmp_path, verb, fault):
    source = shop(tmp_path / "shop", **BAD_SOURCES[fault])
    said = twotower(verb, source, "--out", tmp_path / "made" / "out")
    assert_one_line_error(said)
    assert [path.name for path in tmp_path.iterdir()] == ["shop"]


def test_events_of_unknown_items_future_times_and_unfinite_prices_are_counted(twotower, tmp_path):
    items = ITEMS + "d,Vase,NaN\n"
    events = EVENTS + "u1,elsewhere,view,2025-03-01\nu2,a,view,2999-01-01\n"
    source = shop(tmp_path / "shop", **{"items.csv": items, "events.csv": events})
    said = twotower("prepare", source, "--out", tmp_path / "out")
    assert said.code == 0, said.err
    assert said.out.count("cleaned: ") >= 3
    counts = twotower("prepare", source, "--out", tmp_path / "out", "--json").json["counts"]
    assert (counts["items"], counts["events"]) == (4, 12)
    assert counts["events"] == sum(counts[f"events.{s}"] for s in ("train", "validation", "test"))


@pytest.mark.parametrize("verb", ["prepare", "build"])
def test_an_unwritable_place_is_refused(twotower, tmp_path, verb):
    source = shop(tmp_path / "shop")
    said = twotower(verb, source, "--out", "/proc/nowhere/out")
    assert_one_line_error(said)
    assert "/proc/nowhere" in said.err


@pytest.mark.parametrize("verb", ["prepare", "build"])
def test_a_place_that_holds_something_else_is_refused_before_any_work(twotower, tmp_path, verb):
    source = shop(tmp_path / "shop")
    (tmp_path / "taken").mkdir()
    (tmp_path / "taken" / "letters.txt").write_text("dear")
    said = twotower(verb, source, "--out", tmp_path / "taken")
    assert_one_line_error(said)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["shop", "taken"]


@pytest.mark.parametrize("by", ["option", "environment"])
@pytest.mark.parametrize("verb", ["serve", "demo"])
def test_a_database_that_is_none_is_told_before_anything_is_loaded(
    twotower, tmp_path, monkeypatch, verb, by
):
    (tmp_path / "bundle").mkdir()
    (tmp_path / "bundle" / "manifest.json").write_text("{}")
    place = ["--out"] if verb == "demo" else []
    address = "mysql://shop:secret@db/shop"
    words = ["--database", address] if by == "option" else []
    if by == "environment":
        monkeypatch.setenv("TWOTOWER_DATABASE", address)
    said = twotower(verb, *place, tmp_path / "bundle", *words)
    assert_one_line_error(said)
    assert "postgresql://USER@HOST/DATABASE, got mysql://" in said.err
    assert "secret" not in said.out + said.err


FULL_DISK = """
import resource, signal, sys
from twotower.cli import main
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (200, 200))
main()
"""


def test_a_full_disk_is_one_line_and_leaves_nothing(tmp_path):
    source = shop(tmp_path / "shop")
    words = ["prepare", str(source), "--out", str(tmp_path / "out")]
    done = subprocess.run(
        [sys.executable, "-c", FULL_DISK, *words], capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    *progress, last = done.stderr.splitlines()
    assert "disk is full" in last
    assert set(progress) <= STAGES
    assert [path.name for path in tmp_path.iterdir()] == ["shop"]


def test_outside_a_terminal_progress_is_lines(twotower, tmp_path):
    said = twotower("prepare", shop(tmp_path / "shop"), "--out", tmp_path / "out")
    assert said.code == 0
    assert said.err.splitlines()[0] == "read"
    assert set(said.err.splitlines()) <= STAGES


def test_bars_of_libraries_are_not_drawn(twotower, tmp_path, monkeypatch):
    monkeypatch.delenv("HF_HUB_DISABLE_PROGRESS_BARS", raising=False)
    twotower("prepare", shop(tmp_path / "shop"), "--out", tmp_path / "out")
    asked = [sys.executable, "-c", "import transformers.utils.logging as told; "
             "raise SystemExit(told.is_progress_bar_enabled())"]  # fmt: skip
    assert subprocess.run(asked, check=False).returncode == 0


def test_the_installed_command_prints_json_alone_on_its_output(tmp_path):
    source = shop(tmp_path / "shop")
    call = [sys.executable, "-c", "from twotower.cli import main; main()"]
    done = subprocess.run(
        [*call, "prepare", str(source), "--out", str(tmp_path / "out"), "--json"],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "TWOTOWER_CACHE": str(tmp_path)},
    )
    assert json.loads(done.stdout)["counts"]["items"] == 3
    assert done.stderr == ""
    assert Path(json.loads(done.stdout)["out"]) == tmp_path / "out"
