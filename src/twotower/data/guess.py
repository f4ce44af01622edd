"""Which file is which table and which column is what, guessed where names do not say it."""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import polars as pl

from twotower import schema
from twotower.data import mapping, parts, shop_toml
from twotower.data.roles import Role, RoleName, role_of
from twotower.data.shop_toml import Shop, TableMapping
from twotower.data.tables import SOURCE_TABLES, files_of
from twotower.data.words import KINDS

_FILES: Final = {
    "items": "product article catalog item sku",
    "events": "event inter log transaction click order invoice purchase basket view",
    "users": "user customer shopper visitor",
    "judgments": "judg relevan label qrel rating",
}
"""What names of files have in them."""
_HINTS: Final = {
    schema.USER_ID: r"user|customer|client|visitor|shopper|member|buyer|kunde|usuario|klant",
    schema.PRICE: r"price|cost|amount|eur|usd|gbp|preis|prix|precio|prezzo|prijs",
    schema.CATEGORY: r"categ|type|group|department|class|genre|shelf|section|aisle",
    schema.BRAND: r"brand|maker|manufact|label|publisher",
}
"""What names of columns have in them whose values alone say too little."""
_SINGLE: Final = ("file", "encoding", "kind", "category_separator")
"""What shop.toml may say of a table in one value."""
_KNOWN: Final = 0.5
_DESCRIBES: Final = 6
_TITLES: Final = 0.3

Columns = Mapping[str, Role]


@dataclass(frozen=True)
class Found:
    """A column of the shop's, and what it is taken for.

    Attributes:
        table: it is in.
        column: what the shop calls it.
        role: what its values look like.
        ours: our name for it; None where nothing reads it.
        by: what says so: `shop.toml`, `name` or `values`; empty where nothing does.
    """

    table: str
    column: str
    role: Role
    ours: str | None = None
    by: str = ""


@dataclass(frozen=True)
class Guess:
    """A mapping of everything in a folder.

    Attributes:
        shop: what shop.toml should say.
        columns: of all tables, in the order of their files.
        files: what the file of each table is called.
    """

    shop: Shop
    columns: tuple[Found, ...]
    files: Mapping[str, str]


def guess(folder: Path, shop: Shop) -> Guess:
    """The tables and columns of a folder, by shop.toml, by name, and else by their values.

    Args:
        folder: of the tables.
        shop: what is known; it is never contradicted.

    Raises:
        DataError: a file cannot be read, or shop.toml names one that is not there.
    """
    paths = _files(folder, shop)
    frames = {
        table: parts.read(found, shop.tables[table].encoding).frame
        for table, found in paths.items()
    }
    tables, columns, items = dict(shop.tables), [], pl.Series("item_id", [], dtype=pl.String)
    for table, frame in frames.items():
        known = shop.tables[table]
        taken, found = _columns(frame, table, known, items)
        columns += found
        named = paths[table][0].name if table not in files_of(folder, shop) else known.file
        tables[table] = replace(known, columns={**known.columns, **taken}, file=named)
        if table == "items" and (its_id := _ours(found, schema.ITEM_ID)):
            items = frame[its_id].cast(pl.String).unique()
    called = {table: parts.called(found, folder) for table, found in paths.items()}
    alone = shop.catalogue_only or set(called) == {"items"}
    return Guess(replace(shop, tables=tables, catalogue_only=alone), tuple(columns), called)


def toml(found: Guess) -> str:
    """A whole shop.toml of what was found, with the reason behind each line that was guessed."""
    lines = shop_toml.head(found.shop)
    for table in found.files:
        known = found.shop.tables[table]
        single = {name: getattr(known, name) for name in _SINGLE if getattr(known, name)}
        lines += ["", f"[{table}]"] if single else []
        lines += [shop_toml.line(name, value) for name, value in single.items()]
        lines += ["", f"[{table}.columns]"] if known.columns else []
        lines += [
            shop_toml.line(ours, theirs) + _why(found.columns, table, ours)
            for ours, theirs in known.columns.items()
        ]
        lines += ["", f"[{table}.kinds]"] if known.kinds else []
        lines += [shop_toml.line(theirs, ours) for theirs, ours in known.kinds.items()]
    return "\n".join(lines) + "\n"


def _why(columns: tuple[Found, ...], table: str, ours: str) -> str:
    reasons = [
        one.role.reason
        for one in columns
        if one.table == table and one.ours == ours and one.by == "values"
    ]
    return f"  # guessed: {reasons[0]}" if reasons else ""


def _files(folder: Path, shop: Shop) -> dict[str, tuple[Path, ...]]:
    """Those with a table's name, and for tables without one those whose name has a word of it."""
    found = files_of(folder, shop)
    used = {path for paths in found.values() for path in paths}
    rest = [path for path in parts.files_in(folder) if path not in used]
    for table in SOURCE_TABLES:
        if table not in found:
            words = _FILES[table].split()
            like = [path for path in rest if any(word in path.name.lower() for word in words)]
            if len(like) == 1:
                found[table] = (like[0],)
                rest.remove(like[0])
    return {table: found[table] for table in SOURCE_TABLES if table in found}


