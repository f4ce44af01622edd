"""A retriever without a model: words are matched, recommendations follow the last category."""

import threading
from dataclasses import dataclass, field
from types import SimpleNamespace

import polars as pl

from twotower.errors import UnknownItem

PNG = "data:image/png;base64,aGk="
SVG = "data:image/svg+xml;utf8,%3Csvg xmlns='http://www.w3.org/2000/svg'/%3E"


@dataclass(frozen=True)
class FakeParts:
    semantic: float | None
    lexical: float | None


@dataclass(frozen=True)
class FakeHit:
    rank: int
    item_id: str
    score: float
    parts: FakeParts
    item: dict


@dataclass(frozen=True)
class FakeAnswer:
    hits: list
    total: int
    total_definition: str = "products with a word of the query"
    took_ms: dict = field(default_factory=lambda: {"lexical": 0.5})
    degraded: bool = False
    fallback_used: str | None = None


def shop_bundle():
    items = pl.DataFrame(
        {
            "item_id": ["kettle", "teapot", "lamp", "bulb", "a/b"],
            "title": ["Steel kettle", "Glass teapot", "Desk lamp", "Light bulb", "Odd steel id"],
            "category": ["Kitchen > Tea", "Kitchen > Tea", "Light", "Light", None],
            "brand": ["Koda", "Koda", "Lumo", None, None],
            "image": [PNG, SVG, None, "https://pictures.example/bulb.png", None],
        }
    )
    events = pl.DataFrame(
        {
            "user_id": ["ann"] * 3 + ["bob"],
            "item_row": pl.Series([0, 1, 2, 3], dtype=pl.Int32),
            "event": ["view", "cart", "view", "purchase"],
            "time": pl.Series([1_000, 2_000, 3_000, None], dtype=pl.Int64),
        }
    )
    return SimpleNamespace(
        version="v-test",
        manifest={"format": 1},
        towers=SimpleNamespace(width=8),
        dataset=SimpleNamespace(
            items=items,
            events=events,
            about=SimpleNamespace(name="Little shop", synthetic=True),
        ),
    )


class FakeRetriever:
    def __init__(self):
        self.bundle = shop_bundle()
        self._products = self.bundle.dataset.items.to_dicts()
        self._rows = {one["item_id"]: row for row, one in enumerate(self._products)}
        self._writing = threading.Lock()

    @property
    def n_items(self):
        return len(self._products)

    def item_row(self, item_id):
        if item_id not in self._rows:
            raise UnknownItem(f"item_id must be in the catalogue, got {item_id!r}")
        return self._rows[item_id]

    def product(self, item_id):
        return self._products[self.item_row(item_id)]

    def put_item(self, item_id, fields):
        with self._writing:
            product = {"item_id": item_id, **fields}
            if item_id in self._rows:
                self._products[self._rows[item_id]] = product
            else:
                self._rows[item_id] = len(self._products)
                self._products.append(product)

    def search(self, query, *, k=24, offset=0, mode="hybrid"):
        words = set(query.lower().split())
        found = [one for one in self._products if words & set(one["title"].lower().split())]
        return FakeAnswer(self._hits(found[offset : offset + k], offset + 1), len(found))

    def similar(self, item_id, *, k=12, exclude=()):
        wanted = self.product(item_id).get("category")
        return self._of_category(wanted, {item_id, *exclude}, k)

    def recommend(self, history, *, k=12, exclude=()):
        if len(history) == 0:
            rest = [one for one in self._products if one["item_id"] not in exclude]
            return FakeAnswer(self._hits(rest[:k]), len(rest), fallback_used="popularity")
        last = self._products[history.item_rows[-1]]
        return self._of_category(last.get("category"), {last["item_id"], *exclude}, k)

    def _of_category(self, category, exclude, k):
        found = [
            one
            for one in self._products
            if one.get("category") == category and one["item_id"] not in exclude
        ]
        return FakeAnswer(self._hits(found[:k]), len(found), "products of the same category")

    def _hits(self, products, first=1):
        return [
            FakeHit(rank, one["item_id"], 1.0 / rank, FakeParts(None, 1.0 / rank), one)
            for rank, one in enumerate(products, start=first)
        ]
