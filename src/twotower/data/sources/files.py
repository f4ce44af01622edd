"""The publisher's files: found by name, or the message says what is missing and where it is."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import polars as pl

from twotower.data import reading
from twotower.errors import DataError, MissingExtra, installing

_EXCEL: Final = ".xlsx"


@dataclass(frozen=True)
class PublisherFile:
    """A file that a publisher gives out.

    Attributes:
        names: what it is called, the publisher's own name first.
        looks: what is in it, to recognise it by.
        home: where the publisher keeps it.
    """

    names: tuple[str, ...]
    looks: str
    home: str

    def find(self, folder: Path) -> Path | None:
        """The file in this folder under one of its names, or None."""
        return next((folder / name for name in self.names if (folder / name).is_file()), None)

    def need(self, folder: Path) -> Path:
        """The file in this folder.

        Raises:
            DataError: it is not there; says what it looks like and where the publisher keeps it.
        """
        check_folder(folder)
        found = self.find(folder)
        if found is None:
            there = ", ".join(sorted(path.name for path in folder.iterdir())[:10]) or "nothing"
            raise DataError(
                f"{folder} lacks {' or '.join(self.names)} (found: {there}): {self.looks}. "
                f"The publisher keeps it at {self.home}"
            )
        return found


def check_folder(folder: Path) -> None:
    """Refuses what is no folder.

    Raises:
        DataError: names it.
    """
    if not folder.is_dir():
        raise DataError(f"--from {folder} is no folder. Give the folder of the publisher's files.")


def table(path: Path, columns: Sequence[str]) -> pl.DataFrame:
    """The wanted columns of a file with a header: CSV, TSV, Parquet, JSON lines or Excel.

    Raises:
        DataError: the file cannot be read, or lacks a column.
        MissingExtra: it is an Excel file, and nothing here reads those.
    """
    frame = _excel(path) if path.suffix == _EXCEL else reading.read(path)
    return only(frame, columns, path.name)


def only(frame: pl.DataFrame, columns: Sequence[str], file: str) -> pl.DataFrame:
    """The wanted columns of a table.

    Raises:
        DataError: it lacks one; names the file.
    """
    missing = [name for name in columns if name not in frame.columns]
    if missing:
        raise DataError(
            f"{file} has no column {', '.join(map(repr, missing))} "
            f"(found: {', '.join(frame.columns)}). It is not the publisher's file, or another "
            "edition of it."
        )
    return frame.select(columns)


def separated(
    path: Path, columns: Sequence[str], *, separator: str = ",", encoding: str = "utf8"
) -> pl.DataFrame:
    """The wanted columns of a text file with a header, every value as text.

    Rows that end early have nulls; a log of gigabytes is read without a second copy.

    Raises:
        DataError: the file cannot be read, or lacks a column.
    """
    try:
        found = pl.read_csv(path, separator=separator, encoding=encoding, infer_schema=False)
    except (pl.exceptions.PolarsError, OSError) as error:
        raise DataError(
            f"{path.name} cannot be read ({str(error).splitlines()[0]}). "
            "Get the publisher's file again."
        ) from error
    return only(found, columns, path.name)


def headless(
    path: Path, columns: Sequence[str], *, separator: str, encoding: str = "utf-8"
) -> pl.DataFrame:
    """A text file without a header, every value as text.

    Args:
        path: the file.
        columns: what its columns are; a file may have more, which are left.
        separator: between values; one character or several.
        encoding: of the text.

    Raises:
        DataError: a row has fewer columns; names the row.
    """
    text = path.read_bytes().decode(encoding, errors="replace")
    lines = text.replace("\r\n", "\n").rstrip("\n").split("\n")
    split = pl.Series("line", lines).str.split(separator)
    short = (split.list.len() < len(columns)).arg_true()
    if len(short):
        row = int(short[0]) + 1
        raise DataError(
            f"{path.name}: row {row} should have {len(columns)} values parted by {separator!r}: "
            f"{', '.join(columns)}. Get the publisher's file again."
        )
    return pl.DataFrame([split.list.get(n).alias(name) for n, name in enumerate(columns)])


def numbers(frame: pl.DataFrame, column: str, file: str) -> pl.Series:
    """[rows] a column as numbers, null where there is none.

    Raises:
        DataError: a value is no number; names file, row and column.
    """
    values = frame[column]
    converted = values.cast(pl.Float64, strict=False)
    given = values.is_not_null()
    if values.dtype == pl.String:
        given &= values.str.strip_chars() != ""
    bad = (converted.is_null() & given).arg_true()
    if len(bad):
        raise DataError(
            f"{file}: row {bad[0] + 1} (the header not counted), column {column!r}: expected a "
            f"number, got {values[bad[0]]!r}. Get the publisher's file again."
        )
    return converted


def _excel(path: Path) -> pl.DataFrame:
    """The first sheet; a column of numbers and words is text."""
    try:
        import fastexcel
    except ModuleNotFoundError as missing:
        raise MissingExtra(
            f"reading {path.name} needs fastexcel; {installing('train')}"
        ) from missing
    try:
        return pl.DataFrame(fastexcel.read_excel(path).load_sheet(0, schema_sample_rows=None))
    except fastexcel.FastExcelError as error:
        raise DataError(
            f"{path.name} cannot be read as Excel ({str(error).splitlines()[0]}). "
            "Get the publisher's file again."
        ) from error
