"""Cases from tables that the dataset never held: later events, other judged queries."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import polars as pl

from twotower import schema
from twotower.data import grades
from twotower.data.dataset import Dataset
from twotower.errors import DataError
from twotower.evaluation.cases import Cases, query_cases, visitor_cases
from twotower.schema import Split


def cases_from_events(
    events: pl.DataFrame, dataset: Dataset, *, repeat: bool | None = None
) -> Cases:
    """Cases from later events that the dataset did not hold, one per visitor.

    The history of a visitor is all that the dataset knows of them, before the first of the
    given events where both have times. Rows that repeat a training event exactly are left out
    and counted; items outside the catalogue are kept as misses and counted.

    Args:
        events: `user_id`, `item_id`, and `time` (UTC milliseconds) where known.
        dataset: The prepared dataset of the model under test.
        repeat: As in `recommendation_cases`.

    Raises:
        DataError: a column is missing, or no event is left to evaluate.
    """
    _need_columns(events, (schema.USER_ID, schema.ITEM_ID), "events")
    known = dataset.events if dataset.events is not None else _no_events()
    later = _with_rows(events, dataset).with_columns(pl.col(schema.USER_ID).cast(pl.String))
    later = later.with_columns(_milliseconds(later))
    trained = known.filter(pl.col(schema.SPLIT) != Split.TEST)
    same = [schema.USER_ID, schema.ITEM_ROW, schema.TIME]
    held = later.join(trained, on=same, how="anti")
    if held.is_empty():
        raise DataError(
            f"no event is left to evaluate: {later.height} given, all of them in the training "
            "split; give events that happened later"
        )
    first = held.group_by(schema.USER_ID).agg(pl.col(schema.TIME).min().alias("_first"))
    past = known.join(first, on=schema.USER_ID, how="left", maintain_order="left")
    past = past.filter(~(pl.col(schema.TIME) >= pl.col("_first")).fill_null(value=False))
    cases = visitor_cases(held, past, dataset, repeat=repeat)
    unknown = held.filter(pl.col(schema.ITEM_ROW) < 0)[schema.ITEM_ROW].n_unique()
    return replace(
        cases,
        skipped={**cases.skipped, "events_of_the_training_split": later.height - held.height},
        noted={**cases.noted, "unknown_items_kept_as_misses": unknown},
    )


def cases_from_judgments(judgments: pl.DataFrame, dataset: Dataset) -> Cases:
    """Cases from judged queries that the dataset did not hold, one per query.

    Args:
        judgments: `query`, `item_id`, and either `gain` with `positive`, or `grade`: the
            letters E, S, C, I or a number on the dataset's scale, see `with_gains`.
        dataset: The prepared dataset of the model under test.

    Returns:
        Cases; items outside the catalogue are kept as misses, and queries that training also
        saw are kept; both are counted in `noted`.

    Raises:
        DataError: a column is missing, or a grade is not understood.
    """
    _need_columns(judgments, (schema.QUERY, schema.ITEM_ID), "judgments")
    held = with_gains(_with_rows(judgments, dataset), dataset)
    cases = query_cases(held, dataset.items.height)
    trained: set[str] = set()
    if dataset.judgments is not None:
        train = dataset.judgments.filter(pl.col(schema.SPLIT) == Split.TRAIN)
        trained = set(train[schema.QUERY].to_list())
    noted = {
        "unknown_items_kept_as_misses": int(np.unique(cases.rows[cases.rows < 0]).size),
        "queries_also_in_training": sum(query in trained for query in cases.keys),
    }
    return replace(cases, noted=noted)


def with_gains(judgments: pl.DataFrame, dataset: Dataset | None = None) -> pl.DataFrame:
    """Judgments with `gain` and `positive`, from their grades where they lack them.

    The gains are those of `data.grades`. Letters are always E, S, C, I. Numbers are on the
    dataset's scale: where it was judged by letters, 3, 2, 1, 0 are E, S, C, I; otherwise the
    scale spans the given grades and the dataset's, so that a file without the best grade is
    not read as if it had it.

    Args:
        judgments: Rows with `gain` and `positive`, or with `grade`.
        dataset: Whose scale numbers are on.

    Raises:
        DataError: neither is there, or a grade is missing or not understood.
    """
    if {schema.GAIN, schema.POSITIVE} <= set(judgments.columns):
        return judgments
    _need_columns(judgments, (schema.GRADE,), "judgments without `gain` and `positive`")
    grade = judgments[schema.GRADE]
    if grade.null_count():
        raise DataError(
            f"every judgment needs a grade, row {grade.is_null().arg_true()[0] + 1} has none; "
            "give it one, or leave the row out"
        )
    if grade.dtype == pl.String and grade.is_in(list(schema.ESCI_GAINS)).all():
        return grades.with_gains(judgments)[0]
    try:
        numbers = judgments.with_columns(grade.cast(pl.Float64))
    except pl.exceptions.InvalidOperationError as error:
        raise _not_understood(grade, "the letters E, S, C, I or numbers") from error
    if dataset is not None and dataset.about.gain_map == grades.ESCI:
        return _from_ranks(numbers)
    known = None if dataset is None else dataset.judgments
    scale = [] if known is None else [known.select(pl.col(schema.GRADE).cast(pl.Float64))]
    both = pl.concat([numbers, *scale], how="diagonal")
    return grades.with_gains(both)[0].head(judgments.height)


def _from_ranks(numbers: pl.DataFrame) -> pl.DataFrame:
    """Judgments by numbers for a dataset judged by letters."""
    letters = {float(rank): letter for rank, letter in enumerate(reversed(schema.ESCI_GAINS))}
    grade = numbers[schema.GRADE]
    if not grade.is_in(list(letters)).all():
        raise _not_understood(
            grade,
            "E, S, C, I, or 3, 2, 1, 0 in their place, as the model's own judgments are letters",
        )
    return grades.with_gains(numbers.with_columns(grade.replace_strict(letters)))[0]


def _not_understood(grade: pl.Series, expected: str) -> DataError:
    found = grade.unique().sort().to_list()[:5]
    return DataError(f"grades must be {expected}, got {found}; map them before evaluating")


def _with_rows(table: pl.DataFrame, dataset: Dataset) -> pl.DataFrame:
    """The table with `item_row`; each unknown item gets a negative row of its own."""
    catalogue = dataset.items.select(schema.ITEM_ID).with_row_index(schema.ITEM_ROW)
    catalogue = catalogue.with_columns(pl.col(schema.ITEM_ROW).cast(pl.Int32))
    asked = table.drop(schema.ITEM_ROW, strict=False).with_columns(
        pl.col(schema.ITEM_ID).cast(pl.String)
    )
    joined = asked.join(catalogue, on=schema.ITEM_ID, how="left", maintain_order="left")
    unknown = -pl.col(schema.ITEM_ID).rank("dense").cast(pl.Int32)
    return joined.with_columns(pl.col(schema.ITEM_ROW).fill_null(unknown))


def _milliseconds(events: pl.DataFrame) -> pl.Expr:
    if schema.TIME not in events.columns:
        return pl.lit(None, pl.Int64).alias(schema.TIME)
    if events[schema.TIME].dtype.is_temporal():
        return pl.col(schema.TIME).dt.epoch("ms")
    return pl.col(schema.TIME).cast(pl.Int64)


def _need_columns(table: pl.DataFrame, needed: Sequence[str], name: str) -> None:
    missing = [column for column in needed if column not in table.columns]
    if missing:
        raise DataError(
            f"{name} need the columns {', '.join(needed)}; missing: {', '.join(missing)}, "
            f"got {', '.join(table.columns)}; rename them in the file"
        )


def _no_events() -> pl.DataFrame:
    return pl.DataFrame(
        schema={
            schema.USER_ID: pl.String,
            schema.ITEM_ROW: pl.Int32,
            schema.EVENT: pl.String,
            schema.TIME: pl.Int64,
            schema.ORDER: pl.Int32,
            schema.SPLIT: pl.String,
        }
    )
