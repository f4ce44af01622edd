"""Every column in its type, or an error that names the row: data rows, counted from 1."""

from dataclasses import dataclass
from typing import Final

import polars as pl

from twotower import schema
from twotower.data import splits, times
from twotower.data.shop_toml import toml_lines
from twotower.data.tables import LIST_SEPARATOR, Tables
from twotower.data.words import CANCEL, IGNORE, likely_kind
from twotower.errors import RowError

_MISSING: Final = ("", "na", "n/a", "nan", "null", "none", "-")
_TRUE: Final = ("true", "t", "yes", "y", "1", "in stock")
_FALSE: Final = ("false", "f", "no", "n", "0", "out of stock")
_GRADE_WORDS: Final = {"exact": "E", "substitute": "S", "complement": "C", "irrelevant": "I"}
_DECIMAL_COMMA, _DECIMAL_POINT = r"\d,(\d{1,2}|\d{4,})$", r"\.(\d{1,2}|\d{4,})$"
"""Followed by other than three digits, it cannot part thousands."""
_SHOWN: Final = 3
_KINDS_SHOWN: Final = 20
_LONGEST: Final = 60

_ID = (schema.ITEM_ID, schema.USER_ID, schema.SESSION_ID)
_TEXT = (
    schema.TITLE,
    schema.DESCRIPTION,
    schema.BRAND,
    schema.CATEGORY,
    schema.IMAGE,
    schema.QUERY,
    schema.EVENT,
)
_NUMBER = (schema.PRICE, schema.RATING)
_TIME = (schema.TIME, schema.LAUNCHED)


@dataclass(frozen=True)
class Forms:
    """What only whole columns of a log tell, to read a part of its rows by.

    Attributes:
        numbered: columns of ids that are whole numbers everywhere, so that 7.0 is 7.
        time: how times are written; None for a log without them.
    """

    numbered: frozenset[str]
    time: times.Form | None


def checked(tables: Tables, forms: Forms | None = None) -> Tables:
    """The same tables, every column in the type that `schema` gives it.

    Args:
        tables: as they were read.
        forms: of the log that these events are a part of; their own when left out.

    Raises:
        RowError: a value has the wrong type, an item id is missing or used twice, or an
            event is of an unknown kind. Names file, row, column and the remedy.
    """
    typed = {
        table: frame.with_columns(
            _typed(tables, table, name, forms if table == "events" else None)
            for name in frame.columns
            if _is_ours(table, name)
        )
        for table, frame in tables.frames.items()
    }
    found = tables.with_frames(typed)
    _check_item_ids(found)
    _check_kinds(found)
    return found


def row_error(
    tables: Tables, table: str, name: str, bad: pl.Series, expected: str, remedy: str
) -> RowError:
    """An error that names the first bad row of a column, and how many more there are.

    Args:
        tables: where the table is.
        table: name of the table.
        name: our name of the column.
        bad: [rows] which rows are bad; at least one is.
        expected: what a value should have been.
        remedy: what to do.
    """
    first = int(bad.arg_true()[0])
    given = tables.frames[table][name][first]
    value = "nothing" if given is None else repr(given)
    shown = value if len(value) <= _LONGEST else f"{value[:_LONGEST]}…"
    more = int(bad.sum()) - 1
    return RowError(
        f"{tables.place(table, first + 1)}, column "
        f"{tables.column(table, name)}: expected {expected}, got {shown}"
        + (f", and {more:,} more {'rows' if more > 1 else 'row'} like it" if more else "")
        + f". {remedy}",
        table=table,
        column=name,
        rows=bad.arg_true().to_list(),
        expected=expected,
    )


def numbers(column: pl.Series) -> pl.Series:
    """[rows] numbers, null where a value is none.

    Args:
        column: numbers, or text with a currency's sign or code and thousands separators:
            $1,299.00, EUR 170, 1299.-
    """
    if column.dtype == pl.String:
        bare = (
            column.str.strip_chars()
            .str.replace(r"^[$€£¥]\s*|\s*[$€£¥]$", "")
            .str.replace(r"^[A-Z]{3}\s*(-?\d)", "${1}")
            .str.replace(r"(\d)\s*[A-Z]{3}$", "${1}")
            .str.replace(r"(\d)[.,][-\x{2013}]+$", "${1}")
        )
        return _with_points(bare).cast(pl.Float64, strict=False)
    if column.dtype.is_numeric() or column.dtype == pl.Null:
        return column.cast(pl.Float64)
    return pl.Series(column.name, [None] * len(column), dtype=pl.Float64)