def _columns(
    frame: pl.DataFrame, table: str, known: TableMapping, items: pl.Series
) -> tuple[dict[str, str | list[str]], list[Found]]:
    """What is guessed of a table, and every column with its role."""
    named = mapping.columns_of(frame, table, known)
    taken = {part for _, part in _flat(named)}
    roles = {column: role_of(frame[column]) for column in frame.columns}
    free = {column: role for column, role in roles.items() if column not in taken}
    kinds = set(KINDS) | set(known.kinds)
    guessed = dict(_by_values(frame, table, free, items, set(named), kinds))
    said = {
        **{part: (ours, "values") for ours, part in _flat(guessed)},
        **{part: (ours, "name") for ours, part in _flat(named)},
        **{part: (ours, "shop.toml") for ours, part in _flat(known.columns)},
    }
    return guessed, [
        Found(table, column, role, *said.get(column, (None, ""))) for column, role in roles.items()
    ]


def _flat(columns: Mapping[str, str | list[str]]) -> Iterator[tuple[str, str]]:
    for ours, theirs in columns.items():
        for part in [theirs] if isinstance(theirs, str) else theirs:
            yield ours, part


def _by_values(
    frame: pl.DataFrame,
    table: str,
    free: dict[str, Role],
    items: pl.Series,
    there: set[str],
    kinds: set[str],
) -> Iterator[tuple[str, str | list[str]]]:
    """Our names that no column has, each with the column that suits it best; taken once."""
    rules: Mapping[str, Callable[[], str | None]] = {
        "items": _item_rules(free),
        "events": _event_rules(frame, free, items, kinds),
        "users": {schema.USER_ID: lambda: _most_distinct(free)},
        "judgments": _judgment_rules(frame, free, items),
    }[table]
    for ours, rule in rules.items():
        if ours not in there and (column := rule()) is not None:
            yield ours, column
            del free[column]
    rest = [column for column, role in free.items() if role.name in ("category", "list")]
    if table == "items" and schema.ATTRIBUTES not in there and rest:
        yield schema.ATTRIBUTES, rest[0] if len(rest) == 1 else rest


def _item_rules(free: Columns) -> dict[str, Callable[[], str | None]]:
    return {
        schema.ITEM_ID: lambda: _most_distinct(free),
        schema.TITLE: lambda: _fewest_words(free),
        schema.DESCRIPTION: lambda: _most_words(free),
        schema.PRICE: lambda: _hinted(free, schema.PRICE, "number"),
        schema.CATEGORY: lambda: (
            _first(free, "category path") or _hinted(free, schema.CATEGORY, "category")
        ),
        schema.BRAND: lambda: _hinted(free, schema.BRAND, "category"),
        schema.IMAGE: lambda: _first(free, "image"),
    }


def _event_rules(
    frame: pl.DataFrame, free: Columns, items: pl.Series, kinds: set[str]
) -> dict[str, Callable[[], str | None]]:
    return {
        schema.ITEM_ID: lambda: _known_items(frame, free, items),
        schema.EVENT: lambda: _kinds(frame, free, kinds),
        schema.TIME: lambda: _first(free, "time"),
        schema.USER_ID: lambda: (
            _hinted(free, schema.USER_ID, "id", "number", "category")
            or _most_distinct(free, at_least=0.0)
        ),
    }


def _judgment_rules(
    frame: pl.DataFrame, free: Columns, items: pl.Series
) -> dict[str, Callable[[], str | None]]:
    return {
        schema.ITEM_ID: lambda: _known_items(frame, free, items),
        schema.GRADE: lambda: _first(free, "number") or _first(free, "category"),
        schema.QUERY: lambda: _first(free, "text"),
    }


def _most_distinct(free: Columns, at_least: float = 0.9) -> str | None:
    ids = {c: role.distinct for c, role in free.items() if role.name == "id"}
    best = max(ids, key=lambda column: ids[column], default=None)
    return best if best is not None and ids[best] >= at_least else None


def _fewest_words(free: Columns) -> str | None:
    texts = {c: r.words for c, r in free.items() if r.name == "text" and r.distinct >= _TITLES}
    return min(texts, key=lambda column: texts[column], default=None)


def _most_words(free: Columns) -> str | None:
    texts = {c: r.words for c, r in free.items() if r.name == "text" and r.words >= _DESCRIBES}
    return max(texts, key=lambda column: texts[column], default=None)


def _first(free: Columns, name: RoleName) -> str | None:
    return next((column for column, role in free.items() if role.name == name), None)


def _hinted(free: Columns, ours: str, *names: RoleName) -> str | None:
    like = (c for c, role in free.items() if role.name in names)
    return next((c for c in like if re.search(_HINTS[ours], c.lower())), None)


def _known_items(frame: pl.DataFrame, free: Columns, items: pl.Series) -> str | None:
    """The column most of whose values are ids of the catalogue."""
    shares = {
        column: float(frame[column].cast(pl.String).is_in(items.implode()).mean() or 0.0)  # type: ignore[arg-type]
        for column in free
        if not frame[column].dtype.is_nested() and frame[column].dtype != pl.Binary
    }
    best = max(shares, key=lambda column: shares[column], default=None)
    return best if best is not None and shares[best] >= _KNOWN else None


def _kinds(frame: pl.DataFrame, free: Columns, known: set[str]) -> str | None:
    """The first column of few words with a kind of event among them."""
    for column, role in free.items():
        if role.name == "category" and frame[column].dtype == pl.String:
            values = frame[column].drop_nulls().unique()
            if known & {*values, *map(mapping.word, values)}:
                return column
    return None


def _ours(columns: list[Found], ours: str) -> str | None:
    return next((one.column for one in columns if one.ours == ours), None)
