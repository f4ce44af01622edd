"""Words out of web pages: tags taken out, entities read."""

import html
from typing import Final

import polars as pl

_INLINE: Final = r"(?i)</?(a|b|em|font|i|span|strong|sub|sup|u)(\s[^<>]*)?>"
"""Tags that may stand within a word."""


def plain(column: pl.Expr) -> pl.Expr:
    """Text without tags, whole or cut off, with single spaces; null where nothing is left.

    Example:
        >>> import polars as pl
        >>> texts = ["<b>Cup</b> &amp; saucer", '<span class="a', ' Magazines" />', None]
        >>> pl.select(plain(pl.lit(pl.Series(texts)))).to_series().to_list()
        ['Cup & saucer', None, None, None]
    """
    bare = (
        column.str.replace_all(r"(?is)<(script|style)\b.*?(</(script|style)>|$)", " ")
        .str.replace_all(_INLINE, "")
        .str.replace_all(r"<[a-zA-Z/!][^<>]*(>|$)", " ")
        .str.replace(r'^[^<>]*"\s*/?>', " ")
        .map_elements(html.unescape, return_dtype=pl.String)
        .str.replace_all(r"\s+", " ")
        .str.strip_chars()
    )
    return pl.when(bare != "").then(bare)
