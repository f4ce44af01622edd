"""The command line on real models: built, measured, asked; exit codes and JSON as documented."""

import json
import tomllib

import polars as pl
import pytest

from twotower.data.prepare import read
from twotower.schema import Split

NUMBERS = {"mean", "low", "high", "n"}


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    """A folder of tables as a shop would have it: a catalogue and a log, no judgments."""
    folder = tmp_path_factory.mktemp("source")
    tables = read("synthetic:products=200,shoppers=300,seed=2")
    tables.items.write_parquet(folder / "items.parquet")
    clicks = tables.events.filter(pl.col("event") != "search")
    clicks.select("user_id", "item_id", "event", "time").write_csv(folder / "events.csv")
    return folder


@pytest.fixture(scope="module")
def held(tiny_bundle):
    """The tables of the tiny shop that its towers were not trained on."""
    from twotower.data.dataset import Dataset

    return Dataset.load(tiny_bundle / "data")


def assert_report(report, *tasks):
    assert set(report["tasks"]) == set(tasks)
    for section in (report, *report["tasks"].values()):
        for metrics in (section["metrics"], *section["baselines"].values()):
            assert "all" in metrics
            for found in metrics.values():
                for number in found.values():
                    assert set(number) == NUMBERS
                    assert number["low"] <= number["mean"] <= number["high"]
    headline = "recommendation" if "recommendation" in tasks else "search"
    assert report["metrics"] == report["tasks"][headline]["metrics"]
    assert {"recall@10", "ndcg@10"} <= set(report["metrics"]["all"])


# -- building --------------------------------------------------------------------


def test_a_build_that_beats_its_baselines_is_exit_code_0(twotower, source, tmp_path):
    said = twotower("build", source, "--recipe", "tiny", "--out", tmp_path / "bundle", "--json")
    assert said.code == 0, said
    assert_report(said.json, "recommendation")
    assert {"popularity", "item_knn", "random"} <= set(said.json["baselines"])
    assert said.json["verdict"]["promoted"] is True
    assert [path.name for path in tmp_path.iterdir()] == ["bundle"]
    again = twotower("report", tmp_path / "bundle", "--json").json
    assert again["metrics"] == said.json["metrics"]


def test_a_build_that_does_not_beat_its_baselines_is_exit_code_3_and_still_there(
    twotower, source, tmp_path
):
    untrained = [
        *("--set", "training.epochs=1"),
        *("--set", "training.learning_rate=1e-9"),
        *("--set", "features.use=id"),
    ]
    out = tmp_path / "bundle"
    said = twotower("build", source, "--recipe", "tiny", "--out", out, *untrained)
    assert said.code == 3, said
    assert "Not promoted. Recommendation (model) does not beat popularity" in said.out
    assert "Traceback" not in said.err
    assert twotower("report", out, "--json").json["verdict"]["promoted"] is False


def test_the_verbs_in_their_order_give_what_build_gives(twotower, source, tmp_path):
    data, run, out = tmp_path / "data", tmp_path / "run", tmp_path / "bundle"
    fast = ["--recipe", "tiny", "--set", "training.epochs=3"]
    prepared = twotower("prepare", source, "--out", data, "--json")
    assert prepared.json["counts"]["items"] == 200
    assert prepared.json["warnings"] == []
    trained = twotower("train", data, "--out", run, *fast, "--json")
    assert_report(trained.json, "recommendation")
    assert trained.json["tasks"]["recommendation"]["protocol"]["split"] == Split.VALIDATION
    evaluated = twotower("evaluate", run, "--json")
    assert evaluated.json["tasks"]["recommendation"]["protocol"]["split"] == Split.TEST
    bundled = twotower("bundle", run, "--out", out, "--json")
    assert bundled.code in (0, 3)
    assert bundled.json["metrics"] == evaluated.json["metrics"]
    built = twotower("build", source, "--out", tmp_path / "built", *fast, "--json")
    assert built.json["metrics"] == evaluated.json["metrics"]
    assert twotower("evaluate", out, "--json").json["metrics"] == evaluated.json["metrics"]


