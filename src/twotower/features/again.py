"""What a visitor had before, where shoppers buy the same again.

An inner product of two vectors can hardly say "this very item once more". So where lists may hold
what is in a history, an item's score is the inner product and a lift of its own:

    weight * log(1 + sum over its events in the history of decay^age),   age 0 for the latest
"""

import math
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from twotower.errors import ConfigError
from twotower.features.history import History


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
        """int64[R] the items of a history, each once and ascending, and what is added to them.

        Example:
            >>> rows, added = Again(2.0, 0.5).lifts(History.of([7, 3, 7]))
            >>> rows.tolist(), added.round(3).tolist()
            ([3, 7], [0.811, 1.622])
        """
        rows, places = np.unique(history.item_rows.astype(np.int64), return_inverse=True)
        ages = np.arange(len(history) - 1, -1, -1)
        counts = np.bincount(places, self.decay**ages, minlength=len(rows))
        return rows, self.weight * np.log1p(counts)

    def to_json(self) -> dict[str, Any]:
        """As a run and a bundle keep it."""
        return asdict(self)


NOT_AGAIN = Again()
"""Having had an item counts for nothing."""
