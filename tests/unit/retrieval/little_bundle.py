"""A bundle in memory with towers that need no training: a word is a direction in space.

Everything but the towers and the text encoder is the real thing.
"""

import hashlib
from dataclasses import dataclass, field
from types import SimpleNamespace

import numpy as np
import polars as pl

from twotower.data.dataset import About, Dataset
from twotower.features.again import NOT_AGAIN
from twotower.features.items import ItemFeatures, ItemFeaturesConfig
from twotower.features.text import item_texts
from twotower.index.exact import ExactIndex
from twotower.lexical.documents import item_documents
from twotower.lexical.word_search import WordSearch

WIDTH = 64
SYNONYMS = {"couch": "sofa", "settee": "sofa", "torch": "lamp", "lantern": "lamp"}

PRODUCTS = [
    ("sofa-blue", "Blue sofa", "Koda", "Living > Seats", True),
    ("sofa-red", "Red sofa", "Koda", "Living > Seats", True),
    ("chair", "Oak chair", "Arbo", "Living > Seats", True),
    ("lamp", "Desk lamp", "Lumo", "Light", True),
    ("lamp-floor", "Floor lamp", "Lumo", "Light", False),
    ("kettle", "Steel kettle", "Arbo", "Kitchen", True),
    ("mug", "Mug WD-40", None, "Kitchen", None),
]


class WordEncoder:
    """Satisfies TextEncoder: the mean of the directions of the words."""

    name, width, hash = "words", WIDTH, "words-1"

    def encode(self, texts, progress=None):
        vectors = np.zeros((len(texts), WIDTH), np.float32)
        for row, text in enumerate(texts):
            for word in text.lower().replace(".", " ").replace(">", " ").split():
                vectors[row] += direction(SYNONYMS.get(word, word))
            vectors[row] /= max(np.linalg.norm(vectors[row]), 1e-12)
        return vectors


def direction(word):
    seed = int.from_bytes(hashlib.blake2b(word.encode(), digest_size=4).digest(), "big")
    return np.random.default_rng(seed).normal(size=WIDTH).astype(np.float32)


@dataclass
class WordTowers:
    """Item and query vectors are text vectors; a visitor is where they were last."""

    has_users: bool = True
    has_queries: bool = True
    stretch: float = 1.0
    width: int = WIDTH
    start: np.ndarray = field(default_factory=lambda: direction("kettle"))
    asked_ids: list = field(default_factory=list)

    def items(self, arrays):
        lengths = 1 + self.stretch * (np.abs(arrays["text"][:, :1]) * 10) if self.stretch else 1
        vectors = (arrays["text"] * lengths).astype(np.float32)
        return vectors, np.ones((len(vectors), 1), np.float32)

    def queries(self, text_vectors):
        return text_vectors

    def users(self, item_vectors, histories, now_ms, *, ids):
        self.asked_ids += [ids[one.item_rows].tolist() for one in histories]
        return np.stack(
            [
                item_vectors[one.item_rows[-1]] if len(one) else self.start / 10
                for one in histories.collapsed()
            ]
        )


def little_bundle(
    *,
    users=True,
    queries=True,
    events=True,
    unit=True,
    index=ExactIndex,
    again=NOT_AGAIN,
    **settings,
):
    items = pl.DataFrame(
        PRODUCTS, schema=["item_id", "title", "brand", "category", "in_stock"], orient="row"
    )
    log = pl.DataFrame(
        {
            "user_id": ["ann", "ann", "ann", "bob", "bob", "cem", "dot"],
            "item_row": pl.Series([5, 5, 5, 1, 5, 1, 1], dtype=pl.Int32),
            "event": ["view"] * 7,
        }
    )
    dataset = Dataset(items, log if events else None, None, None, None, About(name="little"))
    features = ItemFeatures.fit(
        ItemFeaturesConfig(use=("text",)), items, warm=np.ones(len(items), bool), text_width=WIDTH
    )
    towers = WordTowers(has_users=users, has_queries=queries, stretch=0.0 if unit else 1.0)
    encoder = WordEncoder()
    arrays = features.encode(items, encoder.encode(item_texts(items, features.config.text_fields)))
    vectors, attention = towers.items(arrays)
    model = SimpleNamespace(
        features=features,
        towers=towers,
        text_encoder=encoder,
        item_vectors=vectors,
        attention=attention,
        ids=np.arange(len(items)) + 100,
        again=again,
    )
    return SimpleNamespace(
        model=model,
        dataset=dataset,
        index=index(vectors),
        lexical=WordSearch.fit(item_documents(items)),
        settings={"semantic_weight": 0.5, **settings},
        version="little-1",
    )
