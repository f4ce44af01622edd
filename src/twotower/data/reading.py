"""A file into a frame: Parquet, CSV, TSV and JSON lines, packed or not; the faults named."""

import csv
import gzip
import io
import json
import re
import sys
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TextIO

import polars as pl

from twotower.data.encoding import UTF_8, decoded
from twotower.errors import DataError, MissingExtra, installing

_RAGGED_REMEDY: Final = {
    True: 'Quote values that hold a separator: "a, b"',
    False: "Keep the separators of empty values, or export it again if it was cut off.",
}
_QUOTES_REMEDY: Final = 'Quote a value that holds a quote, and write that one twice: "5"" pipe"'
LARGE: Final = 32 * 2**20
"""Bytes from which a file is read in place."""
SUFFIXES: Final = (".parquet", ".csv", ".tsv", ".jsonl", ".ndjson", ".json")


@dataclass(frozen=True, eq=False)
class Opened:
    """A file's table, and the encoding of its text; Parquet's is UTF-8."""

    frame: pl.DataFrame
    encoding: str = UTF_8


def read(path: Path) -> pl.DataFrame:
    """The table of a file; see `opened`."""
    return opened(path).frame


def opened(path: Path, encoding: str | None = None) -> Opened:
    """The table of a file; CSV and TSV as text, so that a wrong value can be named later.

    Args:
        path: the file.
        encoding: of its text, where it is known.

    Raises:
        DataError: the file is empty, truncated or damaged; names the place.
    """
    if (large := _large(path)) is not None:
        return Opened(large)
    data = _bytes(path)
    if not data.strip():
        raise DataError(f"{path.name} is empty. Export it again; it needs a header and rows.")
    suffix = suffix_of(path)
    if suffix not in SUFFIXES:
        raise DataError(
            f"{path.name}: expected one of {', '.join(SUFFIXES)}, each with or without .gz or .zst."
        )
    if suffix == ".parquet":
        found = Opened(_parquet(data, path.name))
    else:
        text, read_in = decoded(data, path.name, encoding)
        found = Opened(_written(text, path.name, suffix), read_in)
    if found.frame.is_empty():
        raise DataError(f"{path.name} has no rows. Export it again.")
    return found


def suffix_of(path: Path) -> str:
    """What is in a file by its name, packed or not."""
    return Path(re.sub(r"\.(gz|zst)$", "", path.name)).suffix


def scanned(path: Path) -> pl.LazyFrame:
    """The table of a file, to be read a batch at a time; CSV and TSV as text.

    Args:
        path: UTF-8, JSON lines or Parquet, packed or not.

    Raises:
        DataError: a header that cannot be.
        PolarsError: the file cannot be read so; `opened` reads it, or names its fault.
    """
    suffix = suffix_of(path)
    if suffix == ".parquet":
        return pl.scan_parquet(path)
    if suffix not in (".csv", ".tsv"):
        return pl.scan_ndjson(path, infer_schema_length=None)
    header, separator = _header(path)
    _check_header(header, path.name, separator)
    return pl.scan_csv(path, separator=separator, infer_schema=False)


def fault_of(path: Path) -> str | None:
    """The first row of a CSV or TSV file that has too few or too many fields, in words.

    None where there is none, and where the file has another fault before.
    """
    if suffix_of(path) not in (".csv", ".tsv"):
        return None
    try:
        _, separator = _header(path)
        with _text(path) as file:
            return _ragged(file, path.name, separator)
    except (csv.Error, UnicodeError, EOFError, OSError):
        return None


def _header(path: Path) -> tuple[str, str]:
    """The first line of a file, and what parts its columns."""
    with _text(path) as file:
        header = file.readline()
    return header, "\t" if suffix_of(path) == ".tsv" else _separator(header)


def _text(path: Path) -> TextIO:
    packed = path.suffix.removeprefix(".")
    if packed == "zst":
        import zstandard

        return io.TextIOWrapper(
            zstandard.ZstdDecompressor().stream_reader(path.open("rb"), read_across_frames=True),
            encoding="utf-8-sig",
            newline="",
        )
    unpack = gzip.open if packed == "gz" else open
    file: TextIO = unpack(path, "rt", encoding="utf-8-sig", newline="")
    return file


def parquet_bytes(frame: pl.DataFrame) -> bytes:
    """A frame as the bytes of a Parquet file."""
    buffer = io.BytesIO()
    frame.write_parquet(buffer, compression="zstd")
    return buffer.getvalue()


def _large(path: Path) -> pl.DataFrame | None:
    """A large file that is not packed, read without a copy of its bytes.

    None for any other, and where a fault has to be named or rows may end early: then it is
    read the slow way.
    """
    try:
        if path.stat().st_size < LARGE or path.suffix not in SUFFIXES:
            return None
        if path.suffix == ".parquet":
            return pl.read_parquet(path)
        if path.suffix not in (".csv", ".tsv"):
            return pl.read_ndjson(path, infer_schema_length=None)
        with path.open(encoding=UTF_8) as file:
            header = file.readline()
        separator = "\t" if path.suffix == ".tsv" else _separator(header)
        frame = pl.read_csv(path, separator=separator, infer_schema=False)
    except (pl.exceptions.PolarsError, OSError, ValueError):
        return None
    has_twice = len(set(next(_rows([header], separator)))) < frame.width
    may_end_early = frame.width == 1 or frame.to_series(-1).null_count() > 0
    return None if has_twice or may_end_early or frame.is_empty() else frame


