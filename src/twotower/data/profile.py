"""A prepared dataset in numbers: what `profile.json` says."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import polars as pl

from twotower import schema
from twotower.data import laws
from twotower.data.dataset import Dataset
from twotower.data.rule import Rule
from twotower.data.tables import Tables
from twotower.schema import Split

FEW_CASES = 30
"""Numbers of fewer cases say little, and a choice by them is chance."""
_QUANTILES = (0.01, 0.25, 0.5, 0.75, 0.99)
_EXAMPLES = 3
_TAIL_SHARE = 0.8


def profile_dataset(
    dataset: Dataset,
    read: Mapping[str, Any],
    encodings: Mapping[str, str],
    rules: Sequence[Rule],
    config: Mapping[str, Any],
) -> dict[str, Any]:
    """Everything that `profile.json` says.

    Args:
        dataset: prepared.
        read: what `profile_read` said.
        encodings: of files that are no UTF-8, by their name.
        rules: what cleaning did.
        config: how it was prepared.
    """
    profile: dict[str, Any] = {
        "read": dict(read),
        "config": dict(config),
        "cleaning": [asdict(rule) | {"examples": list(rule.examples)} for rule in rules],
        "warnings": [
            *foreign_encodings(encodings),
            *warnings(dataset.events, dataset.judgments),
        ],
        "items": profile_items(dataset.items),
    }
    if dataset.events is not None:
        profile["events"] = profile_events(dataset.events, dataset.n_items)
        profile["split"] = laws.part_numbers(dataset.events)
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


def profile_events(events: pl.DataFrame, n_items: int) -> dict[str, Any]:
    """The log in numbers: kinds, users, length of histories, time range, sparsity, long tail.

    Args:
        events: prepared events.
        n_items: items of the catalogue.
    """
    lengths = events.group_by(schema.USER_ID).len()["len"]
    per_item = events[schema.ITEM_ROW].value_counts(sort=True)["count"]
    pairs = events.select(pl.struct(schema.USER_ID, schema.ITEM_ROW).n_unique()).item()
    return {
        "events": len(events),
        "kinds": dict(sorted(events[schema.EVENT].value_counts().iter_rows())),
        "users": len(lengths),
        "items_with_events": len(per_item),
        "items_without_events": n_items - len(per_item),
        "events_per_user": _quantiles(lengths),
        "events_per_item": _quantiles(per_item),
        "sparsity": 1 - pairs / (len(lengths) * n_items) if len(lengths) else 1.0,
        "head_20_percent_share": _head_share(per_item, n_items),
        "from_ms": events[schema.TIME].min(),
        "to_ms": events[schema.TIME].max(),
    }


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
        "positives_per_query": _quantiles(positives[schema.POSITIVE]),
    }


def warnings(events: pl.DataFrame | None, judgments: pl.DataFrame | None) -> list[str]:
    """Which splits will be measured, or chosen by, on few cases.

    Args:
        events: prepared events, where there are any.
        judgments: prepared judgments, where there are any.
    """
    cases = {}
    if events is not None:
        cases["visitors"] = events.select(schema.SPLIT, case=schema.USER_ID)
    if judgments is not None:
        right = judgments.filter(pl.col(schema.POSITIVE))
        cases["queries"] = right.select(schema.SPLIT, case=schema.QUERY)
    counts = {
        f"{what} of the {split} split": frame.filter(pl.col(schema.SPLIT) == split)[
            "case"
        ].n_unique()
        for what, frame in cases.items()
        for split in (Split.VALIDATION, Split.TEST)
    }
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
        found["quantiles"] = _quantiles(values)
    elif values.dtype == pl.String:
        found["examples"] = [
            text[:80] for text in values.unique(maintain_order=True).head(_EXAMPLES)
        ]
    return found


def _quantiles(values: pl.Series) -> dict[str, float | None]:
    inner = {f"p{round(q * 100)}": values.quantile(q, "nearest") for q in _QUANTILES}
    return {"min": values.min(), **inner, "max": values.max(), "mean": values.mean()}  # type: ignore[dict-item]


def _head_share(per_item: pl.Series, n_items: int) -> float:
    """Share of events that fall on the most popular fifth of the catalogue."""
    head = max(1, round(n_items * (1 - _TAIL_SHARE)))
    total = int(per_item.sum())
    return int(per_item.head(head).sum()) / total if total else 0.0
