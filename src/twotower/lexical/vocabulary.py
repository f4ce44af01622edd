"""The words of a catalogue as they are written: how many rows hold each, and which stand together.

Words are folded but not stemmed, so that a correction can be shown. Every change of a row is
taken in, so a vocabulary after upserts and deletes equals one that was counted afresh.
"""

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final, Self

import numpy as np
from numpy.typing import NDArray

from twotower.lexical.analysis import Analyser, Analysis

BREAK: Final = -1
"""Stands between words that are not side by side."""


@dataclass(frozen=True)
class Sequences:
    """The words of N rows in order, as numbers.

    Attributes:
        words: V words, ascending.
        tokens: int32[T] numbers of words, or BREAK.
        starts: int64[N + 1] row i is `tokens[starts[i]:starts[i + 1]]`.
    """

    words: tuple[str, ...]
    tokens: NDArray[np.int32]
    starts: NDArray[np.int64]

    @classmethod
    def collect(cls, analysed: Sequence[Sequence[Analysis]]) -> Self:
        """The words of N rows, from the analysed texts of each field."""
        numbers: dict[str | None, int] = {None: BREAK}
        tokens: list[int] = []
        sizes: list[int] = []
        for row in zip(*analysed, strict=True):
            found = [numbers.setdefault(word, len(numbers) - 1) for word in words_of(row)]
            tokens += found
            sizes.append(len(found))
        del numbers[None]
        words = sorted(word for word in numbers if word is not None)
        places = np.full(len(words) + 1, BREAK, dtype=np.int32)  # the last one is BREAK's own
        places[[numbers[word] for word in words]] = np.arange(len(words))
        starts = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
        return cls(tuple(words), places[np.array(tokens, dtype=np.int64)], starts)

    def of(self, row: int) -> NDArray[np.int32]:
        """The words of a row."""
        return self.tokens[self.starts[row] : self.starts[row + 1]]


