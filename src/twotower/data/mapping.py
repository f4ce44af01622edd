"""The shop's words into ours: column names, kinds of event, and the `shop.toml` that maps them."""

import difflib
import json
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final, TypeVar

import polars as pl
from pydantic import TypeAdapter, ValidationError

from twotower import schema
from twotower.errors import DataError

SHOP_FILE: Final = "shop.toml"
_TOP: Final = ("name", "repeat", "synthetic", "language")
IGNORE: Final = "ignore"
"""A kind of event mapped to this is left out."""

_ITEM_ID: Final = (
    "product_id asin parent_asin sku stock_code upc article_id product item item_code product_code"
)
ALIASES: Final = {
    "items": {
        schema.ITEM_ID: f"{_ITEM_ID} id",
        schema.TITLE: "name product_name product_title item_name movie_title prod_name",
        schema.DESCRIPTION: "product_description desc long_description detail_desc details",
        schema.BRAND: "product_brand manufacturer vendor maker",
        schema.CATEGORY: "categories category_path category_code product_type main_category",
        schema.PRICE: "unit_price sale_price list_price",
        schema.RATING: "average_rating avg_rating stars",
        schema.ATTRIBUTES: "tags features attribute",
        schema.IN_STOCK: "available availability stock",
        schema.LAUNCHED: "launch_date release_date created_at date_added published_at",
        schema.IMAGE: "image_url picture img thumbnail photo",
    },
    "events": {
        schema.USER_ID: "user customer_id visitor_id shopper_id uid client_id reviewer_id",
        schema.ITEM_ID: _ITEM_ID,
        schema.EVENT: "event_type behavior behaviour action interaction kind type",
        schema.TIME: "timestamp ts event_time datetime date created_at invoice_date review_time",
        schema.ORDER: "position sequence seq",
        schema.SESSION_ID: "user_session session",
        schema.QUERY: "search_query search_term q keyword",
        schema.SPLIT: "",
    },
    "users": {schema.USER_ID: "user customer_id visitor_id shopper_id uid client_id id"},
    "judgments": {
        schema.QUERY: "search_term search_query q",
        schema.ITEM_ID: _ITEM_ID,
        schema.GRADE: "relevance relevancy label esci_label judgment judgement score rating",
        schema.SPLIT: "",
    },
}
"""Names that shops give to our columns, by table; docs/shop-toml.md is written from it."""
REQUIRED: Final = {
    "items": (schema.ITEM_ID, schema.TITLE),
    "events": (schema.USER_ID, schema.ITEM_ID),
    "users": (schema.USER_ID,),
    "judgments": (schema.QUERY, schema.ITEM_ID, schema.GRADE),
}
KIND_ALIASES: Final = {
    schema.EventKind.VIEW: "view views viewed click clicks pv detail page_view view_item",
    schema.EventKind.CART: "cart add_to_cart addtocart atc basket add_to_basket",
    schema.EventKind.PURCHASE: "purchase purchased buy bought order ordered transaction sale",
    schema.EventKind.REVIEW: "review reviewed rating rated rate",
    schema.SEARCH: "search searched query",
}
_KINDS: Final = {word: str(kind) for kind, words in KIND_ALIASES.items() for word in words.split()}


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


@dataclass(frozen=True)
class Mapped:
    """A table with our names, what each is called in the shop, and what nothing reads."""

    frame: pl.DataFrame
    columns: Mapping[str, str]
    ignored: tuple[str, ...]


def read(folder: Path) -> Shop:
    """The folder's shop.toml, or the empty one.

    Raises:
        DataError: it is no TOML, or has a name that means nothing here.
    """
    path = folder / SHOP_FILE
    try:
        stored = tomllib.loads(path.read_text("utf-8")) if path.is_file() else {}
    except (ValueError, OSError) as error:
        raise DataError(f"{SHOP_FILE} cannot be read: {error}.") from error
    _check_keys(stored, {*_TOP, *ALIASES}, "at the top")
    tables = {}
    for table in ALIASES:
        part = stored.get(table, {})
        if not isinstance(part, dict):
            raise DataError(f"{SHOP_FILE}: [{table}] must be a table, got {part!r}.")
        _check_keys(part, set(TableMapping.__dataclass_fields__), f"in [{table}]")
        _check_keys(
            part.get("columns", {}),
            None if table == "users" else ALIASES[table],
            f"in [{table}.columns]",
        )
        tables[table] = _typed(TableMapping, part, f" in [{table}]")
        _check_kinds(part)
    top: dict[str, Any] = {name: stored[name] for name in _TOP if name in stored}
    return replace(_typed(Shop, {**top, "tables": {}}, ""), tables=tables)


