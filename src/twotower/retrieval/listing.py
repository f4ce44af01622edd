"""A list of fixed length from a ranking: the shop's rules, then diversity, then pins."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Protocol, Self, TypedDict

import numpy as np
from numpy.typing import NDArray

from twotower.filtering.columns import Columns
from twotower.index.base import Index, Mask, Rows, Vectors
from twotower.retrieval.diversity import NO_DIVERSITY, Diversity
from twotower.retrieval.page import page_of
from twotower.retrieval.rules import InForce, Rule, ranks_of

_LEAST_UNIT: Final = 1e-9
Scores = NDArray[np.float64]


class Wishes(TypedDict, total=False):
    """What `ListOptions` may be given, by name."""

    k: int
    exclude: Sequence[str]
    filter: str | None
    explain: bool
    diversity: Diversity
    rules: Sequence[Rule]


@dataclass(frozen=True)
class ListOptions:
    """What every list of recommendations may be asked for.

    Attributes:
        k: hits, 1..1000.
        exclude: item ids to leave out; unknown ones are ignored.
        filter: in the filter language, see `filtering.grammar`.
        explain: whether each hit says what its score is made of.
        diversity: how different its products shall be.
        rules: of the shop; those that do not hold for this list are passed over.
    """

    k: int = 12
    exclude: Sequence[str] = ()
    filter: str | None = None
    explain: bool = False
    diversity: Diversity = NO_DIVERSITY
    rules: Sequence[Rule] = ()


class Ranking(Protocol):
    """Scores for products, whatever they come from."""

    @property
    def floor(self) -> float:
        """The score of a middling product of the catalogue."""
        ...

    @property
    def n_rows(self) -> int:
        """Rows that it can score."""
        ...

    def best(self, k: int, allowed: Mask) -> tuple[Rows, Scores]:
        """int64[<=k] the allowed rows that score most, best first, and their scores."""
        ...

    def scores(self, rows: Rows) -> Scores:
        """float64[R] scores of rows."""
        ...


@dataclass(frozen=True)
class ByVector:
    """Inner products with a vector; see `Ranking`."""

    index: Index
    vector: Vectors
    floor: float

    @property
    def n_rows(self) -> int:
        """See `Ranking.n_rows`."""
        return self.index.n_items

    def best(self, k: int, allowed: Mask) -> tuple[Rows, Scores]:
        """See `Ranking.best`."""
        hits = self.index.search(self.vector, k, allowed=allowed)
        real = hits.rows[0] >= 0
        return hits.rows[0][real], hits.scores[0][real].astype(np.float64)

    def scores(self, rows: Rows) -> Scores:
        """See `Ranking.scores`."""
        found: Scores = self.index.scores(self.vector, rows)[0].astype(np.float64)
        return found


@dataclass(frozen=True)
class ByWorth:
    """A number for every row; see `Ranking`.

    Attributes:
        worth: float[N] of the rows.
        floor: what a middling one is worth.
    """

    worth: NDArray[np.floating]
    floor: float

    @classmethod
    def of(cls, worth: NDArray[np.floating]) -> Self:
        """What is -inf is not there, and the mean of the others is middling."""
        there = worth[worth > -np.inf]
        return cls(worth, float(there.mean()) if len(there) else 0.0)

    @property
    def n_rows(self) -> int:
        """See `Ranking.n_rows`."""
        return len(self.worth)

    def best(self, k: int, allowed: Mask) -> tuple[Rows, Scores]:
        """See `Ranking.best`."""
        rows = np.flatnonzero(allowed)
        return page_of(rows, self.scores(rows), 0, k)

    def scores(self, rows: Rows) -> Scores:
        """See `Ranking.scores`."""
        return self.worth[rows].astype(np.float64)


@dataclass(frozen=True)
class Listed:
    """A finished list.

    Attributes:
        rows: int64[<=k] in its order.
        scores: float64[<=k] without what rules add.
        unit: what a strength of 1 adds.
        total: all that might have been in it.
    """

    rows: Rows
    scores: Scores
    unit: float
    total: int


def listed(
    ranking: Ranking,
    allowed: Mask,
    asked: ListOptions,
    rules: InForce,
    *,
    index: Index,
    columns: Columns,
    among: Mask | None = None,
) -> Listed:
    """The list that a ranking, the rules and the diversity make of the allowed rows.

    Args:
        ranking: scores them.
        allowed: bool[N] available and neither seen, excluded nor filtered out.
        asked: hits wanted, of which there are fewer only where fewer rows are left, and how
            different they shall be.
        rules: of this list.
        index: has the vectors of the rows.
        columns: have their brands and categories.
        among: bool[N] rows that the ranking has something to say about; all when not given.
            Others come in by pins alone.
    """
    seen = rules.visible(allowed[: ranking.n_rows])
    assert seen is not None
    pins = [pin for pin in rules.pins if pin.row < len(seen) and seen[pin.row]]
    free = seen.copy() if among is None else seen & among[: len(seen)]
    free[[pin.row for pin in pins]] = False
    total, k, diversity = int(free.sum()) + len(pins), asked.k, asked.diversity
    rows, scores, unit = _ranked(ranking, free, diversity.window(k), rules)
    if diversity.is_asked_for and len(rows):
        lifted = scores + unit * rules.lifts(rows)
        places = diversity.chosen(rows, lifted, index.vectors(rows), columns, k)
        rows, scores = rows[places], scores[places]
    if pins:
        ranks = ranks_of(pins, len(rows) + len(pins))
        rows = _with_pins(rows, {rank: pin.row for rank, pin in ranks.items()}, k)
        scores = ranking.scores(rows)
    return Listed(rows[:k], scores[:k], unit, total)


def _ranked(ranking: Ranking, allowed: Mask, n: int, rules: InForce) -> tuple[Rows, Scores, float]:
    """The n best under the rules, their own scores, and the unit of the rules."""
    rows, scores = ranking.best(n, allowed)
    if not rules.moved or not len(rows):
        return rows, scores, 0.0
    unit = max(float(scores[0]) - ranking.floor, _LEAST_UNIT)
    moved = rules.moved_among(allowed)
    others = allowed.copy()
    others[moved] = False
    stay, stay_scores = ranking.best(n, others)
    every = np.concatenate([stay, moved])
    scores = np.concatenate([stay_scores, ranking.scores(moved)])
    rows, _ = page_of(every, scores + unit * rules.lifts(every), 0, n)
    own = dict(zip(every.tolist(), scores.tolist(), strict=True))
    return rows, np.array([own[row] for row in rows.tolist()]), unit


def _with_pins(rows: Rows, pins: dict[int, int], k: int) -> Rows:
    """Rows in their order around those that have a rank of their own."""
    others = iter(rows.tolist())
    ranks = range(1, min(k, len(rows) + len(pins)) + 1)
    return np.array([pins[rank] if rank in pins else next(others) for rank in ranks], np.int64)
