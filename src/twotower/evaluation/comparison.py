"""Two systems on the same cases: who is better, for whom, and where it got worse.

A is what there is, B is what may take its place; every difference is B minus A, of the same
visitor or query.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from twotower.errors import ConfigError
from twotower.evaluation.cases import Cases, counted
from twotower.evaluation.examples import best_ranks, example
from twotower.evaluation.gate import HEADLINE_METRIC
from twotower.evaluation.protocol import LIST_LENGTH, Evaluation
from twotower.evaluation.results import COMPARED
from twotower.evaluation.significance import Difference, paired_differences
from twotower.evaluation.slices import ALL

SHOWN: Final = 10
"""Most wins, and most losses, that are listed."""

MANY_SLICES: Final = (
    "Each slice is tested by itself: of twenty slices without any difference, one is expected to "
    "look better or worse by chance."
)

_LEADS: Final = {"better": "B is better", "worse": "B is worse"}


@dataclass(frozen=True)
class Pair:
    """A and B on the same cases.

    Attributes:
        before: A, what there is.
        after: B, what may take its place.
    """

    before: Evaluation
    after: Evaluation

    def __post_init__(self) -> None:
        if self.before.cases is not self.after.cases:
            raise ConfigError("A and B must be evaluated on one Cases object")

    @property
    def cases(self) -> Cases:
        """What both were asked."""
        return self.before.cases


def task_comparison(pair: Pair, titles: Sequence[str], *, seed: int = 0) -> dict[str, Any]:
    """One task of a comparison, ready for JSON.

    Args:
        pair: The served systems of A and B, on at least one case.
        titles: [N] title of each item.
        seed: Of the bootstrap.

    Returns:
        `cases`; `slices`: SLICE -> METRIC -> {a, b, mean, low, high, n, verdict}, the last five
        of the paired difference, without empty slices; `better` and `worse`: the slices but
        `all` whose NDCG@10 rose or fell beyond chance; `lists`: coverage, Gini and overlap of a
        and b, and the share of a list that both have; `counts` of cases won, lost and equal by
        NDCG@10; `wins` and `losses`: the largest, each with both lists; `sentence`.
    """
    slices = {name: found for name in pair.cases.slices if (found := _slice(pair, name, seed))}
    gaps = _gaps(pair)
    parts = [name for name in slices if name != ALL]
    verdicts = {name: slices[name][HEADLINE_METRIC]["verdict"] for name in parts}
    counts = {
        "won": int((gaps > 0).sum()),
        "lost": int((gaps < 0).sum()),
        "equal": int((gaps == 0).sum()),
    }
    worse = [name for name in parts if verdicts[name] == "worse"]
    return {
        "cases": len(pair.cases),
        "slices": slices,
        "better": [name for name in parts if verdicts[name] == "better"],
        "worse": worse,
        "lists": _lists(pair),
        "counts": counts,
        "wins": _listed(pair, gaps, titles, sign=1),
        "losses": _listed(pair, gaps, titles, sign=-1),
        "sentence": _sentence(pair.cases.task, slices[ALL][HEADLINE_METRIC], counts, worse),
    }


def _slice(pair: Pair, name: str, seed: int) -> dict[str, dict[str, Any]]:
    """METRIC -> both means and their paired difference; empty for a slice without cases."""
    before, after = (one.per_case(name).values for one in (pair.before, pair.after))
    if not len(before[HEADLINE_METRIC]):
        return {}
    found = paired_differences(
        [after[metric] for metric in COMPARED], [before[metric] for metric in COMPARED], seed=seed
    )
    return {
        metric: _number(before[metric], after[metric], gap)
        for metric, gap in zip(COMPARED, found, strict=True)
    }


def _number(
    before: NDArray[np.float64], after: NDArray[np.float64], gap: Difference
) -> dict[str, Any]:
    means = {"a": float(before.mean()), "b": float(after.mean())}
    return {**means, **gap.to_json(), "verdict": gap.verdict}


def _gaps(pair: Pair) -> NDArray[np.float64]:
    """[C] how much NDCG@10 each case gained."""
    before, after = (one.per_case().values[HEADLINE_METRIC] for one in (pair.before, pair.after))
    return after - before


def _lists(pair: Pair) -> dict[str, Any]:
    before, after = pair.before.exposure(), pair.after.exposure()
    both = {name: {"a": before[name], "b": after[name]} for name in before}
    return {**both, f"in_both@{LIST_LENGTH}": _in_both(pair.before.lists, pair.after.lists)}


def _in_both(one: NDArray[np.int64], other: NDArray[np.int64]) -> float:
    """Share of A's places, filled ones, whose item B shows the same case too."""
    found = (one[:, :, None] == other[:, None, :]).any(axis=2) & (one >= 0)
    return float(found.sum() / max((one >= 0).sum(), 1))


def _listed(
    pair: Pair, gaps: NDArray[np.float64], titles: Sequence[str], *, sign: int
) -> list[dict[str, Any]]:
    """The cases with the largest gaps of one sign, largest first."""
    order = np.argsort(-sign * gaps, kind="stable")[:SHOWN]
    before, after = best_ranks(pair.before), best_ranks(pair.after)
    found = []
    for case in order[sign * gaps[order] > 0]:
        a = example(pair.before, int(case), before[case], titles)
        b = example(pair.after, int(case), after[case], titles)
        shared = {name: a[name] for name in ("key", "history", "targets")}
        lists = {
            system: {name: one[name] for name in ("best_rank", "hits")}
            for system, one in (("a", a), ("b", b))
        }
        found.append({**shared, "difference": float(gaps[case]), **lists})
    return found


def _sentence(
    task: str, found: Mapping[str, Any], counts: Mapping[str, int], worse: Sequence[str]
) -> str:
    lead = _LEADS.get(found["verdict"], "B cannot be told from A")
    interval = f"[{found['low']:+.4f}, {found['high']:+.4f}]"
    slices = (
        f" It got worse in {', '.join(worse)}." if worse else " No slice got worse beyond chance."
    )
    return (
        f"{task.capitalize()}: {lead}; {HEADLINE_METRIC.upper()} differs by {found['mean']:+.4f} "
        f"{interval} over {counted(found['n'])}: {counts['won']:,} won, {counts['lost']:,} lost, "
        f"{counts['equal']:,} equal.{slices}"
    )
