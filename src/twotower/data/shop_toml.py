"""`shop.toml`: what a shop says about its tables, read whole and checked name by name."""

import difflib
import json
import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final, TypeVar

from pydantic import TypeAdapter, ValidationError

from twotower import schema
from twotower.data.words import ALIASES, IGNORE
from twotower.errors import DataError

SHOP_FILE: Final = "shop.toml"
_TOP: Final = ("name", "repeat", "synthetic", "language")
_REFERENCE: Final = "docs/shop-toml.md says what goes there."


@dataclass(frozen=True)
class TableMapping:
    """What shop.toml says of one table.

    Attributes:
        file: name of the file, where it is not the table's own.
        columns: our column name to the shop's, or to several that are joined.
        kinds: the shop's kind of event to ours, or to `ignore`.
        kind: the kind of every event, for a log without that column.
        category_separator: what parts the levels of a category path.
    """

    file: str | None = None
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
    language: str = "english"


_Part = TypeVar("_Part")


def read(folder: Path) -> Shop:
    """The folder's shop.toml, or the empty one.

    Raises:
        DataError: it is no TOML, or has names that mean nothing here, or values of another
            type; all of them are told.
    """
    path = folder / SHOP_FILE
    try:
        stored = tomllib.loads(path.read_text("utf-8")) if path.is_file() else {}
    except (ValueError, OSError) as error:
        raise DataError(f"{SHOP_FILE} cannot be read: {error}.") from error
    faults = [*_strange(stored, {*_TOP, *ALIASES}, "at the top")]
    parts = {table: stored.get(table, {}) for table in ALIASES}
    for table, part in parts.items():
        faults += _table_faults(table, part)
    top: dict[str, Any] = {name: stored[name] for name in _TOP if name in stored}
    faults += _wrong_types(Shop, {**top, "tables": {}}, "")
    if faults:
        raise DataError(f"{SHOP_FILE}: {' '.join(faults)} {_REFERENCE}")
    tables = {table: _made(TableMapping, part) for table, part in parts.items()}
    return replace(_made(Shop, {**top, "tables": {}}), tables=tables)


def write(
    folder: Path, *, name: str, synthetic: bool, repeat: bool | None, language: str = "english"
) -> None:
    """A shop.toml that says what tables cannot: the name, and whether the shop is made up."""
    lines = [f"name = {_quoted(name)}", f"synthetic = {json.dumps(synthetic)}"]
    lines += [f"language = {_quoted(language)}"]
    lines += [] if repeat is None else [f"repeat = {json.dumps(repeat)}"]
    (folder / SHOP_FILE).write_text("\n".join(lines) + "\n", encoding="utf-8")


def toml_lines(header: str, entries: Mapping[str, str]) -> str:
    """The lines of one table of shop.toml, each on its own, to end a message with.

    Example:
        >>> print(toml_lines("events.kinds", {"wish list": "view"}))
        <BLANKLINE>
        [events.kinds]
        "wish list" = "view"
    """
    told = [
        f"{key if re.fullmatch('[A-Za-z0-9_-]+', key) else _quoted(key)} = {_quoted(value)}"
        for key, value in entries.items()
    ]
    return "\n".join(["", f"[{header}]", *told])


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def closest(name: str, known: Iterable[str]) -> str:
    """Asks whether the most similar name was meant, or nothing."""
    close = difflib.get_close_matches(name, list(known), 1)
    return f" Did you mean {close[0]!r}?" if close else ""


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
    known = {*schema.KIND_CODE, schema.SEARCH, IGNORE}
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
