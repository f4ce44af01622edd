"""A shop's tables as they were found: our column names, the shop's values, nothing checked yet."""

import gzip
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final, Literal

import polars as pl

from twotower.data import mapping, parts, reading, shop_toml
from twotower.data.broken_rows import Broken
from twotower.data.shop_toml import SHOP_FILE, Shop
from twotower.data.times import UTC
from twotower.errors import DataError

SOURCE_TABLES: Final = ("items", "events", "users", "judgments")
SYNONYMS: Final = "synonyms.txt"
LIST_SEPARATOR: Final = "|"
"""Joins the attributes of one item in CSV and TSV."""
_HEADED: Final = (".csv", ".tsv")

Format = Literal["parquet", "csv", "tsv", "jsonl"]


@dataclass(frozen=True, eq=False)
class Tables:
    """What a shop has: `items`, and `events` or `judgments` or both, or items alone.

    Attributes:
        items: item_id, title, and whatever else of `schema` the shop has.
        events: user_id, item_id, event, and time or order; a row with the event `search`
            has a query and no item.
        users: user_id and anything else.
        judgments: query, item_id, grade, and split where the shop gives one.
        name: name of the shop.
        synthetic: whether it was made up.
        repeat: whether shoppers buy the same item again; None where the shop does not say.
        catalogue_only: there need be no events and no judgments.
        language: of titles and queries.
        time_zone: of times without a zone.
        synonyms: lines of the shop's rules.
        files: name of the file each table was read from.
        parts: by table of several files, the rows of each.
        encodings: of files that are no UTF-8, by their name.
        columns: by table, our column names and what the shop calls them.
        ignored: by table, the shop's columns that nothing reads.
        before: by table that is a part of one, how many rows of that come first.
        broken: by table, rows that could not be read and are to be put aside.
    """

    items: pl.DataFrame
    events: pl.DataFrame | None = None
    users: pl.DataFrame | None = None
    judgments: pl.DataFrame | None = None
    name: str = "shop"
    synthetic: bool = False
    repeat: bool | None = None
    catalogue_only: bool = False
    language: str = "english"
    time_zone: str = UTC
    synonyms: tuple[str, ...] = ()
    files: Mapping[str, str] = field(default_factory=dict)
    parts: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    encodings: Mapping[str, str] = field(default_factory=dict)
    columns: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    ignored: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    before: Mapping[str, int] = field(default_factory=dict)
    broken: Mapping[str, tuple[Broken, ...]] = field(default_factory=dict)

    @property
    def frames(self) -> dict[str, pl.DataFrame]:
        """The tables there are, by name."""
        found = {name: getattr(self, name) for name in SOURCE_TABLES}
        return {name: frame for name, frame in found.items() if frame is not None}

    def with_frames(self, frames: Mapping[str, pl.DataFrame | None]) -> "Tables":
        """The same shop with some tables replaced, or taken away by None."""
        return replace(self, **frames)  # type: ignore[arg-type]

    def file(self, table: str) -> str:
        """What to call a table in a message: its file, or its name when it has none."""
        return self.files.get(table, table)

    def place(self, table: str, number: int) -> str:
        """What to call a row in a message, with its file: data rows count from 1 in each."""
        number += self.before.get(table, 0)
        for name, rows in self.parts.get(table, {}).items():
            if number <= rows:
                return f"{name}: row {number}{_headed(name)}"
            number -= rows
        return f"{self.file(table)}: row {number}{self.headed(table)}"

    def headed(self, table: str) -> str:
        """Says that a header is not counted, of a table in a file that has one."""
        return _headed(self.file(table))

    def column(self, table: str, name: str) -> str:
        """What to call a column in a message: the shop's word, and ours where it differs."""
        theirs = self.columns.get(table, {}).get(name, name)
        return f"{theirs!r}" if theirs == name else f"{theirs!r} (our {name!r})"

    def write_source(self, folder: Path, *, format: Format = "parquet", gz: bool = False) -> Path:
        """The tables as files that `read_source` reads back; for examples and tests.

        Args:
            folder: where to; made when missing.
            format: of every table.
            gz: whether each file is gzipped.
        """
        folder = Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        for name, frame in self.frames.items():
            data = _encoded(frame, format)
            path = folder / f"{name}.{format}{'.gz' if gz else ''}"
            path.write_bytes(gzip.compress(data, mtime=0) if gz else data)
        shop_toml.write(
            folder,
            name=self.name,
            synthetic=self.synthetic,
            repeat=self.repeat,
            language=self.language,
        )
        if self.synonyms:
            (folder / SYNONYMS).write_text("\n".join(self.synonyms) + "\n", encoding="utf-8")
        return folder


@dataclass(frozen=True)
class Export:
    """A folder of a shop's tables, and how they are mapped.

    Attributes:
        folder: of the tables.
        shop_file: a file in place of the folder's own shop.toml.
        mapping: what such a file would say, in place of both.
    """

    folder: Path
    shop_file: Path | None = None
    mapping: Shop | None = None

    def tables(self, *, skips: bool = False) -> Tables:
        """Everything in the files, with our column names; see `read_source`."""
        check_folder(self.folder)
        return read_source(self.folder, self.shop(), skips=skips)

    def shop(self) -> Shop:
        """How its tables are mapped.

        Raises:
            DataError: the file that says it is not there, or is wrong.
        """
        if self.mapping is not None:
            return self.mapping
        if self.shop_file is None:
            return shop_toml.read(self.folder / SHOP_FILE)
        if not self.shop_file.is_file():
            raise DataError(
                f"--shop {self.shop_file} is no file. `twotower prepare {self.folder} "
                f"--dry-run --shop {self.shop_file}` writes one."
            )
        return shop_toml.read(self.shop_file)