def _bytes(path: Path) -> bytes:
    try:
        data = path.read_bytes()
        if path.name.endswith(".zst") and data:
            return _zstandard(data, path.name)
        return gzip.decompress(data) if path.name.endswith(".gz") and data else data
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise DataError(
            f"{path.name} is a truncated or damaged gzip file ({error}). Copy or export it again."
        ) from error
    except OSError as error:
        raise DataError(f"{path.name} cannot be read: {error.strerror}.") from error


def _zstandard(data: bytes, name: str) -> bytes:
    try:
        import zstandard
    except ModuleNotFoundError as missing:
        raise MissingExtra(f"reading {name} needs zstandard; {installing('train')}") from missing
    frames, rest, fault = [], data, "it ends too early"
    try:
        while rest:
            frame = zstandard.ZstdDecompressor().decompressobj()
            frames.append(frame.decompress(rest))
            rest = frame.unused_data
        if frame.eof:
            return b"".join(frames)
    except zstandard.ZstdError as error:
        fault = str(error)
    raise DataError(
        f"{name} is a truncated or damaged zst file ({fault}). Copy or export it again."
    )


def _written(text: str, name: str, suffix: str) -> pl.DataFrame:
    if suffix in (".csv", ".tsv"):
        return _separated(text, name, "\t" if suffix == ".tsv" else None)
    return _json(text, name)


def _parquet(data: bytes, name: str) -> pl.DataFrame:
    try:
        return pl.read_parquet(data)
    except (pl.exceptions.PolarsError, OSError) as error:
        raise DataError(
            f"{name} is a truncated or damaged Parquet file ({_first_line(error)}). "
            "Copy or export it again."
        ) from error


def _separated(text: str, name: str, known: str | None) -> pl.DataFrame:
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    text = text.rstrip("\n")  # blank lines at the end are no rows
    separator = known or _separator(text)
    try:
        _check_header(text, name, separator)
        frame = pl.read_csv(
            io.StringIO(text), separator=separator, infer_schema=False, raise_if_empty=True
        )
    except csv.Error as error:
        raise DataError(f"{name}: {error}. {_QUOTES_REMEDY}") from error
    except pl.exceptions.PolarsError as error:
        told = f"{name}: {_first_line(error)}. {_QUOTES_REMEDY}"
        raise DataError(_ragged(io.StringIO(text), name, separator) or told) from error
    ends_early = frame.width > 1 and frame.to_series(-1).null_count() > 0
    if ends_early and (fault := _ragged(io.StringIO(text), name, separator)):
        raise DataError(fault)
    return frame


def _separator(text: str) -> str:
    """What parts the columns of a CSV file: the comma, unless its header has only another."""
    header = re.sub(r'"[^"]*"', "", text.lstrip("\r\n").partition("\n")[0])
    return next((sign for sign in (",", ";", "\t", "|") if sign in header), ",")


def _rows(lines: Iterable[str], separator: str) -> Iterator[list[str]]:
    """The fields of each row, the header first."""
    csv.field_size_limit(sys.maxsize)
    return csv.reader(lines, delimiter=separator)


def _check_header(text: str, name: str, separator: str) -> None:
    header = next(_rows(io.StringIO(text), separator))
    twice = [column for column, count in Counter(header).items() if column and count > 1]
    if twice:
        raise DataError(
            f"{name}: the header has {', '.join(map(repr, twice))} more than once "
            f"(found: {', '.join(header)}). Rename one of them, or leave it out."
        )


def _ragged(lines: Iterable[str], name: str, separator: str) -> str | None:
    """Names the first row whose number of fields is not the header's."""
    rows = _rows(lines, separator)
    width = len(next(rows))
    for row, values in enumerate(rows, start=1):
        if values and len(values) != width:
            fields = "1 field" if len(values) == 1 else f"{len(values)} fields"
            return (
                f"{name}: row {row} (the header not counted) has {fields}, the header has "
                f"{width}. {_RAGGED_REMEDY[len(values) > width]}"
            )
    return None


def _json(text: str, name: str) -> pl.DataFrame:
    try:
        if text.lstrip().startswith("["):
            return pl.read_json(io.StringIO(text), infer_schema_length=None)
        return pl.read_ndjson(io.StringIO(text), infer_schema_length=None)
    except pl.exceptions.PolarsError as error:
        raise DataError(_broken_line(text, name) or f"{name}: {_first_line(error)}") from error


def _broken_line(text: str, name: str) -> str | None:
    """Names the first line that is no object, or has another kind of value than those before."""
    kinds: dict[str, str] = {}
    for line, content in enumerate(text.splitlines(), start=1):
        try:
            value = json.loads(content) if content.strip() else {}
        except ValueError as error:
            return f"{name}: row {line} is no JSON ({error}). Each line must be one JSON object."
        if not isinstance(value, dict):
            return f"{name}: row {line} is no JSON object. Each line must be one JSON object."
        for column, kind in _kinds(value):
            if kinds.setdefault(column, kind) != kind:
                return (
                    f"{name}: row {line}, column '{column}': expected {kinds[column]}, as in the "
                    f"rows before, got {kind}. Write one kind of value in a column."
                )
    return None


def _kinds(row: Mapping[str, object]) -> Iterator[tuple[str, str]]:
    """The kind of each value that is there, in words."""
    words = {dict: "an object", list: "a list", str: "text", bool: "true or false"}
    for column, value in row.items():
        if value is not None:
            yield column, words.get(type(value), "a number")


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0] if str(error) else type(error).__name__
