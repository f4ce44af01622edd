"""MovieLens, on a few ratings written by hand in the publisher's forms."""

from pathlib import Path

import polars as pl
import pytest

from public_data import folder
from twotower.data.config import PrepareConfig
from twotower.data.prepare import prepare
from twotower.data.sources.registry import published
from twotower.data.streaming.prepare import large_log
from twotower.data.streaming.prepare import prepare as in_parts
from twotower.errors import DataError


def flags(*places: int) -> str:
    return "|".join("1" if place in places else "0" for place in range(19))


def of_100k(place: Path) -> Path:
    ratings = [(1, 10, 5, 881250949), (1, 20, 1, 881250950), (2, 10, 3, 881250951)]
    (place / "u.data").write_text("".join("\t".join(map(str, row)) + "\n" for row in ratings))
    films = f"10|Café (1995)|01-Jan-1995||http://x|{flags(3, 5)}\n20|unknown||||{flags(0)}\n"
    (place / "u.item").write_bytes(films.encode("iso-8859-1"))
    (place / "u.user").write_text("1|24|M|technician|85711\n2|53|F|other|94043\n")
    return place


def of_1m(place: Path) -> Path:
    (place / "ratings.dat").write_text("1::10::5::978300760\n1::20::3::978302109\n")
    films = "10::Café: a Film (1995)::Animation|Comedy\n20::Heat (1995)::Action\n"
    (place / "movies.dat").write_bytes(films.encode("iso-8859-1"))
    (place / "users.dat").write_text("1::F::1::10::48067\n")
    return place


def of_csv(place: Path) -> Path:
    (place / "ratings.csv").write_text(
        "userId,movieId,rating,timestamp\n1,10,4.5,1147880044\n1,20,3.0,1147868817\n"
    )
    (place / "movies.csv").write_text(
        'movieId,title,genres\n10,"Usual Suspects, The (1995)",Crime|Mystery\n'
        "20,Heat (1995),(no genres listed)\n"
    )
    return place


def read(name: str, place: Path, **how):
    return prepare(published(name, place), PrepareConfig(split="leave-one-out", **how))


def test_100k_is_read_from_its_three_files(tmp_path):
    dataset = read("movielens-100k", of_100k(tmp_path))
    assert dataset.items.rows() == [
        ("10", "Café (1995)", ["Animation", "Comedy"]),
        ("20", "unknown", []),
    ]
    assert dataset.events.select("user_id", "item_row", "event", "time").rows() == [
        ("1", 0, "review", 881250949000),
        ("1", 1, "review", 881250950000),
        ("2", 0, "review", 881250951000),
    ]
    assert dataset.users.rows()[0] == ("1", "24", "M", "technician", "85711")


def test_1m_is_read_from_its_dat_files(tmp_path):
    dataset = read("movielens-1m", of_1m(tmp_path))
    assert dataset.items.rows()[0] == ("10", "Café: a Film (1995)", ["Animation", "Comedy"])
    assert dataset.events["time"].to_list() == [978300760000, 978302109000]
    assert dataset.users.rows() == [("1", "F", "1", "10", "48067")]


def test_later_editions_are_read_from_csv(tmp_path):
    dataset = read("movielens", of_csv(tmp_path))
    assert dataset.items.rows() == [
        ("10", "Usual Suspects, The (1995)", ["Crime", "Mystery"]),
        ("20", "Heat (1995)", []),
    ]
    assert dataset.events["item_row"].to_list() == [1, 0]
    assert dataset.users is None


@pytest.mark.parametrize("name", ["u.data", "u.item", "u.user"])
def test_a_missing_file_is_named(tmp_path, name):
    (of_100k(tmp_path) / name).unlink()
    with pytest.raises(DataError, match=rf"lacks {name} or .*grouplens\.org"):
        read("movielens-100k", tmp_path)


def test_a_row_that_is_cut_off_is_named(tmp_path):
    (of_100k(tmp_path) / "u.data").write_text("1\t10\t5\t881250949\n1\t20\n")
    with pytest.raises(DataError, match=r"u\.data: row 2 should have 4 values"):
        read("movielens-100k", tmp_path)


@pytest.mark.real
def test_the_real_100k_has_the_published_counts():
    dataset = prepare(published("movielens-100k", folder("movielens_100k")))
    assert (dataset.n_items, len(dataset.users), len(dataset.events)) == (1_682, 943, 100_000)
    [again] = dataset.profile["cleaning"]  # Chasing Amy is there twice, and 17 more
    assert (again["name"], again["count"], again["action"]) == ("near_identical_title", 18, "kept")
    assert dataset.items["title"][0] == "Toy Story (1995)"
    assert dataset.items["attributes"][0].to_list() == ["Animation", "Children's", "Comedy"]
    assert dataset.profile["events"]["events_per_user"]["min"] == 20


@pytest.mark.real
def test_the_protocols_of_published_tables_can_be_had():
    source = published("movielens-100k", folder("movielens_100k"))
    at_random = prepare(source, PrepareConfig(split="random", test_share=0.2, repeat=True))
    assert at_random.counts["events.test"] == 20_000
    assert sum(n for name, n in at_random.counts.items() if name.startswith("events.")) == 100_000
    for kind in ("random-by-user", "last-by-user"):
        dataset = prepare(source, PrepareConfig(split=kind, test_share=0.25))
        assert dataset.events.filter(split="test")["user_id"].n_unique() == 943
        assert abs(dataset.counts["events.test"] - 25_000) < 943 / 2
    by_user = dataset.events.group_by("user_id").agg(
        pl.col("time").filter(split="train").max().alias("learnt"),
        pl.col("time").filter(split="test").min().alias("asked"),
    )
    assert (by_user["learnt"] <= by_user["asked"]).all()


@pytest.mark.parametrize("split", ["auto", "leave-one-out"])
def test_ratings_in_csv_are_prepared_in_parts_where_they_are_many(tmp_path, split):
    source, config = published("movielens", of_csv(tmp_path)), PrepareConfig(split=split)
    more = "".join(f"{n % 3},{10 * (n % 2 + 1)},3.5,{1147880044 + n}\n" for n in range(40))
    with (tmp_path / "ratings.csv").open("a") as file:
        file.write(more)
    log = large_log(source, config, smallest=0)
    summary = in_parts(log, config, tmp_path / "out", part_rows=10)
    whole = prepare(source, config)
    assert summary.content_hash == whole.content_hash
    assert summary.about == whole.about
