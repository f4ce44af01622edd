"""`shop.toml`: what a shop says about its tables, read whole and checked name by name."""

import difflib
import json
import re
import tomllib
import zoneinfo
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final, TypeVar

from pydantic import TypeAdapter, ValidationError

from twotower import schema
from twotower.data.times import UTC, is_zone
from twotower.data.words import ALIASES, CANCEL, IGNORE
from twotower.errors import DataError

SHOP_FILE: Final = "shop.toml"
_TOP: Final = ("name", "repeat", "synthetic", "catalogue_only", "language", "time_zone")
_REFERENCE: Final = "docs/shop-toml.md says what goes there."


@dataclass(frozen=True)
class TableMapping:
    """What shop.toml says of one table.

    Attributes:
        file: name of the file, of a folder of parts, or a pattern such as `log-*.csv`, where
            it is not the table's own name.
        encoding: of the text in the file, where it is no UTF-8.
        columns: our column name to the shop's, or to several that are joined.
        kinds: the shop's kind of event to ours, or to `ignore`.
        kind: the kind of every event, for a log without that column.
        category_separator: what parts the levels of a category path.
    """

    file: str | None = None
    encoding: str | None = None
    columns: Mapping[str, str | list[str]] = field(default_factory=dict)
    kinds: Mapping[str, str] = field(default_factory=dict)
    kind: str | None = None
    category_separator: str | None = None


@dataclass(frozen=True)
class Shop:
    """What shop.toml says; all of it optional."""

    tables: Mapping[str, TableMapping]
    name: str | None = None
    repeat: bool | None = None
    synthetic: bool = False
    catalogue_only: bool = False
    language: str = "english"
    time_zone: str = UTC


_Part = TypeVar("_Part")


def read(path: Path) -> Shop:
    """What a shop.toml says; nothing, where there is none.

    Raises:
        DataError: it is no TOML, or has names that mean nothing here, or values of another
            type; all of them are told.
    """
    try:
        stored = tomllib.loads(path.read_text("utf-8")) if path.is_file() else {}
    except (ValueError, OSError) as error:
        twice = " Write a table's header once, and all its lines below." * ("twice" in str(error))
        raise DataError(f"{SHOP_FILE} cannot be read: {error}.{twice}") from error
    faults = [*_strange(stored, {*_TOP, *ALIASES}, "at the top")]
    parts = {table: stored.get(table, {}) for table in ALIASES}
    for table, part in parts.items():
        faults += _table_faults(table, part)
    top: dict[str, Any] = {name: stored[name] for name in _TOP if name in stored}
    faults += _wrong_types(Shop, {**top, "tables": {}}, "")
    faults += _unknown_zone(top.get("time_zone", UTC))
    if faults:
        raise DataError(f"{SHOP_FILE}: {' '.join(faults)} {_REFERENCE}")
    tables = {table: _made(TableMapping, part) for table, part in parts.items()}
    return replace(_made(Shop, {**top, "tables": {}}), tables=tables)


def write(
    folder: Path, *, name: str, synthetic: bool, repeat: bool | None, language: str = "english"
) -> None:
    """A shop.toml that says what tables cannot: the name, and whether the shop is made up."""
    lines = head(Shop({}, name, repeat, synthetic, language=language))
    (folder / SHOP_FILE).write_text("\n".join(lines) + "\n", encoding="utf-8")


def head(shop: Shop) -> list[str]:
    """The lines of shop.toml before its first table."""
    top = {name: getattr(shop, name) for name in _TOP}
    usual = {"catalogue_only": False, "time_zone": UTC}
    return [
        line(name, value) for name, value in top.items() if value not in (None, usual.get(name))
    ]


def line(key: str, value: str | list[str] | bool) -> str:  # noqa: FBT001 - a value to be written
    """One line of shop.toml.

    Example:
        >>> line("wish list", ["a", "b"])
        '"wish list" = ["a", "b"]'
    """
    name = key if re.fullmatch("[A-Za-z0-9_-]+", key) else _quoted(key)
    return f"{name} = {json.dumps(value, ensure_ascii=False)}"


def toml_lines(header: str, entries: Mapping[str, str]) -> str:
    """The lines of one table of shop.toml, each on its own, to end a message with.

    Example:
        >>> print(toml_lines("events.kinds", {"wish list": "view"}))
        <BLANKLINE>
        [events.kinds]
        "wish list" = "view"
    """
    return "\n".join(["", f"[{header}]", *(line(key, value) for key, value in entries.items())])


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def closest(name: str, known: Iterable[str]) -> str:
    """Asks whether the most similar name was meant, or nothing."""
    close = difflib.get_close_matches(name, list(known), 1)
    return f" Did you mean {close[0]!r}?" if close else ""


def _unknown_zone(name: Any) -> Iterator[str]:
    if isinstance(name, str) and not is_zone(name):
        yield (
            f"time_zone = {name!r} is none."
            + closest(name, zoneinfo.available_timezones())
            + " Names are those of the tz database, such as Europe/Paris."
        )


def _table_faults(table: str, part: Any) -> Iterator[str]:
    if not isinstance(part, dict):
        yield f"[{table}] must be a table, got {part!r}."
        return
    yield from _strange(part, TableMapping.__dataclass_fields__, f"in [{table}]")
    wrong = [*_wrong_types(TableMapping, part, f" in [{table}]")]
    yield from wrong
    if wrong:
        return
    if table != "users":
        yield from _strange(part.get("columns", {}), ALIASES[table], f"in [{table}.columns]")
    kinds = {**part.get("kinds", {}), "kind": part.get("kind", IGNORE)}
    known = {*schema.KIND_CODE, schema.SEARCH, CANCEL, IGNORE}
    for theirs, ours in kinds.items():
        if ours not in known:
            yield (
                f"the event {theirs!r} is mapped to {ours!r}; expected one of "
                f"{', '.join(sorted(known))}."
            )


def _strange(found: Mapping[str, Any], known: Iterable[str], where: str) -> Iterator[str]:
    known = sorted(known)
    for name in sorted(set(found) - set(known)):
        yield (
            f"{name!r} {where} means nothing here (known: {', '.join(known)})."
            + closest(name, known)
        )


def _wrong_types(kind: type[_Part], part: dict[str, Any], where: str) -> Iterator[str]:
    try:
        _made(kind, part)
    except ValidationError as error:
        for name, why in {str(f["loc"][0]): f["msg"].lower() for f in error.errors()}.items():
            yield f"{name}{where} is {part[name]!r}; {why}."


def _made(kind: type[_Part], part: dict[str, Any]) -> _Part:
    """Every value must be of its type as it stands: `"no"` is no false."""
    return TypeAdapter(kind).validate_json(json.dumps(part, default=str), strict=True)
