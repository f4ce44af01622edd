"""List-valued and nested columns, as JSON lines and Parquet have them, into what we read."""

import base64
from typing import Any, Final

import polars as pl

from twotower import schema

_PATHS: Final = (schema.CATEGORY,)
_LISTS: Final = (schema.ATTRIBUTES,)
_FIRST: Final = (schema.IMAGE, schema.TITLE, schema.BRAND)
_BEST: Final = ("url", "large", "hi_res", "src", "name", "value")
"""Keys of an object, in this order, whose value stands for the whole."""
PICTURES: Final = {b"\xff\xd8\xff": "jpeg", b"\x89PNG": "png", b"GIF8": "gif", b"RIFF": "webp"}
"""How the bytes of a picture begin, and its kind."""
_READ: Final = (*_PATHS, *_LISTS, *_FIRST, schema.DESCRIPTION)


def is_nested(dtype: pl.DataType) -> bool:
    """Whether values are lists or objects, but no plain list of values."""
    if isinstance(dtype, pl.List | pl.Array):
        inner: Any = dtype.inner
        return bool(inner.is_nested())
    return isinstance(dtype, pl.Struct)


def plain(column: pl.Series) -> pl.Series:
    """[rows] a list or object as text, or as a list where `schema` has one.

    A category takes the first of several paths; attributes take every word, those of an
    object as `key: value`; a description takes all texts in a row; a title, brand or image
    takes the first; the bytes of a picture become a `data:` URI. Other columns stay as they
    are, for the check to name.

    Args:
        column: with our name.

    Example:
        >>> import polars as pl
        >>> plain(pl.Series("category", [[["Home", "Rugs"], ["Sale"]]])).to_list()
        ['Home > Rugs']
        >>> plain(pl.Series("attributes", [{"colour": "red", "size": None}])).to_list()
        [['colour: red']]
    """
    name, dtype = column.name, column.dtype
    if name == schema.IMAGE and dtype == pl.Binary:
        return column.map_elements(_as_uri, return_dtype=pl.String)
    if name not in _READ or not dtype.is_nested():
        return column
    if name in _LISTS and not is_nested(dtype):
        return column
    read = _path if name in _PATHS else _all if name in _LISTS else _first
    if name == schema.DESCRIPTION:
        read = _joined
    kind = pl.List(pl.String) if name in _LISTS else pl.String
    return pl.Series(name, [None if v is None else read(v) for v in column.to_list()], dtype=kind)


def _as_uri(picture: bytes) -> str | None:
    kind = next((kind for start, kind in PICTURES.items() if picture.startswith(start)), None)
    return f"data:image/{kind};base64,{base64.b64encode(picture).decode()}" if kind else None


def _path(value: Any) -> str | None:
    """The levels of a list, or of the first list in it."""
    levels = value
    while isinstance(levels, list) and levels and isinstance(levels[0], list):
        levels = levels[0]
    return schema.CATEGORY_SEPARATOR.join(_all(levels)) or None


def _joined(value: Any) -> str | None:
    return " ".join(_all(value)) or None


def _first(value: Any) -> str | None:
    if isinstance(value, dict):
        best = (value[key] for key in _BEST if value.get(key) is not None)
        return _first(next(best, None) or list(value.values()))
    if isinstance(value, list):
        return next((text for text in map(_first, value) if text), None)
    return None if value is None else str(value)


def _all(value: Any) -> list[str]:
    """Every text; those of an object with their keys."""
    if isinstance(value, dict):
        return [f"{key}: {text}" for key, inner in value.items() for text in _all(inner)]
    if isinstance(value, list):
        return [text for inner in value for text in _all(inner)]
    return [] if value is None or value == "" else [str(value)]
