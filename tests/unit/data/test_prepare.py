import json
import re
from pathlib import Path

import polars as pl
import pytest
from little_shop import EVENTS, ITEMS, JUDGMENTS, shop

from twotower.data.config import PrepareConfig
from twotower.data.dataset import Dataset
from twotower.data.prepare import prepare
from twotower.data.splits import by_query
from twotower.data.tables import read_source
from twotower.errors import ConfigError, DataError


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def rule(dataset: Dataset, name: str) -> dict:
    return next(r for r in dataset.profile["cleaning"] if r["name"] == name)


def test_a_shop_of_two_csv_files_becomes_a_dataset(tmp_path):
    dataset = prepare(shop(tmp_path))
    assert dataset.items["item_id"].to_list() == ["a", "b", "c"]
    assert dataset.events.select("user_id", "item_row", "event", "order").rows() == [
        ("u1", 0, "view", 0),
        ("u1", 1, "cart", 1),
        ("u1", 2, "purchase", 2),
        ("u2", 2, "purchase", 0),
        ("u2", 0, "view", 1),
    ]
    assert dataset.events["time"][0] == 1740823200000
    assert dataset.about.split_kind == "time"
    assert dataset.about.name == tmp_path.name
    assert not dataset.about.synthetic


@pytest.mark.parametrize("form", ["parquet", "csv", "tsv", "jsonl"])
@pytest.mark.parametrize("gz", [False, True])
def test_every_format_gives_the_same_dataset(tmp_path, form, gz):
    source = "synthetic:products=40,shoppers=10,seed=1"
    made = prepare(source)
    from twotower.data.prepare import read

    read(source).write_source(tmp_path, format=form, gz=gz)
    found = prepare(tmp_path)
    assert found.content_hash == made.content_hash
    assert found.about == made.about
    assert found.about.synthetic


def test_common_names_of_columns_and_kinds_are_recognised(tmp_path):
    shop(
        tmp_path,
        items='productId,Product Name,Unit-Price\n1,Cup,"$1,299.50"\n2,Jug,\n',
        events="visitorid,asin,behavior,ts\n7,1,add_to_cart,1740823200\n7,2,transaction,1740823201\n",
    )
    dataset = prepare(tmp_path)
    assert dataset.items.columns == ["item_id", "title", "price"]
    assert dataset.items["price"].to_list() == [1299.5, None]
    assert dataset.events["event"].to_list() == ["cart", "purchase"]
    assert dataset.events["time"][0] == 1740823200000


def test_shop_toml_maps_what_is_named_otherwise(tmp_path):
    shop(tmp_path, items=None, events=None)
    (tmp_path / "goods.csv").write_text(
        "nr;x,bezeichnung,farbe,stoff,weg\n1,Tasse,Rot,Ton,Haus/Kueche\n"
    )
    (tmp_path / "log.csv").write_text("kunde,nr;x,was,split\nk,1,gekauft,train\nk,1,weg,train\n")
    (tmp_path / "shop.toml").write_text("""
        name = "Laden"
        repeat = true
        [items]
        file = "goods.csv"
        category_separator = "/"
        [items.columns]
        item_id = "nr;x"
        title = "bezeichnung"
        attributes = ["farbe", "stoff"]
        category = "weg"
        [events]
        file = "log.csv"
        columns = { item_id = "nr;x", user_id = "kunde", event = "was" }
        kinds = { gekauft = "purchase", weg = "ignore" }
    """)
    dataset = prepare(tmp_path)
    assert dataset.about.name == "Laden"
    assert dataset.about.repeat
    assert dataset.about.split_kind == "given"
    assert dataset.items.row(0, named=True) == {
        "item_id": "1",
        "title": "Tasse",
        "category": "Haus > Kueche",
        "attributes": ["Rot", "Ton"],
    }
    assert dataset.events["event"].to_list() == ["purchase"]
    assert rule(dataset, "ignored_event")["count"] == 1


def test_a_log_with_order_only_is_split_leave_one_out(tmp_path):
    events = (
        "user_id,item_id,event,order\nu,c,purchase,2\nu,a,purchase,0\nu,b,purchase,1\nv,a,view,0\n"
    )
    dataset = prepare(shop(tmp_path, events=events))
    assert dataset.about.split_kind == "leave-one-out"
    assert dataset.events.select("item_row", "split").rows() == [
        (0, "train"),
        (1, "validation"),
        (2, "test"),
        (0, "train"),
    ]
    assert dataset.events["time"].is_null().all()


