"""The gate: a bundle that does not beat the obvious is not promoted, and says so in words."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final

from twotower.evaluation.cases import RECOMMENDATION, SEARCH, counted
from twotower.evaluation.significance import FEWEST
from twotower.schema import Split

HEADLINE_METRIC: Final = "ndcg@10"

TO_BEAT: Final = {RECOMMENDATION: "popularity", SEARCH: "bm25"}
"""The baseline that the served system of each task must beat."""

_WHY: Final = {
    "none: the interval contains zero": ", and the interval contains zero",
    "none: too few cases to say": ", too few to say",
}


@dataclass(frozen=True)
class Verdict:
    """Whether something may be released, and why, in one or two sentences."""

    promoted: bool
    sentence: str

    def to_json(self) -> dict[str, Any]:
        """The verdict as the report writes it."""
        return asdict(self)


def task_gate(task: str, section: Mapping[str, Any]) -> Verdict:
    """Whether the served system of one task beats the baseline it has to beat.

    The paired difference in NDCG@10 over all cases must have its whole interval above zero.

    Args:
        task: "recommendation" or "search".
        section: The task's section of the report, see `results.task_section`.
    """
    rival = TO_BEAT[task]
    against = section["comparisons"].get(section["served"], {})
    if rival not in against:
        return Verdict(
            promoted=False,
            sentence=f"{task.capitalize()} was not measured against {rival}: there is no held-out "
            "case, or the baseline is missing. Nothing unmeasured is promoted.",
        )
    found = against[rival][HEADLINE_METRIC]
    promoted = found["verdict"] == "better"
    word = "beats" if promoted else "does not beat"
    word = "cannot be told from" if found["n"] < FEWEST else word
    sentence = f"{task.capitalize()} ({section['served']}) {word} {rival}: {_words(found)}."
    return Verdict(promoted, " ".join([sentence, *_ahead(against, rival)]))


def gate(tasks: Mapping[str, Mapping[str, Any]]) -> Verdict:
    """Whether a bundle may be promoted: every task it serves passes its own gate.

    Args:
        tasks: Task name -> its section of the report.
    """
    if not tasks:
        return Verdict(promoted=False, sentence="Not promoted: no task was evaluated.")
    verdicts = [task_gate(task, section) for task, section in tasks.items()]
    promoted = all(verdict.promoted for verdict in verdicts)
    opening = "Promoted." if promoted else "Not promoted."
    if any(section["protocol"]["split"] == Split.VALIDATION for section in tasks.values()):
        opening = f"On validation {'' if promoted else 'not '}good enough; the test split decides."
    return Verdict(promoted, " ".join([opening, *(verdict.sentence for verdict in verdicts)]))


def _words(found: Mapping[str, Any]) -> str:
    return (
        f"NDCG@10 differs by {found['mean']:+.4f} [{found['low']:+.4f}, {found['high']:+.4f}] "
        f"over {counted(found['n'])}{_WHY.get(found['verdict'], '')}"
    )


def _ahead(against: Mapping[str, Any], rival: str) -> list[str]:
    """Says which other baselines are not beaten: a pass must not hide them."""
    said = []
    for name, found in against.items():
        verdict = found[HEADLINE_METRIC]["verdict"]
        if name != rival and verdict != "better":
            how = "is ahead of it" if verdict == "worse" else "is level with it"
            how = "cannot be told from it" if found[HEADLINE_METRIC]["n"] < FEWEST else how
            said.append(f"The baseline {name} {how}: {_words(found[HEADLINE_METRIC])}.")
    return said
