"""Hard negatives mined: items that the encoder, or BM25, takes for answers and that are none."""

# Shapes: Q questions, P of them at once, R items that are looked at, M kept of each question.
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from twotower.progress import Steps
from twotower.schema import PAD
from twotower.training.fine_tuning.catalogue import Catalogue
from twotower.training.fine_tuning.config import FineTuningConfig
from twotower.training.fine_tuning.questions import Question

KEPT = 8
"""Mined items of a question, of which each batch draws."""
_AT_ONCE = 256

Scored = Callable[[slice], NDArray[np.float32]]
"""Some of the questions -> their scores [P, R] of the items that are looked at."""


def mined(
    questions: Sequence[Question],
    scored: Scored,
    catalogue: Catalogue,
    rows: NDArray[np.int64],
    config: FineTuningConfig,
    progress: Steps | None = None,
) -> NDArray[np.int64]:
    """[Q, 8] the nearest items that are certainly wrong enough; `PAD` where there are fewer.

    The very nearest are left out, and those that score almost like the best positive: many
    of them are answers that nobody judged.

    Args:
        questions: what is asked.
        scored: who mistakes items for answers.
        catalogue: knows which items are negatives.
        rows: [R] item rows that are looked at, sorted; the best positive of each question is
            one of them.
        config: how many are left out, how deep to look.
        progress: told of questions that are done.
    """
    found = np.full((len(questions), KEPT), PAD, np.int64)
    depth = min(config.mined_depth, len(rows))
    for start in range(0, len(questions), _AT_ONCE):
        for place, score_R in enumerate(scored(slice(start, start + _AT_ONCE)), start):
            question = questions[place]
            near = np.argpartition(-score_R, depth - 1)[:depth]
            near = near[np.lexsort((near, -score_R[near]))][config.mined_skip :]
            best = score_R[np.searchsorted(rows, question.best)]
            near = near[score_R[near] <= config.mined_margin * best]
            kept = rows[near][catalogue.wrong(question, rows[near])][:KEPT]
            found[place, : len(kept)] = kept
        if progress:
            progress(min(start + _AT_ONCE, len(questions)), len(questions))
    return found


def together(one: NDArray[np.int64], other: NDArray[np.int64]) -> NDArray[np.int64]:
    """[Q, 8] the first half of each, an item that is in both once."""
    half = KEPT // 2
    again = (other[:, :half, None] == one[:, None, :half]).any(axis=2)
    return np.hstack([one[:, :half], np.where(again, PAD, other[:, :half])])
