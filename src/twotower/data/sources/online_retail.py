"""UCI Online Retail: the invoices of a British gift shop, 2010-12-01 to 2011-12-09.

Source: D. Chen, "Online Retail", UCI Machine Learning Repository, 2015,
https://doi.org/10.24432/C5BW33. Licence: CC BY 4.0.

Columns: InvoiceNo (begins with C where it cancels), StockCode, Description, Quantity (negative
where it cancels), InvoiceDate (local time, taken for UTC), UnitPrice (pounds), CustomerID
(missing for a quarter of the lines), Country. One row is one line of an invoice.

Taken: every line of a known customer in which a product was bought, as the event `purchase`, in
the order of the file, the invoice as its session; of each product its most frequent description
and its median price, both over all lines in which it was sold; of each customer the most
frequent country. Not taken: how many pieces were bought.

The publisher counts 541,909 lines, 4,372 customers and 4,070 codes.
"""

from pathlib import Path
from typing import Final

import polars as pl

from twotower import schema
from twotower.data.rule import Cleaning
from twotower.data.sources import files
from twotower.data.sources.files import PublisherFile
from twotower.data.sources.remote import Remote
from twotower.data.sources.source import PublicSource
from twotower.data.tables import Tables

_FILE: Final = PublisherFile(
    ("Online Retail.xlsx", "online_retail.csv", "data.csv", "invoices.parquet"),
    "one row for each line of an invoice, with InvoiceNo, StockCode, Description, Quantity, "
    "InvoiceDate, UnitPrice, CustomerID, Country",
    "https://archive.ics.uci.edu/dataset/352/online+retail",
)
_COLUMNS: Final = {
    schema.SESSION_ID: "InvoiceNo",
    schema.ITEM_ID: "StockCode",
    schema.DESCRIPTION: "Description",
    "quantity": "Quantity",
    schema.TIME: "InvoiceDate",
    schema.PRICE: "UnitPrice",
    schema.USER_ID: "CustomerID",
    "country": "Country",
}
_CODE: Final = "code"
"""The StockCode as it was written; item_id has it in capitals."""
_LEFT: Final = "left"
"""Pieces of a purchase that were not cancelled."""
_PRODUCT_CODE: Final = r"^(\d{5}[A-Z]*|DCGS\w+)$"
"""Others are postage (POST, DOT, C2), fees (BANK CHARGES, AMAZONFEE, CRUK), corrections (M, D,
B), samples (S), vouchers (gift_0001_20) and tests."""
_SERVICE: Final = r"(?i)^(next day carriage|packing charge|high resolution image)$|gift voucher"
"""Titles of what is no product and has the code of one."""
_EVENT: Final = (schema.USER_ID, schema.ITEM_ID, schema.EVENT, schema.TIME, schema.SESSION_ID)


def load(folder: Path) -> Tables:
    """Every line of the invoices as an event, every code as an item.

    Raises:
        DataError: the file is missing, lacks a column, or has no number where one should be.
    """
    path = _FILE.need(folder)
    lines = _lines(files.table(path, list(_COLUMNS.values())), path.name)
    columns = {ours: theirs for ours, theirs in _COLUMNS.items() if ours in _EVENT}
    return Tables(
        items=_items(lines),
        events=lines.drop("country"),
        users=_users(lines),
        name="online-retail",
        files=dict.fromkeys(("items", "events", "users"), path.name),
        columns={
            "items": {ours: _COLUMNS[ours] for ours in (schema.ITEM_ID, schema.PRICE)}
            | {schema.TITLE: "Description"},
            "events": columns | {schema.PRICE: "UnitPrice"},
        },
    )


def tidy(cleaning: Cleaning) -> None:
    """Leaves purchases of products by known customers; the sum of all rules is every line."""
    _note_capitals(cleaning)
    services = cleaning.tables.items.filter(
        ~pl.col(schema.ITEM_ID).str.contains(_PRODUCT_CODE)
        | pl.col(schema.TITLE).str.contains(_SERVICE)
    )[schema.ITEM_ID]
    for table in ("items", "events"):
        is_service = pl.col(schema.ITEM_ID).is_in(services.implode())
        cleaning.drop("not_a_product", table, is_service)
    cleaning.drop("never_sold", "items", pl.col(schema.TITLE).is_null())
    cleaning.drop("not_a_sale", "events", pl.col(schema.PRICE) <= 0)
    cleaning.drop("event_without_user", "events", pl.col(schema.USER_ID).is_null())
    _cancel(cleaning)
    events = cleaning.tables.frames["events"]
    cleaning.tables = cleaning.tables.with_frames({"events": events.select(_EVENT)})


