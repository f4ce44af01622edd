"""A query, read against a catalogue: what was typed, and what else it may mean.

Each part of the query becomes a slot of alternatives, and a row gets the best of them:

    wd40            what was typed: wd, 40 and wd40 (a code whole and in parts)
    lawn mower      typed; or `lawnmower`, where the catalogue has that word
    lawnmower       typed; or `lawn` and `mower`, where the catalogue has them side by side
    refridgerator   a word no product has: words near it, words it begins, words it is made of
    couch           typed; or what the shop's synonyms say

A word that the catalogue has is never replaced; what is not typed counts less than what is.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from twotower.lexical.analysis import Analyser, Token, folded_text
from twotower.lexical.bm25 import Alternative, Bm25, Slot
from twotower.lexical.spelling import near
from twotower.lexical.synonyms import Phrase, Synonyms
from twotower.lexical.vocabulary import Vocabulary

MAX_TOKENS: Final = 64
"""Tokens of a query that are searched for; the rest is left out."""
_NEAR, _STARTS = 4, 4
"""Words taken for one that was mistyped, or not typed to its end."""
_SHORTEST_START: Final = 3
_JOINED, _SPLIT, _SYNONYM, _BEGUN = 0.9, 0.9, 0.8, 0.6
_MISTYPED: Final = {1: 0.8, 2: 0.6}
"""What an alternative counts, beside 1 for what was typed."""


@dataclass(frozen=True)
class Reading:
    """What a query means here.

    Attributes:
        slots: what to search for.
        typed: the words of the query that each slot stands for, folded.
        corrected: the query with its mistyped words put right; None when none was.
        is_cut: whether words beyond the first `MAX_TOKENS` were left out.
    """

    slots: tuple[Slot, ...]
    typed: tuple[str, ...] = ()
    corrected: str | None = None
    is_cut: bool = False


class Reader:
    """Reads queries against a catalogue as it is now.

    Args:
        bm25: says which terms are held, and how rare they are.
        vocabulary: the words as they are written.
        synonyms: the shop's.
    """

    def __init__(self, bm25: Bm25, vocabulary: Vocabulary, synonyms: Synonyms) -> None:
        self._bm25, self._vocabulary, self._synonyms = bm25, vocabulary, synonyms
        self._analyser: Analyser = bm25.analyser

    def read(self, query: str) -> Reading:
        """The slots of a query, and its correction."""
        analysis = self._analyser.read(query)
        tokens = analysis.tokens[:MAX_TOKENS]
        corrections: dict[str, str] = {}
        found = [pair for pair in self._slots(tokens, corrections) if pair[1][0].terms]
        sizes = Counter(analysis.sizes).items()
        found += [(size, (Alternative({size: times}),)) for size, times in sizes]
        typed, slots = zip(*found[: 2 * MAX_TOKENS], strict=True) if found else ((), ())
        return Reading(
            slots,
            typed,
            _corrected(query, corrections) if corrections else None,
            len(analysis.tokens) > MAX_TOKENS,
        )

    def _slots(
        self, tokens: Sequence[Token], corrections: dict[str, str]
    ) -> Iterator[tuple[str, Slot]]:
        """The words of each slot, and what they may mean."""
        place = 0
        while place < len(tokens):
            for span, others in ((self._phrase(tokens, place)), (self._pair(tokens, place))):
                if others:
                    part = tokens[place : place + span]
                    typed = Alternative(Counter(term for token in part for term in token.terms))
                    ways = (self._other(typed, phrase, weight) for phrase, weight in others)
                    yield _words(part), (typed, *ways)
                    break
            else:
                span = 1
                yield _words(tokens[place : place + 1]), self._single(tokens[place], corrections)
            place += span

    def _phrase(
        self, tokens: Sequence[Token], place: int
    ) -> tuple[int, list[tuple[Phrase, float]]]:
        """The longest phrase from here that has synonyms."""
        for span in range(min(self._synonyms.longest, len(tokens) - place), 0, -1):
            phrase = tuple(term for token in tokens[place : place + span] for term in token.terms)
            found = self._synonyms.others.get(phrase)
            if found:
                return span, [(other, _SYNONYM) for other in found]
        return 0, []

    def _pair(self, tokens: Sequence[Token], place: int) -> tuple[int, list[tuple[Phrase, float]]]:
        """Two tokens that the catalogue writes as one: lawn mower, wd 40."""
        if place + 1 >= len(tokens):
            return 0, []
        pair = tokens[place : place + 2]
        if any(len(token.parts) > 1 for token in pair):
            return 0, []
        joined = pair[0].parts[0] + pair[1].parts[0]
        term = self._analyser.term(joined) if joined.isalpha() else joined
        if joined.isdigit() or not self._bm25.holders(term):
            return 0, []
        return 2, [((term,), _JOINED)]

    def _single(self, token: Token, corrections: dict[str, str]) -> Slot:
        typed = Alternative(Counter(token.terms))
        word = token.word
        if word is None or not token.terms:
            return (typed,)
        known = self._bm25.holders(token.terms[0]) > 0
        others = [self._other(typed, parts, _SPLIT) for parts in self._parts(word)]
        if known or others:
            return (typed, *others)
        found = near(self._vocabulary, word, limit=_NEAR)
        if found:
            corrections[word] = found[0].word
        guesses = [(one.word, _MISTYPED[one.edits]) for one in found]
        guesses += [(one, _BEGUN) for one in self._begun(word)]
        return (typed, *self._level(guesses))

    def _parts(self, word: str) -> list[Phrase]:
        """The two words that the catalogue writes side by side, the commonest such pair."""
        cuts = (
            (self._vocabulary.stand_together(word[:cut], word[cut:]), -cut)
            for cut in range(1, len(word))
        )
        times, cut = max(cuts, default=(0, 0))
        if not times:
            return []
        terms = (self._analyser.term(word[:-cut]), self._analyser.term(word[-cut:]))
        return [tuple(term for term in terms if self._bm25.holders(term))]

    def _begun(self, word: str) -> list[str]:
        """The commonest words that begin so."""
        if len(word) < _SHORTEST_START:
            return []
        counts = self._vocabulary.counts
        held = [n for n in self._vocabulary.beginning_with(word) if counts[n]]
        best = sorted(held, key=lambda n: (-int(counts[n]), self._vocabulary.word(n)))
        return [self._vocabulary.word(n) for n in best[:_STARTS]]

    def _level(self, guesses: Sequence[tuple[str, float]]) -> list[Alternative]:
        """Guesses at one word: a rarer guess is not worth more than the likeliest."""
        terms = {self._analyser.term(word): weight for word, weight in reversed(guesses)}
        if not terms:
            return []
        level = self._bm25.idf_of(self._analyser.term(guesses[0][0]))
        return [
            Alternative({term: 1}, weight * min(1.0, level / self._bm25.idf_of(term)))
            for term, weight in terms.items()
        ]

    def _other(self, typed: Alternative, phrase: Phrase, weight: float) -> Alternative:
        """Another way to say what was typed, worth no more than that where that is known."""
        rarity: Callable[[str], float] = self._bm25.idf_of
        own = sum(rarity(term) for term in typed.terms if self._bm25.holders(term))
        theirs = sum(rarity(term) for term in phrase)
        level = min(1.0, own / theirs) if own and theirs else 1.0
        return Alternative(Counter(phrase), weight * level, needs_all=True)


def _words(tokens: Sequence[Token]) -> str:
    return " ".join(part for token in tokens for part in token.parts)


def _corrected(query: str, corrections: dict[str, str]) -> str:
    """The query as it was typed but for its mistyped words."""
    text = " ".join(query.split())
    for typed, meant in corrections.items():
        pattern = re.compile(rf"(?<![^\W_]){re.escape(typed)}(?![^\W_])", re.IGNORECASE)
        text, times = pattern.subn(meant, text)
        if not times:  # the word was folded: accents, ligatures
            text = pattern.sub(meant, folded_text(text))
    return text
