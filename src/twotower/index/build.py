"""Choosing, building, measuring and loading an index."""

from pathlib import Path
from typing import Final, Literal, assert_never

import numpy as np
from numpy.typing import ArrayLike

from twotower.errors import ConfigError, IncompatibleBundle
from twotower.index.base import Hits, Index
from twotower.index.exact import ExactIndex
from twotower.index.files import Meta
from twotower.index.hnsw import HnswConfig, HnswIndex

Kind = Literal["exact", "hnsw"]
EXACT_BELOW: Final = 200_000
"""Items below which every query looks at every row."""
IMPLEMENTATIONS: Final = {"exact": ExactIndex, "hnsw": HnswIndex}


def choose_kind(n_items: int) -> Kind:
    """The kind of index for a catalogue of `n_items`."""
    return "exact" if n_items < EXACT_BELOW else "hnsw"


def build_index(
    vectors: ArrayLike,
    *,
    kind: Kind | None = None,
    queries: ArrayLike | None = None,
    config: HnswConfig | None = None,
) -> Index:
    """An index over vectors [N, D], with its recall measured.

    Args:
        vectors: float32[N, D], as the item tower gives them.
        kind: `exact` or `hnsw`; chosen by the number of items when not given.
        queries: float32[Q, D], as the query and user towers give them; `index_recall@10`
            against exact search on them is kept in `measured` and in index.json.
        config: how an `hnsw` is built.
    """
    kind = kind or choose_kind(len(np.asanyarray(vectors)))
    index: Index
    match kind:
        case "exact":
            index = ExactIndex(vectors)
        case "hnsw":
            index = HnswIndex(vectors, config)
        case _:
            assert_never(kind)
    if queries is not None and len(np.asanyarray(queries)) > 0:
        index.measured = {
            "index_recall@10": index_recall(index, vectors, queries),
            "queries": len(np.asanyarray(queries)),
        }
    return index


def index_recall(index: Index, vectors: ArrayLike, queries: ArrayLike, k: int = 10) -> float:
    """The share of the exact k best rows that `index` finds, in 0..1, mean over queries.

    A row that scores as much as the exact k-th counts as found: which of several equal
    rows is returned says nothing about the index.
    """
    if index.is_exact:
        return 1.0
    k = min(k, index.n_items)
    exact, found = ExactIndex(vectors).search(queries, k), index.search(queries, k)
    return _agreement(exact, found)


def load_index(folder: Path, expected_width: int, *, expected_items: int | None = None) -> Index:
    """Open the index in `folder`, whichever kind it is.

    Args:
        folder: written by `Index.save`.
        expected_width: of the towers that ask.
        expected_items: of the catalogue, checked when given.

    Raises:
        CorruptBundle: a file is missing or damaged; build the index again.
        IncompatibleBundle: width, item count or format differ from what is expected.
    """
    meta = Meta.read(folder)
    if meta.kind not in IMPLEMENTATIONS:
        raise IncompatibleBundle(
            f"expected an index of kind {' or '.join(IMPLEMENTATIONS)} in {folder},"
            f" found {meta.kind}: use the twotower that wrote it"
        )
    if expected_items is not None and meta.n_items != expected_items:
        raise IncompatibleBundle(
            f"expected an index of {expected_items} items in {folder}, found {meta.n_items}:"
            " build the index from this catalogue"
        )
    implementation: type[Index] = IMPLEMENTATIONS[meta.kind]
    return implementation.load(folder, expected_width)


def _agreement(exact: Hits, found: Hits) -> float:
    if exact.rows.size == 0:
        raise ConfigError("index recall needs at least one query and one item, got none")
    worst = exact.scores[:, -1:]
    return float((found.scores >= worst).mean())