class Vocabulary:
    """Words, counts and neighbours. The caller lets one thread in at a time.

    Args:
        sequences: the words of the catalogue that was counted.
        analyser: gives the stem of a word.
    """

    def __init__(self, sequences: Sequences, analyser: Analyser) -> None:
        self._base, self._analyser = sequences, analyser
        self._words = list(sequences.words)
        self._numbers = {word: number for number, word in enumerate(self._words)}
        self._stems: dict[str, int] = {}
        self._stem_of = [self._stem_number(word) for word in self._words]
        self._live: dict[int, tuple[int, ...]] = {}
        self._hidden: set[int] = set()
        self.counts = self._holders()
        self.letters = letters(self._words)
        self.lengths = np.array([len(word) for word in self._words], dtype=np.int16)
        self._pairs, self._pair_counts = self._counted_pairs()
        self._pair_changes: Counter[tuple[int, int]] = Counter()

    def count(self, word: str) -> int:
        """Rows that hold the folded word."""
        number = self._numbers.get(word)
        return 0 if number is None else int(self.counts[number])

    def word(self, number: int) -> str:
        """The word of a number."""
        return self._words[number]

    def stand_together(self, left: str, right: str) -> int:
        """How often words of these two stems stand side by side."""
        pair = (self._stem(left), self._stem(right))
        if None in pair:
            return 0
        one, other = int(pair[0] or 0), int(pair[1] or 0)
        key = _key(one, other)
        place = int(np.searchsorted(self._pairs, key))
        known = place < len(self._pairs) and int(self._pairs[place]) == key
        base = int(self._pair_counts[place]) if known else 0
        return base + self._pair_changes[one, other]

    def beginning_with(self, start: str) -> list[int]:
        """Numbers of the words that begin so, those of no row included."""
        base = self._base.words
        first = bisect_left(base, start)
        last = bisect_left(base, start + "\U0010ffff")
        later = range(len(base), len(self._words))
        return [*range(first, last), *(n for n in later if self._words[n].startswith(start))]

    def upsert(self, row: int, texts: Iterable[Analysis]) -> None:
        """Set the texts of a row."""
        self.delete(row)
        tokens = tuple(BREAK if word is None else self._number(word) for word in words_of(texts))
        self._live[row] = tokens
        self._change(tokens, 1)

    def delete(self, row: int) -> None:
        """Forget the texts of a row."""
        if row in self._live:
            self._change(self._live.pop(row), -1)
        if row < len(self._base.starts) - 1 and row not in self._hidden:
            self._hidden.add(row)
            self._change(tuple(self._base.of(row).tolist()), -1)

    def _change(self, tokens: Sequence[int], by: int) -> None:
        held = list({token for token in tokens if token != BREAK})
        self.counts[held] += by
        for left, right in pairwise(tokens):
            if BREAK not in (left, right):
                self._pair_changes[self._stem_of[left], self._stem_of[right]] += by

    def _number(self, word: str) -> int:
        number = self._numbers.get(word)
        if number is None:
            number = self._numbers[word] = len(self._words)
            self._words.append(word)
            self._stem_of.append(self._stem_number(word))
            self.counts = np.append(self.counts, np.int32(0))
            self.letters = np.append(self.letters, letters([word]))
            self.lengths = np.append(self.lengths, np.int16(len(word)))
        return number

    def _stem(self, word: str) -> int | None:
        return self._stems.get(self._analyser.term(word))

    def _stem_number(self, word: str) -> int:
        return self._stems.setdefault(self._analyser.term(word), len(self._stems))

    def _holders(self) -> NDArray[np.int32]:
        n_words, tokens = len(self._words), self._base.tokens
        rows = np.repeat(np.arange(len(self._base.starts) - 1), np.diff(self._base.starts))
        real = tokens != BREAK
        cells = np.unique(rows[real] * max(n_words, 1) + tokens[real])
        return np.bincount(cells % max(n_words, 1), minlength=n_words).astype(np.int32)

    def _counted_pairs(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        tokens = self._base.tokens
        first_of_row = np.zeros(len(tokens) + 1, dtype=np.bool_)
        first_of_row[self._base.starts] = True
        beside = (tokens[:-1] != BREAK) & (tokens[1:] != BREAK) & ~first_of_row[1:-1]
        stems = np.array([*self._stem_of, 0], dtype=np.int64)[tokens]
        keys = _key(stems[:-1][beside], stems[1:][beside])
        pairs, counts = np.unique(keys, return_counts=True)
        return pairs, counts


def words_of(texts: Iterable[Analysis]) -> list[str | None]:
    """The words of a row in order, None between those that are not side by side."""
    found: list[str | None] = []
    for text in texts:
        for token in text.tokens:
            found += token.words
        found.append(None)
    return found


def letters(words: Sequence[str]) -> NDArray[np.uint64]:
    """uint64[V] which letters a word has: bits 0..31 at least once, bits 32..63 twice.

    An edit changes one letter's count, or two of them, by one: so two words d edits apart
    differ in at most 2 d bits.
    """
    codes = np.frombuffer("".join(words).encode("utf-32-le"), dtype=np.uint32)
    places = np.repeat(np.arange(len(words)), [len(word) for word in words])
    counts = np.zeros((len(words), 32), dtype=np.uint8)
    np.add.at(counts, (places, codes % 32), 1)
    bits = np.uint64(1) << np.arange(32, dtype=np.uint64)
    once = ((counts >= 1) * bits).sum(axis=1, dtype=np.uint64)
    twice = ((counts >= 2) * bits).sum(axis=1, dtype=np.uint64)
    return np.asarray(once | (twice << np.uint64(32)), dtype=np.uint64)


def _key(left: Any, right: Any) -> Any:
    """One number for two stems, or for two arrays of them."""
    return (left << 32) | right


def texts_of(analysed: Mapping[str, Analysis], fields: Sequence[str]) -> list[Analysis]:
    """A row's analysed texts in the order of the fields."""
    return [analysed[field] for field in fields if field in analysed]
