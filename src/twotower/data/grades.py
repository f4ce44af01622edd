"""Grades into gains: how much a judged answer is worth, and whether it counts as right."""

from typing import Final

import polars as pl

from twotower import schema
from twotower.errors import DataError

ESCI: Final = "esci"
EXPONENTIAL: Final = "exponential"
POSITIVE_FROM: Final = 0.66
"""A grade counts as right from this part of the way from the lowest to the highest."""

MOST_STEPS: Final = 10
"""Of a scale of numbers; beyond it one best answer outweighs a thousand good ones."""


def with_gains(judgments: pl.DataFrame) -> tuple[pl.DataFrame, str]:
    """The judgments with grade as a number, gain and positive; and the name of the gain map.

    Letters E, S, C, I: grades 3, 2, 1, 0, gains of `schema.ESCI_GAINS`, E is positive.
    Numbers lo..hi: gain 2^(grade - lo) - 1, positive from lo + .66 (hi - lo). One grade for
    all, as of pairs that were clicked: gain 1 and positive, or nothing of it where it is 0.

    Args:
        judgments: grade, all letters or all numbers.

    Raises:
        DataError: numbers lie so far apart that their gains mean nothing.
    """
    grade = pl.col(schema.GRADE)
    if judgments.schema[schema.GRADE] == pl.String:
        rank = {letter: float(n) for n, letter in enumerate(reversed(schema.ESCI_GAINS))}
        return judgments.with_columns(
            grade.replace_strict(rank, return_dtype=pl.Float64),
            grade.replace_strict(schema.ESCI_GAINS, return_dtype=pl.Float64).alias(schema.GAIN),
            (grade == "E").alias(schema.POSITIVE),
        ), ESCI
    low, high = judgments.select(grade.min().alias("low"), grade.max().alias("high")).row(0)
    if low == high:
        right = pl.lit(low > 0)
        return judgments.with_columns(
            right.cast(pl.Float64).alias(schema.GAIN), right.alias(schema.POSITIVE)
        ), EXPONENTIAL
    if high - low > MOST_STEPS:
        raise DataError(
            f"grades go from {low:g} to {high:g}; a gain is 2^(grade - lowest) - 1, so they may "
            f"span {MOST_STEPS} at most: map them to a scale such as 0 to 3"
        )
    return judgments.with_columns(
        (2.0 ** (grade - low) - 1).alias(schema.GAIN),
        (grade >= low + POSITIVE_FROM * (high - low)).alias(schema.POSITIVE),
    ), EXPONENTIAL
