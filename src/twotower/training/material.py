"""Everything a run learns from, as arrays: made once from a prepared dataset."""

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import polars as pl
from numpy.typing import NDArray

from twotower import schema
from twotower.data.dataset import Dataset
from twotower.encoders.base import TextEncoder
from twotower.errors import DataError
from twotower.evaluation.cases import Cases, recommendation_cases, search_cases
from twotower.features.history import Histories
from twotower.features.items import ItemArrays, ItemFeatures, ItemFeaturesConfig
from twotower.features.text import item_texts, same_text_groups
from twotower.progress import Progress, steps_of
from twotower.schema import Split


@dataclass(frozen=True)
class Material:
    """The training split as arrays, and the validation cases.

    Attributes:
        features: fitted on the training split.
        arrays: [N, ...] features of the whole catalogue.
        groups: [N] the same number for items of the same text.
        histories: of the training split, runs of one item merged; None without events.
        judgments: of the training split; None without. A catalogue alone has neither: its towers
            stay as they begin, and search is as good as its text encoder.
        query_vectors: text vector of every training and validation query.
        validation: cases by task.
    """

    features: ItemFeatures
    arrays: ItemArrays
    groups: NDArray[np.int64]
    histories: Histories | None
    judgments: pl.DataFrame | None
    query_vectors: dict[str, NDArray[np.float32]]
    validation: dict[str, Cases]

    @property
    def n_items(self) -> int:
        """N, items of the catalogue."""
        return len(self.arrays["present"])

    @property
    def with_queries(self) -> bool:
        """Whether there is a query tower: for judged queries, and for a catalogue alone."""
        return self.judgments is not None or self.histories is None

    @cached_property
    def text_width(self) -> int:
        """W, width of the query vectors; 0 without a query tower."""
        texts = self.arrays["text"] if "text" in self.arrays else np.zeros((0, 0))
        first = next(iter(self.query_vectors.values()), texts.T)
        return len(first) if self.with_queries else 0


def gather(
    dataset: Dataset,
    config: ItemFeaturesConfig,
    encoder: TextEncoder,
    *,
    validation_cases: int,
    with_validation_events: bool = False,
    catalogue_alone: bool = False,
    progress: Progress | None = None,
) -> Material:
    """Encodes the catalogue and cuts the training split out of the dataset.

    Args:
        dataset: prepared and split.
        config: features of the item tower; of its text fields those that hold words are read.
        encoder: of item texts and queries.
        validation_cases: at most, of each task.
        with_validation_events: learn from the events of validation too, for a refit; its
            queries are never learnt from, the weights of hybrid search are chosen on them.
        catalogue_alone: whether it is enough, as the text encoder has learnt from titles.
        progress: told while texts are encoded.

    Raises:
        DataError: neither events nor positive judgments are in the training split.
    """
    learnt = (Split.TRAIN, Split.VALIDATION) if with_validation_events else (Split.TRAIN,)
    events = _part(dataset.events, *learnt)
    judgments = _part(dataset.judgments, Split.TRAIN)
    if judgments is not None and not judgments[schema.POSITIVE].any():
        judgments = None
    is_alone = events is None and judgments is None
    if is_alone and not catalogue_alone:
        raise DataError(
            "training needs events or positive judgments in the training split, found none; "
            "check the split of the dataset, or its event kinds and grades"
        )
    words = tuple(name for name in config.text_fields if name in dataset.about.text_fields)
    config = replace(config, text_fields=words, use=("text",) if is_alone else config.use)
    texts = item_texts(dataset.items, words)
    text_vectors = encoder.encode(texts, steps_of(progress, "encode items"))
    warm = _warm(dataset.n_items, events, judgments)
    features = ItemFeatures.fit(config, dataset.items, warm=warm, text_width=encoder.width)
    return Material(
        features,
        features.encode(dataset.items, text_vectors),
        same_text_groups(texts),
        None if events is None else Histories.from_events(events)[1].collapsed(),
        judgments,
        _query_vectors(dataset.judgments, encoder, progress) if judgments is not None else {},
        _validation(dataset, validation_cases, with_queries=judgments is not None),
    )


def _part(table: pl.DataFrame | None, *splits: Split) -> pl.DataFrame | None:
    if table is None:
        return None
    part = table.filter(pl.col(schema.SPLIT).is_in([str(split) for split in splits]))
    return None if part.is_empty() else part


def _warm(
    n_items: int, events: pl.DataFrame | None, judgments: pl.DataFrame | None
) -> NDArray[np.bool_]:
    """[N] whether an item occurs in the training split as something somebody wanted."""
    warm = np.zeros(n_items, bool)
    if events is not None:
        warm[events[schema.ITEM_ROW].to_numpy()] = True
    if judgments is not None:
        warm[judgments.filter(schema.POSITIVE)[schema.ITEM_ROW].to_numpy()] = True
    return warm


def _query_vectors(
    judgments: pl.DataFrame | None, encoder: TextEncoder, progress: Progress | None
) -> dict[str, NDArray[np.float32]]:
    if judgments is None:
        return {}
    seen = judgments.filter(pl.col(schema.SPLIT) != Split.TEST)
    queries = seen[schema.QUERY].unique(maintain_order=True).to_list()
    vectors = encoder.encode(queries, steps_of(progress, "encode queries"))
    return dict(zip(queries, vectors, strict=True))


def _validation(dataset: Dataset, at_most: int, *, with_queries: bool) -> dict[str, Cases]:
    found = {}
    if _part(dataset.events, Split.VALIDATION) is not None:
        found["recommendation"] = recommendation_cases(dataset, Split.VALIDATION)
    if with_queries and _part(dataset.judgments, Split.VALIDATION) is not None:
        found["search"] = search_cases(dataset, Split.VALIDATION)
    return {task: cases.sample(at_most) for task, cases in found.items() if len(cases)}
