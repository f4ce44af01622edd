"""Words of the catalogue near a word it does not have.

Damerau-Levenshtein distance (optimal string alignment): an insertion, a deletion, a
replacement and a swap of two neighbours are one edit each. Words are sieved by length and by
letters first, so that few are compared.
"""

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
from rapidfuzz.distance import OSA
from rapidfuzz.process import cdist

from twotower.lexical.analysis import LONGEST
from twotower.lexical.vocabulary import Vocabulary, letters

SHORTEST: Final = 4
"""Letters of a word that may be mistyped, or be meant: shorter ones are near to too many others."""
_SHORT: Final = 4
"""Letters of a word up to which chance brings others near: one product alone is no evidence."""
_HOLDERS_OF_SHORT: Final = 2
"""Rows that must hold what such a word is taken for."""
_TWO_EDITS: Final = 8
"""Letters of a word that may be mistyped twice."""
_OTHER_START: Final = 1.0
"""What another first letter costs: people rarely get that one wrong."""
_EDIT: Final = 2.0
"""What an edit costs, in powers of ten of the number of rows that hold the word."""


@dataclass(frozen=True)
class Near:
    """A word of the catalogue that may have been meant.

    Attributes:
        word: folded.
        edits: 1 or 2.
        cost: lower is likelier.
    """

    word: str
    edits: int
    cost: float


def edits_allowed(word: str) -> int:
    """Edits that a word of this length may be away: 1 for 4 to 7 letters, 2 beyond."""
    if not SHORTEST <= len(word) <= LONGEST:
        return 0
    return 1 if len(word) < _TWO_EDITS else 2


def near(vocabulary: Vocabulary, word: str, *, limit: int) -> list[Near]:
    """Words within the edits allowed, likeliest first.

    A small catalogue lacks many words that were typed right, and has few that could be meant
    by chance: so short words are taken for others only on evidence.

    Args:
        vocabulary: of the catalogue; words that no row holds any more are not taken.
        word: folded, not in the catalogue.
        limit: most words wanted.
    """
    edits = edits_allowed(word)
    if not edits:
        return []
    unlike = np.bitwise_count(vocabulary.letters ^ letters([word])[0])
    longer = np.abs(vocabulary.lengths - len(word))
    least = _HOLDERS_OF_SHORT if len(word) <= _SHORT else 1
    alike = (unlike <= 2 * edits) & (longer <= edits) & (vocabulary.lengths >= SHORTEST)
    alike &= vocabulary.counts >= least
    sieved = np.flatnonzero(alike).tolist()
    words = [vocabulary.word(number) for number in sieved]
    if not words:
        return []
    distances = cdist([word], words, scorer=OSA.distance, score_cutoff=edits, dtype=np.uint8)[0]
    found = [
        Near(other, apart, _cost(word, other, apart, vocabulary.count(other)))
        for other, apart in zip(words, distances.tolist(), strict=True)
        if apart <= edits
    ]
    return sorted(found, key=lambda one: (one.cost, one.word))[:limit]


def _cost(typed: str, word: str, edits: int, holders: int) -> float:
    start = 0.0 if typed[0] == word[0] else _OTHER_START
    return _EDIT * edits + start - math.log10(holders)
