"""Typing mistakes made to order: one edit of one word, the same for the same seed."""

import re
import string
from typing import Final

import numpy as np

_WORD: Final = re.compile(r"[a-zA-Z]{4,}")
_KINDS: Final = ("leave out", "put in", "replace", "swap")


def with_typo(query: str, rng: np.random.Generator) -> str:
    """The query with one edit in one word of at least four letters, not in its first letter.

    A query without such a word comes back as it is.
    """
    words = list(_WORD.finditer(query))
    if not words:
        return query
    word = words[int(rng.integers(len(words)))]
    place = word.start() + 1 + int(rng.integers(len(word[0]) - 1))
    letter = string.ascii_lowercase[int(rng.integers(26))]
    before, after = query[:place], query[place + 1 :]
    match _KINDS[int(rng.integers(len(_KINDS)))]:
        case "leave out":
            return before + after
        case "put in":
            return before + letter + query[place:]
        case "replace":
            return before + letter + after
        case _:
            return before[:-1] + query[place] + before[-1] + after
