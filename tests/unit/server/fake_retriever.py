"""A retriever without a model: words are matched, recommendations follow the last category."""

import threading
from dataclasses import replace
from types import SimpleNamespace

import polars as pl

from twotower.errors import ExpiredCursor, TwoTowerError, UnknownItem
from twotower.filtering.columns import Columns
from twotower.filtering.facets import facet_of
from twotower.filtering.grammar import read_filter
from twotower.filtering.masks import allowed_rows
from twotower.retrieval.answers import Answer, Hit, Parts, Reason
from twotower.retrieval.suggestions import Suggestion

PNG = "data:image/png;base64,aGk="
SVG = "data:image/svg+xml;utf8,%3Csvg xmlns='http://www.w3.org/2000/svg'/%3E"


OLD_CURSOR = "old"
WORDS = "products with a word of the query"


def answer(hits, total, definition, mode, **more):
    return Answer(tuple(hits), total, definition, {"lexical": 0.5}, mode, **more)


def explained(found, item_id):
    """Half of each score is the item's, half nobody's."""
    hits = [
        replace(
            hit,
            reasons=(Reason("history", hit.score / 2, item_id), Reason("rest", hit.score / 2)),
            attention={"text": 1.0},
        )
        for hit in found.hits
    ]
    return replace(found, hits=tuple(hits))


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
        manifest={"format": 1, "width": 8},
        report={"format": 1, "verdict": {"promoted": True, "sentence": "Promoted."}},
        dataset=SimpleNamespace(
            items=items,
            events=events,
            about=SimpleNamespace(name="Little shop", synthetic=True),
        ),
    )


class FakeRetriever:
    log_ends = None

    def __init__(self):
        self.bundle = shop_bundle()
        self._products = self.bundle.dataset.items.to_dicts()
        self._rows = {one["item_id"]: row for row, one in enumerate(self._products)}
        self._writing = threading.Lock()

    @property
    def n_items(self):
        return len(self._rows)

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

    def remove_item(self, item_id):
        with self._writing:
            self.item_row(item_id)
            del self._rows[item_id]

    def _there(self):
        return [self._products[row] for row in self._rows.values()]

    def put_items(self, products):
        faults = {}
        for item_id, fields in products:
            try:
                self.put_item(item_id, fields)
            except TwoTowerError as fault:
                faults[item_id] = fault
        return faults

    def search(self, query, *, k=24, offset=0, mode="hybrid", cursor=None, **asked):
        if cursor == OLD_CURSOR:
            raise ExpiredCursor("cursor is of the bundle v-old: ask for the first page")
        self.asked = asked
        words = set(query.lower().split())
        found = [one for one in self._there() if words & set(one["title"].lower().split())]
        found = self._filtered(found, asked.get("filter"))
        page = self._hits(found[offset : offset + k], offset + 1)
        columns = Columns.of(pl.DataFrame(found, infer_schema_length=None))
        facets = tuple(
            facet_of(field, columns, columns.is_there, limit=asked["max_values"])
            for field in asked.get("facets", ())
        )
        end = offset + k
        more = f"after-{end}" if end < len(found) else None
        return answer(page, len(found), WORDS, mode, facets=facets, next_cursor=more)

    def _filtered(self, products, filter):
        if filter is None or not products:
            return products
        ids = [one["item_id"] for one in products]
        columns = Columns.of(pl.DataFrame(products, infer_schema_length=None))
        allowed = allowed_rows(
            read_filter(filter), columns, {name: row for row, name in enumerate(ids)}.get
        )
        return [one for one, is_allowed in zip(products, allowed, strict=True) if is_allowed]

    def n_named(self, rule):
        return len(self._filtered(self._there(), rule.filter))

    def suggest(self, typed, *, k=5):
        found = [one for one in self._products if typed.lower() in one["title"].lower()]
        return tuple(Suggestion("product", one["title"], one["item_id"]) for one in found[:k])

    def similar(self, item_id, *, k=12, exclude=(), filter=None, **asked):
        self.asked = asked
        wanted = self.product(item_id).get("category")
        return self._of_category(wanted, {item_id, *exclude}, k, "similar", filter=filter)

    def recommend(self, history, *, k=12, exclude=(), filter=None, explain=False, **asked):
        self.asked = asked
        if len(history) == 0:
            rest = [one for one in self._there() if one["item_id"] not in exclude]
            rest = self._filtered(rest, filter)
            page = self._hits(rest[:k])
            return answer(page, len(rest), "all", "recommend", fallback_used="popularity")
        last = self._products[history.item_rows[-1]]
        out = {last["item_id"], *exclude}
        wanted = last.get("category")
        found = self._of_category(wanted, out, k, "recommend", len(history), filter)
        return explained(found, last["item_id"]) if explain else found

    def trending(self, lately, since_ms, *, k=12, **asked):
        self.lately, self.since_ms, self.asked = lately, since_ms, asked
        found = sorted(self._there(), key=lambda one: -lately.get(one["item_id"], 0))
        return answer(self._hits(found[:k]), len(found), "all", "trending")

    def newest(self, *, k=12, **asked):
        self.asked = asked
        found = self._there()[::-1]
        return answer(self._hits(found[:k]), len(found), "all", "newest")

    def also_bought(self, item_id, *, k=12, exclude=(), **asked):
        self.asked = asked
        self.product(item_id)
        found = [one for one in self._there() if one["item_id"] not in {item_id, *exclude}]
        return answer(self._hits(found[:k]), len(found), "all", "also_bought")

    def _of_category(self, category, exclude, k, mode, history_length=0, filter=None):
        found = [
            one
            for one in self._there()
            if one.get("category") == category and one["item_id"] not in exclude
        ]
        found = self._filtered(found, filter)
        page = self._hits(found[:k])
        return answer(page, len(found), "the category", mode, history_length=history_length)

    def _hits(self, products, first=1):
        return [
            Hit(
                rank,
                one["item_id"],
                self._rows[one["item_id"]],
                1 / rank,
                Parts(None, 1 / rank),
                one,
            )
            for rank, one in enumerate(products, start=first)
        ]
