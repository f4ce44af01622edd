"""A text as a list of tokens and their terms: the same for products and for queries.

Made for shop titles. Words are folded to lower case without accents and stemmed; sizes,
counts and codes keep what distinguishes them.

    Crème brûlée torches           creme brule torch
    WD-40, wd40                    wd 40 wd40
    GT2455X                        gt 2455 x gt2455x
    stove-top                      stove top stovetop
    AT&T men's                     att t men
    1-1/2 in., 1 1/2", 1½ inches   1-1/2 in
    3x5, 3 in. x 5 in.             3 5 3x5 (and the units)
    18V, 18-Volt, 18 volts         18 volt
    1,000 ft.                      1000 ft

Every choice was made on training queries of a real shop (docs/decisions/0002).
"""

import html
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from twotower.lexical.language import Language

VERSION: Final = 2
"""Raised whenever a text may give other terms than before: stored postings would not match."""

_UNITS: Final = {
    **dict.fromkeys(("inch", "inches"), "in"),
    **dict.fromkeys(("feet", "foot"), "ft"),
    **dict.fromkeys(("pound", "pounds", "lbs"), "lb"),
    **dict.fromkeys(("ounce", "ounces"), "oz"),
    **dict.fromkeys(("gallon", "gallons"), "gal"),
    **dict.fromkeys(("volts",), "volt"),
    **dict.fromkeys(("watts",), "watt"),
    **dict.fromkeys(("amps", "ampere", "amperes"), "amp"),
}
_AFTER_NUMBER: Final = {"in": "in", "v": "volt", "w": "watt", "a": "amp"}
"""Units that are other words, or none, where no number comes before them."""
_MEASURES: Final = frozenset((
    *_UNITS.values(), *_AFTER_NUMBER.values(),
    "mm", "cm", "yd", "sq", "qt", "ml", "kg", "hp", "gb", "tb", "hz",
))  # fmt: skip
"""What makes an amount, and no code, of a number before it."""
_LETTERS: Final = str.maketrans(
    {"\u00d7": "x", "\u2044": "/", "æ": "ae", "œ": "oe", "ø": "o", "ł": "l"}
)
_INCH_MARK: Final = re.compile(r"(?<=\d) ?(?:\"|''|\u2033|\u201d)")
_FOOT_MARK: Final = re.compile(r"(?<=\d) ?['\u2032\u2019](?![a-z])")
_POSSESSIVE: Final = re.compile(r"(?<=[^\W\d_])['\u2019]s\b")
_VULGAR_FRACTION: Final = re.compile(r"(?<=\d)([¼-¾⅐-⅞])")
_NUMBER: Final = r"\d+(?:,\d{3})+(?!\d)|\d+[ -]\d+/\d+|\d+/\d+|\d*\.\d+"
_TOKEN: Final = re.compile(rf"(?P<number>{_NUMBER})|[^\W_]+(?:[-&][^\W_]+)*")
_PART: Final = re.compile(r"\d+|[^\W\d_]+")
_SIZE: Final = re.compile(
    r"(?<![a-wyz0-9./-])(\d[\d./-]*) ?(?:in|ft|mm|cm|m)?\.? ?[x*] ?(?=(\d[\d./-]*))"
)

LONGEST: Final = 40
"""Letters of a word that is worth remembering."""
_REMEMBERED: Final = 200_000
"""Most tokens that are kept taken apart: shops repeat themselves."""


@dataclass(frozen=True)
class Token:
    """What stands between two spaces, and what it is found by.

    Attributes:
        parts: its runs of letters and of digits, folded.
        terms: what it is found by; none for a stop word.
        words: its words as they are written, None where two of them are not side by side.
        is_number: whether a number before a unit may end here.
    """

    parts: tuple[str, ...]
    terms: tuple[str, ...]
    words: tuple[str | None, ...] = (None,)
    is_number: bool = False

    @property
    def word(self) -> str | None:
        """The folded word, when it is a single one and neither a number nor a code."""
        return self.words[0] if len(self.parts) == 1 else None

    @property
    def is_code(self) -> bool:
        """Whether it mixes letters and digits, and is no amount: wd40, but not 18v."""
        digits = {part.isdigit() for part in self.parts}
        return len(digits) == 2 and not _is_amount(self.parts)


