"""Files of every usual form: packed, in parts, in other encodings, nested."""

import json

import polars as pl
import pytest
import zstandard
from little_shop import EVENTS, ITEMS, shop

from twotower.data import reading
from twotower.data.check import checked
from twotower.data.prepare import prepare
from twotower.data.tables import read_source
from twotower.errors import DataError

FIRST, REST = EVENTS.splitlines(keepends=True)[:3], EVENTS.splitlines(keepends=True)[3:]
PARTS = {"1.csv": "".join(FIRST), "2.csv": FIRST[0] + "".join(REST)}


def in_parts(folder, at="events"):
    shop(folder, events=None)
    (folder / at).mkdir()
    for name, content in PARTS.items():
        (folder / at / name).write_text(content)
    return folder


def test_zst_files_say_the_same_as_plain_ones(tmp_path):
    packed = zstandard.compress(EVENTS.encode()[:40]) + zstandard.compress(EVENTS.encode()[40:])
    plain, zst = tmp_path / "plain", tmp_path / "zst"
    for folder in (plain, zst):
        folder.mkdir()
    shop(plain)
    shop(zst, events=None, **{"events.csv.zst": packed})
    assert prepare(plain).content_hash == prepare(zst).content_hash


@pytest.mark.parametrize("end", ["\r", "\r\n"])
def test_lines_may_end_as_they_do_on_other_machines(tmp_path, end):
    shop(tmp_path, items=ITEMS.replace("\n", end))
    assert prepare(tmp_path).items["title"].to_list() == ["Oak Table", "Wool Rug", "Desk Lamp"]


def test_ids_with_a_point_zero_are_the_whole_numbers(tmp_path):
    numbers = {"a": "7", "b": "8", "c": "9"}
    events = EVENTS
    for letter, number in numbers.items():
        events = events.replace(f",{letter},", f",{number}.0,")
    shop(tmp_path, items="item_id,title\n7,Oak Table\n8,Wool Rug\n9,Desk Lamp\n", events=events)
    assert len(prepare(tmp_path).events) == 5


def test_ids_that_are_no_whole_numbers_stay(tmp_path):
    shop(
        tmp_path,
        items="item_id,title\n7.0,Oak Table\n7.5,Wool Rug\n",
        events="user_id,item_id,time\nu,7.0,2025-03-01\nu,7.5,2025-03-02\n",
    )
    assert prepare(tmp_path).items["item_id"].to_list() == ["7.0", "7.5"]


def test_stock_that_is_not_a_number_is_unknown(tmp_path):
    shop(tmp_path, items=ITEMS.replace("price", "in_stock").replace("120", "nan"))
    assert prepare(tmp_path).items["in_stock"].to_list() == [None, True, True]


@pytest.mark.parametrize("cut", [3, 30])
def test_a_truncated_zst_file_is_named(tmp_path, cut):
    packed = zstandard.compress(EVENTS.encode())[:cut]
    shop(tmp_path, events=None, **{"events.csv.zst": packed})
    with pytest.raises(DataError, match=r"events\.csv\.zst is a truncated or damaged zst file"):
        prepare(tmp_path)


@pytest.mark.parametrize("how", ["folder", "numbered", "pattern"])
def test_a_table_in_parts_is_the_whole_table(tmp_path, how):
    whole, parted = tmp_path / "whole", tmp_path / "parted"
    for folder in (whole, parted):
        folder.mkdir()
    shop(whole)
    if how == "folder":
        in_parts(parted)
        (parted / "events" / "_SUCCESS").touch()
    else:
        name = "events-{}" if how == "numbered" else "log {}"
        shop(parted, events=None, **{name.format(part): text for part, text in PARTS.items()})
    if how == "pattern":
        (parted / "shop.toml").write_text('[events]\nfile = "log *.csv"\n')
    dataset = prepare(parted)
    assert dataset.content_hash == prepare(whole).content_hash
    assert list(dataset.profile["read"]["events"]["parts"].values()) == [2, 3]


def test_a_fault_in_a_part_is_named_by_its_own_file_and_row(tmp_path):
    in_parts(tmp_path)
    late = PARTS["2.csv"].replace("2025-03-03 08:00:00", "yesterday")
    (tmp_path / "events" / "2.csv").write_text(late)
    with pytest.raises(
        DataError, match=r"^2\.csv: row 2 \(the header not counted\), column 'time'"
    ):
        prepare(tmp_path)


def test_parts_may_gain_a_column(tmp_path):
    in_parts(tmp_path)
    header, *rows = PARTS["2.csv"].splitlines()
    more = [f"{header},session_id", *(f"{row},s{n}" for n, row in enumerate(rows))]
    (tmp_path / "events" / "2.csv").write_text("\n".join(more))
    assert read_source(tmp_path).events["session_id"].to_list() == [None, None, "s0", "s1", "s2"]


