"""Queries made up from titles: what a shopper who wants that product might type."""

import re
from collections import Counter
from collections.abc import Sequence
from typing import Final

import numpy as np

_WORD: Final = re.compile(r"[^\W_]+(?:['\u2019&./-][^\W_]+)*")
_LENGTHS: Final = (1, 2, 3, 4, 5)
_LENGTH_SHARES: Final = (0.10, 0.25, 0.30, 0.20, 0.15)
"""How many words shoppers type: two to four, mostly."""
_BRAND_SHARE: Final = 0.3
"""Of made-up queries that name the brand of a product that has one."""
_SHUFFLED_SHARE: Final = 0.2
_RARE: Final = 0.2
"""How often a word of one product alone is typed, beside one of several: numbers of models."""
_COMMON_SHARE, _COMMON_LEAST = 0.1, 20
"""Words of more products than this share, and number, are too common to mean one: `with`."""


def words_of(text: str) -> list[str]:
    """The words of a text in lower case, in its order.

    Example:
        >>> words_of("Kohler 2.5-gal. Sink, White")
        ['kohler', '2.5-gal', 'sink', 'white']
    """
    return _WORD.findall(text.lower())


class TitleQueries:
    """Makes up queries for products; the same ones for the same generator.

    Words that several products share are typed more often than those of one product, and
    those that a tenth of the catalogue has are seldom typed.

    Args:
        titles: [N] of the catalogue; a product without one has no query.
        brands: [N] brand of each, None where unknown.
    """

    def __init__(self, titles: Sequence[str], brands: Sequence[str | None] | None = None) -> None:
        self._words = [list(dict.fromkeys(words_of(title))) for title in titles]
        self._brands = [words_of(brand or "") for brand in brands or [""] * len(titles)]
        counts = Counter(word for words in self._words for word in words)
        common = max(_COMMON_LEAST, _COMMON_SHARE * len(titles))
        self._weight = {
            word: _RARE if count == 1 or count > common else 1.0 for word, count in counts.items()
        }

    @property
    def rows(self) -> list[int]:
        """Item rows that a query can be made up for."""
        return [row for row, words in enumerate(self._words) if words]

    def query(self, row: int, rng: np.random.Generator) -> str:
        """Some words of the title, mostly in its order, now and then with the brand before them."""
        brand = set(self._brands[row])
        words = [word for word in self._words[row] if word not in brand] or self._words[row]
        n_words = min(int(rng.choice(_LENGTHS, p=_LENGTH_SHARES)), len(words))
        weights = np.array([self._weight[word] for word in words])
        drawn = rng.choice(len(words), n_words, replace=False, p=weights / weights.sum())
        kept = drawn if rng.random() < _SHUFFLED_SHARE else np.sort(drawn)
        before = self._brands[row] if rng.random() < _BRAND_SHARE else []
        return " ".join([*before, *(words[place] for place in kept)])
