"""`--on-error skip`: rows at fault are put aside with their reason, the rest is prepared."""

import io
import json
import re

import polars as pl
import pytest
from little_shop import EVENTS, ITEMS, shop

from public_data import rule
from twotower.data.config import PrepareConfig
from twotower.data.dataset import Dataset
from twotower.data.prepare import prepare
from twotower.errors import DataError

KINDS = "one of view, cart, purchase, review, search, cancel"
SKIP = PrepareConfig(on_error="skip")
FAULTY_ITEMS = ITEMS + "d,Chair,abc\na,Oak again,1\n,No id,2\ne,Stool,3\n"
FAULTY_EVENTS = EVENTS + "u3,a,dance,2025-03-05\nu3,b,view,yesterday\nu3,c,view,2025-03-05\n"


def test_rows_at_fault_are_put_aside_with_their_reasons(tmp_path):
    dataset = prepare(shop(tmp_path, items=FAULTY_ITEMS, events=FAULTY_EVENTS), SKIP)
    assert dataset.items["item_id"].to_list() == ["a", "b", "c", "e"]
    assert len(dataset.events) == 6
    by_row = {one["row"]: one for one in dataset.refused.iter_rows(named=True)}
    told = " (the header not counted)"
    assert {row: (one["column"], one["value"], one["expected"]) for row, one in by_row.items()} == {
        f"items.csv: row 4{told}": ("price", "abc", "a number"),
        f"items.csv: row 5{told}": ("item_id", "a", "an id of its own"),
        f"items.csv: row 6{told}": ("item_id", None, "an id"),
        f"events.csv: row 6{told}": ("event", "dance", KINDS),
        f"events.csv: row 7{told}": ("time", "yesterday", "a time"),
    }  # fmt: skip


def test_where_rows_were_put_aside_no_wrong_row_is_named(tmp_path):
    faulty = FAULTY_EVENTS + ",a,view,2025-03-05\n"
    dataset = prepare(shop(tmp_path, items=FAULTY_ITEMS, events=faulty), SKIP)
    one = next(r for r in dataset.profile["cleaning"] if r["name"] == "event_without_user")
    assert "row" not in one["examples"][0]


def test_nothing_else_changes_by_skipping(tmp_path):
    assert prepare(shop(tmp_path), SKIP).content_hash == prepare(tmp_path).content_hash


def test_the_sums_hold_with_refused_rows(tmp_path):
    dataset = prepare(shop(tmp_path, items=FAULTY_ITEMS, events=FAULTY_EVENTS), SKIP)
    for table, left in (("items", dataset.n_items), ("events", len(dataset.events))):
        counts = [one for one in dataset.profile["cleaning"] if one["table"] == table]
        assert dataset.profile["read"][table]["rows"] - sum(one["count"] for one in counts) == left


def test_they_are_in_a_file_beside_the_tables(tmp_path, twotower):
    source, out = tmp_path / "shop", tmp_path / "data"
    source.mkdir()
    shop(source, events=FAULTY_EVENTS)
    assert twotower("prepare", source, "--out", out).code == 1
    assert not out.exists()
    said = twotower("prepare", source, "--out", out, "--on-error", "skip")
    assert said.code == 0, said.err
    lines = [json.loads(line) for line in (out / "refused.jsonl").read_text().splitlines()]
    assert [line["value"] for line in lines] == ["yesterday", "dance"]
    assert len(Dataset.load(out).events) == 6
    assert rule(Dataset.load(out), "refused_row")["table"] == "events"


def test_a_column_that_is_wrong_as_a_whole_stops_in_any_case(tmp_path):
    shop(tmp_path, items=ITEMS.replace("120", "x").replace("80", "y"))
    with pytest.raises(DataError, match=r"column 'price': expected a number, got 'x'"):
        prepare(tmp_path, SKIP)


def test_grades_and_parts_keep_their_own_row_numbers(tmp_path):
    shop(tmp_path, events=None, judgments="query,item_id,grade\n" + "t,a,1\nt,b,0\nr,b,?\nr,c,1\n")
    (tmp_path / "events").mkdir()
    header, *rows = EVENTS.splitlines()
    for part, some in (("1.csv", rows[:3]), ("2.csv", [*rows[3:], "u9,a,view,never"])):
        (tmp_path / "events" / part).write_text("\n".join([header, *some]))
    refused = prepare(tmp_path, SKIP).refused
    assert set(refused["row"].str.replace(" (the header not counted)", "", literal=True)) == {
        "2.csv: row 3",
        "judgments.csv: row 3",
    }
    assert refused.schema == dict.fromkeys(refused.columns, pl.String)


LINES = pl.read_csv(io.StringIO(EVENTS)).write_ndjson()
BROKEN = {
    "a row with too few fields": ("events.csv", EVENTS + "u3,a\nu4,b,view,2025-03-09\n", "u3,a"),
    "a row with too many fields": (
        "events.csv",
        EVENTS + "u3,a,view,2025-03-05,x\nu4,b,view,2025-03-09\n",
        "u3,a,view,2025-03-05,x",
    ),
    "a line that is no object": (
        "events.jsonl",
        LINES
        + '[1, 2]\n{"user_id": "u4", "item_id": "b", "event": "view", "time": "2025-03-09"}\n',
        "[1, 2]",
    ),
    "a line cut off": (
        "events.jsonl",
        LINES + '{"user_id": "u\n'
        '{"user_id": "u4", "item_id": "b", "event": "view", "time": "2025-03-09"}\n',
        '{"user_id": "u',
    ),
    "a list among texts": (
        "events.jsonl",
        LINES + '{"user_id": "u3", "item_id": ["a", "b"], "event": "view", "time": "2025-03-09"}\n'
        '{"user_id": "u4", "item_id": "b", "event": "view", "time": "2025-03-09"}\n',
        '["a", "b"]',
    ),
}


@pytest.mark.parametrize(("file", "text", "value"), BROKEN.values(), ids=BROKEN)
def test_a_row_that_cannot_be_read_is_put_aside_and_the_next_one_is_read(
    tmp_path, file, text, value
):
    source = shop(tmp_path, **{"events": None, file: text})
    with pytest.raises(DataError, match=re.escape(f"{file}: row 6")):
        prepare(source)
    dataset = prepare(source, SKIP)
    assert dataset.refused["row"].str.contains("row 6").to_list() == [True]
    assert dataset.refused["value"].to_list() == [value]
    assert dataset.events["user_id"].to_list().count("u4") == 1
    assert dataset.counts["events"] == 6
    (rule,) = (one for one in dataset.profile["cleaning"] if one["name"] == "refused_row")
    assert (rule["count"], rule["examples"][0]["row"]) == (1, 6)


def test_rows_after_a_broken_one_keep_their_numbers(tmp_path):
    source = shop(tmp_path, events=EVENTS + "u3,a\nu4,b,view,soon\n")
    assert prepare(source, SKIP).refused["row"].str.extract(r"row (\d+)").to_list() == ["6", "7"]


def test_a_file_of_which_most_rows_are_broken_is_not_skipped(tmp_path):
    source = shop(tmp_path, events=EVENTS + "u3,a\n" * 6)
    with pytest.raises(DataError, match=r"6 of 11 rows: more than half"):
        prepare(source, SKIP)
