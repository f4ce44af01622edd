"""Cases: who asks, what was known at that moment, and what would have been right.

A recommendation case is one visitor: the history before the held-out part, and the items of
the held-out part as targets. A search case is one query: its judged items with their gains.
Nothing is dropped silently: `skipped` counts what left and why, `noted` what stayed and matters.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Final, Literal

import numpy as np
import polars as pl
from numpy.typing import NDArray

from twotower import schema
from twotower.data.dataset import Dataset
from twotower.errors import DataError
from twotower.evaluation import slices
from twotower.evaluation.query_kinds import query_kinds
from twotower.features.history import Histories
from twotower.schema import Split

Task = Literal["recommendation", "search"]

RECOMMENDATION: Final = "recommendation"
SEARCH: Final = "search"

EARLIER: Final = {
    Split.VALIDATION: (Split.TRAIN,),
    Split.TEST: (Split.TRAIN, Split.VALIDATION),
}
"""The splits whose events are history when a split is evaluated."""


@dataclass(frozen=True)
class Cases:
    """C cases with T targets in all; case c owns targets `offsets[c]:offsets[c + 1]`.

    Attributes:
        task: "recommendation" or "search".
        n_items: N, the size of the catalogue.
        rows: [T] item rows of the targets; negative for an item outside the catalogue.
        gains: [T] gain of each target; 1 for every recommendation.
        positive: [T] True where the target counts for recall, precision, MRR and MAP;
            the others only have a gain. Every case has at least one.
        offsets: [C + 1] where the targets of each case begin.
        slices: name -> [T] mask. A slice is the same ranking with only these targets as
            relevant; a case without such a target is not part of it.
        keys: [C] user id or query.
        histories: of the C visitors; None for search.
        now_ms: [C] when the first target happened, UTC milliseconds, -1 unknown.
        seen_removed: True when items of the history are taken out of the ranking.
        train_counts: [N] events of each item before the held-out part; None for search.
        skipped: what was left out, by reason.
        noted: what was kept and should be known, by reason.
    """

    task: Task
    n_items: int
    rows: NDArray[np.int64]
    gains: NDArray[np.float64]
    positive: NDArray[np.bool]
    offsets: NDArray[np.int64]
    slices: dict[str, NDArray[np.bool]]
    keys: tuple[str, ...]
    histories: Histories | None = None
    now_ms: NDArray[np.int64] = field(default_factory=lambda: np.empty(0, np.int64))
    seen_removed: bool = False
    train_counts: NDArray[np.int64] | None = None
    skipped: dict[str, int] = field(default_factory=dict)
    noted: dict[str, int] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.keys)

    @property
    def queries(self) -> tuple[str, ...] | None:
        """[C] the shoppers' words; None for recommendation."""
        return self.keys if self.task == SEARCH else None

    @property
    def user_ids(self) -> tuple[str, ...] | None:
        """[C] the visitors; None for search."""
        return self.keys if self.task == RECOMMENDATION else None

    def targets(self, case: int) -> slice:
        """Where the targets of a case lie in `rows`, `gains` and `positive`."""
        return slice(self.offsets[case], self.offsets[case + 1])

    def hidden(self, case: int) -> NDArray[np.int32]:
        """Item rows taken out of this case's ranking: what the visitor already has."""
        if not self.seen_removed or self.histories is None:
            return np.empty(0, np.int32)
        return self.histories[case].item_rows

    def take(self, cases: NDArray[np.int64]) -> "Cases":
        """The given cases in the given order; counts of skipped ones stay as they are."""
        lengths = np.diff(self.offsets)[cases]
        offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
        where = np.repeat(self.offsets[cases] - offsets[:-1], lengths) + np.arange(offsets[-1])
        return replace(
            self,
            rows=self.rows[where],
            gains=self.gains[where],
            positive=self.positive[where],
            offsets=offsets,
            slices={name: mask[where] for name, mask in self.slices.items()},
            keys=tuple(self.keys[case] for case in cases),
            histories=None if self.histories is None else self.histories.take(cases),
            now_ms=self.now_ms[cases] if len(self.now_ms) else self.now_ms,
        )

    def sample(self, count: int, *, seed: int = 0) -> "Cases":
        """At most `count` cases drawn without replacement, in their old order."""
        if count >= len(self):
            return self
        drawn = np.random.default_rng(seed).choice(len(self), count, replace=False)
        return self.take(np.sort(drawn))


