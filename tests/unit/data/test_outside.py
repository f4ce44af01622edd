"""Tables to measure on go through the check and the cleaning of a shop's own."""

import pytest

from twotower.data.outside import read_outside
from twotower.errors import DataError


def judged(folder, content, name="judged.csv"):
    (folder / name).write_text(content)
    return read_outside(folder / name, "judgments")


def later(folder, content):
    (folder / "later.csv").write_text(content)
    return read_outside(folder / "later.csv", "events")


def test_blank_queries_items_and_repetitions_are_left_out_and_counted(tmp_path):
    found = judged(
        tmp_path,
        "query,item_id,grade\n red sofa ,a,E\n,a,E\n  ,b,S\nlamp,,E\nred sofa,a,I\nlamp,b,C\n",
    )
    assert found.rows.rows() == [("red sofa", "a", "E"), ("lamp", "b", "C")]
    assert found.left_out == {"blank_query": 2, "judgment_without_item": 1, "judged_again": 1}
    assert found.file == "judged.csv"


@pytest.mark.parametrize(
    "letters", ["e,s,c,i", "E,S,C,I", "Exact,substitute,Complement,irrelevant"]
)
def test_grades_are_read_as_prepare_reads_them(tmp_path, letters):
    rows = "".join(f"sofa,{n},{letter}\n" for n, letter in enumerate(letters.split(",")))
    found = judged(tmp_path, "search_term,product_id,relevance\n" + rows)
    assert found.rows["grade"].to_list() == ["E", "S", "C", "I"]


def test_events_without_a_user_or_an_item_searches_and_repetitions_are_left_out(tmp_path):
    found = later(
        tmp_path,
        "user_id,item_id,event,time\nu,7.0,purchase,2025-03-01\n,a,view,2025-03-01\nu,,view,2025-03-01\n"
        "u,,search,2025-03-01\nu,7.0,purchase,2025-03-01\nu,b,view,2999-01-01\nv,unknown,view,2025-03-01\n",
    )
    assert found.rows["item_id"].to_list() == ["7.0", "unknown"]
    assert found.rows["time"].to_list() == [1740787200000] * 2
    assert found.left_out == {
        "event_without_user": 1,
        "event_without_item": 1,
        "future_event": 1,
        "duplicate_event": 1,
        "searches": 1,
    }


def test_an_event_of_an_unknown_kind_is_refused_and_no_positive(tmp_path):
    with pytest.raises(DataError, match=r"later\.csv: row 1 .*column 'event': .*got 'wishlist'"):
        later(tmp_path, "user_id,item_id,event\nu,a,wishlist\n")


def test_the_shop_toml_beside_the_file_is_read(tmp_path):
    (tmp_path / "shop.toml").write_text(
        '[events.columns]\nuser_id = "Kunde"\n'
        '[events.kinds]\nwishlist = "view"\nrefund = "ignore"\n'
    )
    found = later(tmp_path, "Kunde,item_id,event\nu,a,wishlist\nu,b,refund\n")
    assert found.rows.select("user_id", "item_id", "event").rows() == [("u", "a", "view")]
    assert found.left_out == {"ignored_event": 1}


def test_a_grade_that_is_none_names_file_row_and_column(tmp_path):
    with pytest.raises(DataError, match=r"judged\.csv: row 2 .*column 'grade': .*got 'superb'"):
        judged(tmp_path, "query,item_id,grade\nsofa,a,E\nsofa,b,superb\n")


def test_the_shops_own_split_means_nothing_here(tmp_path):
    found = judged(tmp_path, "query,item_id,grade,split\nsofa,a,E,whatever\n")
    assert found.rows.columns == ["query", "item_id", "grade"]