@dataclass(frozen=True)
class Analysis:
    """A text, taken apart.

    Attributes:
        tokens: in order.
        sizes: terms such as 3x5.
    """

    tokens: tuple[Token, ...]
    sizes: tuple[str, ...]

    @property
    def terms(self) -> list[str]:
        """All terms, repeated as often as they occur; sizes last."""
        return [term for token in self.tokens for term in token.terms] + list(self.sizes)


class Analyser:
    """Takes texts apart in one language.

    Args:
        language: whose stems and stop words; see `language.languages`.
    """

    def __init__(self, language: str = "english") -> None:
        self.language = Language(language)
        self._stop_words = self.language.stop_words | {"x"}
        self._seen: dict[tuple[str, bool], Token] = {}

    def read(self, text: str) -> Analysis:
        """The tokens of `text`, and the sizes in it."""
        folded = folded_text(text)
        sizes = (f"{_side(width)}x{_side(height)}" for width, height in _SIZE.findall(folded))
        return Analysis(tuple(self._tokens(folded)), tuple(sizes))

    def terms(self, text: str) -> list[str]:
        """What `text` is found by."""
        return self.read(text).terms

    def term(self, word: str) -> str:
        """What a single folded word is found by, when it is none of the exceptions."""
        return self.language.stem(_UNITS.get(word, word))

    def _tokens(self, folded: str) -> Iterator[Token]:
        after_number = False
        for match in _TOKEN.finditer(folded):
            seen = (match[0], after_number)
            token = self._seen.get(seen)
            if token is None:
                token = self._token(match[0], match["number"], after_number=after_number)
                if len(self._seen) >= _REMEMBERED:
                    self._seen.clear()
                self._seen[seen] = token
            after_number = token.is_number
            yield token

    def _token(self, written: str, number: str | None, *, after_number: bool) -> Token:
        if number:
            spelled = _number(number)
            return Token((spelled,), (spelled,), is_number=True)
        parts = tuple(_PART.findall(written))
        terms: list[str] = []
        for part in parts:
            terms += self._terms_of(part, after_number=after_number)
            after_number = part[0].isdigit()
        words = [part if _is_word(part) else None for part in parts]
        whole = "".join(parts)
        if len(parts) > 1 and not _is_amount(parts):
            terms.append(self.language.stem(whole) if whole.isalpha() else whole)
            words = [None, whole if _is_word(whole) else None, None, *words]
        return Token(parts, tuple(terms), tuple(words), after_number)

    def _terms_of(self, part: str, *, after_number: bool) -> tuple[str, ...]:
        if part[0].isdigit():
            return (part,)
        if after_number and part in _AFTER_NUMBER:
            return (_AFTER_NUMBER[part],)
        unit = _UNITS.get(part, part)
        if unit in self._stop_words or (unit == "in" and not after_number):
            return ()
        return (self.language.stem(unit),)


def folded_text(text: str) -> str:
    """Lower case without accents, marks of inch and foot as words, single spaces."""
    if "&" in text:
        text = html.unescape(text)
    if not text.isascii():
        text = _VULGAR_FRACTION.sub(r" \1", text)
        parts = unicodedata.normalize("NFKD", text.casefold())
        bare = "".join(letter for letter in parts if not unicodedata.combining(letter))
        text = unicodedata.normalize("NFC", bare).translate(_LETTERS)
    text = _POSSESSIVE.sub("", " ".join(text.lower().split()))
    marked = _FOOT_MARK.sub(" ft ", _INCH_MARK.sub(" in ", text))
    return text if marked == text else " ".join(marked.split())


def _is_amount(parts: tuple[str, ...]) -> bool:
    """Whether a token is a number with its unit, or a size such as 3x5."""
    if all(part.isdigit() for part in parts[::2]) and set(parts[1::2]) == {"x"}:
        return True
    unit = _AFTER_NUMBER.get(parts[-1], _UNITS.get(parts[-1], parts[-1]))
    return len(parts) == 2 and parts[0].isdigit() and unit in _MEASURES


def _is_word(part: str) -> bool:
    return part.isalpha() and len(part) <= LONGEST


def _number(written: str) -> str:
    """One spelling of a number: 1,000 is 1000, .5 is 0.5, and 1 1/2 is 1-1/2."""
    number = written.replace(",", "").replace(" ", "-")
    return f"0{number}" if number.startswith(".") else number


def _side(written: str) -> str:
    return written.rstrip("./-")