def test_prepare_warns_of_splits_with_few_cases(twotower, tmp_path):
    (tmp_path / "items.csv").write_text("item_id,title\na,Cup\nb,Jug\n")
    (tmp_path / "events.csv").write_text("user_id,item_id,time\nu,a,1e9\nu,b,1.7e9\nv,a,1.5e9\n")
    said = twotower("prepare", tmp_path, "--out", tmp_path / "data")
    assert said.code == 0, said
    assert "warning: visitors of the test split: 1." in said.out
    assert "warning: visitors of the validation split: 1." in said.out


# -- measuring on tables from outside ------------------------------------------------


def test_a_bundle_is_measured_on_its_test_split(twotower, tiny_bundle):
    said = twotower("evaluate", tiny_bundle, "--json")
    assert said.code == 0, said
    kept = twotower("report", tiny_bundle, "--json").json
    assert_report(said.json, "recommendation", "search")
    for task in ("recommendation", "search"):
        ours, theirs = (report["tasks"][task]["metrics"]["all"] for report in (said.json, kept))
        for name, number in ours.items():
            assert number["mean"] == pytest.approx(theirs[name]["mean"], abs=1e-6)


def test_judgments_from_outside_are_measured(twotower, tiny_bundle, held, tmp_path):
    ids = held.items["item_id"]
    told = held.judgments.filter(pl.col("split") == Split.TEST)
    letters = {3.0: "e", 2.0: "Substitute", 1.0: "C", 0.0: "I"}
    table = told.select(
        "query",
        item_id=ids.gather(told["item_row"]),
        grade=pl.col("grade").replace_strict(letters),
    )
    blank = pl.DataFrame({"query": [" ", None], "item_id": "a", "grade": "E"})
    pl.concat([blank, table]).write_csv(tmp_path / "judged.csv")
    said = twotower("evaluate", tiny_bundle, "--judgments", tmp_path / "judged.csv", "--json")
    assert said.code == 0, said
    assert_report(said.json, "search")
    assert {"bm25", "frozen_encoder", "frozen_fusion"} <= set(said.json["baselines"])
    assert said.json["tasks"]["search"]["skipped"]["blank_query"] == 2
    kept = json.loads((tiny_bundle / "report.json").read_text())["tasks"]["search"]["metrics"]
    assert said.json["metrics"]["all"]["ndcg@10"] == kept["all"]["ndcg@10"]


def test_events_from_outside_are_measured(twotower, tiny_bundle, held, tmp_path):
    later = held.events.filter(pl.col("split") == Split.TEST)
    table = later.select(
        "user_id", "event", "time", item_id=held.items["item_id"].gather(later["item_row"])
    )
    table.write_parquet(tmp_path / "later.parquet")
    said = twotower("evaluate", tiny_bundle, "--events", tmp_path / "later.parquet", "--json")
    assert said.code == 0, said
    assert_report(said.json, "recommendation")
    ours, popular = said.json["metrics"]["all"], said.json["baselines"]["popularity"]["all"]
    assert ours["ndcg@10"]["mean"] > popular["ndcg@10"]["mean"]


@pytest.mark.parametrize(
    ("option", "content", "told"),
    [
        ("--judgments", "query,item_id\nsofa,a\n", "grade"),
        ("--judgments", "", "judged.csv"),
        ("--events", "user_id,event\nu,view\n", "item_id"),
        ("--events", "user_id,item_id,time\nu,a,yesterday\n", "yesterday"),
        ("--events", "user_id,item_id,event\nu,a,wishlist\n", "'wishlist'"),
        ("--events", "user_id,item_id\n,a\n", "event without user 1"),
        ("--judgments", "query,item_id,grade\nsofa,a,I\nlamp,b,S\n", "queries without positive 2"),
    ],
)
def test_a_bad_table_from_outside_is_one_line_and_lines_for_shop_toml(
    twotower, tiny_bundle, tmp_path, option, content, told
):
    (tmp_path / "judged.csv").write_text(content)
    said = twotower("evaluate", tiny_bundle, option, tmp_path / "judged.csv", "--json")
    assert said.code == 1, said
    assert said.err.startswith("error: ")
    line, _, lines = said.err.partition("\n")
    assert told in line
    assert line.endswith(":") == bool(tomllib.loads(lines))


