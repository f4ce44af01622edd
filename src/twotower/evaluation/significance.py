"""How sure is a number: bootstrap intervals of means, and of paired differences.

The same seed and the same number of cases draw the same resamples. So systems evaluated on the
same cases are resampled together, and all metrics of a slice share one set of draws.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

RESAMPLES: Final = 2000
LEVEL: Final = 0.95

FEWEST: Final = 5
"""With fewer cases resampling says nothing; the interval is then all that a mean can be."""

_CELLS: Final = 2**22
"""Most resampling weights held at once."""

Verdict = Literal[
    "better", "worse", "none: the interval contains zero", "none: too few cases to say"
]

_Bound = float | NDArray[np.float64]


@dataclass(frozen=True)
class Interval:
    """A mean over n cases with its percentile bootstrap interval.

    Attributes:
        mean: Mean over the cases.
        low: Lower end of the interval, at most the mean.
        high: Upper end, at least the mean.
        n: Number of cases.
    """

    mean: float
    low: float
    high: float
    n: int

    def to_json(self) -> dict[str, float]:
        """The interval as the report writes it."""
        return asdict(self)


@dataclass(frozen=True)
class Difference(Interval):
    """A mean paired difference, ours minus theirs, with its interval."""

    @property
    def verdict(self) -> Verdict:
        """In plain words; a difference whose interval contains zero is called none."""
        if self.n < FEWEST:
            return "none: too few cases to say"
        if self.low > 0:
            return "better"
        return "worse" if self.high < 0 else "none: the interval contains zero"


def intervals(
    values: NDArray[np.float64],
    *,
    bounds: tuple[_Bound, _Bound] = (0.0, 1.0),
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> list[Interval]:
    """Percentile bootstrap intervals of the means of M quantities over the same n cases.

    Args:
        values: [n, M] finite value of each case, n >= 1.
        bounds: Lowest and highest that a value can be, of all or [M] of each; they are the
            interval of fewer than `FEWEST` cases.
        resamples: How often the n cases are drawn with replacement.
        seed: Of the draws.

    Returns:
        M intervals of level `LEVEL`.

    Raises:
        ValueError: there is no case, or a value is not finite.

    Source:
        Efron and Tibshirani, "An introduction to the bootstrap", 1993, section 13.3.
    """
    n_cases, n_values = values.shape
    if n_cases == 0 or not np.isfinite(values).all():
        raise ValueError(
            f"intervals need at least one case and finite values, got shape {values.shape}; "
            "leave out empty slices, and undefined cases before"
        )
    if n_cases < FEWEST:
        low, high = (np.broadcast_to(bound, n_values) for bound in bounds)
    else:
        low, high = _bootstrapped(values, resamples, seed)
    return [
        Interval(float(mean), float(min(a, mean)), float(max(b, mean)), n_cases)
        for mean, a, b in zip(values.mean(axis=0), low, high, strict=True)
    ]


def _bootstrapped(
    values: NDArray[np.float64], resamples: int, seed: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """[M] lower and upper ends of the percentile intervals."""
    n_cases, n_values = values.shape
    generator = np.random.default_rng(seed)
    means = np.empty((resamples, n_values))
    chunk = max(1, _CELLS // n_cases)
    for start in range(0, resamples, chunk):
        part = means[start : start + chunk]
        part[:] = _weights(generator, len(part), n_cases) @ values / n_cases
    tail = (1 - LEVEL) / 2
    low, high = np.quantile(means, [tail, 1 - tail], axis=0)
    return low, high


def paired_differences(
    ours: Sequence[NDArray[np.float64]],
    theirs: Sequence[NDArray[np.float64]],
    *,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> list[Difference]:
    """Mean of ours minus theirs over the same cases, with bootstrap intervals, for M pairs.

    Args:
        ours: M arrays [n], the value of each case, from 0 to 1.
        theirs: M arrays [n], the values of the same cases in the same order.
        resamples: How often the n cases are drawn with replacement.
        seed: Of the draws.

    Returns:
        M differences.

    Raises:
        ValueError: two shapes differ, there is no case, or a value is not finite.
    """
    for mine, other in zip(ours, theirs, strict=True):
        if mine.shape != other.shape:
            raise ValueError(
                f"paired values must be of the same cases, got {mine.shape} and {other.shape}; "
                "evaluate both systems on one Cases object"
            )
    if not ours:
        return []
    gaps = np.stack([mine - other for mine, other in zip(ours, theirs, strict=True)], axis=1)
    found = intervals(gaps, bounds=(-1.0, 1.0), resamples=resamples, seed=seed)
    return [Difference(gap.mean, gap.low, gap.high, gap.n) for gap in found]


def paired_difference(
    ours: NDArray[np.float64],
    theirs: NDArray[np.float64],
    *,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> Difference:
    """The one pair of `paired_differences`: mean of ours [n] minus theirs [n]."""
    return paired_differences([ours], [theirs], resamples=resamples, seed=seed)[0]


def _weights(generator: np.random.Generator, resamples: int, n_cases: int) -> NDArray[np.float64]:
    """[resamples, n] how often each case is drawn."""
    drawn = np.empty((resamples, n_cases))
    for row in drawn:
        row[:] = np.bincount(generator.integers(0, n_cases, n_cases), minlength=n_cases)
    return drawn
