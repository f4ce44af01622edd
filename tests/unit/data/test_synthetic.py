import re
import xml.etree.ElementTree as ET
from urllib.parse import unquote

import numpy as np
import polars as pl
import pytest

from twotower.data.prepare import prepare
from twotower.data.synthetic.assortment import assortment
from twotower.data.synthetic.catalogue import make_catalogue
from twotower.data.synthetic.pictures import picture
from twotower.data.synthetic.shop import synthetic_shop
from twotower.data.tables import Tables
from twotower.errors import ConfigError


@pytest.fixture(scope="module")
def shop() -> Tables:
    return synthetic_shop(products=900, shoppers=700, seed=0)


def test_a_seed_gives_the_same_shop_and_another_seed_another(tmp_path):
    sizes = {"products": 60, "shoppers": 20}
    for name, seed in (("one", 5), ("again", 5), ("other", 6)):
        synthetic_shop(**sizes, seed=seed).write_source(tmp_path / name)
    for path in (tmp_path / "one").glob("*.parquet"):
        assert path.read_bytes() == (tmp_path / "again" / path.name).read_bytes()
        assert path.read_bytes() != (tmp_path / "other" / path.name).read_bytes()


def test_more_shoppers_leave_the_catalogue_alone():
    few, many = (synthetic_shop(products=60, shoppers=n) for n in (20, 40))
    assert few.items.equals(many.items)


def test_it_says_that_it_is_synthetic(shop):
    dataset = prepare("synthetic:products=60,shoppers=20")
    assert shop.synthetic
    assert shop.name == "Synthetic demo shop"
    assert dataset.about.synthetic
    assert dataset.about.name == "Synthetic demo shop"


def test_nothing_in_it_needs_cleaning():
    assert prepare("synthetic:products=300,shoppers=100").profile["cleaning"] == []


@pytest.mark.parametrize("products", [20, 83, 500])
def test_the_catalogue_has_the_size_asked_for_and_no_title_twice(products):
    items = synthetic_shop(products=products, shoppers=5).items
    assert len(items) == products
    assert items["title"].n_unique() == products


def test_a_shop_too_small_is_refused():
    with pytest.raises(ConfigError, match="20 products"):
        synthetic_shop(products=3)


def test_titles_read_like_a_shop(shop):
    brands = "|".join(re.escape(brand.name) for brand in assortment().brands)
    assert shop.items["title"].str.contains(rf"^({brands}) [A-Z].+, [A-Z][A-Za-z ]+$").all()
    assert shop.items["category"].str.count_matches(" > ").eq(2).all()
    assert shop.items["price"].min() > 0
    assert 0.85 < shop.items["in_stock"].mean() < 1


def test_premium_brands_cost_more(shop):
    tier = {brand.name: brand.tier for brand in assortment().brands}
    sofas = shop.items.with_columns(
        pl.col("brand").replace_strict(tier).alias("tier"),
        (pl.col("price") / pl.col("price").median().over("category")).alias("relative"),
    )
    means = sofas.group_by("tier").agg(pl.col("relative").mean()).sort("tier")["relative"]
    assert means[0] < means[1] < means[2]


def test_nobody_sees_a_product_before_its_launch(shop):
    seen = shop.events.drop_nulls("item_id").join(shop.items, on="item_id")
    assert (seen["time"] >= seen["launched"]).all()


def test_there_are_cold_items_and_a_long_tail(shop):
    counts = shop.events["item_id"].drop_nulls().value_counts()["count"].sort(descending=True)
    assert counts.head(180).sum() > 0.45 * counts.sum()
    dataset = prepare("synthetic:products=900,shoppers=700")
    trained = set(dataset.events.filter(split="train")["item_row"])
    tested = set(dataset.events.filter(split="test")["item_row"])
    assert len(tested - trained) > 10


def test_shoppers_come_back_to_their_departments_and_colours(shop):
    views = shop.events.filter(event="view").join(shop.items, on="item_id")
    views = views.with_columns(
        pl.col("category").str.split(" > ").list.first().alias("department"),
        pl.col("attributes").list.first().alias("colour"),
    )
    for trait in ("department", "colour"):
        top = (
            views.filter(pl.len().over("user_id") >= 10)
            .group_by("user_id", trait)
            .len()
            .group_by("user_id")
            .agg(pl.col("len").max() / pl.col("len").sum())
        )
        everyone = views[trait].value_counts()["count"].max() / len(views)
        assert top["len"].mean() > 2 * everyone


