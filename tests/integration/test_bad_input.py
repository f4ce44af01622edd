"""Every fault of a shop's tables: a clear error that names the place, and nothing written."""

import gzip
import re
import sys
import tomllib
from pathlib import Path

import polars as pl
import pytest

from twotower.data.prepare import prepare
from twotower.errors import DataError, OutputError

ITEMS = "item_id,title,price\na,Oak Table,120\nb,Wool Rug,80\nc,Desk Lamp,35\n"
EVENTS = (
    "user_id,item_id,event,time\nu,a,view,2025-03-01\nu,b,view,2025-03-02\nv,c,cart,2025-03-03\n"
)
JUDGMENTS = "query,item_id,grade\ntable,a,E\nlamp,c,E\n"


def source(folder: Path, **files: str | bytes | None) -> Path:
    for name, content in ({"items.csv": ITEMS, "events.csv": EVENTS} | files).items():
        if content is not None:
            (folder / name).write_bytes(content.encode() if isinstance(content, str) else content)
    return folder


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def refused(folder: Path) -> str:
    """What `prepare` says, on one line but for lines of shop.toml; nothing is written."""
    before = names(folder)
    with pytest.raises(DataError) as caught:
        prepare(folder).save(folder.parent / "out")
    assert names(folder) == before
    assert not (folder.parent / "out").exists()
    message = str(caught.value)
    assert message.partition("\n")[0].endswith(":") == bool(pasted(message))
    return message


def pasted(told: str) -> dict[str, dict]:
    """What the lines for shop.toml that end a message say, pasted there."""
    return tomllib.loads(told.partition("\n")[2])


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "shop"
    made.mkdir()
    return made


def test_a_missing_column_names_what_was_found_and_the_closest(folder):
    told = refused(source(folder, **{"events.csv": EVENTS.replace("user_id", "usr_id")}))
    assert "events.csv has no column 'user_id' (found: usr_id, item_id, event, time)" in told
    assert "The closest is 'usr_id'" in told
    assert pasted(told) == {"events": {"columns": {"user_id": "usr_id"}}}


def test_all_missing_columns_are_named_at_once_and_the_lines_can_be_pasted(folder):
    events = EVENTS.replace("user_id,item_id", "usr_id,what was it")
    told = refused(source(folder, **{"events.csv": events}))
    assert "has no column 'user_id' and no column 'item_id'" in told
    assert pasted(told) == {"events": {"columns": {"user_id": "usr_id", "item_id": "your column"}}}
    mapped = told.partition("\n")[2].replace("your column", "what was it")
    (folder / "shop.toml").write_text(mapped)
    assert len(prepare(folder).events) == 3


def test_a_wrong_type_names_file_row_column_and_value(folder):
    told = refused(source(folder, **{"items.csv": ITEMS.replace("80", "abc")}))
    assert "items.csv: row 2 (the header not counted), column 'price': expected a number" in told
    assert "got 'abc'" in told


def test_a_wrong_type_in_json_lines_names_the_row(folder):
    lines = (
        '{"item_id": 1, "title": "x", "price": 3}\n{"item_id": 2, "title": "y", "price": "dear"}\n'
    )
    told = refused(source(folder, **{"items.csv": None, "items.jsonl": lines}))
    assert "items.jsonl: row 2, column 'price'" in told


def test_a_time_that_is_none_names_the_row_and_the_shops_own_column(folder):
    bad = EVENTS.replace("time", "timestamp").replace("2025-03-02", "yesterday")
    told = refused(source(folder, **{"events.csv": bad}))
    assert "events.csv: row 2" in told
    assert "column 'timestamp' (our 'time')" in told
    assert "'yesterday'" in told


@pytest.mark.parametrize("odd", ["0", "2025"])
def test_one_number_among_written_times_is_the_wrong_one(folder, odd):
    told = refused(source(folder, **{"events.csv": EVENTS.replace("2025-03-02", odd)}))
    assert (
        f"events.csv: row 2 (the header not counted), column 'time': expected a time, got '{odd}'"
        in told
    )
    assert "more rows" not in told


@pytest.mark.parametrize(("second", "kind"), [('{"amount": 4}', "an object"), ("[3]", "a list")])
def test_another_kind_of_value_in_json_lines_names_row_and_column(folder, second, kind):
    lines = (
        '{"item_id": 1, "title": "x", "price": 3}\n'
        f'{{"item_id": 2, "title": "y", "price": {second}}}\n'
    )
    told = refused(source(folder, **{"items.csv": None, "items.jsonl": lines}))
    assert (
        f"items.jsonl: row 2, column 'price': expected a number, as in the rows before, got {kind}"
        in told
    )