def test_judgments_alone_are_enough(tmp_path):
    dataset = prepare(shop(tmp_path, events=None, judgments=JUDGMENTS))
    assert dataset.events is None
    assert dataset.judgments["gain"].to_list() == [1.0, 0.0, 1.0, 1.0]
    assert dataset.judgments["positive"].to_list() == [True, False, True, True]
    assert dataset.about.gain_map == "esci"


def test_numeric_grades_become_exponential_gains(tmp_path):
    judgments = (
        "query,item_id,grade,split\nq,a,3,train\nq,b,2.33,train\nq,c,1,train\nr,a,2,validation\n"
    )
    dataset = prepare(shop(tmp_path, events=None, judgments=judgments))
    assert dataset.judgments["gain"].to_list() == pytest.approx([3, 2**1.33 - 1, 0, 1])
    assert dataset.judgments["positive"].to_list() == [True, True, False, False]
    assert dataset.judgments["split"].to_list()[-1] == "test"  # the only held-out part is the exam


def test_typed_queries_of_the_log_are_searches_and_no_events(tmp_path):
    events = "user_id,item_id,event,time,query\nu,,search,2025-03-01,oak\nu,a,view,2025-03-02,\n"
    dataset = prepare(shop(tmp_path, events=events))
    assert dataset.searches.select("user_id", "query").rows() == [("u", "oak")]
    assert len(dataset.events) == 1


def test_text_fields_leave_out_anonymous_numbers(tmp_path):
    items = "item_id,title,attributes,brand\na,Table,17|204,Hay\nb,Rug,33,Hay\n"
    dataset = prepare(shop(tmp_path, items=items))
    assert dataset.about.text_fields == ("title", "brand")


def test_a_product_without_a_title_is_kept_and_counted(tmp_path):
    dataset = prepare(shop(tmp_path, items=ITEMS.replace("Wool Rug", "  ")))
    assert dataset.items["title"].to_list() == ["Oak Table", "", "Desk Lamp"]
    assert rule(dataset, "blank_title") == {
        "name": "blank_title",
        "table": "items",
        "count": 1,
        "action": "title set to ''",
        "examples": [{"row": 2, "item_id": "b", "title": "  ", "price": 80.0}],
    }


@pytest.mark.parametrize("price", ["NaN", "-5", "inf"])
def test_a_price_that_cannot_be_is_missing_and_counted(tmp_path, price):
    dataset = prepare(shop(tmp_path, items=ITEMS.replace("80", price)))
    assert dataset.items["price"].to_list() == [120.0, None, 35.0]
    if price != "NaN":
        assert rule(dataset, "invalid_price")["count"] == 1


def test_a_nan_in_parquet_is_counted_with_an_example(tmp_path):
    items = pl.DataFrame(
        {"item_id": [1, 2, 3], "title": ["x", "y", "z"], "price": [1.0, float("nan"), 2]}
    )
    items.write_parquet(tmp_path / "items.parquet")
    events = re.sub(",([abc]),", lambda m: f",{'abc'.index(m[1]) + 1},", EVENTS)
    dataset = prepare(shop(tmp_path, items=None, events=events))
    assert rule(dataset, "invalid_price")["examples"] == [
        {"row": 2, "item_id": "2", "title": "y", "price": "nan"}
    ]
    assert json.dumps(dataset.profile)


def test_future_events_are_left_out_and_counted(tmp_path):
    dataset = prepare(shop(tmp_path, events=EVENTS + "u2,b,view,2199-01-01\n"))
    assert len(dataset.events) == 5
    assert rule(dataset, "future_event")["count"] == 1
    assert rule(dataset, "future_event")["examples"][0]["item_id"] == "b"


def test_an_event_twice_counts_once(tmp_path):
    again = EVENTS.splitlines()[1] + "\n"
    dataset = prepare(shop(tmp_path, events=EVENTS + again))
    assert len(dataset.events) == 5
    assert rule(dataset, "duplicate_event")["count"] == 1


