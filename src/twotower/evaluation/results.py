"""Results: evaluations of many systems on the same cases become numbers with intervals."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import product
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from twotower.errors import ConfigError
from twotower.evaluation.cases import Cases
from twotower.evaluation.classic import classic
from twotower.evaluation.diversity import Traits
from twotower.evaluation.protocol import LIST_LENGTH, RANKING, SEEN, Evaluation
from twotower.evaluation.significance import (
    LEVEL,
    RESAMPLES,
    Interval,
    intervals,
    paired_differences,
)
from twotower.evaluation.slices import ALL

MODEL: Final = "model"
"""Name of the trained tower alone: the user tower, or the query tower without words."""

COMPARED: Final = ("ndcg@10", "recall@10", "recall@100", "mrr")
"""Metrics of which paired differences are reported, over slice `all`."""

Summary = dict[str, dict[str, dict[str, float]]]
"""SLICE -> METRIC -> {mean, low, high, n}."""


@dataclass(frozen=True)
class TaskResult:
    """All systems of one task, evaluated on the same cases.

    Attributes:
        split: "validation", "test", or a word for other data, such as "later events".
        systems: Ours by name: `model`, the trained tower alone, and variants such as `hybrid`.
        baselines: What has to be beaten, by name.
        served: The system that answers shoppers; the gate looks at this one.
        settings: Settings of the baselines, and what else should be printed.
        left_out: Baselines that were not run, and why.
        traits: By which the diversity of lists is measured, where there are any.
        health: Of the trained tower, see `health.health`.
        examples: Sample cases with their lists, see `examples.sample_examples`.
        separation: Of categories by item vectors, see `classic.category_separation`; None where
            it is not defined.
    """

    split: str
    systems: Mapping[str, Evaluation]
    baselines: Mapping[str, Evaluation] = field(default_factory=dict)
    served: str = MODEL
    settings: Mapping[str, Any] = field(default_factory=dict)
    left_out: Mapping[str, str] = field(default_factory=dict)
    traits: Traits = field(default_factory=Traits)
    health: Mapping[str, Any] = field(default_factory=dict)
    examples: tuple[dict[str, Any], ...] = ()
    separation: Mapping[str, float] | None = None

    def __post_init__(self) -> None:
        for name in (MODEL, self.served):
            if name not in self.systems:
                raise ConfigError(f"systems must hold {name!r}, got {', '.join(self.systems)}")
        if any(e.cases is not self.cases for e in self.everyone.values()):
            raise ConfigError("all systems and baselines must be evaluated on one Cases object")

    @property
    def cases(self) -> Cases:
        """The cases that all systems were asked."""
        return self.systems[MODEL].cases

    @property
    def everyone(self) -> dict[str, Evaluation]:
        """Systems and baselines by name."""
        return {**self.systems, **self.baselines}


def task_section(
    result: TaskResult, *, seed: int = 0, resamples: int = RESAMPLES
) -> dict[str, Any]:
    """One task as the report holds it.

    Args:
        result: Evaluations of the task.
        seed: Of the bootstrap.
        resamples: Of the bootstrap.

    Returns:
        `metrics` of the trained tower alone, `variants.NAME`, `baselines.NAME`, each
        SLICE.METRIC.{mean, low, high, n}; `comparisons.SYSTEM.BASELINE.METRIC` with paired
        difference and verdict; `classic`, for comparison with old demos; `served`, `health`,
        `protocol`, `skipped`, `noted`, `examples`. A slice without cases has no metrics;
        `protocol.slices` says 0.
    """
    summaries = summarise(result.everyone, result.traits, seed=seed, resamples=resamples)
    return {
        "served": result.served,
        "metrics": summaries[MODEL],
        "variants": {name: summaries[name] for name in result.systems if name != MODEL},
        "baselines": {name: summaries[name] for name in result.baselines},
        "comparisons": compare(result, seed=seed, resamples=resamples),
        "classic": {**classic(result.everyone), "category_separation": result.separation},
        "health": dict(result.health),
        "protocol": _protocol(result, seed, resamples),
        "skipped": dict(result.cases.skipped),
        "noted": dict(result.cases.noted),
        "examples": list(result.examples),
    }


def summarise(
    evaluations: Mapping[str, Evaluation],
    traits: Traits,
    *,
    seed: int = 0,
    resamples: int = RESAMPLES,
) -> dict[str, Summary]:
    """Means with intervals of every slice and metric, for evaluations of the same cases.

    Args:
        evaluations: name -> evaluation; all on one `Cases` object.
        traits: By which the diversity of lists is measured.
        seed: Of the bootstrap; every system is resampled alike.
        resamples: Of the bootstrap.

    Returns:
        name -> SLICE -> METRIC -> {mean, low, high, n}, without empty slices. Coverage,
        Gini and overlap belong to all lists together: their low and high equal the number.
    """
    summaries: dict[str, Summary] = {name: {} for name in evaluations}
    cases = next(iter(evaluations.values())).cases
    for slice_name in cases.slices:
        found = {name: e.per_case(slice_name) for name, e in evaluations.items()}
        if slice_name == ALL:
            for name, e in evaluations.items():
                found[name].values.update(_diversity(e, traits))
        columns = [(name, metric) for name, part in found.items() for metric in part.values]
        if not len(next(iter(found.values())).cases):
            continue
        values = np.stack([found[name].values[metric] for name, metric in columns], axis=1)
        highest = np.array([_highest(metric, cases) for _, metric in columns])
        means = intervals(values, bounds=(0.0, highest), seed=seed, resamples=resamples)
        for (name, metric), mean in zip(columns, means, strict=True):
            summaries[name].setdefault(slice_name, {})[metric] = mean.to_json()
    for name, evaluation in evaluations.items():
        if ALL in summaries[name]:
            summaries[name][ALL] |= _exposure(evaluation)
    return summaries


def compare(
    result: TaskResult, *, seed: int = 0, resamples: int = RESAMPLES
) -> dict[str, dict[str, dict[str, dict[str, Any]]]]:
    """Paired differences of each of our systems to each baseline, over all cases.

    Returns:
        SYSTEM -> BASELINE -> METRIC -> {mean, low, high, n, verdict}; ours minus theirs.
    """
    if not len(result.cases):
        return {name: {} for name in result.systems}
    values = {name: e.per_case(ALL).values for name, e in result.everyone.items()}
    asked = list(product(result.systems, result.baselines, COMPARED))
    ours = [values[system][metric] for system, _, metric in asked]
    theirs = [values[baseline][metric] for _, baseline, metric in asked]
    found: dict[str, dict[str, dict[str, dict[str, Any]]]] = {name: {} for name in result.systems}
    differences = paired_differences(ours, theirs, seed=seed, resamples=resamples)
    for (system, baseline, metric), difference in zip(asked, differences, strict=True):
        number = {**difference.to_json(), "verdict": difference.verdict}
        found[system].setdefault(baseline, {})[metric] = number
    return found


def _highest(metric: str, cases: Cases) -> float:
    """What no value of the metric exceeds."""
    if metric.startswith("novelty") and cases.train_counts is not None:
        return float(np.log2(cases.train_counts.sum() + cases.n_items))
    return 2.0 if metric.startswith("diversity") else 1.0


def _diversity(evaluation: Evaluation, traits: Traits) -> dict[str, NDArray[np.float64]]:
    found = traits.per_list(evaluation.lists)
    return {f"{name}@{LIST_LENGTH}": values for name, values in found.items()}


def _exposure(evaluation: Evaluation) -> dict[str, dict[str, float]]:
    n_cases = len(evaluation.cases)
    return {
        name: Interval(value, value, value, n_cases).to_json()
        for name, value in evaluation.exposure().items()
    }


def _protocol(result: TaskResult, seed: int, resamples: int) -> dict[str, Any]:
    cases = result.cases
    sizes = {
        name: len(next(iter(result.systems.values())).per_case(name).cases) for name in cases.slices
    }
    return {
        "split": result.split,
        "cases": len(cases),
        "catalogue": cases.n_items,
        "ranking": RANKING,
        "seen_removed": cases.seen_removed,
        "seen": SEEN[cases.seen_removed],
        "intervals": f"{LEVEL:.0%} percentile bootstrap over cases, {resamples} resamples",
        "bootstrap_seed": seed,
        "slices": sizes,
        "baseline_settings": dict(result.settings),
        "baselines_left_out": dict(result.left_out),
    }