def _is_ours(table: str, name: str) -> bool:
    return table != "users" or name == schema.USER_ID


def _typed(tables: Tables, table: str, name: str, forms: Forms | None) -> pl.Series:
    column, remedy = tables.frames[table][name], "Correct it, or leave it empty."
    if name in _ID:
        numbered = name in forms.numbered if forms else None
        converted, expected = _ids(column, numbered=numbered), "an id"
    elif name in _TEXT:
        converted, expected = _texts(column), "text"
    elif name in _NUMBER:
        converted, expected = numbers(column), "a number"
    elif name in _TIME:
        form = forms.time if forms else None
        converted, expected = times.to_ms(column, tables.time_zone, form), "a time"
        remedy = "Write times as ISO 8601, such as 2024-12-31 or 2024-12-31T18:30:00Z."
    elif name == schema.ORDER:
        converted, expected = _whole(column), "a whole number"
    elif name == schema.SPLIT:
        return _splits(tables, table)
    elif name == schema.IN_STOCK:
        converted, expected = _flags(column), "yes or no"
    elif name == schema.ATTRIBUTES:
        converted, expected = _lists(column), "a list of words"
    else:
        return _grades(tables) if name == schema.GRADE else column
    if converted.null_count() and (bad := converted.is_null() & ~_is_missing(column)).any():
        raise row_error(tables, table, name, bad, expected, remedy)
    return converted.alias(name)


def _is_missing(column: pl.Series) -> pl.Series:
    if column.dtype == pl.String:
        return column.is_null() | column.str.strip_chars().str.to_lowercase().is_in(_MISSING)
    return column.is_null() | column.is_nan() if column.dtype.is_float() else column.is_null()


def is_numbered(column: pl.Series) -> bool:
    """Whether ids are whole numbers, those that are there, some with .0 behind them perhaps."""
    if column.dtype.is_integer():
        return True
    text = _texts(column, strip=True)
    return bool(text.str.contains(r"^\d+(\.0)?$").all())  # nulls aside


def typed_ids(column: pl.Series, forms: Forms) -> pl.Series:
    """Ids as `checked` reads them."""
    return _ids(column, numbered=column.name in forms.numbered)


def _ids(column: pl.Series, *, numbered: bool | None) -> pl.Series:
    """Ids as text; 7.0, as a column with gaps is often exported, is the id 7."""
    if column.dtype.is_float():
        whole = column.cast(pl.Int64, strict=False)
        return whole.cast(pl.String).set(whole.cast(pl.Float64) != column, None)
    text = _texts(column, strip=True)
    if is_numbered(column) if numbered is None else numbered:
        return text.str.strip_suffix(".0")
    return text


def _texts(column: pl.Series, *, strip: bool = False) -> pl.Series:
    if column.dtype.is_nested() or column.dtype == pl.Binary:
        return pl.Series(column.name, [None] * len(column), dtype=pl.String)
    text = column.cast(pl.String)
    return text.str.strip_chars().replace("", None) if strip else text


def _with_points(text: pl.Series) -> pl.Series:
    """Numbers without thousands separators, by what the whole column takes for the decimal one."""
    if text.str.contains(_DECIMAL_COMMA).any() and not text.str.contains(_DECIMAL_POINT).any():
        is_number = text.str.contains(r"^-?(\d{1,3}(\.\d{3})+|\d+)(,\d+)?$")
        plain = text.str.replace_all(".", "", literal=True).str.replace(",", ".", literal=True)
        return plain.set(~is_number.fill_null(value=False), None)
    grouped = text.str.contains(r"^\d{1,3}(,\d{3})+(\.\d+)?$")
    return text.zip_with(~grouped.fill_null(value=False), text.str.replace_all(",", ""))


def _whole(column: pl.Series) -> pl.Series:
    found = numbers(column)
    whole = found.cast(pl.Int64, strict=False)
    return whole.set((whole != found).fill_null(value=False), None)