def test_a_table_that_is_not_there_is_one_line(twotower, tiny_bundle):
    said = twotower("evaluate", tiny_bundle, "--events", "nowhere.csv")
    assert said.code == 1
    assert "nowhere.csv" in said.err


# -- asking ------------------------------------------------------------------------


def test_search_answers_in_a_table_and_in_json(twotower, tiny_bundle):
    shown = twotower("search", tiny_bundle, "red sofa", "-k", "3")
    assert shown.code == 0
    answer = twotower("search", tiny_bundle, "red sofa", "-k", "3", "--json").json
    assert [hit["rank"] for hit in answer["hits"]] == [1, 2, 3]
    for hit in answer["hits"]:
        assert hit["item_id"] in shown.out
        assert hit["item"]["title"] in shown.out


def test_search_by_words_finds_the_words(twotower, tiny_bundle, held):
    title = held.items["title"][7]
    answer = twotower("search", tiny_bundle, title, "--mode", "lexical", "--json").json
    assert answer["hits"][0]["item"]["title"] == title


def test_recommend_answers_a_user_of_the_log_and_leaves_out_what_they_saw(
    twotower, tiny_bundle, held
):
    user = held.events["user_id"][0]
    seen = held.events.filter(pl.col("user_id") == user)["item_row"]
    answer = twotower("recommend", tiny_bundle, "--user", user, "--json").json
    hits = {hit["item_id"] for hit in answer["hits"]}
    assert len(hits) == 10
    assert not hits & set(held.items["item_id"].gather(seen))
    assert answer["history_length"] == len(seen)
    assert answer["fallback_used"] is None


def test_recommend_answers_anyone_with_a_history(twotower, tiny_bundle, held):
    past = held.items["item_id"][:2].to_list()
    answer = twotower("recommend", tiny_bundle, "--history", ",".join(past), "--json").json
    assert answer["history_length"] == 2
    assert not {hit["item_id"] for hit in answer["hits"]} & set(past)
    shown = twotower("recommend", tiny_bundle, "--history", f" {past[0]} , {past[1]} ")
    assert all(hit["item_id"] in shown.out for hit in answer["hits"])


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["search", "  "], "query must hold at least one word"),
        (["search", "sofa", "--mode", "magic"], "hybrid, semantic, lexical"),
        (["search", "sofa", "-k", "0"], "k must be"),
        (["recommend", "--user", "nobody"], "'nobody' is not in the log"),
        (["recommend", "--history", "no-such-item"], "'no-such-item'"),
    ],
)
def test_a_question_that_cannot_be_answered_is_one_line(twotower, tiny_bundle, words, told):
    verb, *rest = words
    said = twotower(verb, tiny_bundle, *rest)
    assert (said.code, said.out) == (1, "")
    assert said.err.startswith("error: ")
    assert said.err.count("\n") == 1
    assert told in said.err


def test_titles_with_brackets_are_shown_as_they_are(twotower, tiny_bundle, monkeypatch):
    from twotower.retrieval.catalogue import Catalogue

    titles = ["Rug [red]", "Rug [/bold]", "Rug [bold]old"]
    product = Catalogue.product
    monkeypatch.setattr(
        Catalogue, "product", lambda self, row: product(self, row) | {"title": titles[row % 3]}
    )
    shown = twotower("search", tiny_bundle, "rug", "-k", "9")
    assert shown.code == 0, shown.err
    assert any(title in shown.out for title in titles)
    assert "Rug │" not in shown.out


def test_the_report_of_a_bundle_is_shown(twotower, tiny_bundle):
    said = twotower("report", tiny_bundle)
    assert said.code == 0
    for word in ("popularity", "item_knn", "bm25", "ndcg@10"):
        assert word in said.out.lower()
