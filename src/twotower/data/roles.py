"""What a column holds, judged by its values alone: its role, and the reason in words."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, Literal

import polars as pl

from twotower.data import check, times
from twotower.data.nested import PICTURES

RoleName = Literal[
    "empty", "id", "category", "category path", "number", "text", "image", "time", "list"
]

_LOOKED_AT: Final = 10_000
_MOST: Final = 0.95
_IMAGE: Final = r"(?i)^data:image/|\.(jpe?g|png|webp|gif|avif)(\?|$)"
_LEVELS: Final = r"\S\s*[>|»]\s*\S"
_FROM_MS: Final = int(datetime(1995, 1, 1, tzinfo=UTC).timestamp() * 1000)
_DAY_MS: Final = 24 * 3600 * 1000
_FEW: Final = 20
_ONE_WORD: Final = 1.2


@dataclass(frozen=True)
class Role:
    """What a column is taken for.

    Attributes:
        name: the role.
        reason: why, with a number or an example.
        distinct: share of different values among those that are there.
        words: of a value, on average; 0 where it is no text.
    """

    name: RoleName
    reason: str
    distinct: float = 0.0
    words: float = 0.0


def role_of(column: pl.Series) -> Role:
    """The role of a column, judged by up to 10,000 of its values, spread over all rows.

    Args:
        column: as it was read; text where a file has no types.
    """
    given = column.drop_nulls()
    if given.dtype == pl.String:
        given = given.filter(given.str.strip_chars() != "")
    if given.is_empty():
        return Role("empty", "no row has a value")
    seen = given.gather_every(max(1, len(given) // _LOOKED_AT))
    if seen.dtype.is_nested():
        return Role("list", f"such as {_shown(seen[0])}")
    if seen.dtype == pl.Binary:
        is_image = bytes(seen[0]).startswith(tuple(PICTURES))
        return Role("image", "bytes of a picture") if is_image else Role("empty", "bytes")
    share = seen.n_unique() / len(seen)
    return (
        _time(seen) or _number(seen, share) or _image(seen) or _words(seen, share)
        if seen.dtype != pl.Boolean
        else Role("category", "yes or no")
    )


def _time(seen: pl.Series) -> Role | None:
    """Dates as text or as a type; numbers only where all are times since 1995."""
    read = times.to_ms(seen)
    if read.null_count() > (1 - _MOST) * len(seen):
        return None
    low, high = read.quantile(0.01, "nearest"), read.quantile(0.99, "nearest")
    if _is_numeric(seen) and not (
        low and high and _FROM_MS <= low <= high <= times.now_ms() + _DAY_MS and seen.n_unique() > 1
    ):
        return None
    return Role(
        "time", f"times from {_day(read.min())} to {_day(read.max())}", read.n_unique() / len(seen)
    )


def _is_numeric(seen: pl.Series) -> bool:
    """Whether values are numbers, by their type or as most are written."""
    written = seen.dtype == pl.String
    return seen.dtype.is_numeric() or (
        written and seen.cast(pl.Float64, strict=False).null_count() < len(seen) / 2
    )


def _number(seen: pl.Series, share: float) -> Role | None:
    numbers = check.numbers(seen)
    if numbers.null_count() > (1 - _MOST) * len(seen):
        return None
    low, high = float(str(numbers.min())), float(str(numbers.max()))
    whole = bool((numbers.drop_nulls() % 1 == 0).all())
    padded = seen.dtype == pl.String and bool(seen.str.contains(r"^0\d").any())
    if whole and (padded or re.search(r"(?i)id\b|_id|code|sku|upc|asin|ean", seen.name)):
        return Role("id", f"whole numbers, {_percent(share)} different, and its name", share)
    if whole and share == 1.0 and len(seen) > _FEW:
        return Role("id", "whole numbers, no two alike", share)
    return Role("number", f"numbers from {low:g} to {high:g}", share)


def _image(seen: pl.Series) -> Role | None:
    if seen.str.contains(_IMAGE).mean() < _MOST:  # type: ignore[operator]
        return None
    return Role("image", f"links to pictures, such as {_shown(seen[0])}")


def _words(seen: pl.Series, share: float) -> Role:
    words = float(seen.str.count_matches(r"\S+").mean())  # type: ignore[arg-type]
    levels = float(seen.str.contains(_LEVELS).mean())  # type: ignore[arg-type]
    told = f"{_percent(share)} different, {words:.1f} words on average"
    if levels > 1 / 2 and seen.str.extract(r"^([^>|»]*)").n_unique() < len(seen) / 2:
        return Role("category path", f"levels, such as {_shown(seen[0])}", share, words)
    as_id = Role("id", f"{_percent(share)} different, one word each", share, words)
    if words < _ONE_WORD and share > 1 / 2 and seen.str.contains(r"\d").mean() > 1 / 2:  # type: ignore[operator]
        return as_id
    if seen.n_unique() <= max(_FEW, len(seen) // 10):
        return Role("category", f"{seen.n_unique():,} different values", share, words)
    return Role("text", told, share, words) if words >= _ONE_WORD else as_id


def _shown(value: object) -> str:
    text = str(value.to_list() if isinstance(value, pl.Series) else value)
    return repr(text if len(text) <= 40 else f"{text[:39]}…")


def _percent(share: float) -> str:
    return f"{share:.0%}"


def _day(ms: object) -> str:
    return f"{datetime.fromtimestamp(int(str(ms)) / 1000, UTC):%Y-%m-%d}"
