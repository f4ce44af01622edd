"""A prepared dataset in numbers: what `profile.json` says."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import polars as pl

from twotower import schema
from twotower.data.dataset import Dataset
from twotower.data.log_numbers import LogNumbers, quantiles
from twotower.data.rule import Rule
from twotower.data.tables import Tables
from twotower.schema import Split

FEW_CASES = 30
"""Numbers of fewer cases say little, and a choice by them is chance."""
_EXAMPLES = 3


def profile_dataset(
    dataset: Dataset,
    read: Mapping[str, Any],
    encodings: Mapping[str, str],
    rules: Sequence[Rule],
    config: Mapping[str, Any],
    numbers: LogNumbers | None,
) -> dict[str, Any]:
    """Everything that `profile.json` says.

    Args:
        dataset: prepared; its log is not read.
        read: what `profile_read` said.
        encodings: of files that are no UTF-8, by their name.
        rules: what cleaning did.
        config: how it was prepared.
        numbers: of the log, where there is one.
    """
    profile: dict[str, Any] = {
        "read": dict(read),
        "config": dict(config),
        "cleaning": [asdict(rule) | {"examples": list(rule.examples)} for rule in rules],
        "warnings": [
            *foreign_encodings(encodings),
            *warnings(numbers, dataset.judgments),
        ],
        "items": profile_items(dataset.items),
    }
    if numbers is not None:
        profile["events"] = numbers.profile()
        profile["split"] = numbers.parts()
    if dataset.judgments is not None:
        profile["judgments"] = profile_judgments(dataset.judgments)
    return profile


def profile_read(source: Tables) -> dict[str, Any]:
    """Files, rows and columns of the tables as they were read."""
    return {
        table: {
            "file": source.file(table),
            "rows": len(frame),
            "parts": dict(source.parts.get(table, {})),
            "columns": dict(source.columns.get(table, {})),
            "ignored_columns": list(source.ignored.get(table, ())),
        }
        for table, frame in source.frames.items()
    }


def profile_items(items: pl.DataFrame) -> dict[str, Any]:
    """Every column of the catalogue in numbers, by name."""
    return {name: _column(items[name]) for name in items.columns}


def profile_judgments(judgments: pl.DataFrame) -> dict[str, Any]:
    """The judgments in numbers: queries, pairs by grade, positives of each query."""
    positives = judgments.group_by(schema.QUERY).agg(pl.col(schema.POSITIVE).sum())
    return {
        "pairs": len(judgments),
        "queries": len(positives),
        "queries_without_positive": int((positives[schema.POSITIVE] == 0).sum()),
        "grades": {
            f"{grade:g}": count
            for grade, count in sorted(judgments[schema.GRADE].value_counts().iter_rows())
        },
        "positives_per_query": quantiles(positives[schema.POSITIVE]),
    }


def warnings(numbers: LogNumbers | None, judgments: pl.DataFrame | None) -> list[str]:
    """Which splits will be measured, or chosen by, on few cases.

    Args:
        numbers: of the log, where there is one.
        judgments: prepared judgments, where there are any.
    """
    held_out = (Split.VALIDATION, Split.TEST)
    counts: dict[str, int] = {}
    if numbers is not None:
        parts = numbers.parts()
        counts |= {f"visitors of the {split} split": parts[split]["users"] for split in held_out}
    if judgments is not None:
        right = judgments.filter(pl.col(schema.POSITIVE))
        for split in held_out:
            queries = right.filter(pl.col(schema.SPLIT) == split)[schema.QUERY]
            counts[f"queries of the {split} split"] = queries.n_unique()
    return [
        f"{where}: {count}. Numbers of fewer than {FEW_CASES} say little; give more data, or a "
        "larger share of it to the split."
        for where, count in counts.items()
        if count < FEW_CASES
    ]


def foreign_encodings(encodings: Mapping[str, str]) -> list[str]:
    """Which files were read as something else than UTF-8.

    Args:
        encodings: of these files, by their name.
    """
    return [
        f"{name} is not UTF-8 and was read as {encoding}. Where letters look wrong, name its "
        "encoding in shop.toml."
        for name, encoding in encodings.items()
    ]


def _column(column: pl.Series) -> dict[str, Any]:
    found: dict[str, Any] = {"type": str(column.dtype), "nulls": column.null_count()}
    values = column.drop_nulls()
    if isinstance(column.dtype, pl.List):
        values = values.explode(empty_as_null=False).drop_nulls()
    found["distinct"] = values.n_unique()
    if values.dtype.is_numeric() and len(values):
        found["quantiles"] = quantiles(values)
    elif values.dtype == pl.String:
        found["examples"] = [
            text[:80] for text in values.unique(maintain_order=True).head(_EXAMPLES)
        ]
    return found
