"""The shop's language and synonyms, from its folder into the dataset."""

import polars as pl
import pytest

from twotower.data.dataset import Dataset
from twotower.data.prepare import prepare
from twotower.data.tables import Tables
from twotower.errors import ConfigError, DataError
from twotower.pipeline import Workshop
from twotower.pipeline import prepare as prepare_stage
from twotower.recipes import Recipe

RULES = ("# ours", "couch, sofa", "", "tv => television  # one way")


def a_shop(folder, **more):
    judgments = pl.DataFrame({
        "query": [f"q{n}" for n in range(20)],
        "item_id": ["a"] * 20,
        "grade": [float(1 + n % 2) for n in range(20)],
    })  # fmt: skip
    items = pl.DataFrame({"item_id": ["a", "b"], "title": ["Red sofa", "Television"]})
    return Tables(items=items, judgments=judgments, **more).write_source(folder)


def test_language_and_synonyms_come_from_the_folder_and_stay(tmp_path):
    source = a_shop(tmp_path / "shop", name="Sofas 🛋", language="german", synonyms=RULES)
    dataset = prepare(source)
    assert dataset.about.name == "Sofas 🛋"
    assert (dataset.about.language, dataset.about.synonyms) == ("german", RULES)
    dataset.save(tmp_path / "data")
    assert Dataset.load(tmp_path / "data").about == dataset.about


def test_a_shop_that_says_nothing_is_english_without_synonyms(tmp_path):
    about = prepare(a_shop(tmp_path)).about
    assert (about.language, about.synonyms) == ("english", ())


@pytest.mark.parametrize(
    ("said", "error", "told"),
    [
        ({"language": "klingon"}, ConfigError, "language must be one of .*got 'klingon'"),
        ({"synonyms": ("couch",)}, DataError, r"synonyms\.txt: line 1"),
    ],
)
def test_what_words_cannot_use_is_refused_before_anything_is_trained(tmp_path, said, error, told):
    source = a_shop(tmp_path / "shop", **said)
    with pytest.raises(error, match=told):
        prepare_stage(str(source), Recipe("x"), tmp_path / "out", Workshop(tmp_path))
    assert not (tmp_path / "out").exists()


def test_a_language_that_is_no_text_and_a_file_that_is_no_text_are_named(tmp_path):
    source = a_shop(tmp_path)
    (source / "shop.toml").write_text("language = 7\n")
    with pytest.raises(DataError, match=r"shop\.toml: language is 7; .*a valid string"):
        prepare(source)
    (source / "shop.toml").unlink()
    (source / "synonyms.txt").write_bytes(b"caf\xe9, coffee\n")
    with pytest.raises(DataError, match=r"synonyms\.txt cannot be read"):
        prepare(source)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ('repeat = "no"', r"repeat is 'no'; .*boolean"),
        ("name = 3", r"name is 3; .*string"),
        ("items = 3", r"\[items\] must be a table, got 3"),
        ("[items]\nfile = 3", r"file in \[items\] is 3; .*string"),
        ("[items]\ncategory_separator = 3", r"category_separator in \[items\] is 3"),
        ("[items.columns]\ntitle = 3", r"columns in \[items\] is .*3"),
        ('[events]\nkinds = "view"', r"kinds in \[events\] is 'view'"),
    ],
)
def test_a_value_of_the_wrong_type_in_shop_toml_is_named(tmp_path, line, said):
    source = a_shop(tmp_path)
    (source / "shop.toml").write_text(line + "\n")
    with pytest.raises(DataError, match=r"shop\.toml: " + said):
        prepare(source)