def counted(number: int, noun: str = "case") -> str:
    """How many, in words.

    Example:
        >>> counted(1), counted(2000, "item")
        ('1 case', '2,000 items')
    """
    return f"{number:,} {noun}" + ("" if number == 1 else "s")


def recommendation_cases(dataset: Dataset, split: str, *, repeat: bool | None = None) -> Cases:
    """One case per visitor with an event in `split`; visitors without a past are kept.

    Args:
        dataset: A prepared dataset with events.
        split: "validation" (history: train) or "test" (history: train and validation).
        repeat: True when people buy the same again: nothing is taken out of the ranking.
            False: items of the history are taken out of ranking and targets. The dataset's
            own word when left out.

    Returns:
        Cases with slices all, warm, cold, head, tail, by length of history, and by kind of event
        where there are several. `skipped` counts `targets_already_seen` and the visitors left
        without any target.

    Raises:
        DataError: the dataset has no events.
    """
    if dataset.events is None:
        raise DataError(
            "recommendation cases need events, the dataset has none; "
            "evaluate search instead, or prepare it with an events table"
        )
    part = Split(split)
    held = dataset.events.filter(pl.col(schema.SPLIT) == part)
    past = dataset.events.filter(pl.col(schema.SPLIT).is_in([str(s) for s in EARLIER[part]]))
    return visitor_cases(held, past, dataset, repeat=repeat, before=EARLIER[part])


def search_cases(dataset: Dataset, split: str) -> Cases:
    """One case per query of `split` with at least one positive judgment.

    Args:
        dataset: A prepared dataset with judgments.
        split: "train", "validation" or "test".

    Returns:
        Cases with slices all, by number of words, and of `query_kinds`; `skipped` counts
        `queries_without_positive`.

    Raises:
        DataError: the dataset has no judgments.
    """
    if dataset.judgments is None:
        raise DataError(
            "search cases need judgments, the dataset has none; "
            "evaluate recommendation instead, or prepare it with a judgments table"
        )
    held = dataset.judgments.filter(pl.col(schema.SPLIT) == Split(split))
    return query_cases(held, dataset)


def visitor_cases(
    held: pl.DataFrame,
    past: pl.DataFrame,
    dataset: Dataset,
    *,
    repeat: bool | None,
    before: Sequence[str] = tuple(Split),
) -> Cases:
    """Cases of the visitors of `held`, whose histories are their rows of `past`.

    Items without an event in the splits `before` are cold.
    """
    n_items = dataset.items.height
    seen_removed = not (dataset.about.repeat if repeat is None else repeat)
    pair = [schema.USER_ID, schema.ITEM_ROW]
    everyone = held[schema.USER_ID].n_unique()
    targets = held.unique(pair, keep="first", maintain_order=True)
    all_targets = targets.height
    if seen_removed:
        targets = targets.join(past, on=pair, how="anti", maintain_order="left")
    numbered, keys = _numbered(targets, schema.USER_ID)
    rows, offsets = _ragged(numbered)
    times = held.group_by(schema.USER_ID).agg(pl.col(schema.TIME).min().fill_null(-1))
    wanted = pl.DataFrame({schema.USER_ID: keys}, schema={schema.USER_ID: pl.String})
    past = past.join(wanted, on=schema.USER_ID, how="semi", maintain_order="left")
    _, histories = Histories.from_events(past, keys)
    train_counts = item_counts(dataset, *before)
    return Cases(
        task=RECOMMENDATION,
        n_items=n_items,
        rows=rows,
        gains=np.ones(len(rows)),
        positive=np.ones(len(rows), bool),
        offsets=offsets,
        slices={
            **slices.visitor_slices(rows, offsets, train_counts, histories.lengths),
            **slices.kind_slices(_strongest_kinds(numbered, held)),
        },
        keys=tuple(keys),
        histories=histories,
        now_ms=wanted.join(times, on=schema.USER_ID, how="left", maintain_order="left")[schema.TIME]
        .to_numpy()
        .astype(np.int64),
        seen_removed=seen_removed,
        train_counts=train_counts,
        skipped={
            "targets_already_seen": all_targets - targets.height,
            "visitors_with_only_seen_targets": everyone - len(keys),
        },
        noted={"visitors_without_history": int(np.count_nonzero(histories.lengths == 0))},
    )


