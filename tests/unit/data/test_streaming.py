"""A log prepared a part at a time is the log prepared as a whole."""

import gzip

import polars as pl
import pytest
import zstandard
from little_shop import EVENTS, JUDGMENTS, shop
from messy_shop import assert_same, folder, in_parts, messy_shop

from twotower import pipeline
from twotower.data.config import PrepareConfig
from twotower.data.dataset import Dataset
from twotower.data.prepare import prepare as prepare_whole
from twotower.data.streaming import prepare as streaming
from twotower.data.streaming.prepare import large_log, prepare
from twotower.errors import DataError
from twotower.pipeline import Workshop
from twotower.recipes import recipe

DROP = {"bots": "drop", "near_identical": "merge"}


@pytest.mark.parametrize(
    ("seed", "split", "how"),
    [(0, "auto", {}), (1, "time", DROP), (2, "leave-one-out", DROP), (3, "last-by-user", {})],
)
def test_a_log_in_parts_is_prepared_as_one_in_memory(tmp_path, seed, split, how):
    source = messy_shop(tmp_path, seed)
    config = PrepareConfig(split=split, **how)
    whole = prepare_whole(source, config)
    assert {"duplicate_event", "cancellation", "busy_user", "unknown_item"} <= {
        rule["name"] for rule in whole.profile["cleaning"]
    }
    assert_same(whole, in_parts(source, tmp_path / "out", config), tmp_path / "out")


FORMATS = {
    "gz": lambda folder, table: gzipped(folder, table),
    "parquet": lambda folder, table: table.write_parquet(folder / "events.parquet"),
    "jsonl": lambda folder, table: table.write_ndjson(folder / "events.jsonl"),
    "parts": lambda folder, table: in_two_files(folder, table),
}


def gzipped(folder, table):
    (folder / "events.csv.gz").write_bytes(gzip.compress(table.write_csv().encode()))


def in_two_files(folder, table):
    """The second without sessions."""
    (folder / "events").mkdir()
    table.head(500).write_csv(folder / "events" / "1.csv")
    table.slice(500).drop("session").write_csv(folder / "events" / "2.csv")


@pytest.mark.parametrize("form", FORMATS)
def test_every_form_of_a_file_is_read_in_parts(tmp_path, form):
    source = messy_shop(tmp_path / "shop")
    FORMATS[form](source, pl.read_csv(source / "events.csv", infer_schema=False))
    (source / "events.csv").unlink()
    assert_same(prepare_whole(source), in_parts(source, tmp_path / "out"), tmp_path / "out")


TELLING_LATE = {
    "an id that is no number": ["7.0,a,1", "8,b,2", "A7,c,3"],
    "ids that are all numbers": ["7.0,a,1", "7,b,2", "9.0,c,3"],
    "a day above twelve": ["u,a,01.02.2024", "u,b,03.02.2024", "v,c,25.02.2024"],
    "seconds, most of them": ["u,a,0", "u,b,1569888000", "v,c,1569888001"],
    "blank lines at the end": ["u,a,1", "u,b,2", "v,c,3", "", ""],
}


@pytest.mark.parametrize("lines", TELLING_LATE.values(), ids=TELLING_LATE)
def test_what_only_the_whole_log_tells_is_told_in_parts_too(tmp_path, lines):
    log = "user_id,item_id,time\n" + "\n".join(lines) + "\n"
    source = shop(tmp_path, events=log)
    summary = in_parts(source, tmp_path / "out", batch_rows=1, part_rows=1)
    assert_same(prepare_whole(source), summary, tmp_path / "out")


def test_a_log_with_an_order_and_no_clock_is_prepared_in_parts(tmp_path):
    source = shop(tmp_path, events="user_id,item_id,order\nu,b,2\nv,a,1\nu,a,1\nu,c,3\nu,c,3\n")
    summary = in_parts(source, tmp_path / "out", batch_rows=2, part_rows=2)
    assert summary.about.split_kind == "leave-one-out"
    assert_same(prepare_whole(source), summary, tmp_path / "out")


