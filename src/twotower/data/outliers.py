"""Who is no shopper and what is no product: bots, test accounts, postage."""

import math
from typing import Final, Literal

import polars as pl

from twotower import schema
from twotower.data.rule import LEFT_OUT, Cleaning, Rule, record

Bots = Literal["keep", "drop"]

_SERVICE: Final = (
    r"(?i)^\W*((postage|shipping|delivery|carriage|freight|handling|packing|packaging|bank|"
    r"amazon|service|transaction|processing|cancellation)\s+)*"
    r"(postage|shipping|(postage|shipping|delivery|carriage|freight|handling|"
    r"packing|bank|amazon|service|transaction|processing|cancellation)\s+(fee|charge|cost)s?|"
    r"(postage|shipping) and (handling|packing|packaging)|gift (voucher|card|wrapping)|"
    r"bad debt adjust(ment)?|manual adjustment|versandkosten|porto|frais de port)\W*$"
)
"""Whole titles of what is put on an invoice and is never to be recommended."""
_TEST_ACCOUNT: Final = (
    r"(?i)^(test|qa|dummy|staging)([ _.-]?(user|account|customer|shopper))?[ _.-]?\d*(@.*)?$"
    r"|@(example|test)\.(com|net|org)$|@[^@]+\.(test|invalid|example)$"
)
BUSY: Final = {schema.USER_ID: "busy_user", schema.SESSION_ID: "busy_session"}
"""By column, the rule of those with far more events than others."""
_MAD_TO_SIGMA: Final = 1.4826
_SIGMAS: Final = 6.0
_LEAST_SIGMA: Final = math.log(2.0)
_LEAST_EVENTS: Final = 100


def services(cleaning: Cleaning) -> pl.Series:
    """Ids of postage, fees and vouchers, which are left out of the items: nothing to recommend."""
    is_service = pl.col(schema.TITLE).str.contains(_SERVICE)
    ids = cleaning.tables.items.filter(is_service)[schema.ITEM_ID]
    cleaning.drop("never_to_recommend", "items", is_service)
    return ids


def of_services(cleaning: Cleaning, table: str, services: pl.Series) -> None:
    """Events or judgments of postage, fees and vouchers."""
    cleaning.drop("never_to_recommend", table, pl.col(schema.ITEM_ID).is_in(services.implode()))


def accounts_of_tests(cleaning: Cleaning) -> None:
    """Events of the shop's own trials, by the user's id."""
    cleaning.drop("test_account", "events", pl.col(schema.USER_ID).str.contains(_TEST_ACCOUNT))


def bots(cleaning: Cleaning, action: Bots) -> None:
    """Users and sessions with far more events than others.

    Args:
        cleaning: the tables.
        action: `keep` only reports them, `drop` leaves their events out.
    """
    for column in BUSY:
        events = cleaning.tables.events
        if events is None or column not in events.columns:
            continue
        sizes = events.drop_nulls(column).group_by(column).len()
        most = threshold(sizes["len"])
        busy = sizes.filter(pl.col("len") > most)
        if busy.is_empty():
            continue
        cleaning.rules.append(busy_rule(busy, most, action))
        if action == "drop":
            rest = events.filter(
                ~pl.col(column).is_in(busy[column].implode()).fill_null(value=False)
            )
            cleaning.tables = cleaning.tables.with_frames({"events": rest})


def busy_rule(busy: pl.DataFrame, most: int, action: Bots) -> Rule:
    """What was found of users or sessions with more events than a shopper has.

    Args:
        busy: their ids, and how many events they have (`len`).
        most: the threshold.
        action: see `bots`.
    """
    column = busy.columns[0]
    shown = busy.sort("len", column, descending=[True, False])
    return record(
        BUSY[column],
        "events",
        int(busy["len"].sum()),
        LEFT_OUT if action == "drop" else "kept",
        shown.rename({"len": f"events_above_{most}"}),
    )


def threshold(sizes: pl.Series) -> int:
    """The most events that a shopper is believed to have.

    Six robust standard deviations (1.4826 median absolute deviations) above the median, of
    logarithms, as activity is skewed; the deviation is taken for a factor of 2 at least, and
    the threshold for 100.

    Args:
        sizes: [users] how many events each has.
    """
    if sizes.is_empty():
        return _LEAST_EVENTS
    logs = sizes.cast(pl.Float64).log()
    median = _median(logs)
    sigma = max(_MAD_TO_SIGMA * _median((logs - median).abs()), _LEAST_SIGMA)
    return max(round(math.exp(median + _SIGMAS * sigma)), _LEAST_EVENTS)


def _median(values: pl.Series) -> float:
    found = values.median()
    return found if isinstance(found, float) else 0.0
