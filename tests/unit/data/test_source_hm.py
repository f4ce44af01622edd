"""H&M's files, a few lines of each in the publisher's form."""

import pytest

from public_data import rule
from twotower.data.config import PrepareConfig
from twotower.data.dataset import Dataset
from twotower.data.prepare import prepare
from twotower.data.sources.registry import published
from twotower.data.streaming.prepare import large_log
from twotower.data.streaming.prepare import prepare as in_parts
from twotower.errors import DataError

ARTICLES = (
    "article_id,product_code,prod_name,product_type_no,product_type_name,product_group_name,"
    "graphical_appearance_no,graphical_appearance_name,colour_group_code,colour_group_name,"
    "perceived_colour_value_id,perceived_colour_value_name,perceived_colour_master_id,"
    "perceived_colour_master_name,department_no,department_name,index_code,index_name,"
    "index_group_no,index_group_name,section_no,section_name,garment_group_no,"
    "garment_group_name,detail_desc\n"
    "0108775015,0108775,Strap top,253,Vest top,Garment Upper body,1010016,Solid,09,Black,4,Dark,"
    "5,Black,1676,Jersey Basic,A,Ladieswear,1,Ladieswear,16,Womens Everyday Basics,1002,"
    'Jersey Basic,"Jersey top with narrow, adjustable straps."\n'
    "0110065001,0110065,OP T-shirt (Idro),306,Bra,Underwear,1010016,Solid,09,Black,4,Dark,5,"
    "Black,1339,Clean Lingerie,B,Lingeries/Tights,1,Ladieswear,61,Womens Lingerie,1017,"
    "Under-/Nightwear,\n"
    "0351484002,0351484,Lazer Razer Brief,59,Swimwear bottom,Swimwear,1010016,Solid,71,Light "
    "Turquoise,1,Dusty Light,3,Turquoise,4242,Swimwear,B,Lingeries/Tights,1,Ladieswear,60,Womens "
    "Swimwear,1018,Swimwear,Fully lined bikini bottoms.\n"
)
ANNA, BERT = "000058a12d5b43e67d225668fa1f8d61" * 2, "00007d2de826758b65a93dd24ce629ed" * 2
TRANSACTIONS = (
    "t_dat,customer_id,article_id,price,sales_channel_id\n"
    f"2018-09-20,{ANNA},0108775015,0.050830508474576264,2\n"
    f"2018-09-20,{ANNA},0108775015,0.050830508474576264,2\n"
    f"2018-09-22,{BERT},0110065001,0.03049152542372881,1\n"
    f"2019-01-05,{ANNA},0108775015,0.050830508474576264,2\n"
    f"2020-09-22,{ANNA},0351484002,0.01520338983050847,2\n"
)
CUSTOMERS = (
    "customer_id,FN,Active,club_member_status,fashion_news_frequency,age,postal_code\n"
    f"{ANNA},,,ACTIVE,NONE,49.0,52043ee2162cf5aa7ee79974281641c6f11a68d276429a91f8ca0d4b6efa8100\n"
    f"{BERT},1.0,1.0,ACTIVE,Regularly,25.0,2973abc54daa8a5f8ccfe9362140c63247c5eee03f1d93f4c830291\n"
)


@pytest.fixture
def folder(tmp_path):
    texts = {"articles": ARTICLES, "transactions_train": TRANSACTIONS, "customers": CUSTOMERS}
    for name, text in texts.items():
        (tmp_path / f"{name}.csv").write_text(text)
    return tmp_path


@pytest.fixture
def dataset(folder):
    return prepare(published("hm", folder))


def test_articles_have_their_words(dataset):
    item = dataset.items.row(0, named=True)
    assert item["item_id"] == "0108775015", "ten digits, the first of them a zero"
    assert item["title"] == "Strap top"
    assert item["description"] == "Jersey top with narrow, adjustable straps."
    assert item["category"] == "Ladieswear > Garment Upper body > Vest top"
    assert item["attributes"] == ["Black", "Solid", "Jersey Basic"]
    assert dataset.items["description"][1] is None
    assert dataset.about.text_fields == ("title", "category", "attributes", "description")


def test_transactions_are_purchases_and_two_pieces_of_a_day_are_one(dataset):
    assert dataset.counts["events"] == 4
    assert set(dataset.events["event"]) == {"purchase"}
    assert rule(dataset, "duplicate_event")["count"] == 1
    anna = dataset.events.sort("time").filter(dataset.events.sort("time")["user_id"] == ANNA)
    assert anna["item_row"].to_list() == [0, 0, 2]
    assert dataset.about.split_kind == "time"
    assert dataset.about.repeat


def test_customers_are_kept_where_their_file_is(dataset, folder):
    assert dataset.users["age"].to_list() == ["49.0", "25.0"]
    assert "postal_code" not in dataset.users.columns
    (folder / "customers.csv").unlink()
    assert prepare(published("hm", folder)).users is None


def test_a_missing_file_says_where_it_is(folder):
    (folder / "articles.csv").unlink()
    with pytest.raises(DataError, match=r"lacks articles.csv.*kaggle.com/competitions/h-and-m"):
        prepare(published("hm", folder))


def test_transactions_are_prepared_in_parts_where_they_are_many(folder, tmp_path, dataset):
    log = large_log(published("hm", folder), PrepareConfig(), smallest=0)
    summary = in_parts(log, PrepareConfig(), tmp_path / "out", part_rows=2)
    assert summary.content_hash == dataset.content_hash
    assert summary.about == dataset.about
    assert rule(Dataset.load(tmp_path / "out"), "duplicate_event")["count"] == 1
