"""Online Retail, on invoices written by hand in the publisher's columns."""

import zipfile
from pathlib import Path

import polars as pl
import pytest

from public_data import folder, left_out, rule
from twotower.data.config import PrepareConfig
from twotower.data.prepare import prepare
from twotower.data.profiling import page
from twotower.data.sources.registry import published
from twotower.errors import DataError

HEADER = "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country"
LINES = """\
536365,85123A,WHITE HANGING HEART,6,12/1/2010 8:26,2.55,17850,United Kingdom
536365,71053,WHITE METAL LANTERN,2,12/1/2010 8:26,3.00,17850,United Kingdom
536365,POST,POSTAGE,1,12/1/2010 8:26,18.00,17850,United Kingdom
536366,71053,METAL LANTERN,4,12/13/2010 9:00,4.00,17850,France
536367,71053,WHITE METAL LANTERN,4,12/14/2010 9:00,5.00,13047,France
536367,71053,WHITE METAL LANTERN,2,12/14/2010 9:00,5.00,13047,France
536368,85123a,WHITE HANGING HEART,8,12/15/2010 9:00,2.55,13047,France
536369,22139,damaged,-3,12/15/2010 10:00,0,,United Kingdom
536370,22138,BAKING SET,1,12/16/2010 9:00,4.95,,United Kingdom
536371,23444,Next Day Carriage,1,12/16/2010 9:30,15.00,13047,France
C536372,71053,METAL LANTERN,-4,12/17/2010 9:00,4.00,17850,France
C536373,85123A,WHITE HANGING HEART,-2,12/18/2010 9:00,2.55,13047,France
C536374,22138,BAKING SET,-1,12/19/2010 9:00,4.95,13047,France
"""


def invoices(place: Path, lines: str = LINES) -> Path:
    (place / "online_retail.csv").write_text(f"{HEADER}\n{lines}")
    return place


def bought(dataset) -> list[tuple]:
    ids = dataset.items["item_id"]
    events = dataset.events.sort("user_id", "order")
    return [
        (user, ids[row], session)
        for user, row, session in events.select("user_id", "item_row", "session_id").iter_rows()
    ]


def read(place: Path, **how):
    return prepare(published("online-retail", place), PrepareConfig(**how))


def test_purchases_of_products_by_known_customers_are_left_in_the_order_of_the_invoice(tmp_path):
    dataset = read(invoices(tmp_path), split="leave-one-out")
    assert bought(dataset) == [
        ("13047", "71053", "536367"),
        ("13047", "85123A", "536368"),
        ("17850", "85123A", "536365"),
        ("17850", "71053", "536365"),
    ]
    assert set(dataset.events["event"]) == {"purchase"}


def test_every_line_is_a_purchase_or_was_left_out_by_one_rule(tmp_path):
    dataset = read(invoices(tmp_path), split="leave-one-out")
    assert left_out(dataset, "events") == {
        "not_a_product": 2,
        "not_a_sale": 1,
        "event_without_user": 1,
        "cancelled_purchase": 1,
        "cancellation": 2,
        "cancellation_of_no_known_purchase": 1,
        "duplicate_event": 1,
    }
    lines = len(LINES.splitlines())
    assert sum(left_out(dataset, "events").values()) + len(dataset.events) == lines
    assert dataset.profile["read"]["events"]["rows"] == lines


def test_a_cancellation_takes_back_the_purchase_of_as_many_pieces(tmp_path):
    dataset = read(invoices(tmp_path), split="leave-one-out")
    [taken] = rule(dataset, "cancelled_purchase")["examples"]
    assert (taken["session_id"], taken["quantity"]) == ("536366", 4)
    [part] = rule(dataset, "partly_cancelled_purchase")["examples"]
    assert (part["session_id"], part["quantity"], part["left"]) == ("536368", 8, 6)


def test_a_cancellation_of_more_pieces_than_one_purchase_takes_back_the_latest_ones(tmp_path):
    lines = """\
1,10001,CUP,5,12/21/2010 8:26,2.55,7,Malta
2,10001,CUP,2,12/22/2010 8:26,2.55,7,Malta
3,10001,CUP,2,12/23/2010 8:26,2.55,7,Malta
C4,10001,CUP,-3,12/24/2010 8:26,2.55,7,Malta
5,10001,CUP,9,12/25/2010 8:26,2.55,7,Malta
"""
    dataset = read(invoices(tmp_path, lines), split="leave-one-out")
    assert [session for _, _, session in bought(dataset)] == ["1", "2", "5"]
    assert rule(dataset, "cancelled_purchase")["examples"][0]["session_id"] == "3"


def test_a_product_has_its_most_frequent_description_and_median_price(tmp_path):
    items = read(invoices(tmp_path), split="leave-one-out").items
    assert items.rows() == [
        ("85123A", "WHITE HANGING HEART", 2.55),
        ("71053", "WHITE METAL LANTERN", 4.5),
        ("22138", "BAKING SET", 4.95),
    ]


def test_what_is_no_product_or_was_never_sold_is_not_in_the_catalogue(tmp_path):
    dataset = read(invoices(tmp_path), split="leave-one-out")
    assert left_out(dataset, "items") == {"not_a_product": 2, "never_sold": 1}
    assert rule(dataset, "never_sold")["examples"][0]["item_id"] == "22139"


