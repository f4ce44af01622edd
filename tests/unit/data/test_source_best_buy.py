"""Best Buy, on lines written by hand and on the real catalogue."""

import pytest

from public_data import folder, left_out, rule
from twotower.data.prepare import prepare
from twotower.data.sources.registry import published
from twotower.errors import DataError

PRODUCTS = """\
upc,name,manufacturer,short_description,long_description
011,Tom &amp; Jerry - DVD, ,Cat and mouse,All of it
012,USB Cable,Belkin,,
011,Tom and Jerry again,Warner,,
"""
QUERIES = """\
user,category,query,click_time,query_time
u1,abc,child eden,2011-09-02 13:05:24.146,2011-09-02 13:04:34.633
u1,abc, ,2011-09-02 13:05:24.146,2011-09-02 13:04:35.000
"""


def test_a_catalogue_and_what_was_typed(tmp_path):
    (tmp_path / "products.csv").write_text(PRODUCTS)
    (tmp_path / "queries.csv").write_text(QUERIES)
    dataset = prepare(published("best-buy", tmp_path))
    assert dataset.items["item_id"].to_list() == ["011", "012"]
    assert dataset.items["title"].to_list() == ["Tom & Jerry - DVD", "USB Cable"]
    assert dataset.items["description"].to_list() == ["Cat and mouse All of it", None]
    assert dataset.items["brand"].to_list() == [None, "Belkin"]
    assert rule(dataset, "product_again")["count"] == 1
    assert dataset.searches.row(0) == ("u1", "child eden", 1314968674633)
    assert (dataset.events, dataset.judgments) == (None, None)


def test_the_queries_may_be_elsewhere_the_products_not(tmp_path):
    (tmp_path / "products.csv").write_text(PRODUCTS)
    assert prepare(published("best-buy", tmp_path)).searches is None
    (tmp_path / "products.csv").unlink()
    with pytest.raises(DataError, match=r"lacks products\.parquet or products\.csv"):
        prepare(published("best-buy", tmp_path))


@pytest.mark.real
def test_the_real_catalogue_has_each_product_once():
    dataset = prepare(published("best-buy", folder("bestbuy_catalogue")))
    assert dataset.n_items + left_out(dataset, "items")["product_again"] == 48_194
    assert dataset.items["item_id"].is_unique().all()
    assert not dataset.items["title"].str.contains("&amp;", literal=True).any()
