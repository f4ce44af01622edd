"""Baselines get the same care: as many trials each, on the same validation cases, all printed."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import product
from typing import Any, Final, Generic, TypeVar

import numpy as np

from twotower.errors import ConfigError
from twotower.evaluation.cases import Cases
from twotower.evaluation.protocol import Scorer, evaluate
from twotower.progress import Steps

TRIALS: Final = 12
"""Settings that each baseline with settings may try."""

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
        cases: How many validation cases each was tried on.
    """

    settings: S
    trials: tuple[tuple[S, float], ...] = ()
    cases: int = 0

    def to_json(self) -> dict[str, Any]:
        """Chosen settings and trials as the report prints them."""
        return {
            "chosen": _plain(self.settings),
            "trials": len(self.trials),
            "validation_cases": self.cases,
            "tried": [{METRIC: value, **_plain(tried)} for tried, value in self.trials],
        }


def drawn(
    make: Callable[..., S], values: Mapping[str, Sequence[Any]], count: int, *, seed: int = 0
) -> tuple[S, ...]:
    """Settings to try: all combinations of the values where these are few, else a draw of them.

    Args:
        make: From one value of each name to settings.
        values: What each name may be.
        count: How many settings, at most.
        seed: Of the draw, which is without replacement.

    Example:
        >>> drawn(dict, {"width": (1, 2), "depth": (3,)}, 5)
        ({'width': 1, 'depth': 3}, {'width': 2, 'depth': 3})
    """
    everything = list(product(*values.values()))
    if len(everything) > count:
        chosen = np.random.default_rng(seed).choice(len(everything), count, replace=False)
        everything = [everything[place] for place in sorted(chosen)]
    return tuple(make(**dict(zip(values, found, strict=True))) for found in everything)


def tune(
    grid: Sequence[S],
    make: Callable[[S, Cases], Scorer],
    validation: Cases,
    *,
    sample: int = SAMPLE,
    seed: int = 0,
    progress: Steps | None = None,
) -> Tuned[S]:
    """The settings with the best NDCG@10 on validation; the earlier of equals.

    Args:
        grid: Settings to try, at least one.
        make: Settings and validation cases -> a scorer of these cases.
        validation: Cases of the validation split, never of the test split.
        sample: Most cases used; all systems are tried on the same ones.
        seed: Of the draw.
        progress: Told after each trial.

    Raises:
        ConfigError: the grid or the validation split is empty.
    """
    if not grid or not len(validation):
        raise ConfigError(
            f"tuning needs settings and validation cases, got {len(grid)} settings and "
            f"{len(validation)} cases; use the default settings instead"
        )
    cases = validation.sample(sample, seed=seed)
    trials: list[tuple[S, float]] = []
    for settings in grid:
        trials.append((settings, evaluate(cases, make(settings, cases)).mean(METRIC)))
        if progress is not None:
            progress(len(trials), len(grid))
    return Tuned(max(trials, key=lambda trial: trial[1])[0], tuple(trials), len(cases))


def _plain(settings: Any) -> dict[str, Any]:
    return asdict(settings)