def _strongest_kinds(targets: pl.DataFrame, held: pl.DataFrame) -> NDArray[np.int64]:
    """[T] code of the strongest kind of event that a visitor has with each target; 0 unknown."""
    if schema.EVENT not in held.columns:
        return np.zeros(targets.height, np.int64)
    pair = [schema.USER_ID, schema.ITEM_ROW]
    codes = pl.col(schema.EVENT).replace_strict(schema.KIND_CODE, default=0, return_dtype=pl.Int64)
    strongest = held.select(*pair, codes.alias("_kind")).group_by(pair).max()
    found = targets.select(pair).join(strongest, on=pair, how="left", maintain_order="left")
    return found["_kind"].to_numpy().astype(np.int64)


def item_counts(dataset: Dataset, *splits: str) -> NDArray[np.int64]:
    """[N] how many events of the given splits are about each item."""
    if dataset.events is None:
        return np.zeros(dataset.items.height, np.int64)
    rows = dataset.events.filter(pl.col(schema.SPLIT).is_in([str(s) for s in splits]))
    counted = rows[schema.ITEM_ROW].to_numpy()
    return np.bincount(counted[counted >= 0], minlength=dataset.items.height).astype(np.int64)


def query_cases(judgments: pl.DataFrame, dataset: Dataset) -> Cases:
    """Cases of the judged queries that have a positive judgment."""
    judged = judgments.filter(pl.col(schema.GAIN).is_not_null() & pl.col(schema.GAIN).is_not_nan())
    queries = judgments[schema.QUERY].n_unique()
    useful = (
        judged.filter((pl.col(schema.GAIN) > 0) | pl.col(schema.POSITIVE))
        .group_by(schema.QUERY, schema.ITEM_ROW, maintain_order=True)
        .agg(pl.col(schema.GAIN).max(), pl.col(schema.POSITIVE).any())
        .filter(pl.col(schema.POSITIVE).any().over(schema.QUERY))
    )
    numbered, keys = _numbered(useful, schema.QUERY)
    rows, offsets = _ragged(numbered)
    positive = numbered[schema.POSITIVE].to_numpy().astype(bool)
    return Cases(
        task=SEARCH,
        n_items=dataset.n_items,
        rows=rows,
        gains=numbered[schema.GAIN].to_numpy().astype(np.float64),
        positive=positive,
        offsets=offsets,
        slices=slices.query_slices(keys, offsets)
        | query_kinds(keys, rows, positive, offsets, dataset),
        keys=tuple(keys),
        skipped={
            "judgments_without_gain": judgments.height - judged.height,
            "queries_without_positive": queries - len(keys),
        },
    )


def _numbered(targets: pl.DataFrame, key: str) -> tuple[pl.DataFrame, list[str]]:
    """The targets sorted by case, cases in order of first appearance, and their keys."""
    keys = targets.select(key).unique(maintain_order=True).with_row_index("_case")
    numbered = targets.join(keys, on=key, how="left", maintain_order="left")
    return numbered.sort("_case", maintain_order=True), keys[key].to_list()


def _ragged(numbered: pl.DataFrame) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    rows = numbered[schema.ITEM_ROW].fill_null(-1).to_numpy().astype(np.int64)
    lengths = np.bincount(numbered["_case"].to_numpy()) if len(rows) else np.empty(0, np.int64)
    return rows, np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
