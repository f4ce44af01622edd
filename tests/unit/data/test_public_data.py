import polars as pl
import pytest

from public_data import folder
from twotower.data.prepare import prepare


@pytest.mark.real
def test_amazon_beauty_is_a_log_with_order_only():
    dataset = prepare(folder("amazon_beauty_2014"))
    assert dataset.counts == {
        "items": 12_101,
        "events": 198_502,
        "events.train": 153_776,
        "events.validation": 22_363,
        "events.test": 22_363,
    }
    assert dataset.about.split_kind == "leave-one-out"
    assert dataset.about.text_fields == ("title",)
    found = {rule["name"]: rule["count"] for rule in dataset.profile["cleaning"]}
    assert found == {"markup": 97, "blank_title": 7, "near_identical_title": 37}
    assert dataset.items["title"].null_count() == 0


@pytest.mark.real
def test_home_depot_keeps_its_own_validation_as_the_exam():
    source = folder("home_depot")
    dataset = prepare(source)
    given = pl.read_parquet(source / "judgments.parquet")
    exam = set(given.filter(split="validation")["query"].str.strip_chars())
    assert dataset.n_items == 54_667
    assert len(dataset.judgments) == 66_644
    assert set(dataset.judgments.filter(split="test")["query"]) == exam
    queries = dataset.judgments.group_by("split").agg(pl.col("query").n_unique())
    sizes = dict(queries.iter_rows())
    assert 0.08 < sizes["validation"] / (sizes["validation"] + sizes["train"]) < 0.12
    test = dataset.judgments.filter(split="test")
    assert test.filter("positive")["query"].n_unique() == 1147


@pytest.mark.real
def test_movielens_is_read_through_a_shop_toml(tmp_path):
    source = folder("movielens_100k")
    for ours, theirs in (("items", "item"), ("events", "inter"), ("users", "user")):
        (tmp_path / f"{theirs}.parquet").symlink_to(source / f"{theirs}.parquet")
        with (tmp_path / "shop.toml").open("a") as file:
            file.write(f'[{ours}]\nfile = "{theirs}.parquet"\n')
            if ours == "items":
                file.write('columns = { attributes = ["class", "release_year"] }\n')
            if ours == "events":
                file.write('kind = "review"\n')
    dataset = prepare(tmp_path)
    assert dataset.about.split_kind == "time"
    assert dataset.profile["events"]["kinds"] == {"review": 100_000}
    assert dataset.items["title"][0] == "Toy Story"
    assert len(dataset.users) == 943
