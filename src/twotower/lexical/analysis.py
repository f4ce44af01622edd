"""A text as a list of terms: the same for products and for queries.

Made for shop titles. Words are folded to lower case without accents and stemmed; sizes,
counts and codes keep what distinguishes them.

    Crème brûlée torches           creme brule torch
    WD-40, wd40                    wd 40
    stove-top                      stovetop stove top
    AT&T men's                     att t men
    1-1/2 in., 1 1/2", 1½ inches   1-1/2 in
    3x5, 3 in. x 5 in.             3 5 3x5 (and the units)
    1,000 ft.                      1000 ft

Every choice was made on training queries of a real shop (docs/decisions/0002).
"""

import html
import re
import threading
import unicodedata
from functools import lru_cache
from typing import Final

import Stemmer

VERSION: Final = 1
"""Raised whenever a text may give other terms than before: stored postings would not match."""

STOP_WORDS: Final = frozenset((
    "a", "an", "and", "are", "as", "at", "be", "by", "for", "from", "has", "is", "it", "its",
    "of", "on", "or", "that", "the", "this", "to", "was", "with",
))  # fmt: skip
"""Words that say nothing about a product."""

_UNITS: Final = {
    **dict.fromkeys(("inch", "inches"), "in"),
    **dict.fromkeys(("feet", "foot"), "ft"),
    **dict.fromkeys(("pound", "pounds", "lbs"), "lb"),
    **dict.fromkeys(("ounce", "ounces"), "oz"),
    **dict.fromkeys(("gallon", "gallons"), "gal"),
}
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
_own: Final = threading.local()


def analyse(text: str) -> list[str]:
    """The terms of `text` in order, repeated as often as they occur; sizes such as 3x5 last."""
    folded = _folded(text)
    terms: list[str] = []
    after_number = False
    for match in _TOKEN.finditer(folded):
        if match["number"]:
            terms.append(_number(match["number"]))
            after_number = True
            continue
        parts = _PART.findall(match[0])
        if len(parts) > 1 and not any(part.isdigit() for part in parts):
            terms.append(_stem("".join(parts)))
        for part in parts:
            term = _word(part, after_number=after_number)
            if term:
                terms.append(term)
            after_number = part.isdigit()
    return terms + [f"{_side(width)}x{_side(height)}" for width, height in _SIZE.findall(folded)]


def _folded(text: str) -> str:
    """Lower case without accents, marks of inch and foot as words, single spaces."""
    if "&" in text:
        text = html.unescape(text)
    if not text.isascii():
        text = _VULGAR_FRACTION.sub(r" \1", text)
        parts = unicodedata.normalize("NFKD", text.casefold())
        bare = "".join(letter for letter in parts if not unicodedata.combining(letter))
        text = unicodedata.normalize("NFC", bare).translate(_LETTERS)
    text = _POSSESSIVE.sub("", " ".join(text.lower().split()))
    return _FOOT_MARK.sub(" ft ", _INCH_MARK.sub(" in ", text))


def _number(written: str) -> str:
    """One spelling of a number: 1,000 is 1000, .5 is 0.5, and 1 1/2 is 1-1/2."""
    number = written.replace(",", "").replace(" ", "-")
    return f"0{number}" if number.startswith(".") else number


def _side(written: str) -> str:
    return written.rstrip("./-")


def _word(part: str, *, after_number: bool) -> str | None:
    if part.isdigit():
        return part
    unit = _UNITS.get(part, part)
    if unit == "in":
        return unit if after_number else None
    return None if unit in STOP_WORDS or unit == "x" else _stem(unit)


@lru_cache(maxsize=65_536)
def _stem(word: str) -> str:
    if not hasattr(_own, "stemmer"):  # one for each thread: it keeps a state while it works
        _own.stemmer = Stemmer.Stemmer("english")
    stem: str = _own.stemmer.stemWord(word)
    return stem
