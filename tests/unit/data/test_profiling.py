"""The profile's page: its numbers are the log's, its checks find leaks, its texts are escaped."""

import re
from dataclasses import replace
from html.parser import HTMLParser

import polars as pl
import pytest
from little_shop import EVENTS, ITEMS, JUDGMENTS, shop

from twotower.data.config import PrepareConfig
from twotower.data.prepare import prepare
from twotower.data.profiling import events, leaks, page, plots, tables

DAY = 24 * 3600 * 1000


def log(*rows):
    names = dict.fromkeys(("user_id", "item_row", "event", "time", "split"), pl.String)
    kinds = names | {"item_row": pl.Int32, "time": pl.Int64}
    return pl.DataFrame(rows, schema=kinds, orient="row")


LOG = log(
    ("u", 0, "view", 0, "train"),
    ("u", 0, "cart", 1, "train"),
    ("u", 0, "purchase", 2 * DAY, "train"),
    ("v", 1, "view", 3 * DAY, "train"),
    ("v", 0, "purchase", 20 * DAY, "validation"),
    ("u", 0, "purchase", 21 * DAY, "test"),
    ("v", 2, "view", 22 * DAY, "test"),
)


class Tags(HTMLParser):
    def __init__(self):
        super().__init__()
        self.open, self.names = [], set()

    def handle_starttag(self, tag, attrs):
        self.names.add(tag)
        if tag not in ("meta", "br", "rect", "line"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        if tag not in ("rect", "line"):
            assert self.open.pop() == tag


@pytest.fixture(scope="module")
def made():
    return prepare("synthetic:products=120,shoppers=80,queries=40")


def test_every_event_is_in_one_bar_over_time():
    period, bars = events.volumes(LOG)
    assert period == "day"
    assert sum(sum(parts.values()) for _, parts in bars) == len(LOG)
    assert len(bars) == 23  # empty days too
    assert events.cut_places(LOG, {"test": 21 * DAY, "none": None}) == {21: "test"}


def test_a_log_of_years_is_drawn_in_months_and_one_of_a_moment_in_an_hour():
    long = LOG.with_columns(time=pl.col("time") * 100)
    assert events.volumes(long)[0] in ("month", "quarter")
    assert events.volumes(LOG.head(1))[0] == "hour"


def test_the_long_tail_ends_with_everything():
    points = events.long_tail(LOG, n_items=10)
    assert points[0] == (0.1, pytest.approx(5 / 7))
    assert points[-2:] == [(0.3, 1.0), (1.0, 1.0)]


def test_the_funnel_counts_pairs_of_user_and_item():
    assert events.funnel(LOG) == {
        "view": 3, "cart": 1, "purchase": 2, "cart after view": 1, "purchase after cart": 1,
    }  # fmt: skip


def test_repeats_and_cold_items_are_shares():
    assert events.repeats(LOG) == pytest.approx(1 / 3)
    assert events.repeats(LOG.filter(pl.col("event") == "view")) is None
    assert events.cold_share(LOG) == 1 / 2
    assert sum(parts["items"] for _, parts in events.first_seen(LOG)) == 3


def test_bars_of_sizes_hold_everyone():
    counts = pl.Series([1, 1, 4, 5, 60, 2000])
    bars = events.sizes(counts)
    assert sum(parts["users"] for _, parts in bars) == len(counts)
    assert dict(bars)["3-5"] == {"users": 2}
    assert [label for label, _ in events.sizes(pl.Series([4]))] == ["3-5"]


def test_prices_are_binned_from_the_lowest_to_the_highest():
    bars = tables.price_bins(pl.Series([1.0, 10.0, 100.0, None, 0.0]))
    assert sum(parts["items"] for _, parts in bars) == 3
    assert (bars[0][1]["items"], bars[-1][1]["items"]) == (1, 1)
    assert tables.price_bins(pl.Series([None], dtype=pl.Float64)) == []
    assert len(tables.price_bins(pl.Series([5.0, 5.0]))) == 1


def test_what_is_filled_in_counts_empty_texts_and_lists_as_gaps():
    items = pl.DataFrame({"title": ["a", "", None, "b"], "attributes": [["x"], [], None, ["y"]]})
    assert tables.filled(items) == {"title": 0.5, "attributes": 0.5}


def test_a_split_by_time_has_no_leak_and_leave_one_out_has(made):
    doubts = {check.finding for check in leaks.checks(made) if not check.is_fine}
    assert not any("training events after held-out" in finding for finding in doubts)
    leaky = prepare(
        "synthetic:products=120,shoppers=80,queries=40", PrepareConfig(split="leave-one-out")
    )
    found = [check for check in leaks.checks(leaky) if "after held-out" in check.finding]
    assert [check.is_fine for check in found] == [False]
    assert "too good" in found[0].consequence


def test_a_query_in_two_parts_of_the_split_is_doubted(made):
    [right] = [check for check in leaks.checks(made) if "more than one part" in check.finding]
    assert right.is_fine
    shared = made.judgments.with_columns(query=pl.lit("sofa"))
    leaky = replace(made, judgments=shared)
    [wrong] = [check for check in leaks.checks(leaky) if "more than one part" in check.finding]
    assert (wrong.is_fine, wrong.finding[0]) == (False, "1")


def test_warnings_of_prepare_stand_on_the_page(tmp_path):
    dataset = prepare(shop(tmp_path, judgments=JUDGMENTS))
    assert all(warning in page.render(dataset) for warning in dataset.profile["warnings"][:1])


def test_the_page_is_whole_and_needs_no_other_file(made):
    told = page.render(made)
    parsed = Tags()
    parsed.feed(told)
    assert parsed.open == []
    assert not parsed.names & {"script", "link", "img", "iframe"}
    assert "http" not in told.replace("http-equiv", "")
    for title in ("Events over time", "The long tail", "Sessions", "Prices", "Categories"):
        assert f"<h3>{title}</h3>" in told
    assert {"Grades", "Typed queries"} <= set(re.findall("<h3>(.*?)</h3>", told))


def test_texts_of_the_shop_cannot_become_markup(tmp_path):
    items = (
        ITEMS.replace("item_id,title,price", "item_id,title,category") + 'd,"<script>x",Sale > X\n'
    )
    items = items.replace("120", '"&<i onload=1"')
    told = page.render(prepare(shop(tmp_path, items=items)))
    assert "<script" not in told
    assert "<i onload" not in told


@pytest.mark.parametrize("without", ["events", "judgments"])
def test_a_shop_with_one_table_has_a_page(tmp_path, without):
    made = shop(tmp_path, **{"events": EVENTS, "judgments": JUDGMENTS, without: None})
    assert "</html>" in page.render(prepare(made))


@pytest.mark.parametrize(("top", "least"), [(0, 1), (3, 3), (87, 87), (4500, 4500), (10**7, 10**7)])
def test_scales_reach_the_largest_value_and_little_beyond(top, least):
    assert least <= plots.nice(top) <= max(2 * top, 4)


def test_the_command_writes_the_page(made, tmp_path, twotower):
    made.save(tmp_path / "data")
    said = twotower("profile", tmp_path / "data", "--out", tmp_path / "p.html")
    assert said.code == 0, said.err
    assert (tmp_path / "p.html").read_text() == page.render(made)
    assert twotower("profile", tmp_path, "--out", tmp_path / "q.html").code == 1