def test_an_unknown_kind_of_event_says_how_to_map_it(folder):
    told = refused(source(folder, **{"events.csv": EVENTS.replace("cart", "wishlist")}))
    assert "row 3" in told
    assert pasted(told) == {"events": {"kinds": {"wishlist": "view"}}}


def test_all_unknown_kinds_are_named_as_the_shop_writes_them(folder):
    strange = EVENTS.replace("cart", "Wish list").replace("u,b,view", "u,b,Look at")
    told = refused(source(folder, **{"events.csv": strange}))
    assert "got 'Look at', and 1 more row like it" in told
    assert pasted(told) == {"events": {"kinds": {"Look at": "view", "Wish list": "view"}}}
    (folder / "shop.toml").write_text(told.partition("\n")[2])
    assert prepare(folder).events["event"].to_list() == ["view"] * 3


def test_an_event_without_a_kind_is_named(folder):
    told = refused(source(folder, **{"events.csv": EVENTS.replace("cart", "")}))
    assert "row 3 (the header not counted), column 'event': expected one of" in told
    assert "Give every event its kind" in told


def test_duplicate_item_ids_are_named_with_their_rows(folder):
    told = refused(source(folder, **{"items.csv": ITEMS + "a,Oak Table again,1\n"}))
    assert "'a' in rows 1, 4" in told


def test_an_item_without_an_id_is_named(folder):
    told = refused(source(folder, **{"items.csv": ITEMS + ",Nameless,1\n"}))
    assert "row 4" in told


@pytest.mark.parametrize("name", ["items.csv", "events.csv"])
@pytest.mark.parametrize("content", ["", "item_id,title\n"])
def test_an_empty_file_is_named(folder, name, content):
    told = refused(source(folder, **{name: content}))
    assert told.startswith(name)
    assert "Export it again" in told


def test_damaged_utf8_is_named_with_its_place(folder):
    whole = ITEMS.encode() + "d,Café,4\n".encode("latin-1") + "e,Größe,5\n".encode()
    told = refused(source(folder, **{"items.csv": whole}))
    place = len(ITEMS) + 5
    assert f"items.csv is not UTF-8: byte {place} (line 5 of the file) is 0xe9" in told
    assert "iconv" in told


def test_a_truncated_parquet_file_is_named(folder):
    pl.DataFrame({"item_id": ["a"], "title": ["x"]}).write_parquet(folder / "items.parquet")
    whole = (folder / "items.parquet").read_bytes()
    told = refused(source(folder, **{"items.csv": None, "items.parquet": whole[:-20]}))
    assert "items.parquet is a truncated or damaged Parquet file" in told


@pytest.mark.parametrize("cut", [5, 30])
def test_a_truncated_gzip_file_is_named(folder, cut):
    whole = gzip.compress(ITEMS.encode())
    told = refused(source(folder, **{"items.csv": None, "items.csv.gz": whole[:cut]}))
    assert "items.csv.gz is a truncated or damaged gzip file" in told


def test_broken_json_names_its_row(folder):
    lines = '{"item_id": 1, "title": "x"}\n{"item_id": 2, "ti\n'
    told = refused(source(folder, **{"items.csv": None, "items.jsonl": lines}))
    assert "items.jsonl: row 2 is no JSON" in told


def test_a_row_with_too_many_fields_is_named(folder):
    told = refused(source(folder, **{"items.csv": ITEMS + "d,Lamp, big, red,3\n"}))
    assert "items.csv: row 4" in told
    assert "has 5 fields, the header has 3. Quote values that hold a separator" in told


@pytest.mark.parametrize("more", ["d,Lamp\n", "d,Lamp,3\ne\n", '"d\n",Lamp,\ne,Sofa\n'])
def test_a_row_with_too_few_fields_is_named(folder, more):
    told = refused(source(folder, **{"items.csv": ITEMS + more}))
    row, fields = (4, "2 fields") if more == "d,Lamp\n" else (5, "[12] fields?")
    assert re.search(rf"items\.csv: row {row} .* has {fields}, the header has 3", told)
    assert "Keep the separators of empty values" in told


def test_quotes_within_values_are_refused_with_the_way_to_write_them(folder):
    told = refused(source(folder, **{"items.csv": ITEMS.replace("Oak", '5" Oak')}))
    assert told.endswith('write that one twice: "5"" pipe"')
    source(folder, **{"items.csv": ITEMS.replace("Oak Table", '"5"" Oak"')})
    assert prepare(folder).items["title"][0] == '5" Oak'