def _lines(found: pl.DataFrame, file: str) -> pl.DataFrame:
    """Our names, codes in capitals, quantities and prices as numbers."""
    amounts = [files.numbers(found, name, file) for name in ("Quantity", "UnitPrice")]
    code = pl.col(schema.ITEM_ID).cast(pl.String).str.strip_chars()
    return (
        found.with_columns(amounts)
        .rename({theirs: ours for ours, theirs in _COLUMNS.items()})
        .with_columns(
            code.str.to_uppercase(),
            code.alias(_CODE),
            pl.col(schema.SESSION_ID).cast(pl.String),
            pl.col(schema.DESCRIPTION).str.strip_chars(),
            pl.lit(schema.EventKind.PURCHASE.value).alias(schema.EVENT),
        )
    )


def _items(lines: pl.DataFrame) -> pl.DataFrame:
    """Notes such as `damaged` or `?` are on lines without a price, so they become no title."""
    sold = lines.filter((pl.col(schema.PRICE) > 0) & (pl.col("quantity") > 0))
    titles = (
        sold.drop_nulls(schema.DESCRIPTION)
        .group_by(schema.ITEM_ID, schema.DESCRIPTION, maintain_order=True)
        .len()
        .sort("len", descending=True, maintain_order=True)
        .unique(schema.ITEM_ID, keep="first", maintain_order=True)
        .select(schema.ITEM_ID, pl.col(schema.DESCRIPTION).alias(schema.TITLE))
    )
    prices = sold.group_by(schema.ITEM_ID).agg(pl.col(schema.PRICE).median())
    codes = lines.select(schema.ITEM_ID).unique(maintain_order=True)
    for found in (titles, prices):
        codes = codes.join(found, on=schema.ITEM_ID, how="left", maintain_order="left")
    return codes


def _users(lines: pl.DataFrame) -> pl.DataFrame:
    return (
        lines.drop_nulls(schema.USER_ID)
        .group_by(schema.USER_ID, "country", maintain_order=True)
        .len()
        .sort("len", descending=True, maintain_order=True)
        .unique(schema.USER_ID, keep="first", maintain_order=True)
        .select(schema.USER_ID, "country")
    )


def _note_capitals(cleaning: Cleaning) -> None:
    lines = cleaning.tables.frames["events"]
    changed = lines.filter(pl.col(_CODE) != pl.col(schema.ITEM_ID))
    if len(changed):
        cleaning.note("code_in_capitals", "events", len(changed), "code set in capitals", changed)


def _cancel(cleaning: Cleaning) -> None:
    """A cancelled purchase is none; the cancellation goes with it."""
    lines = cleaning.tables.frames["events"]
    left = _left_after_cancellations(lines.with_row_index("_line"))
    cleaning.tables = cleaning.tables.with_frames({"events": lines.with_columns(left)})
    cancels, left_over = pl.col("quantity") < 0, pl.col(_LEFT)
    part = cleaning.tables.frames["events"].filter(
        ~cancels & (left_over > 0) & (left_over < pl.col("quantity"))
    )
    if len(part):
        action = "kept, for the rest of the pieces"
        cleaning.note("partly_cancelled_purchase", "events", len(part), action, part)
    cleaning.drop("cancelled_purchase", "events", ~cancels & (left_over == 0))
    cleaning.drop("cancellation", "events", cancels & (left_over > pl.col("quantity")))
    cleaning.drop("cancellation_of_no_known_purchase", "events", cancels)


def _left_after_cancellations(lines: pl.DataFrame) -> pl.Series:
    """[rows] pieces left of each purchase; of a cancellation, what it found nothing for."""
    by = [schema.USER_ID, schema.ITEM_ID]
    touched = (
        lines.join(lines.filter(pl.col("quantity") < 0).select(by).unique(), on=by, how="semi")
        .sort([*by, schema.TIME, "_line"])
        .select(*by, "_line", "quantity")
    )
    left = lines["quantity"].to_list()
    bought: list[int] = []
    before = None
    for user, item, line, quantity in touched.iter_rows():
        if (user, item) != before:
            before, bought = (user, item), []
        if quantity > 0:
            bought.append(line)
        else:
            _take_back(line, bought, left)
    return pl.Series(_LEFT, left, dtype=pl.Float64)


def _take_back(line: int, bought: list[int], left: list[float]) -> None:
    """One cancellation: of the latest purchase of as many pieces, or else of the latest ones."""
    same = [earlier for earlier in bought if left[earlier] == -left[line]]
    for earlier in same[-1:] or reversed(bought):
        taken = min(left[earlier], -left[line])
        left[earlier] -= taken
        left[line] += taken


SOURCE: Final = PublicSource(
    "online-retail",
    "UCI Online Retail: a year of a gift shop's invoices, with descriptions and repeat buying",
    load,
    tidy,
    remotes=(
        Remote(
            "https://archive.ics.uci.edu/static/public/352/online+retail.zip",
            "online-retail.zip",
            members=(_FILE.names[0],),
        ),
    ),
    licence="CC BY 4.0",
)
