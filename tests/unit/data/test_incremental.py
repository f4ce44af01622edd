"""A dataset that gained files is the dataset of all of them, and only the new ones are read."""

import polars as pl
import pytest
from little_shop import EVENTS, shop
from messy_shop import assert_same, in_parts, messy_log, messy_shop

from twotower import pipeline
from twotower.data import reading
from twotower.data.config import PrepareConfig
from twotower.data.prepare import prepare as prepare_whole
from twotower.errors import ConfigError, DataError
from twotower.pipeline import Workshop
from twotower.recipes import recipe


@pytest.fixture
def read_files(monkeypatch):
    """The files whose rows were read, each once."""
    seen, scanned = set(), reading.scanned

    def noted(path):
        scan = scanned(path)
        collect = scan.collect_batches

        class Noted:
            collect_schema, select = scan.collect_schema, lambda _, names: scan.select(names)

            def collect_batches(self, **how):
                seen.add(path.name)
                return collect(**how)

        return Noted()

    monkeypatch.setattr(reading, "scanned", noted)
    return seen


def in_files(source, *days):
    """Logs of so many days, each a file."""
    (source / "events.csv").unlink(missing_ok=True)
    (source / "events").mkdir(exist_ok=True)
    for day in days:
        (source / "events" / f"{day}.csv").write_text(messy_log(day, n=80, busy=60))
    return source


def kept(source, out, **how):
    return in_parts(source, out, PrepareConfig(**how), batch_rows=400, keeps=True)


@pytest.mark.parametrize(("first", "then"), [((2,), (3, 1)), ((1, 2), (3,)), ((1, 3), (2,))])
def test_files_that_came_change_the_dataset_as_if_they_had_always_been_there(
    tmp_path, read_files, first, then
):
    source, out = messy_shop(tmp_path / "shop"), tmp_path / "out"
    kept(in_files(source, *first), out)
    read_files.clear()
    summary = kept(in_files(source, *then), out)
    assert read_files == {f"{day}.csv" for day in then}
    assert_same(prepare_whole(source), summary, out)


def test_the_same_files_again_are_not_read(tmp_path, read_files):
    source, out = in_files(messy_shop(tmp_path / "shop"), 1, 2), tmp_path / "out"
    first = kept(source, out)
    read_files.clear()
    assert kept(source, out).content_hash == first.content_hash
    assert read_files == set()


def changed_file(source, out):
    (source / "events" / "1.csv").write_text(messy_log(7, n=80, busy=60))
    return {"1.csv"}


def removed_file(source, out):
    (source / "events" / "1.csv").unlink()
    return set()


def another_zone(source, out):
    with (source / "shop.toml").open("r+") as file:
        text = file.read()
        file.seek(0)
        file.write(f'time_zone = "Europe/Paris"\n{text}')
    return {"1.csv", "2.csv"}


def an_id_of_letters(source, out):
    """Ids were whole numbers until now: 7.0 was 7."""
    (source / "events" / "3.csv").write_text("user_id,item_id,time\nanna,a,2025-03-05\n")
    return {"1.csv", "2.csv", "3.csv"}


def a_lost_piece(source, out):
    next((out / "log").glob("*.arrow")).unlink()
    return {"1.csv", "2.csv"}


@pytest.mark.parametrize(
    "change", [changed_file, removed_file, another_zone, an_id_of_letters, a_lost_piece]
)
def test_what_no_longer_fits_is_read_again(tmp_path, read_files, change):
    source, out = in_files(messy_shop(tmp_path / "shop"), 1, 2), tmp_path / "out"
    if change is an_id_of_letters:
        for name in ("1.csv", "2.csv"):
            rows = "7.0,a,2025-03-01\n7,b,2025-03-02\n9.0,c,2025-03-03\n"
            (source / "events" / name).write_text(f"user_id,item_id,time\n{rows}")
    kept(source, out)
    read_files.clear()
    expected = change(source, out)
    summary = kept(source, out)
    assert read_files == expected
    assert_same(prepare_whole(source), summary, out)


def test_a_fault_in_a_new_file_leaves_dataset_and_rows_as_they_were(tmp_path, read_files):
    source, out = in_files(messy_shop(tmp_path / "shop"), 1), tmp_path / "out"
    before = kept(source, out)
    (source / "events" / "2.csv").write_text("user_id,item_id,event,time\nu,a,view,soon\n")
    with pytest.raises(DataError, match=r"2.csv: row 1 .*got 'soon'"):
        kept(source, out)
    (source / "events" / "2.csv").unlink()
    read_files.clear()
    assert kept(source, out).content_hash == before.content_hash
    assert read_files == set()


def test_the_command_takes_it_and_says_where_it_is_not_possible(tmp_path):
    (tmp_path / "shop").mkdir()
    source, out, here = shop(tmp_path / "shop"), tmp_path / "out", Workshop(tmp_path)
    pipeline.prepare(source, recipe("tiny"), out, here, incremental=True)
    assert (out / "log" / "log.json").is_file()
    (source / "events.csv").write_text(f"{EVENTS}u3,b,view,2025-03-06\n")
    again = pipeline.prepare(source, recipe("tiny"), out, here, incremental=True)
    assert again.counts["events"] == 6
    with pytest.raises(ConfigError, match="--incremental is for the events of a folder"):
        pipeline.prepare("synthetic", recipe("tiny"), tmp_path / "o", here, incremental=True)


def test_a_log_that_cannot_be_read_in_parts_is_named_and_nothing_is_written(tmp_path, monkeypatch):
    (tmp_path / "shop").mkdir()
    source, here = shop(tmp_path / "shop"), Workshop(tmp_path)

    def fails(*_, **__):
        raise pl.exceptions.ComputeError("no such thing in parts")

    monkeypatch.setattr(pipeline, "prepare_large", fails)
    with pytest.raises(DataError, match="--incremental cannot read this log in parts: no such"):
        pipeline.prepare(source, recipe("tiny"), tmp_path / "o", here, incremental=True)
    assert not (tmp_path / "o").exists()