def test_a_header_with_a_column_twice_is_refused(folder):
    told = refused(source(folder, **{"items.csv": ITEMS.replace("price", "title")}))
    assert "items.csv: the header has 'title' more than once (found: item_id, title, title)" in told


def test_an_order_that_is_no_whole_number_is_named(folder):
    events = "user_id,item_id,order\nu,a,0\nu,b,0.5\n"
    told = refused(source(folder, **{"events.csv": events}))
    assert "row 2 (the header not counted), column 'order': expected a whole number" in told
    assert "got '0.5'" in told


def test_days_that_could_be_months_are_refused_with_the_form_that_is_clear(folder):
    events = re.sub(r"2025-(\d+)-(\d+)", r"\2.\1.2025", EVENTS)
    told = refused(source(folder, **{"events.csv": events}))
    assert "got '01.03.2025', and 2 more rows like it. Write times as ISO 8601, such as" in told
    assert "empty" not in told


def test_a_source_without_positives_says_so(folder):
    judgments = JUDGMENTS.replace("E", "I")
    told = refused(source(folder, **{"events.csv": None, "judgments.csv": judgments}))
    assert "has no positives" in told


def test_a_log_of_other_items_only_has_no_positives(folder):
    events = "user_id,item_id,event\nu,x,view\nu,y,view\n,a,view\n"
    judgments = "query,item_id,grade\n,a,E\n"
    told = refused(source(folder, **{"events.csv": events, "judgments.csv": judgments}))
    assert "has no positives" in told
    rules = "event_without_user 1 of events, unknown_item 2 of events, blank_query 1 of judgments"
    assert f"left out by rule: {rules})" in told


def test_grades_of_two_kinds_are_refused(folder):
    judgments = "query,item_id,grade\ntable,a,E\nlamp,c,2\nrug,b,I\n"
    told = refused(source(folder, **{"judgments.csv": judgments}))
    assert "judgments.csv: row 2" in told
    assert "E, S, C or I" in told


def test_a_folder_without_events_and_judgments_says_what_was_found(folder):
    told = refused(source(folder, **{"events.csv": None}))
    assert "lacks an events or a judgments table (found: items.csv)" in told
    assert pasted(told) == {"events": {"file": "your file.csv"}}


def test_a_source_that_is_no_folder_says_so(tmp_path):
    with pytest.raises(DataError, match="is no folder"):
        prepare(tmp_path / "nowhere")


def test_two_files_for_one_table_are_refused(folder):
    told = refused(source(folder, **{"items.tsv": ITEMS.replace(",", "\t")}))
    assert "several files for items: items.csv, items.tsv" in told
    assert pasted(told) == {"items": {"file": "items.csv"}}


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[items", "shop.toml cannot be read"),
        ("[item]\n", "'item' at the top means nothing here"),
        ('[items.columns]\ntitle = "x"\nbrand = "y"\n', "title = 'x', brand = 'y', but items.csv"),
        ("[items]\nfile = 3\ncategory_separator = 4\n", "is 3; input should be a valid string. c"),
        ('[items.columns]\ntitel = "x"\n', "Did you mean 'title'?"),
        ('[items.columns]\ntitle = "tilte"\n', "has no such column"),
        ('[items]\nfile = "goods.csv"\n', "has no such file"),
        ('[events.kinds]\nview = "look"\n', "mapped to 'look'"),
        ("items = 3\n", "[items] must be a table, got 3"),
    ],
)
def test_a_fault_of_shop_toml_is_named(folder, text, told):
    assert told in refused(source(folder, **{"shop.toml": text}))


def test_all_faults_of_shop_toml_are_told_at_once(folder):
    text = 'name = 5\nnam = "x"\n[items]\nfil = "x"\n[events.kinds]\na = "look"\nb = "see"\n'
    told = refused(source(folder, **{"shop.toml": text}))
    for fault in ("name is 5", "'nam' at the top", "'fil' in [items]", "to 'look'", "to 'see'"):
        assert fault in told


def test_a_split_of_another_name_is_refused(folder):
    judgments = "query,item_id,grade,split\ntable,a,E,train\nlamp,c,E,holdout\n"
    told = refused(source(folder, **{"judgments.csv": judgments}))
    assert "row 2" in told
    assert "train, validation or test" in told


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="needs Linux's /proc")
def test_an_unwritable_place_is_an_output_error(folder):
    with pytest.raises(OutputError, match="cannot be written"):
        prepare(source(folder)).save(Path("/proc/twotower"))
