"""What a shopper may be typing: queries of others, categories and products."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from threading import Lock
from typing import Any, Final, Literal

import numpy as np
import polars as pl
from numpy.typing import NDArray

from twotower import schema
from twotower.data.dataset import Dataset
from twotower.lexical.prefixes import MAX_WORDS, PrefixIndex, words_in
from twotower.lexical.word_search import WordSearch
from twotower.schema import Split

Kind = Literal["query", "category", "product"]
_MORE: Final = 4
"""How many times as many queries are looked at as are wanted: some have no answer here."""


@dataclass(frozen=True)
class Suggestion:
    """One thing that may be meant.

    Attributes:
        kind: what it is.
        text: to be shown, and to be searched for.
        item_id: of a product; None otherwise.
    """

    kind: Kind
    text: str
    item_id: str | None = None


class Suggestions:
    """Suggestions from a dataset's training part and the live products.

    A query is suggested while every word of it is in the catalogue, a category while a
    product is in it. Queries are ranked by how often they were typed, categories by their
    products, products by their events.

    Args:
        dataset: the tables; of events, searches and judgments only the training part counts.
        words: says which words the catalogue has now.
    """

    def __init__(self, dataset: Dataset, words: WordSearch) -> None:
        self._words = words
        queries = typed_queries(dataset)
        self._queries = PrefixIndex(queries[schema.QUERY].to_list(), queries["times"].to_numpy())
        self._products = PrefixIndex(dataset.items[schema.TITLE].to_list(), _events_of(dataset))
        items = dataset.items
        paths = items[schema.CATEGORY] if schema.CATEGORY in items.columns else [None] * len(items)
        self._category_of = {row: path for row, path in enumerate(paths) if path}
        counts = pl.Series(list(self._category_of.values()), dtype=pl.String).value_counts(
            name="items"
        )
        names, sizes = counts.to_series(0).to_list(), counts["items"].to_numpy()
        self._numbers = {name: number for number, name in enumerate(names)}
        self._sizes = dict(zip(names, sizes.tolist(), strict=True))
        self._categories = PrefixIndex(names, sizes)
        self._ids = dict(enumerate(items[schema.ITEM_ID]))
        self._lock = Lock()

    def find(self, typed: str, k: int) -> tuple[Suggestion, ...]:
        """At most k suggestions of each kind: queries, then categories, then products.

        Where nothing has all of the words the first ones are let go, one by one: the last is
        the one being typed, and what comes before it mostly tells which.

        Args:
            typed: what was typed so far; its last word may be unfinished.
            k: of each kind, at least 1.
        """
        words = words_in(typed)[:MAX_WORDS]
        found = (self._with_all(words[start:], k) for start in range(len(words)))
        return next(filter(None, found), ())

    def _with_all(self, words: Sequence[str], k: int) -> tuple[Suggestion, ...]:
        """Suggestions that have a word for every one that was typed."""
        with self._lock:
            queries = [self._queries.text(n) for n in self._queries.find(words, _MORE * k)]
            names = [self._categories.text(n) for n in self._categories.find(words, k)]
            products = [(self._products.text(n), n) for n in self._products.find(words, k)]
        known = [text for text in queries if self._is_known(text)][:k]
        return (
            *(Suggestion("query", text) for text in known),
            *(Suggestion("category", name) for name in names),
            *(Suggestion("product", text, self._ids[row]) for text, row in products),
        )

    def upsert(self, row: int, product: Mapping[str, Any]) -> None:
        """Set a product, by `schema` name."""
        with self._lock:
            popularity = self._products.popularity(row)
            self._products.put(row, product[schema.TITLE], popularity)
            self._ids[row] = product[schema.ITEM_ID]
            self._leave_category(row)
            self._enter_category(row, product.get(schema.CATEGORY))

    def delete(self, row: int) -> None:
        """Forget a product."""
        with self._lock:
            self._products.remove(row)
            self._leave_category(row)

    def _is_known(self, query: str) -> bool:
        bm25 = self._words.bm25
        return all(bm25.holders(term) for term in bm25.analyser.terms(query))

    def _enter_category(self, row: int, name: str | None) -> None:
        if name:
            self._category_of[row] = name
            self._resize(name, 1)

    def _leave_category(self, row: int) -> None:
        name = self._category_of.pop(row, None)
        if name:
            self._resize(name, -1)

    def _resize(self, name: str, by: int) -> None:
        number = self._numbers.setdefault(name, len(self._numbers))
        self._sizes[name] = self._sizes.get(name, 0) + by
        if self._sizes[name]:
            self._categories.put(number, name, self._sizes[name])
        else:
            self._categories.remove(number)


def typed_queries(dataset: Dataset) -> pl.DataFrame:
    """Query and times: what was typed in the training part, in lower case, and how often."""
    texts = []
    searches, until = dataset.searches, dataset.about.validation_from
    if searches is not None:
        if until is not None and schema.TIME in searches.columns:
            searches = searches.filter(pl.col(schema.TIME) < until)
        texts.append(searches[schema.QUERY])
    if dataset.judgments is not None:
        judged = dataset.judgments.filter(
            (pl.col(schema.SPLIT) == Split.TRAIN) & pl.col(schema.POSITIVE)
        )
        texts.append(judged[schema.QUERY].unique(maintain_order=True))
    typed = pl.concat(texts) if texts else pl.Series(schema.QUERY, [], dtype=pl.String)
    bare = pl.col(schema.QUERY).str.to_lowercase().str.replace_all(r"\s+", " ")
    return (
        pl.DataFrame({schema.QUERY: typed})
        .select(bare.str.strip_chars())
        .filter(pl.col(schema.QUERY) != "")
        .group_by(schema.QUERY)
        .len("times")
        .sort(schema.QUERY)
    )


def _events_of(dataset: Dataset) -> NDArray[np.float64]:
    """[N] training events of each product."""
    counts = np.zeros(dataset.n_items, dtype=np.float64)
    if dataset.events is not None and schema.SPLIT in dataset.events.columns:
        trained = dataset.events.filter(pl.col(schema.SPLIT) == Split.TRAIN)
        np.add.at(counts, trained[schema.ITEM_ROW].to_numpy(), 1)
    return counts
