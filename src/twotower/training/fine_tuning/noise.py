"""What shoppers do to queries: a typing mistake, a word left out."""

import numpy as np

from twotower.lexical.typos import with_typo


def noisy(query: str, rng: np.random.Generator, *, typo_share: float, drop_share: float) -> str:
    """The query, sometimes without one of its words, sometimes with one edit.

    The same for the same generator, which draws as often whatever the query is; a single
    word is never left out.

    Args:
        query: as it was typed.
        rng: draws.
        typo_share: how often there is a typing mistake.
        drop_share: how often a word is left out.
    """
    has_typo, lacks_word, place = rng.random(3)
    words = query.split()
    if lacks_word < drop_share and len(words) > 1:
        del words[int(place * len(words))]
        query = " ".join(words)
    return with_typo(query, rng) if has_typo < typo_share else query
