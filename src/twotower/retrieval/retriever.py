"""Questions in, answers out: the one object behind the server and the command line."""

from collections.abc import Iterable, Mapping, Sequence
from threading import Lock
from typing import Any, Final, Unpack

import numpy as np
import polars as pl
from numpy.typing import NDArray

from twotower import schema
from twotower.bundle import Bundle
from twotower.errors import ConfigError, DataError, IncompatibleBundle
from twotower.features.history import History
from twotower.features.text import item_texts
from twotower.index.base import Rows, Vectors
from twotower.lexical.documents import item_documents
from twotower.retrieval.answers import Answer
from twotower.retrieval.catalogue import PRODUCT_FIELDS, Catalogue, one_product
from twotower.retrieval.listing import ListOptions, Wishes
from twotower.retrieval.questions import SearchOptions, SearchQuestion
from twotower.retrieval.recommendations import Recommendations
from twotower.retrieval.rules import Rule
from twotower.retrieval.search import Search
from twotower.retrieval.shelves import Shelves
from twotower.retrieval.suggestions import Suggestion, Suggestions

MAX_SUGGESTIONS: Final = 50
"""Of each kind."""


class Retriever:
    """Answers from one opened bundle and the products put in since.

    Threads may ask while one puts a product in: an answer is of before or of after.
    The bundle's index and words carry the live changes, so an opened bundle belongs to one
    retriever; its files stay as they are.

    Args:
        bundle: opened by `Bundle.load`. Of its settings it reads `semantic_weight` (0..1,
            share of meaning in hybrid search).
    """

    def __init__(self, bundle: Bundle) -> None:
        self.bundle = bundle
        self._catalogue = Catalogue(bundle.dataset.items)
        for name, found in (("index", bundle.index), ("lexical", bundle.lexical)):
            if found.n_items != len(self._catalogue):
                raise IncompatibleBundle(
                    f"expected {len(self._catalogue)} items (of the data) in the bundle's {name},"
                    f" found {found.n_items}: build the bundle again"
                )
        self._search = Search(bundle, self._catalogue)
        self._suggestions = Suggestions(bundle.dataset, bundle.lexical)
        self._recommendations = Recommendations(bundle, self._catalogue)
        self._shelves = Shelves(bundle, self._catalogue)
        self._read = _columns_read(bundle)
        self._writer = Lock()

    # -- the catalogue ---------------------------------------------------------

    @property
    def n_items(self) -> int:
        """Products, live ones included."""
        return self._catalogue.n_products

    def item_row(self, item_id: str) -> int:
        """Our row of the shop's id; raises `UnknownItem`."""
        return self._catalogue.row(item_id)

    def product(self, item_id: str) -> dict[str, Any]:
        """What is known of a product now, by `schema` name; raises `UnknownItem`."""
        return self._catalogue.product(self._catalogue.row(item_id))

    def history(self, item_ids: Iterable[str]) -> History:
        """A history of views, oldest first, from ids alone; raises `UnknownItem`."""
        return History.of([self.item_row(item_id) for item_id in item_ids])

    def put_item(self, item_id: str, fields: Mapping[str, Any]) -> int:
        """Put a product in, whole: found by its words and its meaning when this returns.

        Args:
            item_id: the shop's id; a known one is replaced.
            fields: by `schema` name; `title` is required.

        Returns:
            Its item_row.

        Raises:
            DataError: a field is missing, unknown or of another type; nothing has changed.
        """
        faults = self.put_items([(item_id, fields)])
        if faults:
            raise faults[item_id]
        return self._catalogue.row(item_id)

    def put_items(self, products: Sequence[tuple[str, Mapping[str, Any]]]) -> dict[str, DataError]:
        """Put many products in, in their order: encoded together, entered in one pass.

        Args:
            products: pairs of what `put_item` takes.

        Returns:
            What is wrong with those that were left out, by id; the others are in.
        """
        sound: list[pl.DataFrame] = []
        faults: dict[str, DataError] = {}
        for item_id, fields in products:
            try:
                sound.append(one_product(item_id, fields))
            except DataError as fault:
                faults[item_id] = fault
        if sound:
            self._enter(pl.concat(sound))
        return faults

    def _enter(self, products: pl.DataFrame) -> None:
        with self._writer:
            anew = self._are_read_anew(products)
            changed = products if anew.all() else products.filter(pl.Series(anew))
            vectors = self._item_vectors(changed) if len(changed) else None
            rows = self._catalogue.put(products)
            if vectors is not None:
                self._embed(rows[anew], changed, vectors)

    def _are_read_anew(self, products: pl.DataFrame) -> NDArray[np.bool_]:
        """bool[R] products of which towers or words read something that they did not before.

        Stock, and a price that the towers do not read, change without an encoder.
        """
        if products[schema.ITEM_ID].n_unique() < len(products):
            return np.ones(len(products), np.bool_)
        anew = np.ones(len(products), np.bool_)
        for place, product in enumerate(products.iter_rows(named=True)):
            row = self._catalogue.row_or_next(product[schema.ITEM_ID])
            if self._catalogue.columns.has(row):
                before = self._catalogue.product(row)
                anew[place] = any(before.get(name) != product[name] for name in self._read)
        return anew

    def _embed(self, rows: Rows, products: pl.DataFrame, vectors: Vectors) -> None:
        texts = item_documents(products, self.bundle.lexical.fields)
        self._recommendations.set_lengths(rows, np.linalg.norm(vectors, axis=1))
        for place, (row, product) in enumerate(
            zip(rows.tolist(), products.iter_rows(named=True), strict=True)
        ):
            words = {field: column[place] for field, column in texts.items()}
            self.bundle.lexical.upsert(row, words)
            self._suggestions.upsert(row, product)
        self.bundle.index.upsert(rows, vectors)  # last: a hit has words and fields

    def remove_item(self, item_id: str) -> None:
        """Take a product out: no later answer has it, until it is put in again.

        Args:
            item_id: the shop's id.

        Raises:
            UnknownItem: there is no such product, or it was removed before.
        """
        with self._writer:
            row = self._catalogue.row(item_id)
            self.bundle.index.delete([row])  # first: a hit has words and fields
            self.bundle.lexical.delete(row)
            self._suggestions.delete(row)
            self._catalogue.remove(row)

    def n_named(self, rule: Rule) -> int:
        """How many products a rule names now."""
        return rule.n_named(self._catalogue)

    # -- search ----------------------------------------------------------------

    def search(
        self, query: str, *, rules: Sequence[Rule] = (), **asked: Unpack[SearchOptions]
    ) -> Answer:
        """Products for typed words.

        Products that are out of stock stay in, `item["in_stock"]` says so; the filter
        `in_stock` leaves them out. Without a query tower words alone answer, and that is said.

        Args:
            query: 1..10000 characters; of its words the first 64 are searched for.
            rules: of the shop; those that do not hold for this search are passed over.
            **asked: what `SearchQuestion` has beside the query, by name.

        Raises:
            RetrievalError: the query is empty or too long, a facet unknown, or the cursor that
                of another search.
            ExpiredCursor: the cursor is of another bundle, or of other rules.
            FilterError: the filter cannot be read.
            ConfigError: a number or a name is outside its range.
        """
        return self._search.answer(SearchQuestion(query, **asked), rules)

    def suggest(self, typed: str, *, k: int = 5) -> tuple[Suggestion, ...]:
        """What a shopper who has typed so far may mean: queries, categories, products.

        Args:
            typed: the last word may be unfinished, and any word mistyped.
            k: of each kind, 1..50.

        Raises:
            ConfigError: k is outside its range.
        """
        if not 1 <= k <= MAX_SUGGESTIONS:
            raise ConfigError(f"k must be in 1..{MAX_SUGGESTIONS} (of each kind), got {k}")
        return self._suggestions.find(typed, k)

    def recommend(
        self,
        history: History,
        *,
        repeat: bool | None = None,
        now_ms: int | None = None,
        **asked: Unpack[Wishes],
    ) -> Answer:
        """Products for a visitor. Never one that is out of stock.

        Without events the user tower still has a start state, what it learned of first
        steps; a bundle without a user tower answers by popularity, and says so.

        Args:
            history: what the visitor did, oldest first; may be empty.
            repeat: whether products of the history may come back; as the data says when
                not given.
            now_ms: the present, UTC milliseconds.
            **asked: what `ListOptions` has, by name.

        Raises:
            ConfigError: k is outside its range, or the history names an unknown row.
            FilterError: the filter cannot be read.
        """
        options = ListOptions(**asked)
        return self._recommendations.for_visitor(history, options, repeat=repeat, now_ms=now_ms)

    def similar(self, item_id: str, **asked: Unpack[Wishes]) -> Answer:
        """Products like one product, by the cosine of their vectors. Never one out of stock.

        Args:
            item_id: the product; raises `UnknownItem`.
            **asked: what `ListOptions` has, by name.
        """
        return self._recommendations.like(item_id, ListOptions(**asked))

    @property
    def log_ends(self) -> int | None:
        """When the last event of the bundle's log was, UTC milliseconds; None without a clock."""
        return self._shelves.log_ends

    def trending(self, lately: Mapping[str, int], since_ms: int, **asked: Unpack[Wishes]) -> Answer:
        """Products that most different visitors were at since a moment.

        Args:
            lately: item id -> visitors since then and since `log_ends`; unknown ids are ignored.
            since_ms: what the log tells of before it does not count, UTC milliseconds; a log
                without a clock counts whole.
            **asked: what `ListOptions` has, by name.

        Raises:
            ConfigError: k is outside its range.
            FilterError: the filter cannot be read.
        """
        return self._shelves.trending(lately, since_ms, ListOptions(**asked))

    def newest(self, **asked: Unpack[Wishes]) -> Answer:
        """Products that came on sale last; takes and raises what `trending` does."""
        return self._shelves.newest(ListOptions(**asked))

    def also_bought(self, item_id: str, **asked: Unpack[Wishes]) -> Answer:
        """Products that buyers of one product took too, by the bundle's log.

        Args:
            item_id: the product; raises `UnknownItem`, and what `trending` does.
            **asked: what `ListOptions` has, by name.
        """
        return self._shelves.also_bought(item_id, ListOptions(**asked))

    def _item_vectors(self, items: pl.DataFrame) -> Vectors:
        model = self.bundle.model
        texts = item_texts(items, model.features.config.text_fields)
        arrays = model.features.encode(items, model.text_encoder.encode(texts))
        return model.towers.items(arrays)[0]


def _columns_read(bundle: Bundle) -> frozenset[str]:
    """Columns of a product that its vector, its words or its suggestions are made of."""
    features = bundle.model.features
    used = {feature.name for feature in features.features}
    words = {*features.config.text_fields, *bundle.lexical.fields, schema.TITLE, schema.CATEGORY}
    return frozenset((used | words) & set(PRODUCT_FIELDS))
