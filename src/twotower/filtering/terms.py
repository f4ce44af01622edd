"""Texts by number, and which lie below a category.

Both only ever grow: a number that was given out keeps its text, so readers need no lock
while one writer adds.
"""

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from twotower import schema

Codes = NDArray[np.int32]
MISSING = 0
"""The number of no text."""


class Terms:
    """Texts of one column, numbered from 1 in the order of their arrival."""

    def __init__(self) -> None:
        self._code_of: dict[str, int] = {}
        self._texts: list[str] = []

    def __len__(self) -> int:
        """Numbers given out, `MISSING` included."""
        return len(self._texts) + 1

    def text(self, code: int) -> str:
        """The text of a number."""
        return self._texts[code - 1]

    def code(self, text: str) -> int | None:
        """The number of a text, None for one never seen."""
        return self._code_of.get(text)

    def encode(self, texts: Iterable[str | None]) -> Codes:
        """int32[N] the number of each text; new ones are numbered, None is `MISSING`."""
        codes = [MISSING if text is None else self._add(text) for text in texts]
        return np.array(codes, np.int32)

    def codes_of(self, texts: Iterable[str]) -> set[int]:
        """The numbers of those texts that were ever seen."""
        return {code for text in texts if (code := self._code_of.get(text)) is not None}

    def _add(self, text: str) -> int:
        known = self._code_of.get(text)
        if known is not None:
            return known
        self._texts.append(text)
        self._code_of[text] = len(self._texts)
        return len(self._texts)


class Paths(Terms):
    """Categories: every level of a path has a number, also one that no product is in itself."""

    def __init__(self) -> None:
        super().__init__()
        self._below: dict[int, list[int]] = {}
        self._above: dict[int, tuple[int, ...]] = {}

    def codes_of(self, texts: Iterable[str]) -> set[int]:
        """The numbers of those categories that were ever seen, and of all below them."""
        return {below for code in super().codes_of(texts) for below in [*self._below[code]]}

    def above(self, code: int) -> tuple[int, ...]:
        """The numbers of a category and of all it lies in, the widest first."""
        return self._above[code]

    def _add(self, text: str) -> int:
        known = self._code_of.get(text)
        if known is not None:
            return known
        wider = text.rpartition(schema.CATEGORY_SEPARATOR)[0]
        above = self._above[self._add(wider)] if wider else ()
        code = len(self._texts) + 1
        self._above[code], self._below[code] = (*above, code), [code]
        for one in above:
            self._below[one].append(code)
        self._texts.append(text)
        self._code_of[text] = code
        return code
