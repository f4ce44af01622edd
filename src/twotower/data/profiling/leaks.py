"""What a split must not let through, and what else makes numbers mean less: each in plain words."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import polars as pl

from twotower import schema
from twotower.data.dataset import Dataset
from twotower.data.profiling import events as logs
from twotower.schema import EventKind, Split

_MANY: Final = 0.5
_SOME: Final = 0.2
_SPARSE: Final = 5
_REPEATS: Final = 0.1


@dataclass(frozen=True)
class Check:
    """One look at the data.

    Attributes:
        is_fine: nothing has to be done.
        finding: what was found, with its number.
        consequence: what it means for training or for the report.
    """

    is_fine: bool
    finding: str
    consequence: str


def checks(dataset: Dataset) -> list[Check]:
    """Every check that these tables allow, doubts first."""
    found = [*_of_items(dataset)]
    if dataset.events is not None:
        found += [*_of_split(dataset, dataset.events), *_of_events(dataset, dataset.events)]
    if dataset.judgments is not None:
        found += [*_of_judgments(dataset.judgments)]
    found += [_doubt(warning, "") for warning in dataset.profile.get("warnings", [])]
    return sorted(found, key=lambda check: check.is_fine)


def _of_split(dataset: Dataset, events: pl.DataFrame) -> Iterator[Check]:
    latest, first = _last_training(events), _first_held_out(events)
    if latest is None or first is None:
        yield _fine("The log has an order and no clock.", "No split by time is possible.")
    elif latest < first:
        yield _fine(
            f"Training ends on {logs.day(latest)}, before anything that is measured.",
            "No event of the future is learnt from.",
        )
    else:
        yield _doubt(
            f"The split '{dataset.about.split_kind}' has training events after held-out ones.",
            "What came later is learnt from, so numbers are too good: only for standing beside "
            "published tables. --split time has no such leak.",
        )
    again = _seen_again(events)
    if again is not None and not dataset.about.repeat:
        yield Check(
            again < _SOME,
            f"{again:.1%} of test events are on items that their user already had.",
            "They are no targets, as lists leave out what a user has. Where shoppers buy the "
            "same again, say repeat = true in shop.toml.",
        )


def _of_events(dataset: Dataset, events: pl.DataFrame) -> Iterator[Check]:
    cold = logs.cold_share(events)
    if cold is not None:
        yield Check(
            cold < _SOME,
            f"{cold:.1%} of test events are on items that training has not seen.",
            "Only the words, prices and pictures of these items can place them.",
        )
    median = float(str(logs.per_user(events).median()))
    yield Check(
        median >= _SPARSE,
        f"Half of the users have {median:g} events or fewer.",
        "With short histories a model knows little more than what is popular."
        if median < _SPARSE
        else "Histories are long enough to tell tastes apart.",
    )
    unseen = 1 - events[schema.ITEM_ROW].n_unique() / max(dataset.n_items, 1)
    yield Check(
        unseen < _MANY,
        f"{unseen:.1%} of the items have no event.",
        "They are recommended by their texts alone.",
    )
    repeats = logs.repeats(events)
    if repeats is not None and repeats > _REPEATS and not dataset.about.repeat:
        yield _doubt(
            f"{repeats:.1%} of purchases are of something bought before.",
            "Without repeat = true in shop.toml they are never shown and never count.",
        )
    kinds = set(events[schema.EVENT].unique())
    if kinds == {EventKind.VIEW.value}:
        yield _doubt("All events are views.", "Nothing tells a purchase from a look.")


def _of_items(dataset: Dataset) -> Iterator[Check]:
    blank = float((dataset.items[schema.TITLE] == "").mean() or 0.0)  # type: ignore[arg-type]
    yield Check(
        blank == 0,
        f"{blank:.1%} of the items have an empty title." if blank else "Every item has a title.",
        "They cannot be found by words." if blank else "All can be found by words.",
    )


def _of_judgments(judgments: pl.DataFrame) -> Iterator[Check]:
    split_of = judgments.group_by(schema.QUERY).agg(pl.col(schema.SPLIT).n_unique())
    shared = int((split_of[schema.SPLIT] > 1).sum())
    yield Check(
        shared == 0,
        f"{shared:,} queries are in more than one part of the split.",
        "Each query is learnt from or measured, never both."
        if not shared
        else "Their answers are learnt by heart.",
    )
    right = judgments.group_by(schema.QUERY).agg(pl.col(schema.POSITIVE).any())
    without = 1 - float(right[schema.POSITIVE].mean() or 0.0)  # type: ignore[arg-type]
    yield Check(
        without < _SOME,
        f"{without:.1%} of the judged queries have no right answer.",
        "They are left out of the metrics.",
    )


def _fine(finding: str, consequence: str) -> Check:
    return Check(is_fine=True, finding=finding, consequence=consequence)


def _doubt(finding: str, consequence: str) -> Check:
    return Check(is_fine=False, finding=finding, consequence=consequence)


def _last_training(events: pl.DataFrame) -> int | None:
    return _edge(events.filter(pl.col(schema.SPLIT) == Split.TRAIN)[schema.TIME].max())


def _first_held_out(events: pl.DataFrame) -> int | None:
    return _edge(events.filter(pl.col(schema.SPLIT) != Split.TRAIN)[schema.TIME].min())


def _edge(time: object) -> int | None:
    return int(str(time)) if time is not None else None


def _seen_again(events: pl.DataFrame) -> float | None:
    pair = [schema.USER_ID, schema.ITEM_ROW]
    test = events.filter(pl.col(schema.SPLIT) == Split.TEST).select(pair)
    if test.is_empty():
        return None
    before = events.filter(pl.col(schema.SPLIT) != Split.TEST).select(pair).unique()
    return len(test.join(before, on=pair, how="semi")) / len(test)
