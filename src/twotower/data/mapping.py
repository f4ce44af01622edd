"""The shop's words into ours: column names, kinds of event, category paths."""

import difflib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import polars as pl

from twotower import schema
from twotower.data import nested
from twotower.data.shop_toml import SHOP_FILE, TableMapping, closest, toml_lines
from twotower.data.words import ALIASES, KINDS, REQUIRED
from twotower.errors import DataError


@dataclass(frozen=True)
class Mapped:
    """A table with our names, what each is called in the shop, and what nothing reads."""

    frame: pl.DataFrame
    columns: Mapping[str, str]
    ignored: tuple[str, ...]


def apply(frame: pl.DataFrame, table: str, shop: TableMapping, file: str) -> Mapped:
    """The table with our column names and kinds of event.

    Raises:
        DataError: a needed column, or one that shop.toml names, is not there.
    """
    _check_named(frame, shop, file, table)
    columns = columns_of(frame, table, shop)
    _check_required(frame, columns, table, file)
    taken = parts_of(columns)
    used = {theirs for parts in taken.values() for theirs in parts}
    rest = [name for name in frame.columns if name not in used]
    kept = [pl.col(name) for name in rest if table == "users" and name not in taken]
    mapped = selected(frame, taken, kept)
    if table == "items":
        mapped = _paths(mapped, shop.category_separator)
    if table == "events":
        mapped = _kinds(mapped, shop)
    return Mapped(
        mapped,
        {name: " + ".join(parts) for name, parts in taken.items()},
        () if table == "users" else tuple(rest),
    )


def columns_of(frame: pl.DataFrame, table: str, shop: TableMapping) -> dict[str, str | list[str]]:
    """Our column names and the shop's: what shop.toml says, and what is recognised by name."""
    return dict(shop.columns) | _recognised(frame, table, shop)


def parts_of(columns: Mapping[str, str | list[str]]) -> dict[str, list[str]]:
    """Our column names, and the shop's columns that are joined to each."""
    return {n: [theirs] if isinstance(theirs, str) else theirs for n, theirs in columns.items()}


def selected(
    frame: pl.DataFrame, parts: Mapping[str, list[str]], kept: Sequence[pl.Expr] = ()
) -> pl.DataFrame:
    """Our columns of a table, and what else is kept; nothing of their values is changed."""
    mapped = frame.select(*(_joined(name, theirs) for name, theirs in parts.items()), *kept)
    return mapped.with_columns(nested.plain(mapped[name]) for name in parts)


def word(kind: str) -> str:
    """A kind of event as `words.KINDS` has them.

    Example:
        >>> word(" Add-To-Cart")
        'add_to_cart'
    """
    return re.sub(r"[^a-z0-9]+", "_", kind.strip().lower())


def _check_named(frame: pl.DataFrame, shop: TableMapping, file: str, table: str) -> None:
    wanted = [
        (name, part)
        for name, theirs in shop.columns.items()
        for part in ([theirs] if isinstance(theirs, str) else theirs)
        if part not in frame.columns
    ]
    if wanted:
        lines = ", ".join(f"{name} = {part!r}" for name, part in wanted)
        hints = "".join(closest(part, frame.columns) for _, part in wanted)
        raise DataError(
            f"{SHOP_FILE}: [{table}.columns] {lines}, but {file} has no such column "
            f"(found: {', '.join(frame.columns)}).{hints}"
        )


def _recognised(frame: pl.DataFrame, table: str, shop: TableMapping) -> dict[str, str | list[str]]:
    """Columns with our own name or a common one, where shop.toml does not name another."""
    taken = {
        part
        for theirs in shop.columns.values()
        for part in ([theirs] if isinstance(theirs, str) else theirs)
    }
    there = {_bare(name): name for name in reversed(frame.columns) if name not in taken}
    found: dict[str, str | list[str]] = {}
    for name, aliases in ALIASES[table].items():
        if name in shop.columns:
            continue
        alias = next((word for word in map(_bare, (name, *aliases.split())) if word in there), None)
        if alias is not None:
            found[name] = there.pop(alias)
    return found


def _check_required(
    frame: pl.DataFrame, columns: Mapping[str, object], table: str, file: str
) -> None:
    missing = [name for name in REQUIRED[table] if name not in columns]
    if not missing:
        return
    rest = [column for column in frame.columns if column not in columns.values()]
    near = {name: _nearest(name, table, rest) for name in missing}
    found = [repr(hint) for hint in near.values() if hint]
    raise DataError(
        f"{file} has no column {' and no column '.join(map(repr, missing))} "
        f"(found: {', '.join(frame.columns)})."
        + (
            f" The closest {'is' if len(found) == 1 else 'are'} {', '.join(found)}."
            if found
            else ""
        )
        + f" Rename yours, or map {'it' if len(missing) == 1 else 'them'} in {SHOP_FILE}:"
        + toml_lines(
            f"{table}.columns", {name: hint or "your column" for name, hint in near.items()}
        )
    )


def _nearest(name: str, table: str, columns: list[str]) -> str | None:
    """The column that looks most like ours, or like a name that shops give it."""
    known = (name, *ALIASES[table][name].split())
    close = (difflib.get_close_matches(word, columns, 1) for word in known)
    return next((found[0] for found in close if found), None)


def _joined(name: str, parts: list[str]) -> pl.Expr:
    """One column of one or several: attributes as a list, a path of levels, words in a row."""
    if len(parts) == 1:
        return pl.col(parts[0]).alias(name)
    texts = [pl.col(part).cast(pl.String).replace("", None) for part in parts]
    if name == schema.ATTRIBUTES:
        return pl.concat_list(texts).list.drop_nulls().alias(name)
    separator = schema.CATEGORY_SEPARATOR if name == schema.CATEGORY else " "
    return pl.concat_str(texts, separator=separator, ignore_nulls=True).alias(name)


def _paths(items: pl.DataFrame, separator: str | None) -> pl.DataFrame:
    """Category paths with our separator."""
    if schema.CATEGORY not in items.columns:
        return items
    column = pl.col(schema.CATEGORY)
    pattern = re.escape(separator) if separator else r"[>|»]"
    text = column.cast(pl.String)
    return items.with_columns(text.str.replace_all(rf"\s*{pattern}\s*", schema.CATEGORY_SEPARATOR))


def _kinds(events: pl.DataFrame, shop: TableMapping) -> pl.DataFrame:
    """Kinds of event in our words; an unknown one stays as it is, for the check to name."""
    if schema.EVENT not in events.columns:
        return events.with_columns(
            pl.lit(shop.kind or schema.EventKind.VIEW.value).alias(schema.EVENT)
        )
    kind = pl.col(schema.EVENT).cast(pl.String)
    word = kind.str.strip_chars().str.to_lowercase().str.replace_all(r"[^a-z0-9]+", "_")
    ours = word.replace_strict(KINDS, default=kind)
    return events.with_columns(
        kind.replace_strict(shop.kinds, default=ours) if shop.kinds else ours
    )


def _bare(name: str) -> str:
    """`StockCode`, `Stock code` and `stock_code` are all `stockcode`."""
    return re.sub(r"[^a-z0-9]", "", name.lower())
