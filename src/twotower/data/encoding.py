"""Bytes of a text file into text: what it is encoded in, known, seen or guessed."""

import codecs
import re
from typing import Final

from twotower.errors import DataError, MissingExtra, installing

UTF_8: Final = "utf-8"
_MARKS: Final = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
"""What a file of this encoding may begin with; UTF-32 before UTF-16, which it begins with too."""
_LATIN: Final = ("cp1250", "cp1252", "cp1254")
"""Too alike for a detector: the signs of the one are letters of the other."""
_OTHERS: Final = ("cp1251", "cp1253", "cp1255", "cp1256", "cp932", "gb18030", "cp949", "big5")
_SIGN_IN_WORD: Final = re.compile(r"[^\W\d_][³¹¿¼¾£¥][^\W\d_]")
"""Where Polish or Czech of Windows-1250 is read as Windows-1252."""
_SAMPLE: Final = 200_000
_AROUND: Final = 2_000


def decoded(data: bytes, name: str, known: str | None = None) -> tuple[str, str]:
    """The text, and the encoding it was read in.

    UTF-8, or what a byte order mark says; otherwise the encoding is guessed from the letters.

    Args:
        data: of the whole file.
        name: of the file, for a message.
        known: the encoding, where the shop says it.

    Raises:
        DataError: the bytes are not of the known encoding, are UTF-8 with a damaged place, or
            of no encoding that can be told.
        MissingExtra: the detector is not installed.
    """
    if known is not None:
        return _known(data, name, known), known
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            return data.decode(encoding, errors="replace"), encoding.removesuffix("-sig")
    try:
        return data.decode(UTF_8), UTF_8
    except UnicodeDecodeError as error:
        guess = None if _is_damaged(data, error.start) else _guess(data, error.start, name)
        if guess is None:
            raise _not_utf8(data, name, error.start) from error
        return data.decode(guess, errors="replace"), guess


def _known(data: bytes, name: str, known: str) -> str:
    try:
        return data.decode(known)
    except LookupError as error:
        raise DataError(
            f"shop.toml: encoding = {known!r} of {name} is no encoding that Python knows. "
            "Name one such as utf-8, cp1252 or shift_jis, or leave the line out."
        ) from error
    except UnicodeDecodeError as error:
        raise DataError(
            f"{name} is not {known}, as shop.toml says: byte {error.start} is "
            f"0x{data[error.start]:02x}. Correct the line, or leave it out."
        ) from error


def _is_damaged(data: bytes, place: int) -> bool:
    """Whether letters beyond ASCII before and after this byte are UTF-8, most of them."""
    around = data[max(0, place - _SAMPLE) : place + _SAMPLE].decode(UTF_8, errors="replace")
    wrong = around.count("\ufffd")
    return sum(sign > "\x7f" for sign in around) - wrong > wrong


def _guess(data: bytes, place: int, name: str) -> str | None:
    try:
        from charset_normalizer import from_bytes
    except ModuleNotFoundError as missing:
        raise MissingExtra(
            f"{name} is not UTF-8, and {missing.name} would tell what it is; {installing('train')}"
        ) from missing
    sample = data[max(0, place - _AROUND) : place + _SAMPLE]
    best = from_bytes(sample, cp_isolation=[*_LATIN, *_OTHERS]).best()
    if best is None or best.encoding not in _LATIN:
        return best.encoding if best else None
    return "cp1250" if _SIGN_IN_WORD.search(sample.decode("cp1252", errors="replace")) else "cp1252"


def _not_utf8(data: bytes, name: str, place: int) -> DataError:
    line = data.count(b"\n", 0, place) + 1
    return DataError(
        f"{name} is not UTF-8: byte {place} (line {line} of the file) is 0x{data[place]:02x}. "
        f"Convert it first: iconv -f ISO-8859-1 -t UTF-8 {name}"
    )
