"""Hard negatives mined: items that the encoder takes for answers and that are none."""

# Shapes: Q questions, R items that are looked at, W text width, M items kept of each question.
from collections.abc import Sequence

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


def mined(
    questions: Sequence[Question],
    query_QW: NDArray[np.float32],
    catalogue: Catalogue,
    rows: NDArray[np.int64],
    item_RW: NDArray[np.float32],
    config: FineTuningConfig,
    progress: Steps | None = None,
) -> NDArray[np.int64]:
    """[Q, 8] the nearest items that are certainly wrong enough; `PAD` where there are fewer.

    The very nearest are left out, and those that score almost like the best positive: many
    of them are answers that nobody judged.

    Args:
        questions: what is asked.
        query_QW: vectors of the queries.
        catalogue: knows which items are negatives.
        rows: [R] item rows that are looked at, sorted; the best positive of each question is
            one of them.
        item_RW: their vectors.
        config: how many are left out, how deep to look.
        progress: told of questions that are done.
    """
    found = np.full((len(questions), KEPT), PAD, np.int64)
    depth = min(config.mined_depth, len(rows))
    for start in range(0, len(questions), _AT_ONCE):
        score_PR = query_QW[start : start + _AT_ONCE] @ item_RW.T
        for place, score_R in enumerate(score_PR, start):
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
