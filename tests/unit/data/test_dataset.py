import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest

from twotower.data.dataset import About, Dataset
from twotower.data.prepare import prepare
from twotower.errors import DataError, OutputError

SOURCE = "synthetic:products=40,shoppers=10,seed=1"


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.fixture(scope="module")
def made() -> Dataset:
    return prepare(SOURCE)


def test_saved_means_loads_and_is_the_same(made, tmp_path):
    made.save(tmp_path / "data")
    found = Dataset.load(tmp_path / "data")
    assert found.content_hash == made.content_hash
    assert found.about == made.about
    assert found.profile == made.profile
    assert found.counts == made.counts
    assert found.events.equals(made.events)
    assert (
        json.loads((tmp_path / "data/dataset.json").read_text())["content_hash"]
        == made.content_hash
    )


def test_the_hash_of_a_loaded_dataset_is_not_worked_out_again_unless_a_table_is_another(
    made, tmp_path, monkeypatch
):
    made.save(tmp_path / "data")
    found = Dataset.load(tmp_path / "data")
    with monkeypatch.context() as patch:
        patch.setattr(pl.DataFrame, "write_ndjson", None)
        assert found.content_hash == made.content_hash
    fewer = replace(found, items=found.items.head(5))
    assert fewer.content_hash != made.content_hash
    assert replace(fewer, items=found.items).content_hash == made.content_hash


def test_saving_twice_gives_the_same_bytes(made, tmp_path):
    for name in ("one", "two"):
        made.save(tmp_path / name)
    for path in (tmp_path / "one").iterdir():
        assert path.read_bytes() == (tmp_path / "two" / path.name).read_bytes()


def test_an_older_dataset_is_replaced_and_nothing_stays_beside_it(made, tmp_path):
    made.save(tmp_path / "data")
    prepare("synthetic:products=50,shoppers=10,seed=1").save(tmp_path / "data")
    assert Dataset.load(tmp_path / "data").n_items == 50
    assert names(tmp_path) == ["data"]


def test_a_dataset_put_aside_by_a_killed_writer_is_put_back(made, tmp_path):
    made.save(tmp_path / "data")
    (tmp_path / "data").rename(tmp_path / ".data.k1lled00.old")
    assert Dataset.load(tmp_path / "data").content_hash == made.content_hash


def test_a_folder_of_something_else_is_left_alone(made, tmp_path):
    (tmp_path / "thesis.txt").write_text("years of work")
    with pytest.raises(OutputError, match="left alone"):
        made.save(tmp_path)
    assert names(tmp_path) == ["thesis.txt"]


def test_a_place_that_cannot_be_written_is_an_output_error(made, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="Nothing half-written was left"):
        made.save(tmp_path / "file" / "data")
    assert names(tmp_path) == ["file"]


def test_a_full_disk_leaves_nothing_and_keeps_what_was_there(made, tmp_path):
    made.save(tmp_path / "data")
    program = (
        "import resource, sys; from pathlib import Path\n"
        "from twotower.data.prepare import prepare; from twotower.errors import OutputError\n"
        f"made = prepare({SOURCE!r})\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))\n"
        "for name in ('data', 'deep/er/new'):\n"
        "    try: made.save(Path(sys.argv[1]) / name)\n"
        "    except OutputError as error: print(error)\n"
    )
    told = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path)], capture_output=True, text=True, check=True
    ).stdout
    assert told.count("the disk is full") == 2
    assert names(tmp_path) == ["data"]
    assert Dataset.load(tmp_path / "data").content_hash == made.content_hash


@pytest.mark.parametrize("name", ["items.parquet", "profile.json"])
@pytest.mark.parametrize("damage", ["truncated", "altered", "missing"])
def test_a_damaged_file_is_named(made, tmp_path, name, damage):
    made.save(tmp_path / "data")
    path = tmp_path / "data" / name
    data = path.read_bytes()
    if damage == "missing":
        path.unlink()
    else:
        path.write_bytes(data[:-9] if damage == "truncated" else data[:-1] + b"?")
    with pytest.raises(DataError, match=name):
        Dataset.load(tmp_path / "data")


def test_a_folder_without_a_dataset_says_how_to_make_one(tmp_path):
    with pytest.raises(DataError, match="twotower prepare SOURCE --out"):
        Dataset.load(tmp_path)


def test_another_format_is_refused_with_both_versions(made, tmp_path):
    made.save(tmp_path / "data")
    manifest = tmp_path / "data/dataset.json"
    manifest.write_text(manifest.read_text().replace('"format": 1', '"format": 99'))
    with pytest.raises(DataError, match=r"format 99.*format 1"):
        Dataset.load(tmp_path / "data")


def test_the_hash_follows_the_contents(made):
    assert made.content_hash == prepare(SOURCE).content_hash
    assert made.content_hash != prepare(SOURCE.replace("seed=1", "seed=2")).content_hash


def test_about_of_a_later_version_is_read_as_far_as_it_is_known():
    about = About("x", split_kind="time", text_fields=("title", "brand"), test_from=7)
    assert About.from_json(about.to_json() | {"colour": "red"}) == about