def test_customers_have_their_most_frequent_country(tmp_path):
    users = read(invoices(tmp_path), split="leave-one-out").users
    assert users.rows() == [("13047", "France"), ("17850", "United Kingdom")]


def test_the_publishers_excel_file_is_read(tmp_path):
    rows = [line.split(",") for line in [HEADER, *LINES.splitlines()]]
    _write_excel(tmp_path / "Online Retail.xlsx", rows)
    dataset = read(tmp_path, split="leave-one-out")
    (tmp_path / "Online Retail.xlsx").unlink()
    assert bought(dataset) == bought(read(invoices(tmp_path), split="leave-one-out"))


def test_a_damaged_excel_file_is_named(tmp_path):
    (tmp_path / "Online Retail.xlsx").write_bytes(b"PK\x03\x04 and no more")
    with pytest.raises(DataError, match=r"Online Retail\.xlsx cannot be read as Excel"):
        read(tmp_path)


def test_a_missing_file_is_named_with_its_looks_and_its_home(tmp_path):
    (tmp_path / "readme.txt").write_text("hello")
    with pytest.raises(DataError) as refused:
        read(tmp_path)
    for told in ("Online Retail.xlsx", "readme.txt", "StockCode", "archive.ics.uci.edu"):
        assert told in str(refused.value)


def test_a_quantity_that_is_no_number_is_named(tmp_path):
    lines = LINES.replace("HEART,6,", "HEART,six,", 1)
    with pytest.raises(DataError, match=r"row 1 .*'Quantity': expected a number, got 'six'"):
        read(invoices(tmp_path, lines))


def test_a_file_without_a_column_is_refused(tmp_path):
    (tmp_path / "data.csv").write_text("InvoiceNo,StockCode\n1,2\n")
    with pytest.raises(DataError, match=r"data\.csv has no column 'Description'"):
        read(tmp_path)


@pytest.mark.real
def test_the_real_invoices_are_accounted_for_to_the_row():
    dataset = read(folder("online_retail"))
    assert dataset.profile["read"]["events"]["rows"] == 453_843
    assert left_out(dataset, "events") == {
        "not_a_product": 2_657,
        "not_a_sale": 2_243,
        "event_without_user": 109_162,
        "cancelled_purchase": 2_683,
        "cancellation": 6_525,
        "cancellation_of_no_known_purchase": 1_013,
        "duplicate_event": 7_349,
    }
    assert len(dataset.events) == 322_211
    assert sum(left_out(dataset, "events").values()) + len(dataset.events) == 453_843
    assert dataset.n_items == 3_758
    assert dataset.about.split_kind == "time"
    assert not dataset.about.repeat
    assert dataset.items["title"].str.contains("POSTAGE|Manual|Bank Charges").sum() == 0
    assert "events: 453,843 read - 131,632 left out = 322,211" in page.render(dataset)


def _write_excel(path: Path, rows: list[list[str]]) -> None:
    """A workbook of one sheet; numbers as numbers, times as Excel counts days."""
    cells = "".join(
        f"<row>{''.join(_cell(value, place) for place, value in enumerate(row))}</row>"
        for row in rows
    )
    kinds = "application/vnd.openxmlformats-officedocument.spreadsheetml"
    office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    package = "http://schemas.openxmlformats.org/package/2006"
    main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    parts = {
        "[Content_Types].xml": f'<Types xmlns="{package}/content-types">'
        '<Default Extension="xml" ContentType="application/xml"/><Default Extension="rels" '
        'ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        f'<Override PartName="/xl/workbook.xml" ContentType="{kinds}.sheet.main+xml"/>'
        f'<Override PartName="/xl/styles.xml" ContentType="{kinds}.styles+xml"/>'
        f'<Override PartName="/xl/worksheets/sheet1.xml" '
        f'ContentType="{kinds}.worksheet+xml"/></Types>',
        "_rels/.rels": f'<Relationships xmlns="{package}/relationships"><Relationship Id="r1" '
        f'Type="{office}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": f'<workbook xmlns="{main}" xmlns:r="{office}"><sheets>'
        '<sheet name="Online Retail" sheetId="1" r:id="r1"/></sheets></workbook>',
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{package}/relationships">'
        f'<Relationship Id="r1" Type="{office}/worksheet" Target="worksheets/sheet1.xml"/>'
        f'<Relationship Id="r2" Type="{office}/styles" Target="styles.xml"/></Relationships>',
        "xl/styles.xml": f'<styleSheet xmlns="{main}"><cellXfs count="2"><xf numFmtId="0"/>'
        '<xf numFmtId="22"/></cellXfs></styleSheet>',
        "xl/worksheets/sheet1.xml": f'<worksheet xmlns="{main}">'
        f"<sheetData>{cells}</sheetData></worksheet>",
    }
    with zipfile.ZipFile(path, "w") as book:
        for name, content in parts.items():
            book.writestr(name, content)


def _cell(value: str, place: int) -> str:
    if not value:
        return "<c/>"
    if place == 4 and value[0].isdigit():
        time = pl.Series([value]).str.to_datetime("%m/%d/%Y %H:%M").dt.epoch("s")[0]
        return f'<c s="1"><v>{time / 86400 + 25569}</v></c>'
    if value.lstrip("-").replace(".", "", 1).isdigit():
        return f"<c><v>{value}</v></c>"
    return f'<c t="inlineStr"><is><t>{value}</t></is></c>'
