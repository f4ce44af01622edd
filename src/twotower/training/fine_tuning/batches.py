"""Batches of questions with the items that answer them and those that do not."""

# Shapes: B questions, J judged items of a question, R items of the batch, each once.
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from twotower.schema import PAD
from twotower.training.fine_tuning.catalogue import Catalogue
from twotower.training.fine_tuning.config import FineTuningConfig
from twotower.training.fine_tuning.noise import noisy
from twotower.training.fine_tuning.questions import Question


@dataclass(frozen=True)
class TextBatch:
    """Questions to be learnt from.

    Attributes:
        queries: [B] as they are asked, with noise.
        items: [R] texts of all items of the batch.
        place_BJ: [B, J] places in `items` of what was judged; `PAD` after the last.
        gain_BJ: [B, J] their gains.
        positive_BJ: [B, J] which of them are positives; at least one in each row.
        wrong_BR: [B, R] which items are negatives of which question.
    """

    queries: list[str]
    items: list[str]
    place_BJ: Tensor
    gain_BJ: Tensor
    positive_BJ: Tensor
    wrong_BR: Tensor

    def to(self, device: torch.device) -> "TextBatch":
        """The same batch with its tensors on a device."""
        return replace(
            self,
            place_BJ=self.place_BJ.to(device),
            gain_BJ=self.gain_BJ.to(device),
            positive_BJ=self.positive_BJ.to(device),
            wrong_BR=self.wrong_BR.to(device),
        )


def batch_of(
    questions: Sequence[Question],
    mined: NDArray[np.int64],
    catalogue: Catalogue,
    config: FineTuningConfig,
    rng: np.random.Generator,
) -> TextBatch:
    """Draws the items of some questions; the same for the same generator.

    Args:
        questions: [B] what is asked.
        mined: [B, M] mined items of each, `PAD` after the last.
        catalogue: the items.
        config: how many items of a question, how much noise.
        rng: draws.
    """
    drawn = [_drawn(question, config.judged_items, rng) for question in questions]
    hard = [rng.permutation(row[row != PAD])[: config.mined_items] for row in mined]
    rows = np.unique(
        np.concatenate([*(q.rows[p] for q, p in zip(questions, drawn, strict=True)), *hard])
    )
    shape = (len(questions), config.judged_items)
    place_BJ, gain_BJ = np.full(shape, PAD, np.int64), np.zeros(shape, np.float32)
    positive_BJ = np.zeros(shape, bool)
    for row, (question, places) in enumerate(zip(questions, drawn, strict=True)):
        place_BJ[row, : len(places)] = np.searchsorted(rows, question.rows[places])
        gain_BJ[row, : len(places)] = question.gains[places]
        positive_BJ[row, : len(places)] = question.positive[places]
    noise = {"typo_share": config.typo_share, "drop_share": config.drop_share}
    return TextBatch(
        [noisy(question.query, rng, **noise) for question in questions],
        [catalogue.texts[row] for row in rows],
        torch.from_numpy(place_BJ),
        torch.from_numpy(gain_BJ),
        torch.from_numpy(positive_BJ),
        torch.from_numpy(np.stack([catalogue.wrong(question, rows) for question in questions])),
    )


def _drawn(question: Question, count: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """Places of judged items: a positive, better ones more often, and any of the others."""
    weight = np.where(question.positive, question.gains, 0).astype(np.float64)
    if not weight.any():
        weight = question.positive.astype(np.float64)
    first = int(rng.choice(len(weight), p=weight / weight.sum()))
    others = np.delete(np.arange(len(weight)), first)
    return np.concatenate([[first], rng.permutation(others)[: count - 1]]).astype(np.int64)