def _typed(kind: type[_Part], part: dict[str, Any], where: str) -> _Part:
    """What shop.toml says, once every value is of its type: `"no"` is no false."""
    try:
        return TypeAdapter(kind).validate_json(json.dumps(part, default=str), strict=True)
    except ValidationError as error:
        faults = {str(fault["loc"][0]): fault["msg"].lower() for fault in error.errors()}
        told = ". ".join(f"{name}{where} is {part[name]!r}; {why}" for name, why in faults.items())
        raise DataError(f"{SHOP_FILE}: {told}. docs/shop-toml.md says what goes there.") from error


def write(
    folder: Path, *, name: str, synthetic: bool, repeat: bool | None, language: str = "english"
) -> None:
    """A shop.toml that says what tables cannot: the name, and whether the shop is made up."""
    lines = [f"name = {json.dumps(name)}", f"synthetic = {json.dumps(synthetic)}"]
    lines += [f"language = {json.dumps(language)}"]
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


def apply(frame: pl.DataFrame, table: str, shop: TableMapping, file: str) -> Mapped:
    """The table with our column names and kinds of event.

    Raises:
        DataError: a needed column, or one that shop.toml names, is not there.
    """
    columns = _named(frame, shop, file, table) | _recognised(frame, table, shop)
    _check_required(frame, columns, table, file)
    taken = {
        name: [theirs] if isinstance(theirs, str) else theirs for name, theirs in columns.items()
    }
    used = {theirs for parts in taken.values() for theirs in parts}
    rest = [name for name in frame.columns if name not in used]
    kept = [pl.col(name) for name in rest if table == "users" and name not in taken]
    mapped = frame.select(*(_joined(name, parts) for name, parts in taken.items()), *kept)
    if table == "items":
        mapped = _paths(mapped, shop.category_separator)
    if table == "events":
        mapped = _kinds(mapped, shop)
    return Mapped(
        mapped,
        {name: " + ".join(parts) for name, parts in taken.items()},
        () if table == "users" else tuple(rest),
    )


def _named(
    frame: pl.DataFrame, shop: TableMapping, file: str, table: str
) -> dict[str, str | list[str]]:
    wanted = [
        (name, part)
        for name, theirs in shop.columns.items()
        for part in ([theirs] if isinstance(theirs, str) else theirs)
        if part not in frame.columns
    ]
    if wanted:
        lines = ", ".join(f"{name} = {part!r}" for name, part in wanted)
        hints = "".join(_closest(part, frame.columns) for _, part in wanted)
        raise DataError(
            f"{SHOP_FILE}: [{table}.columns] {lines}, but {file} has no such column "
            f"(found: {', '.join(frame.columns)}).{hints}"
        )
    return dict(shop.columns)


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
    """Category paths with our separator, from a list or from another separator."""
    if schema.CATEGORY not in items.columns:
        return items
    column = pl.col(schema.CATEGORY)
    if isinstance(items.schema[schema.CATEGORY], pl.List):
        return items.with_columns(column.list.join(schema.CATEGORY_SEPARATOR))
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
    ours = word.replace_strict(_KINDS, default=kind)
    return events.with_columns(
        kind.replace_strict(shop.kinds, default=ours) if shop.kinds else ours
    )


def _check_keys(found: Any, known: Any, where: str) -> None:
    if not isinstance(found, dict):
        raise DataError(f"{SHOP_FILE}: expected a table {where}, got {found!r}.")
    strange = set(found) - set(known) if known is not None else set()
    if strange:
        names = sorted(strange)
        raise DataError(
            f"{SHOP_FILE}: {', '.join(map(repr, names))} {where} "
            f"{'means' if len(names) == 1 else 'mean'} nothing here "
            f"(known: {', '.join(sorted(known))})."
            + "".join(_closest(name, known) for name in names)
        )


def _check_kinds(part: Mapping[str, Any]) -> None:
    known = {*schema.KIND_CODE, schema.SEARCH, IGNORE}
    kinds = {**part.get("kinds", {}), "kind": part.get("kind", IGNORE)}
    for theirs, ours in kinds.items():
        if ours not in known:
            raise DataError(
                f"{SHOP_FILE}: the event {theirs!r} is mapped to {ours!r}; expected one of "
                f"{', '.join(sorted(known))}."
            )


def _closest(name: str, known: Any) -> str:
    close = difflib.get_close_matches(name, list(known), 1)
    return f" Did you mean {close[0]!r}?" if close else ""


def _bare(name: str) -> str:
    """`StockCode`, `Stock code` and `stock_code` are all `stockcode`."""
    return re.sub(r"[^a-z0-9]", "", name.lower())
