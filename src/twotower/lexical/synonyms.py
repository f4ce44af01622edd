"""The shop's own synonyms: a text file, one rule on each line.

    # a comment
    couch, sofa, settee              # each also finds the others
    tv => television, flat screen    # who types tv also finds these, not the other way round

Sides are words or phrases, compared after folding and stemming; `#` begins a comment.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final, Self

from twotower.errors import DataError
from twotower.lexical.analysis import Analyser

FILE: Final = "synonyms.txt"
_ARROW: Final = "=>"

Phrase = tuple[str, ...]
"""Terms in order."""


@dataclass(frozen=True)
class Synonyms:
    """What else a phrase finds.

    Attributes:
        lines: the rules as they were written.
        others: phrase -> phrases that it finds too.
        longest: terms of the longest phrase that has others; 0 without rules.
    """

    lines: tuple[str, ...] = ()
    others: Mapping[Phrase, tuple[Phrase, ...]] = field(default_factory=dict)
    longest: int = 0

    @classmethod
    def read(cls, lines: Iterable[str], analyser: Analyser) -> Self:
        """The rules of a file's lines.

        Raises:
            DataError: a line is no rule; names its number.
        """
        kept = tuple(lines)
        others: dict[Phrase, dict[Phrase, None]] = {}
        for number, line in enumerate(kept, start=1):
            text = line.partition("#")[0].strip()
            if text:
                for given, found in _pairs(text, number, analyser):
                    others.setdefault(given, {})[found] = None
        return cls(
            kept,
            {given: tuple(found) for given, found in others.items()},
            max(map(len, others), default=0),
        )


def _pairs(text: str, number: int, analyser: Analyser) -> list[tuple[Phrase, Phrase]]:
    left, arrow, right = text.partition(_ARROW)
    given = _phrases(left, number, analyser)
    found = _phrases(right, number, analyser) if arrow else given
    pairs = [(one, other) for one in given for other in found if one != other]
    if not pairs:
        raise _no_rule(number, f"got {text!r}")
    return pairs


def _phrases(side: str, number: int, analyser: Analyser) -> list[Phrase]:
    phrases = [tuple(analyser.terms(part)) for part in side.split(",")]
    if not all(phrases):
        raise _no_rule(number, f"got a side without a word in {side.strip()!r}")
    return phrases


def _no_rule(number: int, found: str) -> DataError:
    return DataError(
        f"{FILE}: line {number}: expected 'couch, sofa' or 'tv => television', {found}:"
        " write at least two different words or phrases"
    )
