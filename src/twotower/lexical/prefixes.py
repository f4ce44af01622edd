"""Texts found by the beginnings of their words, the most popular first.

Every word but the last may be typed whole or in part, the last one is being typed. A word that
begins nothing is forgiven as many edits as its length allows. Changes are taken in, so an
index after them equals one that was made afresh.
"""

from bisect import bisect_left, insort
from collections.abc import Sequence
from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray
from rapidfuzz.distance import OSA
from rapidfuzz.process import cdist

from twotower.lexical.spelling import edits_allowed
from twotower.lexical.vocabulary import letters

MAX_WORDS: Final = 12
"""Words of what is typed that are looked at."""
_LAST: Final = "\U0010ffff"

_Rank = tuple[float, int, str, int]


class PrefixIndex:
    """Texts by key. The caller lets one thread in at a time.

    Args:
        texts: N texts; text i has key i.
        popularity: [N] higher comes first; of equals the shorter text.
    """

    def __init__(self, texts: Sequence[str], popularity: NDArray[np.floating]) -> None:
        self._texts, self._popularity = list(texts), np.asarray(popularity, dtype=np.float64)
        self._words, self._starts, self._holders = _inverted(self._texts)
        self._letters = letters(self._words)
        self._order = self._places()
        self._hidden = np.zeros(len(self._texts), dtype=np.bool_)
        self._live: dict[int, tuple[str, float, frozenset[str]]] = {}
        self._live_words: list[str] = []
        self._live_holders: dict[str, set[int]] = {}

    def text(self, key: int) -> str:
        """The text of a key."""
        return self._live[key][0] if key in self._live else self._texts[key]

    def popularity(self, key: int) -> float:
        """How popular a key of the first texts was; 0 for a later one."""
        return float(self._popularity[key]) if key < len(self._popularity) else 0.0

    def put(self, key: int, text: str, popularity: float = 0.0) -> None:
        """Set the text of a key, old or new."""
        self.remove(key)
        words = frozenset(words_in(text))
        self._live[key] = (text, popularity, words)
        for word in words:
            if word not in self._live_holders:
                self._live_holders[word] = set()
                insort(self._live_words, word)
            self._live_holders[word].add(key)

    def remove(self, key: int) -> None:
        """Forget a key; nothing happens when it is not there."""
        if 0 <= key < len(self._hidden):
            self._hidden[key] = True
        _, _, words = self._live.pop(key, ("", 0.0, frozenset[str]()))
        for word in words:
            self._live_holders[word].discard(key)
            if not self._live_holders[word]:
                del self._live_holders[word]
                del self._live_words[bisect_left(self._live_words, word)]

    def find(self, typed: Sequence[str], limit: int) -> list[int]:
        """Keys of texts with a word for every typed one, the most popular first.

        Args:
            typed: as `words_in` gives them; the first `MAX_WORDS` count.
            limit: most keys wanted.
        """
        if not typed:
            return []
        base = ~self._hidden
        live = set(self._live)
        for word in typed[:MAX_WORDS]:
            starts = [word] if self._begins(word) else self._near(word)
            base &= self._base_with(starts)
            live &= self._live_with(starts)
        keys = np.flatnonzero(base)
        if len(keys) > limit:
            keys = keys[np.argpartition(self._order[keys], limit - 1)[:limit]]
        return sorted((*keys.tolist(), *live), key=self._rank)[:limit]

    def _rank(self, key: int) -> _Rank:
        if key in self._live:
            text, popularity, _ = self._live[key]
        else:
            text, popularity = self._texts[key], float(self._popularity[key])
        return -popularity, len(text), text, key

    def _places(self) -> NDArray[np.int64]:
        """[N] the place of each text among all, best first."""
        order = np.empty(len(self._texts), dtype=np.int64)
        ranked = sorted(
            range(len(self._texts)),
            key=lambda key: (-self._popularity[key], len(self._texts[key]), self._texts[key]),
        )
        order[ranked] = np.arange(len(ranked))
        return order

    def _begins(self, start: str) -> bool:
        first, last = self._range(start)
        if self._visible(first, last):
            return True
        place = bisect_left(self._live_words, start)
        return place < len(self._live_words) and self._live_words[place].startswith(start)

    def _range(self, start: str) -> tuple[int, int]:
        return bisect_left(self._words, start), bisect_left(self._words, start + _LAST)

    def _visible(self, first: int, last: int) -> bool:
        holders = self._holders[self._starts[first] : self._starts[last]]
        return len(holders) > 0 and not bool(self._hidden[holders].all())

    def _near(self, word: str) -> list[str]:
        """The beginnings of words that are nearest to a mistyped one."""
        edits = edits_allowed(word)
        if not edits:
            return []
        lacking = np.bitwise_count(letters([word])[0] & ~self._letters)
        sieved = np.flatnonzero(lacking <= edits).tolist()
        words = [self._words[n] for n in sieved if self._visible(n, n + 1)] + self._live_words
        starts = sorted({one[: len(word) + by] for one in words for by in (-1, 0, 1)})
        if not starts:
            return []
        distances = cdist([word], starts, scorer=OSA.distance, score_cutoff=edits)[0]
        nearest = int(distances.min())
        if nearest > edits:
            return []
        return [starts[place] for place in np.flatnonzero(distances == nearest).tolist()]

    def _base_with(self, starts: Sequence[str]) -> NDArray[np.bool_]:
        found = np.zeros(len(self._texts), dtype=np.bool_)
        for start in starts:
            first, last = self._range(start)
            found[self._holders[self._starts[first] : self._starts[last]]] = True
        return found

    def _live_with(self, starts: Sequence[str]) -> set[int]:
        found: set[int] = set()
        for start in starts:
            first = bisect_left(self._live_words, start)
            last = bisect_left(self._live_words, start + _LAST)
            for word in self._live_words[first:last]:
                found |= self._live_holders[word]
        return found


def words_in(text: str) -> list[str]:
    """The folded words of a text: lower case without accents, runs of letters and digits."""
    found: list[str] = _words(pl.Series([text], dtype=pl.String))[0].to_list()
    return found


def _inverted(
    texts: Sequence[str],
) -> tuple[list[str], NDArray[np.int64], NDArray[np.int32]]:
    """W words, ascending, starts [W + 1], and the texts that hold each word."""
    held = (
        pl.DataFrame({"word": _words(pl.Series(texts, dtype=pl.String))})
        .with_row_index("text")
        .explode("word", empty_as_null=False)
        .drop_nulls()
        .unique()
        .sort("word", "text")
    )
    words = held["word"].unique(maintain_order=True)
    sizes = held.group_by("word", maintain_order=True).len()["len"].to_numpy()
    starts = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
    return words.to_list(), starts, held["text"].to_numpy().astype(np.int32)


def _words(texts: pl.Series) -> pl.Series:
    bare = texts.str.to_lowercase().str.normalize("NFKD").str.replace_all(r"\p{M}", "")
    return bare.str.extract_all(r"[\p{L}\p{N}]+")