def test_events_of_unknown_items_are_left_out_or_kept_as_the_rule_says(tmp_path):
    shop(tmp_path, events=EVENTS + "u2,zz,view,2025-03-05\n")
    dropped = prepare(tmp_path)
    assert len(dropped.events) == 5
    assert rule(dropped, "unknown_item")["count"] == 1
    kept = prepare(tmp_path, PrepareConfig(unknown_items="keep"))
    assert len(kept.events) == 6
    assert kept.items.row(3, named=True) == {"item_id": "zz", "title": "", "price": None}
    assert rule(kept, "unknown_item")["action"].startswith("kept")


def test_examples_name_the_rows_of_the_file_whatever_rules_took_before(tmp_path):
    events = (
        "user_id,item_id,event,time\n,a,view,2025-03-01\nu,,view,2025-03-01\nu,a,view,\n"
        "u,zz,view,2025-03-01\nu,a,view,2999-03-01\nu,b,view,2025-03-02\nu,b,view,2025-03-02\n"
    )
    dataset = prepare(shop(tmp_path, events=events))
    found = {
        one["name"]: [e.get("row") for e in one["examples"]] for one in dataset.profile["cleaning"]
    }
    assert found == {
        "event_without_user": [1],
        "event_without_item": [2],
        "event_without_time": [3],
        "unknown_item": [4],
        "future_event": [5],
        "duplicate_event": [7],
    }


def test_a_query_of_two_splits_does_not_leak(tmp_path):
    judgments = (
        "query,item_id,grade,split\nq,a,E,train\nq,b,I,test\nr,a,E,train\ns,c,E,validation\n"
    )
    dataset = prepare(shop(tmp_path, events=None, judgments=judgments))
    assert dataset.judgments.filter(query="q")["split"].unique().to_list() == ["test"]
    assert rule(dataset, "query_in_two_splits")["count"] == 1


def test_queries_that_differ_in_case_and_spaces_are_one_query_to_splits(tmp_path):
    given = "query,item_id,grade,split\nOak  table,a,E,train\noak table ,b,I,test\nr,a,E,train\n"
    dataset = prepare(shop(tmp_path, events=None, judgments=given))
    assert dataset.judgments.filter(pl.col("query") != "r")["split"].unique().to_list() == ["test"]
    asked = [f"shower head {n}" for n in range(60)]
    frame = pl.DataFrame({"query": asked + [f" Shower  HEAD {n}" for n in range(60)]})
    split = by_query(frame, validation_share=0.3, test_share=0.3, seed=0).to_list()
    assert split[:60] == split[60:]
    assert len(set(split)) == 3


def test_the_profile_says_what_is_in_the_log(tmp_path):
    profile = prepare(shop(tmp_path)).profile
    assert profile["events"]["kinds"] == {"cart": 1, "purchase": 2, "view": 2}
    assert profile["events"]["users"] == 2
    assert profile["items"]["price"]["quantiles"]["max"] == 120
    assert profile["read"]["events"]["rows"] == 5
    assert profile["read"]["items"]["file"] == "items.csv"


def test_columns_that_nothing_reads_are_named(tmp_path):
    items = ITEMS.replace("price", "price,shelf").replace("120", "120,9").replace("80", "80,9")
    dataset = prepare(shop(tmp_path, items=items.replace("35", "35,9")))
    assert dataset.profile["read"]["items"]["ignored_columns"] == ["shelf"]


def test_progress_is_told_stage_by_stage(tmp_path):
    told = []
    prepare(shop(tmp_path), progress=lambda *call: told.append(call))
    assert [stage for stage, _, _ in told] == ["read", "check", "clean", "split", "profile"]
    assert [done for _, done, _ in told] == list(range(5))


def test_a_split_that_is_not_possible_says_which_is(tmp_path):
    shop(tmp_path)
    with pytest.raises(DataError, match="--split given needs a column 'split'"):
        prepare(tmp_path, PrepareConfig(split="given"))


@pytest.mark.parametrize(
    "wrong", [{"split": "by-luck"}, {"unknown_items": "?"}, {"test_share": 0}, {"test_share": 0.95}]
)
def test_a_setting_outside_its_range_is_refused(wrong):
    with pytest.raises(ConfigError):
        PrepareConfig(**wrong)


