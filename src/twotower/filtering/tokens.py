"""Text in, tokens with their positions out."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Literal

from twotower.errors import FilterError

Shape = Literal["text", "number", "word", "mark", "end"]
MAX_LENGTH: Final = 20_000
"""Characters of a filter."""

_TOKEN: Final = re.compile(
    r"""(?P<text>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')
    |(?P<number>[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?![\w.]))
    |(?P<word>[^\W\d]\w*)
    |(?P<mark><=|>=|!=|<>|==|[=<>()\[\],])""",
    re.VERBOSE | re.DOTALL,
)
_SPACE: Final = re.compile(r"\s*")


@dataclass(frozen=True)
class Token:
    """One word of a filter.

    Attributes:
        shape: what it is; `end` follows the last one.
        text: as written, of a text what is between the quotes.
        position: of its first character, counted from 1.
    """

    shape: Shape
    text: str
    position: int

    def is_word(self, *words: str) -> bool:
        """Whether it is one of these words, however it is capitalised."""
        return self.shape == "word" and self.text.upper() in words

    @property
    def shown(self) -> str:
        """What messages call it."""
        return "the end of the filter" if self.shape == "end" else repr(self.text)


def tokens_of(text: str) -> Iterator[Token]:
    """The tokens of a filter, `end` last.

    Raises:
        FilterError: the filter is too long, or a character begins no token.
    """
    if len(text) > MAX_LENGTH:
        raise FilterError(f"a filter has at most {MAX_LENGTH} characters, got {len(text)}", 1)
    place = _after_space(text, 0)
    while place < len(text):
        found = _TOKEN.match(text, place)
        if found is None:
            raise FilterError(_no_token(text[place]), place + 1)
        shape: Shape = found.lastgroup  # type: ignore[assignment]
        written = found.group()
        yield Token(shape, _unquoted(written) if shape == "text" else written, place + 1)
        place = _after_space(text, found.end())
    yield Token("end", "", len(text) + 1)


def _after_space(text: str, place: int) -> int:
    found = _SPACE.match(text, place)
    assert found is not None
    return found.end()


def _unquoted(written: str) -> str:
    return re.sub(r"\\(.)", r"\1", written[1:-1], flags=re.DOTALL)


def _no_token(character: str) -> str:
    if character in "\"'":
        return f"a text begins with {character} and must end with it: add the other {character}"
    if character.isdigit():
        return "a number is written with digits and one point, such as 19.99"
    return f"{character!r} means nothing in a filter: write texts in quotes"