def _flags(column: pl.Series) -> pl.Series:
    """Yes or no; a number is a stock level."""
    if column.dtype == pl.Boolean:
        return column
    if column.dtype.is_numeric():
        return column.cast(pl.Float64).fill_nan(None) > 0
    word = column.cast(pl.String).str.strip_chars().str.to_lowercase()
    level = word.cast(pl.Float64, strict=False).fill_nan(None) > 0
    known = dict.fromkeys(_TRUE, True) | dict.fromkeys(_FALSE, False)
    return level.zip_with(level.is_not_null(), word.replace_strict(known, default=None))


def _lists(column: pl.Series) -> pl.Series:
    if isinstance(column.dtype, pl.List):
        return column.cast(pl.List(pl.String))
    parts = _texts(column).str.split(LIST_SEPARATOR).list.eval(pl.element().str.strip_chars())
    return parts.list.eval(pl.element().filter(pl.element() != ""))


def _splits(tables: Tables, table: str) -> pl.Series:
    word = tables.frames[table][schema.SPLIT].cast(pl.String).str.strip_chars().str.to_lowercase()
    split = word.replace_strict(splits.NAMES, default=None, return_dtype=pl.String)
    if split.null_count():
        remedy = "Name the split of every row, or leave the column out."
        expected = "train, validation or test"
        raise row_error(tables, table, schema.SPLIT, split.is_null(), expected, remedy)
    return split.alias(schema.SPLIT)


def _grades(tables: Tables) -> pl.Series:
    """All numbers, or all letters E, S, C, I."""
    frame = tables.frames["judgments"]
    column = frame[schema.GRADE]
    found = numbers(column)
    given = (~_is_missing(column)).sum()
    if column.dtype != pl.String or found.is_not_null().sum() * 2 > given:
        _check_grades(tables, found.is_null() | found.is_nan(), "a number, as the other rows")
        return found.alias(schema.GRADE)
    word = column.str.strip_chars().str.to_lowercase()
    letters = word.replace(_GRADE_WORDS).str.to_uppercase()
    _check_grades(
        tables, ~letters.is_in(list(schema.ESCI_GAINS)).fill_null(value=False), "E, S, C or I"
    )
    return letters.alias(schema.GRADE)


def _check_grades(tables: Tables, bad: pl.Series, expected: str) -> None:
    if bad.any():
        raise row_error(
            tables, "judgments", schema.GRADE, bad, expected,
            "A grade is a number, higher is better, or one of the letters E, S, C, I.",
        )  # fmt: skip


def _check_item_ids(tables: Tables) -> None:
    ids = tables.items[schema.ITEM_ID]
    if ids.null_count():
        remedy = "Give every item an id of its own."
        raise row_error(tables, "items", schema.ITEM_ID, ids.is_null(), "an id", remedy)
    if not ids.is_duplicated().any():
        return
    rows = pl.DataFrame({"id": ids}).with_row_index("row", offset=1)
    twice = rows.group_by("id", maintain_order=True).agg("row").filter(pl.col("row").list.len() > 1)
    shown = "; ".join(
        f"{item_id!r} in rows {', '.join(map(str, found[:5]))}"
        for item_id, found in twice.head(_SHOWN).iter_rows()
    )
    more = f"; and {len(twice) - _SHOWN:,} more" if len(twice) > _SHOWN else ""
    many = f"{len(twice):,} item ids are" if len(twice) > 1 else "1 item id is"
    raise RowError(
        f"{tables.file('items')}: {many} used twice{tables.headed('items')}: {shown}{more}. "
        f"Keep one row for each {tables.column('items', schema.ITEM_ID)}.",
        table="items",
        column=schema.ITEM_ID,
        rows=(~ids.is_first_distinct()).arg_true().to_list(),
        expected="an id of its own",
    )


def _check_kinds(tables: Tables) -> None:
    if tables.events is None:
        return
    known = [*schema.KIND_CODE, schema.SEARCH, CANCEL, IGNORE]
    bad = ~tables.events[schema.EVENT].is_in(known).fill_null(value=False)
    if bad.any():
        words = tables.events[schema.EVENT].filter(bad).drop_nulls().unique(maintain_order=True)
        raise row_error(
            tables, "events", schema.EVENT, bad, f"one of {', '.join(known[:-1])}",
            f'Map it in shop.toml, to "{IGNORE}" where it is nothing of these:'
            + toml_lines("events.kinds", {w: likely_kind(w) for w in words.head(_KINDS_SHOWN)})
            if len(words) else "Give every event its kind, or leave the column out.",
        )  # fmt: skip