FAULTS = {
    "time": ("u,a,view,soon\n", r"events.csv: row 6 .*column 'time': expected a time, got 'soon'"),
    "kind": ("u,a,dance,2025-03-05\n", r"events.csv: row 6 .*got 'dance'"),
    "long": ("u,a,view,2025-03-05,9\n", r"events.csv: row 6 .*has 5 fields"),
    "short": ("u,a,view\n", r"events.csv: row 6 .*has 3 fields"),
}


@pytest.mark.parametrize(("line", "told"), FAULTS.values(), ids=FAULTS)
def test_a_fault_is_named_with_its_row_and_nothing_is_written(tmp_path, line, told):
    source = shop(folder(tmp_path), events=EVENTS + line)
    with pytest.raises(DataError, match=told):
        in_parts(source, tmp_path / "out", batch_rows=2)
    assert [path.name for path in tmp_path.iterdir()] == ["shop"]


def test_rows_at_fault_are_put_aside_with_their_place(tmp_path):
    source = shop(folder(tmp_path), events=EVENTS + "u1,a,view,soon\nu2,b,view,2025-03-09\n")
    config = PrepareConfig(on_error="skip")
    in_parts(source, tmp_path / "parts", config, batch_rows=4)
    prepare_whole(source, config).save(tmp_path / "whole")
    aside = [(tmp_path / name / "refused.jsonl").read_text() for name in ("parts", "whole")]
    assert aside[0] == aside[1]
    assert "row 6" in aside[0]


DAMAGED = {
    "gz": ("events.csv.gz", gzip.compress(EVENTS.encode() * 50)[:-9], "truncated or damaged gzip"),
    "zst": ("events.csv.zst", zstandard.compress(EVENTS.encode() * 50)[:-3], "damaged zst"),
    "parquet": ("events.parquet", b"PAR1 and nothing else", "truncated or damaged Parquet"),
    "no UTF-8": ("events.csv", EVENTS.encode() + b"u\xff\xfe,a,view,2025-03-09\n", None),
}


@pytest.mark.parametrize(("file", "data", "told"), DAMAGED.values(), ids=DAMAGED)
def test_a_log_that_cannot_be_read_in_parts_is_read_as_a_whole_or_its_fault_named(
    tmp_path, monkeypatch, file, data, told
):
    source = shop(folder(tmp_path), **{"events": None, file: data})
    monkeypatch.setattr(streaming, "LARGE", 1)
    work = recipe("tiny"), tmp_path / "out", Workshop(tmp_path)
    if told is None:
        assert pipeline.prepare(source, *work).counts["events"] == 6
        return
    with pytest.raises(DataError, match=told):
        pipeline.prepare(source, *work)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    "how", [{"k_core": 2}, {"unknown_items": "keep"}, {"split": "cold-start"}, {"split": "rolling"}]
)
def test_what_needs_the_whole_log_is_read_as_a_whole(tmp_path, how):
    source = shop(tmp_path)
    assert large_log(source, PrepareConfig(), smallest=0) is not None
    assert large_log(source, PrepareConfig(**how), smallest=0) is None


def test_a_log_of_a_given_split_and_one_in_another_encoding_are_read_as_a_whole(tmp_path):
    source = shop(tmp_path, events="user_id,item_id,split\nu,a,train\n")
    assert large_log(source, PrepareConfig(), smallest=0) is None
    (shop(tmp_path) / "shop.toml").write_text('[events]\nencoding = "cp1252"\n')
    assert large_log(source, PrepareConfig(), smallest=0) is None


def test_the_pipeline_prepares_a_large_log_in_parts_and_any_other_as_before(tmp_path, monkeypatch):
    source = shop(folder(tmp_path), judgments=JUDGMENTS)
    expected = prepare_whole(source).content_hash
    made = []

    def seen(*given, **named):
        made.append(1)
        return prepare(*given, **named)

    monkeypatch.setattr(pipeline, "prepare_large", seen)
    for smallest, out in ((10**9, "as before"), (1, "in parts")):
        monkeypatch.setattr(streaming, "LARGE", smallest)
        summary = pipeline.prepare(source, recipe("tiny"), tmp_path / out, Workshop(tmp_path))
        assert summary.content_hash == Dataset.load(tmp_path / out).content_hash == expected
    assert made == [1]
