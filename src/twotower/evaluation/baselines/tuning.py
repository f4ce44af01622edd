"""Baselines get the same care: their settings are chosen on validation, over a printed grid."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final, Generic, TypeVar

from twotower.errors import ConfigError
from twotower.evaluation.cases import Cases
from twotower.evaluation.protocol import Scorer, evaluate

SAMPLE: Final = 4000
"""Validation cases used for tuning, drawn once by seed."""

METRIC: Final = "ndcg@10"

S = TypeVar("S")


@dataclass(frozen=True)
class Tuned(Generic[S]):
    """What tuning chose, and everything it tried.

    Attributes:
        settings: The best of the grid.
        trials: (settings, value on validation) in the order of the grid.
    """

    settings: S
    trials: tuple[tuple[S, float], ...]

    def to_json(self, describe: Callable[[S], Any]) -> dict[str, Any]:
        """Chosen settings and trials as the report prints them."""
        trials = [{"settings": describe(s), METRIC: value} for s, value in self.trials]
        return {"chosen": describe(self.settings), "metric": METRIC, "trials": trials}


def tune(
    grid: Sequence[S],
    make: Callable[[S, Cases], Scorer],
    validation: Cases,
    *,
    sample: int = SAMPLE,
    seed: int = 0,
) -> Tuned[S]:
    """The settings with the best NDCG@10 on validation; the earlier of equals.

    Args:
        grid: Settings to try, at least one.
        make: Settings and validation cases -> a scorer of these cases.
        validation: Cases of the validation split, never of the test split.
        sample: Most cases used; all systems are tried on the same ones.
        seed: Of the draw.

    Raises:
        ConfigError: the grid or the validation split is empty.
    """
    if not grid or not len(validation):
        raise ConfigError(
            f"tuning needs settings and validation cases, got {len(grid)} settings and "
            f"{len(validation)} cases; use the default settings instead"
        )
    cases = validation.sample(sample, seed=seed)
    trials = tuple((s, evaluate(cases, make(s, cases)).mean(METRIC)) for s in grid)
    return Tuned(max(trials, key=lambda trial: trial[1])[0], trials)
