"""A file into a frame: Parquet, CSV, TSV and JSON lines, packed or not; the faults named."""

import csv
import gzip
import io
import re
import zlib
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TextIO

import polars as pl

from twotower.data import broken_rows
from twotower.data.broken_rows import Broken, Parted
from twotower.data.encoding import UTF_8, decoded
from twotower.errors import DataError, MissingExtra, installing

_QUOTES_REMEDY: Final = 'Quote a value that holds a quote, and write that one twice: "5"" pipe"'
LARGE: Final = 32 * 2**20
"""Bytes from which a file is read in place."""
_UNPACKED: Final = 5
"""How much larger than on disk a packed file is taken to be."""
SUFFIXES: Final = (".parquet", ".csv", ".tsv", ".jsonl", ".ndjson", ".json")


@dataclass(frozen=True, eq=False)
class Opened:
    """A file's table, the encoding of its text (Parquet's is UTF-8), and rows put aside."""

    frame: pl.DataFrame
    encoding: str = UTF_8
    broken: tuple[Broken, ...] = ()


def read(path: Path) -> pl.DataFrame:
    """The table of a file; see `opened`."""
    return opened(path).frame


def opened(path: Path, encoding: str | None = None, *, skips: bool = False) -> Opened:
    """The table of a file; CSV and TSV as text, so that a wrong value can be named later.

    Args:
        path: the file.
        encoding: of its text, where it is known.
        skips: rows that cannot be read are put aside, and stop nothing.

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
        frame, broken = _written(text, path.name, suffix, skips=skips)
        found = Opened(frame, read_in, broken)
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
    try:
        _check_header(header, path.name, separator)
    except csv.Error as error:
        raise pl.exceptions.ComputeError(f"{path.name}: {error}") from error
    return pl.scan_csv(path, separator=separator, infer_schema=False)


def fault_of(path: Path) -> str | None:
    """The first row of a CSV or TSV file that has too few or too many fields, in words.

    None where there is none, and where the file has another fault before.
    """
    if suffix_of(path) not in (".csv", ".tsv"):
        return None
    faults: tuple[type[Exception], ...] = (csv.Error, pl.exceptions.PolarsError, *_unreadable())
    try:
        _, separator = _header(path)
        with _text(path) as file:
            return broken_rows.ragged(file, path.name, separator)
    except faults:
        return None


def _header(path: Path) -> tuple[str, str]:
    """The first line of a file, and what parts its columns; a PolarsError where there is none."""
    try:
        with _text(path) as file:
            header = file.readline()
    except _unreadable() as error:
        raise pl.exceptions.ComputeError(f"{path.name}: {error}") from error
    if not header.strip():
        raise pl.exceptions.ComputeError(f"{path.name}: there is no header")
    return header, "\t" if suffix_of(path) == ".tsv" else _separator(header)


def _text(path: Path) -> TextIO:
    if path.suffix == ".zst":
        bare = _zstandard_module(path.name).ZstdDecompressor()
        unpacked = bare.stream_reader(path.open("rb"), read_across_frames=True)
        return io.TextIOWrapper(unpacked, encoding="utf-8-sig", newline="")
    unpack = gzip.open if path.suffix == ".gz" else open
    file: TextIO = unpack(path, "rt", encoding="utf-8-sig", newline="")
    return file


def _unreadable() -> tuple[type[Exception], ...]:
    """What is raised by a text that is damaged, cut off or in another encoding."""
    known = (OSError, EOFError, UnicodeError, zlib.error)
    with suppress(MissingExtra):
        return (*known, _zstandard_module("it").ZstdError)
    return known


def _zstandard_module(name: str) -> Any:
    try:
        import zstandard
    except ModuleNotFoundError as missing:
        raise MissingExtra(f"reading {name} needs zstandard; {installing('train')}") from missing
    return zstandard


def parquet_bytes(frame: pl.DataFrame) -> bytes:
    """A frame as the bytes of a Parquet file."""
    buffer = io.BytesIO()
    frame.write_parquet(buffer, compression="zstd")
    return buffer.getvalue()


def size_of(path: Path) -> int:
    """Bytes of what is in a file, more or less where it is packed."""
    packed = path.suffix in (".gz", ".zst", ".parquet")
    return path.stat().st_size * (_UNPACKED if packed else 1)


def _large(path: Path) -> pl.DataFrame | None:
    """A large file, read without a copy of its bytes.

    None for any other, and where a fault has to be named or rows may end early: then it is
    read the slow way.
    """
    try:
        if size_of(path) < LARGE or suffix_of(path) not in SUFFIXES:
            return None
        frame = scanned(path).collect()
    except (pl.exceptions.PolarsError, OSError, ValueError, DataError):
        return None
    is_text = suffix_of(path) in (".csv", ".tsv")
    may_end_early = is_text and (frame.width == 1 or frame.to_series(-1).null_count() > 0)
    may_be_mixed = suffix_of(path) in (".jsonl", ".ndjson", ".json") and _may_be_mixed(frame)
    return None if may_end_early or may_be_mixed or frame.is_empty() else frame


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
    zstandard = _zstandard_module(name)
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


def _written(text: str, name: str, suffix: str, *, skips: bool) -> Parted:
    """The table of a text, and the rows of it that are put aside."""
    if suffix in (".csv", ".tsv"):
        return _separated(text, name, "\t" if suffix == ".tsv" else None, skips=skips)
    return _json(text, name, skips=skips)


def _parquet(data: bytes, name: str) -> pl.DataFrame:
    try:
        return pl.read_parquet(data)
    except (pl.exceptions.PolarsError, OSError) as error:
        raise DataError(
            f"{name} is a truncated or damaged Parquet file ({_first_line(error)}). "
            "Copy or export it again."
        ) from error


def _separated(text: str, name: str, known: str | None, *, skips: bool) -> Parted:
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
        fault = broken_rows.ragged(io.StringIO(text), name, separator)
        if fault and skips:
            return broken_rows.without_ragged(text, separator)
        raise DataError(fault or f"{name}: {_first_line(error)}. {_QUOTES_REMEDY}") from error
    ends_early = frame.width > 1 and frame.to_series(-1).null_count() > 0
    if ends_early and (fault := broken_rows.ragged(io.StringIO(text), name, separator)):
        if skips:
            return broken_rows.without_ragged(text, separator)
        raise DataError(fault)
    return frame, ()


def _separator(text: str) -> str:
    """What parts the columns of a CSV file: the comma, unless its header has only another."""
    header = re.sub(r'"[^"]*"', "", text.lstrip("\r\n").partition("\n")[0])
    return next((sign for sign in (",", ";", "\t", "|") if sign in header), ",")


def _check_header(text: str, name: str, separator: str) -> None:
    header = next(broken_rows.fields(io.StringIO(text), separator))
    twice = [column for column, count in Counter(header).items() if column and count > 1]
    if twice:
        raise DataError(
            f"{name}: the header has {', '.join(map(repr, twice))} more than once "
            f"(found: {', '.join(header)}). Rename one of them, or leave it out."
        )


def _json(text: str, name: str, *, skips: bool) -> Parted:
    is_array = text.lstrip().startswith("[")
    read = pl.read_json if is_array else pl.read_ndjson
    try:
        frame, told = read(io.StringIO(text), infer_schema_length=None), ""
    except pl.exceptions.PolarsError as error:
        frame, told = None, f"{name}: {_first_line(error)}"
    if frame is not None and (is_array or not _may_be_mixed(frame)):
        return frame, ()
    fault = None if is_array else broken_rows.broken_line(text, name)
    if fault and skips:
        return broken_rows.without_broken_lines(text)
    if frame is None or fault:
        raise DataError(fault or told)
    return frame, ()


def _may_be_mixed(frame: pl.DataFrame) -> bool:
    """Whether a list or an object may have been read as the text that it is written in."""
    texts = [name for name, dtype in frame.schema.items() if dtype == pl.String]
    looks = [pl.col(name).str.contains(r"^\s*[\[{]").any() for name in texts]
    return bool(texts) and frame.select(pl.any_horizontal(looks)).item()


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0] if str(error) else type(error).__name__