def test_the_next_view_of_a_session_is_alike_or_goes_with_it(shop):
    kinds = {kind.path: kind for kind in assortment().types}
    views = shop.events.filter(event="view").join(shop.items, on="item_id", maintain_order="left")
    pairs = views.sort("user_id", "time", maintain_order=True).select(
        "category", pl.col("category").shift(-1).over("session_id").alias("next")
    )
    related = [
        kinds[b].key in {kinds[a].key, *kinds[a].goes, *kinds[a].like}
        for a, b in pairs.drop_nulls().iter_rows()
    ]
    assert np.mean(related) > 0.85


def test_winter_things_are_wanted_in_winter():
    shop = synthetic_shop(products=600, shoppers=1500)
    views = shop.events.filter(event="view").join(shop.items, on="item_id")
    views = views.with_columns(pl.from_epoch("time", time_unit="ms").dt.month().alias("month"))
    summer = views["category"].str.contains("Tents|Sun Cream|Barbecues|Sandals")
    share = (
        views.with_columns(summer.alias("summer")).group_by("month").agg(pl.col("summer").mean())
    )
    by_month = dict(share.iter_rows())
    assert by_month[6] > 1.5 * by_month[1]


def test_sessions_have_views_carts_purchases_and_searches(shop):
    kinds = dict(shop.events["event"].value_counts().iter_rows())
    assert kinds["view"] > kinds["cart"] > kinds["purchase"] > 0
    assert kinds["search"] > 0
    assert shop.events.filter(event="search")["query"].null_count() == 0


def test_every_query_has_an_exact_answer_and_all_of_the_others(shop):
    grades = shop.judgments.group_by("query").agg(pl.col("grade").unique())
    assert grades["grade"].list.contains("E").all()
    assert set(shop.judgments["grade"]) == {"E", "S", "C", "I"}
    assert not shop.judgments.select("query", "item_id").is_duplicated().any()


def test_words_alone_are_not_enough(shop):
    pairs = shop.judgments.filter(grade="E").join(shop.items, on="item_id")
    shared = [
        bool(set(re.findall(r"[a-z]+", query)) & set(re.findall(r"[a-z]+", title.lower())))
        for query, title in pairs.select("query", "title").iter_rows()
    ]
    assert 0.3 < np.mean(shared) < 0.7
    without = pairs.with_columns(pl.Series("shared", shared)).group_by("query").agg("shared")
    assert without["shared"].list.any().not_().mean() > 0.1


def test_exact_answers_meet_every_wish_of_a_query():
    shop = synthetic_shop(products=900, shoppers=5, queries=400)
    nouns = {noun.lower(): kind.path for kind in assortment().types for noun in kind.nouns}
    materials = {material.lower() for kind in assortment().types for material in kind.materials}
    judged = shop.judgments.filter(grade="E").join(shop.items, on="item_id")
    checked = 0
    for query, category, attributes in judged.select("query", "category", "attributes").iter_rows():
        first, _, rest = query.partition(" ")
        if first in materials and rest in nouns:
            checked += 1
            assert category == nouns[rest]
            assert first in [value.lower() for value in attributes]
    assert checked > 50


@pytest.mark.parametrize("kind", [kind.key for kind in assortment().types])
def test_every_type_has_a_picture_that_is_well_formed_and_small(kind):
    uri = picture(kind, "#2f6650", variant=1)
    head, _, body = uri.partition(",")
    assert head == "data:image/svg+xml"
    assert len(uri) < 1500
    assert not set('<>"#') & set(body)
    root = ET.fromstring(unquote(body))  # noqa: S314 - our own picture
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    assert len(root) > 4


def test_pictures_differ_by_type_and_colour():
    drawn = {picture(kind, shade) for kind in ("sofa", "tent") for shade in ("#cf3b37", "#2f5fc0")}
    assert len(drawn) == 4


def test_every_name_of_the_assortment_leads_somewhere():
    shop = assortment()
    keys = {kind.key for kind in shop.types}
    for kind in shop.types:
        assert {*kind.goes, *kind.like} <= keys - {kind.key}
        assert set(kind.colours) <= set(shop.colours)
        assert any(kind.department in brand.departments for brand in shop.brands)
    for need in shop.needs:
        assert {part.key for part in (*need.exact, *need.substitute, *need.complement)} <= keys


def test_a_line_has_one_price_whatever_the_colour():
    catalogue = make_catalogue(assortment(), 600, np.random.default_rng(0))
    prices = catalogue.items.with_columns(pl.Series("line", catalogue.line))
    assert prices.group_by("line").agg(pl.col("price").n_unique())["price"].max() == 1
