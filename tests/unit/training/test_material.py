"""What a run learns from, cut out of a dataset."""

import numpy as np
import polars as pl

from twotower.data.dataset import About, Dataset
from twotower.features.items import ItemFeaturesConfig
from twotower.training.material import gather


class Ones:
    """Satisfies TextEncoder: every text is the same to it."""

    name, width, hash = "ones", 4, "ones"

    def encode(self, texts, progress=None):
        return np.full((len(texts), 4), 0.5, np.float32)


def test_items_are_grouped_by_the_fields_that_their_text_is_read_from():
    items = pl.DataFrame(
        {
            "item_id": ["a", "b", "c", "d"],
            "title": ["Rug", "rug", "Rug", "Lamp"],
            "brand": ["Arbo", "Arbo", "Koda", None],
        }
    )
    judgments = pl.DataFrame(
        {
            "query": ["rug"],
            "item_row": pl.Series([0], dtype=pl.Int32),
            "grade": [3.0],
            "gain": [1.0],
            "positive": [True],
            "split": ["train"],
        }
    )
    dataset = Dataset(
        items, None, None, None, judgments, About("x", text_fields=("title", "brand"))
    )
    material = {
        fields: gather(
            dataset,
            ItemFeaturesConfig(use=("text",), text_fields=fields),
            Ones(),
            validation_cases=10,
        )
        for fields in (("title",), ("title", "brand"))
    }
    assert material["title",].groups.tolist() == [0, 0, 0, 3]
    assert material["title", "brand"].groups.tolist() == [0, 0, 2, 3]
