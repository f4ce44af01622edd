"""Words and suggestions after live changes, beside a shop built afresh with the same products."""

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from twotower.data.dataset import About, Dataset
from twotower.lexical.documents import item_documents
from twotower.lexical.word_search import WordSearch
from twotower.retrieval.suggestions import Suggestions

TITLES = (
    "Lawn mower",
    "Lawnmower blade",
    "WD-40 spray",
    "Rain coat",
    "Raincoat red",
    "Steel grill",
)
PATHS = ("Garden > Mowers", "Garden", "Clothes", None)
TYPED = ("l", "lawn m", "rain", "gard", "raincaot", "grill", "clothse", "st", "spray wd")
QUERIES = ("lawnmower", "lawn mower", "rain coat", "raincoatt", "wd40", "gril", "mowers clothes")

products = st.tuples(st.sampled_from(TITLES), st.sampled_from(PATHS))
steps = st.lists(st.tuples(st.integers(0, 9), products | st.none()), max_size=12)


def shop(rows: list) -> tuple[WordSearch, Suggestions]:
    items = pl.DataFrame({
        "item_id": [str(place) for place in range(len(rows))],
        "title": [row[0] if row else "" for row in rows],
        "category": [row[1] if row else None for row in rows],
    }, schema_overrides={"title": pl.String, "category": pl.String})  # fmt: skip
    searches = pl.DataFrame({"user_id": ["u"] * 3, "query": ["lawnmower", "rain", "grill rain"]})
    dataset = Dataset(items, None, searches, None, None, About(name="little"))
    words = WordSearch.fit(item_documents(items))
    return words, Suggestions(dataset, words)


@settings(deadline=None)
@given(st.lists(products, max_size=6), steps)
def test_a_changed_shop_reads_and_suggests_as_one_built_afresh(rows, changes):
    words, suggestions = shop(rows)
    now: list = list(rows)
    for place, product in changes:
        row = min(place, len(now))
        if product is not None:
            title, path = product
            words.upsert(row, {"title": title, "category": path})
            suggestions.upsert(row, {"item_id": str(row), "title": title, "category": path})
            now[row:row + 1] = [product]  # fmt: skip
        elif row < len(now):
            words.delete(row)
            suggestions.delete(row)
            now[row] = None
    fresh_words, fresh_suggestions = shop(now)
    for typed in TYPED:
        assert suggestions.find(typed, 9) == fresh_suggestions.find(typed, 9), typed
    for query in QUERIES:
        assert words.read(query).corrected == fresh_words.read(query).corrected
        found, fresh = words.scores(query) > 0, fresh_words.scores(query) > 0
        assert found.tolist() == fresh.tolist(), query


def test_a_product_that_comes_back_keeps_the_popularity_it_had():
    items = pl.DataFrame({"item_id": ["a", "b"], "title": ["Desk lamp", "Lamp"]})
    events = pl.DataFrame({
        "user_id": ["u", "v"], "item_row": pl.Series([0, 0], dtype=pl.Int32),
        "split": ["train", "train"],
    })  # fmt: skip
    dataset = Dataset(items, events, None, None, None, About(name="little"))
    words = WordSearch.fit(item_documents(items))
    suggestions = Suggestions(dataset, words)
    assert [one.text for one in suggestions.find("lamp", 5)] == ["Desk lamp", "Lamp"]
    suggestions.delete(0)
    assert [one.text for one in suggestions.find("lamp", 5)] == ["Lamp"]
    suggestions.upsert(0, {"item_id": "a", "title": "Old desk lamp"})
    assert [one.text for one in suggestions.find("lamp", 5)] == ["Old desk lamp", "Lamp"]


@pytest.mark.parametrize("split", ["validation", "test"])
def test_what_happened_after_training_makes_nothing_popular(split):
    items = pl.DataFrame({"item_id": ["a", "b"], "title": ["Desk lamp", "Lamp"]})
    events = pl.DataFrame({
        "user_id": ["u"], "item_row": pl.Series([0], dtype=pl.Int32), "split": [split],
    })  # fmt: skip
    dataset = Dataset(items, events, None, None, None, About(name="little"))
    suggestions = Suggestions(dataset, WordSearch.fit(item_documents(items)))
    assert [one.text for one in suggestions.find("lamp", 5)] == ["Lamp", "Desk lamp"]