def read_source(
    folder: Path, shop: Shop | None = None, *, leaves: str | None = None, skips: bool = False
) -> Tables:
    """The tables of a folder, named `items`, `events`, `users`, `judgments`.

    Each is Parquet, CSV, TSV or JSON lines, packed or not, whole or in parts. Common column
    names are recognised; a `shop.toml` beside the tables maps any others, `synonyms.txt` has
    the shop's synonyms.

    Args:
        folder: of the tables.
        shop: how they are mapped, in place of the folder's shop.toml.
        leaves: a table that is not read.
        skips: rows that cannot be read are put aside, and stop nothing.

    Raises:
        DataError: the folder has no `items` table, or neither `events` nor `judgments`; a
            file cannot be read, or lacks a column. Names the file and the remedy.
    """
    folder = Path(folder)
    check_folder(folder)
    shop = shop or shop_toml.read(folder / SHOP_FILE)
    found = files_of(folder, shop)
    if "items" not in found or not (shop.catalogue_only or {"events", "judgments"} & set(found)):
        raise DataError(_lacks_tables(folder, found))
    found = {table: paths for table, paths in found.items() if table != leaves}
    stacked = {
        table: parts.read(found[table], shop.tables[table].encoding, skips=skips) for table in found
    }
    files = {table: parts.called(paths, folder) for table, paths in found.items()}
    mapped = {
        table: mapping.apply(read.frame, table, shop.tables[table], files[table])
        for table, read in stacked.items()
    }
    return Tables(
        **{table: m.frame for table, m in mapped.items()},  # type: ignore[arg-type]
        name=shop.name or folder.resolve().name,
        synthetic=shop.synthetic,
        repeat=shop.repeat,
        catalogue_only=shop.catalogue_only,
        language=shop.language,
        time_zone=shop.time_zone,
        synonyms=synonyms(folder / SYNONYMS),
        files=files,
        parts={table: read.rows for table, read in stacked.items() if len(read.rows) > 1},
        encodings={name: was for read in stacked.values() for name, was in read.encodings.items()},
        columns={table: m.columns for table, m in mapped.items()},
        ignored={table: m.ignored for table, m in mapped.items()},
        broken={table: read.broken for table, read in stacked.items() if read.broken},
    )


def files_of(folder: Path, shop: Shop) -> dict[str, tuple[Path, ...]]:
    """The files of each table that there is.

    Raises:
        DataError: a file that shop.toml names is not there, or two could be the same table.
    """
    found = {table: parts.find(folder, table, shop.tables[table].file) for table in SOURCE_TABLES}
    return {table: paths for table, paths in found.items() if paths}


def _headed(name: str) -> str:
    bare = name.removesuffix(".gz").removesuffix(".zst")
    return " (the header not counted)" if bare.endswith(_HEADED) else ""


def synonyms(path: Path) -> tuple[str, ...]:
    """The lines of a file of synonyms; none where there is none."""
    try:
        return tuple(path.read_text("utf-8").splitlines()) if path.is_file() else ()
    except (ValueError, OSError) as error:
        raise DataError(f"{SYNONYMS} cannot be read: {error}. Save it as UTF-8 text.") from error


def check_folder(folder: Path) -> None:
    """Refuses what is no folder of tables.

    Raises:
        DataError: there is no such folder, or it is a prepared dataset.
    """
    if not folder.is_dir():
        raise DataError(
            f"SOURCE {folder} is no folder. Give a folder of tables (items, and events or "
            "judgments, as Parquet, CSV, TSV or JSON lines), or `synthetic`."
        )
    if (folder / "dataset.json").is_file():
        raise DataError(
            f"{folder} is already prepared (it has a dataset.json). Give it to `twotower train`."
        )


def _lacks_tables(folder: Path, found: Mapping[str, tuple[Path, ...]]) -> str:
    there = ", ".join(sorted(path.name for path in folder.iterdir())) or "nothing"
    lacking = "items" if "items" not in found else "events"
    needed = "an items table" if lacking == "items" else "an events or a judgments table"
    alone = "" if lacking == "items" else " A catalogue alone says catalogue_only = true there."
    return (
        f"{folder} lacks {needed} (found: {there}).{alone} Name the files items, events, users, "
        f"judgments with one of {', '.join(reading.SUFFIXES)} (and .gz or .zst), or name yours in "
        "shop.toml:" + shop_toml.toml_lines(lacking, {"file": "your file.csv"})
    )


def _encoded(frame: pl.DataFrame, format: Format) -> bytes:
    if format == "parquet":
        return reading.parquet_bytes(frame)
    if format == "jsonl":
        return frame.write_ndjson().encode()
    lists = [name for name, dtype in frame.schema.items() if isinstance(dtype, pl.List)]
    flat = frame.with_columns(pl.col(name).list.join(LIST_SEPARATOR) for name in lists)
    return flat.write_csv(separator="\t" if format == "tsv" else ",").encode()
