"""Rows of a text file that cannot be read: named, or put aside so that the others can be."""

import csv
import io
import json
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import polars as pl

_RAGGED_REMEDY: Final = {
    True: 'Quote values that hold a separator: "a, b"',
    False: "Keep the separators of empty values, or export it again if it was cut off.",
}


@dataclass(frozen=True)
class Broken:
    """A row that is put aside.

    Attributes:
        row: counted from 0.
        column: at fault; empty where it is the whole row.
        value: as it is written; None where there is none.
        expected: in its place.
    """

    row: int
    column: str
    value: str | None
    expected: str


Parted = tuple[pl.DataFrame, tuple[Broken, ...]]
"""A table, and the rows of it that could not be read."""


def fields(lines: Iterable[str], separator: str) -> Iterator[list[str]]:
    """The fields of each row, the header first."""
    csv.field_size_limit(sys.maxsize)
    return csv.reader(lines, delimiter=separator)


def ragged(lines: Iterable[str], name: str, separator: str) -> str | None:
    """Names the first row whose number of fields is not the header's."""
    rows = fields(lines, separator)
    width = len(next(rows))
    for row, values in enumerate(rows, start=1):
        if values and len(values) != width:
            return (
                f"{name}: row {row} (the header not counted) has {_fields(len(values))}, the "
                f"header has {width}. {_RAGGED_REMEDY[len(values) > width]}"
            )
    return None


def without_ragged(text: str, separator: str) -> Parted:
    """The table of a text in which some rows have too few or too many fields.

    Args:
        text: with a header.
        separator: between fields.
    """
    rows = fields(io.StringIO(text), separator)
    header = next(rows)
    kept: list[list[str | None]] = []
    broken = []
    for row, values in enumerate(rows):
        if values and len(values) != len(header):
            told = f"{_fields(len(header))}, got {len(values)}"
            broken.append(Broken(row, "", separator.join(values), told))
            values = []
        kept.append([value or None for value in values] or [None] * len(header))
    schema = dict.fromkeys(header, pl.String)
    return pl.DataFrame(kept, schema=schema, orient="row"), tuple(broken)


def broken_line(text: str, name: str) -> str | None:
    """Names the first line that is no object, or has another kind of value than those before."""
    kinds: dict[str, str] = {}
    for line, content in enumerate(text.splitlines(), start=1):
        value, fault = _object(content)
        if fault is not None:
            return f"{name}: row {line} is no {fault}. Each line must be one JSON object."
        for column, kind in _kinds(value):
            if kinds.setdefault(column, kind) != kind:
                return (
                    f"{name}: row {line}, column '{column}': expected {kinds[column]}, as in the "
                    f"rows before, got {kind}. Write one kind of value in a column."
                )
    return None


def without_broken_lines(text: str) -> Parted:
    """The table of lines of which some are no object, or have another kind of value than most."""
    lines = text.splitlines()
    found = [_object(line) for line in lines]
    counts: dict[str, Counter[str]] = {}
    for value, _ in found:
        for column, kind in _kinds(value):
            counts.setdefault(column, Counter())[kind] += 1
    common = {column: kinds.most_common(1)[0][0] for column, kinds in counts.items()}
    broken = []
    for row, (value, fault) in enumerate(found):
        strange = next((c for c, kind in _kinds(value) if kind != common[c]), None)
        if fault is not None:
            broken.append(Broken(row, "", lines[row], "a JSON object"))
        elif strange is not None:
            broken.append(Broken(row, strange, json.dumps(value[strange]), common[strange]))
    for one in broken:
        lines[one.row] = "{}"
    frame = pl.read_ndjson(io.StringIO("\n".join(lines)), infer_schema_length=None)
    return frame, tuple(broken)


def _object(line: str) -> tuple[dict[str, Any], str | None]:
    """The object of a line, empty where there is none, and what it is not."""
    try:
        value = json.loads(line) if line.strip() else {}
    except ValueError as error:
        return {}, f"JSON ({error})"
    return (value, None) if isinstance(value, dict) else ({}, "JSON object")


def _kinds(row: Mapping[str, object]) -> Iterator[tuple[str, str]]:
    """The kind of each value that is there, in words."""
    words = {dict: "an object", list: "a list", str: "text", bool: "true or false"}
    for column, value in row.items():
        if value is not None:
            yield column, words.get(type(value), "a number")


def _fields(count: int) -> str:
    return "1 field" if count == 1 else f"{count} fields"
