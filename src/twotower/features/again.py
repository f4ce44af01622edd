"""What a visitor had before, where shoppers buy the same again.

An inner product of two vectors can hardly say "this very item once more". So where lists may hold
what is in a history, an item's score is the inner product and a lift of its own:

    weight * log(1 + sum over its events in the history of decay^age),   age 0 for the latest

A history is read as the server reads it: its newest events, runs of one item as one event.
"""

import math
from dataclasses import asdict, dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from twotower.errors import ConfigError
from twotower.features.history import History

NEWEST: Final = 200
"""Events of a history that count."""


@dataclass(frozen=True)
class Again:
    """How much it counts that a visitor had an item before.

    Attributes:
        weight: Of the logarithm, in units of the score; 0 leaves scores as they are.
        decay: Weight of each step back in the history, in (0, 1]; 1 counts every event alike.
    """

    weight: float = 0.0
    decay: float = 1.0

    def __post_init__(self) -> None:
        if not 0 <= self.weight < math.inf:
            raise ConfigError(f"weight must be 0 or more, and finite, got {self.weight}")
        if not 0 < self.decay <= 1:
            raise ConfigError(f"decay must be in (0, 1], got {self.decay}")

    def lifts(self, history: History) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """int64[R] items of a history, each once and ascending, and what is added to them.

        Example:
            >>> rows, added = Again(2.0, 0.5).lifts(History.of([7, 3, 7]))
            >>> rows.tolist(), added.round(3).tolist()
            ([3, 7], [0.811, 1.622])
        """
        events = history.item_rows[-NEWEST:].astype(np.int64)
        events = events[np.append(True, events[1:] != events[:-1])[: len(events)]]
        rows, places = np.unique(events, return_inverse=True)
        ages = np.arange(len(events) - 1, -1, -1)
        counts = np.bincount(places, self.decay**ages, minlength=len(rows))
        return rows, self.weight * np.log1p(counts)

    def to_json(self) -> dict[str, Any]:
        """As a run and a bundle keep it."""
        return asdict(self)


NOT_AGAIN = Again()
"""Having had an item counts for nothing."""
