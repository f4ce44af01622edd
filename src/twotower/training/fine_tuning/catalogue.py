"""The items as fine-tuning knows them: texts, twins, and words of titles."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from twotower.features.text import same_text_groups
from twotower.training.fine_tuning.questions import Question
from twotower.training.fine_tuning.titles import words_of


class Catalogue:
    """What the items say, and which of them are no negatives of a question.

    Args:
        texts: [N] what stands for each item.
    """

    def __init__(self, texts: Sequence[str]) -> None:
        self.texts = list(texts)
        self._group_N = same_text_groups(texts)
        self._words: dict[int, frozenset[str]] = {}

    def __len__(self) -> int:
        return len(self.texts)

    def wrong(self, question: Question, rows: NDArray[np.int64]) -> NDArray[np.bool_]:
        """[R] which of the items are negatives of the question.

        Its positives are not, nor items with the same text as one of them, nor, of a made-up
        query, those that have all of its words.
        """
        wrong: NDArray[np.bool_] = ~np.isin(self._group_N[rows], self._group_N[question.positives])
        if question.words:
            for place in np.flatnonzero(wrong):
                wrong[place] = not question.words <= self._words_of(int(rows[place]))
        return wrong

    def _words_of(self, row: int) -> frozenset[str]:
        if row not in self._words:
            self._words[row] = frozenset(words_of(self.texts[row]))
        return self._words[row]