@pytest.mark.parametrize("source", ["synthetic:colours=3", "synthetic:products=many"])
def test_a_synthetic_source_with_a_wrong_size_shows_an_example(source):
    with pytest.raises(ConfigError, match="Example: synthetic:products=200"):
        prepare(source)


def test_reading_changes_nothing_of_the_shops_values(tmp_path):
    tables = read_source(shop(tmp_path))
    assert tables.items["price"].to_list() == ["120", "80", "35"]
    assert names(tmp_path) == ["events.csv", "items.csv"]


# -- as spreadsheets of other countries write it ----------------------------------


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
def test_what_parts_the_columns_of_a_csv_file_is_seen_in_its_header(tmp_path, separator):
    shop(tmp_path, items=ITEMS.replace(",", separator).replace("Oak Table", '"Oak; | or, "'))
    items = prepare(tmp_path).items
    assert items.columns == ["item_id", "title", "price"]
    assert items["price"].to_list() == [120.0, 80.0, 35.0]


@pytest.mark.parametrize(
    "items",
    [
        'item_id;title;"price, EUR"\na;Cup;1\n',
        "item_id,title,,\na,Cup,,\n",
        "item_id,title\na,Cup\n\n\n",
        "\ufeffitem_id;title\r\na;Cup\r\n\r\n",
    ],
)
def test_what_spreadsheets_add_to_a_csv_file_does_no_harm(tmp_path, items):
    shop(tmp_path, items=items)
    assert prepare(tmp_path).items.select("item_id", "title").rows() == [("a", "Cup")]


@pytest.mark.parametrize(
    ("written", "read"),
    [
        (["12,50", "1.299,00 €", "1.299", "7"], [12.5, 1299.0, 1299.0, 7.0]),
        (["0,125", "12,5", "", "3,14159"], [0.125, 12.5, None, 3.14159]),
        (["$1,299.00", "1,299", "12.50", "7"], [1299.0, 1299.0, 12.5, 7.0]),
        (["EUR 170.00", "170 CHF", "1299.-", "7,\u2013"], [170.0, 170.0, 1299.0, 7.0]),
        (["1,299", "2,000"], [1299.0, 2000.0]),
    ],
)
def test_decimal_commas_are_told_from_thousands_by_the_whole_column(tmp_path, written, read):
    rows = "".join(f"{n};Cup;{price}\n" for n, price in enumerate(written))
    shop(tmp_path, items="item_id;title;price\n" + rows, events="user_id,item_id\nu,0\n")
    assert prepare(tmp_path).items["price"].to_list() == read


def test_a_decimal_comma_among_decimal_points_is_refused(tmp_path):
    shop(tmp_path, items="item_id;title;price\na;Cup;12.50\nb;Jug;12,50\nc;Pot;1.75\n")
    with pytest.raises(DataError, match=r"row 2 .*column 'price': .*got '12,50'"):
        prepare(tmp_path)


def test_dates_as_whole_numbers_and_day_first_are_read(tmp_path):
    events = "user_id,item_id,time\nu,a,{}\nu,b,{}\nu,c,{}\n"
    dates = (["20250301", "20250302", "20251231"], ["01.03.2025", "02.03.2025", "31.12.2025"])
    found = [prepare(shop(tmp_path, events=events.format(*form))).events["time"] for form in dates]
    assert found[0].to_list() == found[1].to_list()
    assert found[0][0] == 1740787200000


# -- what will not be measured well -------------------------------------------------


def test_splits_with_few_cases_are_warned_of(tmp_path):
    dataset = prepare(shop(tmp_path, judgments=JUDGMENTS))
    [first, *_] = dataset.profile["warnings"]
    assert first.startswith("visitors of the validation split: 1. Numbers of fewer than 30")
    assert [told.partition(":")[0] for told in dataset.profile["warnings"]] == [
        "visitors of the validation split",
        "visitors of the test split",
        "queries of the validation split",
        "queries of the test split",
    ]


def test_splits_with_enough_cases_are_not(tmp_path):
    events = "".join(f"u{n},{item},{n}\n" for n in range(300, 700) for item in "abc")
    assert (
        prepare(shop(tmp_path, events="user_id,item_id,time\n" + events)).profile["warnings"] == []
    )