@pytest.mark.parametrize(
    ("encoding", "title"),
    [
        ("cp1252", "Tür für Größe “M”"),
        ("cp1250", "Żółty stół drewniany"),
        ("cp1251", "Деревянный стол"),
        ("cp932", "木製テーブル"),
        ("utf-16", "Деревянный стол ü"),
        ("utf-8-sig", "木製テーブル"),
    ],
)
def test_other_encodings_are_recognised_and_told(tmp_path, encoding, title):
    shop(tmp_path, items=ITEMS.replace("Oak Table", title).encode(encoding))
    dataset = prepare(tmp_path)
    assert dataset.items["title"][0] == title
    told = [line for line in dataset.profile["warnings"] if "is not UTF-8" in line]
    assert len(told) == (encoding != "utf-8-sig")
    assert all(encoding in line and "shop.toml" in line for line in told)


def test_the_encoding_that_shop_toml_names_is_the_one(tmp_path):
    shop(tmp_path, items=ITEMS.replace("Oak Table", "Çalişma ağaci").encode("cp1254"))
    (tmp_path / "shop.toml").write_text('[items]\nencoding = "cp1254"\n')
    assert prepare(tmp_path).items["title"][0] == "Çalişma ağaci"
    (tmp_path / "shop.toml").write_text('[items]\nencoding = "klingon"\n')
    with pytest.raises(DataError, match="klingon"):
        prepare(tmp_path)


def test_utf8_with_a_damaged_place_is_refused_not_guessed(tmp_path):
    damaged = ITEMS.replace("Oak Table", "Größe Tür").encode().replace(b"Rug", b"R\xe9g")
    shop(tmp_path, items=damaged)
    with pytest.raises(
        DataError, match=r"items\.csv is not UTF-8: byte \d+ \(line 3 of the file\)"
    ):
        prepare(tmp_path)


@pytest.mark.parametrize(
    "events",
    [
        EVENTS,
        EVENTS + "\n\n",
        EVENTS.replace(",", "\t"),
        "\ufeff" + EVENTS,
        EVENTS.replace("u2", "ü2"),
        EVENTS.replace(",2025-03-02\n", ",\n"),
        EVENTS.replace("u1", '"u,1"'),
    ],
)
def test_a_large_file_is_read_in_place_and_says_the_same(tmp_path, monkeypatch, events):
    shop(tmp_path, events=events)
    slow = prepare(tmp_path)
    monkeypatch.setattr(reading, "LARGE", 0)
    assert prepare(tmp_path).content_hash == slow.content_hash


@pytest.mark.parametrize(
    "events",
    [EVENTS + "u3,a\n", EVENTS + "u3,a,view,2025-03-01,x\n", EVENTS.replace("time", "event")],
)
def test_faults_of_a_large_file_are_named_as_those_of_a_small_one(tmp_path, monkeypatch, events):
    shop(tmp_path, events=events)
    told = []
    for limit in (reading.LARGE, 0):
        monkeypatch.setattr(reading, "LARGE", limit)
        with pytest.raises(DataError) as caught:
            prepare(tmp_path)
        told.append(str(caught.value))
    assert told[0] == told[1]


def test_nested_columns_become_what_we_read(tmp_path):
    line = {
        "asin": "a",
        "title": "Rug",
        "categories": [["Home", "Rugs"], ["Sale"]],
        "description": ["Soft.", "Warm."],
        "features": ["red", {"size": "L", "care": None}],
        "images": None,
        "image": [{"thumb": "t.jpg", "large": "l.jpg"}],
        "price": "$1,299.00",
    }
    text = json.dumps(line | {"features": ["red", "L"]}) + "\n"
    shop(tmp_path, items=None, **{"items.jsonl": text})
    item = checked(read_source(tmp_path)).items.row(0, named=True)
    assert item["category"] == "Home > Rugs"
    assert item["description"] == "Soft. Warm."
    assert item["attributes"] == ["red", "L"]
    assert item["image"] == "l.jpg"
    assert item["price"] == 1299.0


def test_objects_as_attributes_keep_their_keys(tmp_path):
    item = {"asin": "a", "title": "Rug", "attributes": {"size": "L", "care": None, "tags": ["x"]}}
    shop(tmp_path, items=None, **{"items.json": json.dumps([item])})
    assert read_source(tmp_path).items["attributes"].to_list() == [["size: L", "tags: x"]]


def test_bytes_of_a_picture_become_an_image(tmp_path):
    frame = pl.DataFrame(
        {"item_id": list("abc"), "title": list("abc"), "image": [b"\x89PNG", b"?", None]}
    )
    shop(tmp_path, items=None)
    frame.write_parquet(tmp_path / "items.parquet")
    assert read_source(tmp_path).items["image"].to_list() == [
        "data:image/png;base64,iVBORw==",
        None,
        None,
    ]


def test_times_without_a_zone_are_those_of_the_shop(tmp_path):
    stamps = ["2025-07-01T12:00:00", "2025-07-01T12:00:00Z", "2025-12-01 12:00:00"]
    rows = "".join(f"u{n},a,view,{stamp}\n" for n, stamp in enumerate(stamps))
    shop(tmp_path, events="user_id,item_id,event,time\n" + rows)
    (tmp_path / "shop.toml").write_text('time_zone = "Europe/Paris"\n')
    read = checked(read_source(tmp_path)).events["time"].cast(pl.Datetime("ms")).dt.hour()
    assert read.to_list() == [10, 12, 11]
    (tmp_path / "shop.toml").write_text('time_zone = "Europe/Pari"\n')
    with pytest.raises(DataError, match="Did you mean 'Europe/Paris'"):
        read_source(tmp_path)
