"""Cases from tables that the dataset never held: later events, other judged queries."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import polars as pl

from twotower import schema
from twotower.data import grades
from twotower.data.dataset import Dataset
from twotower.data.outside import Outside
from twotower.errors import DataError
from twotower.evaluation.cases import Cases, query_cases, visitor_cases
from twotower.schema import Split


def cases_from_events(events: Outside, dataset: Dataset, *, repeat: bool | None = None) -> Cases:
    """Cases from later events that the dataset did not hold, one per visitor.

    The history of a visitor is all that the dataset knows of them, before the first of the
    given events where both have times. Rows that repeat a training event exactly are left out
    and counted; items outside the catalogue are kept as misses and counted.

    Args:
        events: `user_id`, `item_id`, and `time` (UTC milliseconds) where known.
        dataset: The prepared dataset of the model under test.
        repeat: As in `recommendation_cases`.

    Raises:
        DataError: no event is left to measure on.
    """
    known = dataset.events if dataset.events is not None else _no_events()
    later = _with_rows(events.rows, dataset)
    if schema.TIME not in later.columns:
        later = later.with_columns(pl.lit(None, pl.Int64).alias(schema.TIME))
    trained = known.filter(pl.col(schema.SPLIT) != Split.TEST)
    same = [schema.USER_ID, schema.ITEM_ROW, schema.TIME]
    held = later.join(trained, on=same, how="anti")
    first = held.group_by(schema.USER_ID).agg(pl.col(schema.TIME).min().alias("_first"))
    past = known.join(first, on=schema.USER_ID, how="left", maintain_order="left")
    past = past.filter(~(pl.col(schema.TIME) >= pl.col("_first")).fill_null(value=False))
    cases = visitor_cases(held, past, dataset, repeat=repeat)
    unknown = held.filter(pl.col(schema.ITEM_ROW) < 0)[schema.ITEM_ROW].n_unique()
    repeated = {"events_of_the_training_split": later.height - held.height}
    return _counted(
        replace(cases, noted={**cases.noted, "unknown_items_kept_as_misses": unknown}),
        events,
        repeated,
        "give events that happened after those of the training, with items that are new to "
        "their visitors",
    )


def cases_from_judgments(judgments: Outside, dataset: Dataset) -> Cases:
    """Cases from judged queries that the dataset did not hold, one per query.

    Args:
        judgments: `query`, `item_id` and `grade`. The letters E, S, C, I are always these.
            Numbers are on the dataset's scale: where it was judged by letters, 3, 2, 1, 0 are
            E, S, C, I; otherwise the scale spans the given grades and the dataset's, so that a
            file without the best grade is not read as if it had it.
        dataset: The prepared dataset of the model under test.

    Returns:
        Cases; items outside the catalogue are kept as misses, and queries that training also
        saw are kept; both are counted in `noted`.

    Raises:
        DataError: a grade is not on the dataset's scale, or no judgment counts as right.
    """
    graded = replace(judgments, rows=_with_rows(judgments.rows, dataset))
    cases = query_cases(_with_gains(graded, dataset), dataset)
    trained: set[str] = set()
    if dataset.judgments is not None:
        train = dataset.judgments.filter(pl.col(schema.SPLIT) == Split.TRAIN)
        trained = set(train[schema.QUERY].to_list())
    noted = {
        "unknown_items_kept_as_misses": int(np.unique(cases.rows[cases.rows < 0]).size),
        "queries_also_in_training": sum(query in trained for query in cases.keys),
    }
    return _counted(
        replace(cases, noted=noted),
        judgments,
        {},
        "give at least one query with a right answer: E, or a number in the upper third of the "
        "model's own grades",
    )


def _counted(cases: Cases, given: Outside, more: Mapping[str, int], remedy: str) -> Cases:
    """The cases with all that was left out on the way to them, if there are any."""
    skipped = {**given.left_out, **cases.skipped, **more}
    if len(cases):
        return replace(cases, skipped=skipped)
    why = ", ".join(f"{name.replace('_', ' ')} {n:,}" for name, n in skipped.items() if n)
    raise DataError(
        f"{given.file}: nothing is left to measure on (left out: {why or 'nothing'}); {remedy}"
    )


def _with_gains(judgments: Outside, dataset: Dataset) -> pl.DataFrame:
    """Judgments with `gain` and `positive`, from their grades; see `cases_from_judgments`."""
    if judgments.rows.schema[schema.GRADE] == pl.String:
        return grades.with_gains(judgments.rows)[0]
    if dataset.about.gain_map == grades.ESCI:
        return _from_ranks(judgments)
    known = dataset.judgments
    scale = [] if known is None else [known.select(pl.col(schema.GRADE).cast(pl.Float64))]
    both = pl.concat([judgments.rows, *scale], how="diagonal")
    return grades.with_gains(both)[0].head(judgments.rows.height)


def _from_ranks(judgments: Outside) -> pl.DataFrame:
    """Judgments by numbers for a dataset judged by letters."""
    letters = {float(rank): letter for rank, letter in enumerate(reversed(schema.ESCI_GAINS))}
    grade = judgments.rows[schema.GRADE]
    if not grade.is_in(list(letters)).all():
        raise DataError(
            f"{judgments.file}: grades must be E, S, C, I, or 3, 2, 1, 0 in their place, as the "
            f"model's own judgments are letters, got {grade.unique().sort().to_list()[:5]}; "
            "map them before evaluating"
        )
    return grades.with_gains(
        judgments.rows.with_columns(grade.replace_strict(letters, return_dtype=pl.String))
    )[0]


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
