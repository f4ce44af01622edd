"""A and B on the same cases: who won, where it got worse, and both lists beside each other."""

from html.parser import HTMLParser

import numpy as np
import pytest

from twotower.errors import ConfigError
from twotower.evaluation.cases import recommendation_cases, search_cases
from twotower.evaluation.comparison import Pair, task_comparison
from twotower.evaluation.comparison_page import render
from twotower.evaluation.protocol import evaluate
from twotower.evaluation.results import COMPARED


def _knowing(cases, share):
    """Scores that put the right items first for the first `share` of the cases, and last else."""

    def score(part):
        scores = np.tile(np.linspace(1, 2, cases.n_items), (len(part), 1))
        for row, case in enumerate(part):
            knows = case < share * len(cases)
            scores[row, cases.rows[cases.targets(case)]] = 3 if knows else 0
        return scores

    return score


@pytest.fixture
def cases(tastes):
    return recommendation_cases(tastes, "test")


@pytest.fixture
def titles(tastes):
    return tastes.items["title"].to_list()


def _compared(cases, titles, before, after):
    pair = Pair(*(evaluate(cases, _knowing(cases, share)) for share in (before, after)))
    return task_comparison(pair, titles)


def test_what_b_knows_more_is_won_and_nothing_is_lost(cases, titles):
    found = _compared(cases, titles, 0.25, 0.75)

    assert found["counts"] == {"won": 60, "lost": 0, "equal": 60}
    assert found["losses"] == []
    for metric in COMPARED[:2]:
        number = found["slices"]["all"][metric]
        assert (number["a"], number["b"], number["verdict"]) == (0.25, 0.75, "better")
        assert number["low"] <= number["mean"] == 0.5 <= number["high"]


def test_the_other_way_round_every_sign_is_turned(cases, titles):
    one, other = (_compared(cases, titles, *shares) for shares in ((0.2, 0.6), (0.6, 0.2)))

    assert one["counts"]["won"] == other["counts"]["lost"] == 48
    assert one["slices"]["all"]["mrr"]["mean"] == -other["slices"]["all"]["mrr"]["mean"]
    assert one["sentence"].startswith("Recommendation: B is better; NDCG@10 differs by +0.4")
    assert other["sentence"].startswith("Recommendation: B is worse; NDCG@10 differs by -0.4")


def test_the_same_system_twice_is_level_everywhere(cases, titles):
    found = _compared(cases, titles, 0.5, 0.5)

    assert found["counts"] == {"won": 0, "lost": 0, "equal": len(cases)}
    assert (found["better"], found["worse"]) == ([], [])
    assert found["lists"]["in_both@10"] == 1
    assert "B cannot be told from A" in found["sentence"]


def test_a_slice_that_got_worse_is_named_though_the_whole_got_better(cases, titles):
    is_head = cases.slices["head"]  # one target for each case
    assert 10 < is_head.sum() < len(cases) / 2

    def knowing(known):
        def score(part):
            scores = _knowing(cases, 0)(part)
            of_known = part[known[part]]
            scores[np.flatnonzero(known[part]), cases.rows[of_known]] = 3
            return scores

        return score

    a, b = (evaluate(cases, knowing(known)) for known in (is_head, ~is_head))
    found = task_comparison(Pair(a, b), titles)

    assert found["slices"]["all"]["ndcg@10"]["verdict"] == "better"
    assert (found["worse"], "tail" in found["better"]) == (["head"], True)
    assert found["sentence"].endswith("It got worse in head.")


def test_the_largest_losses_stand_first_with_both_lists(cases, titles):
    found = _compared(cases, titles, 1, 0.9)

    gaps = [one["difference"] for one in found["losses"]]
    assert gaps == sorted(gaps)
    assert len(gaps) == 10
    for one in found["losses"]:
        assert one["a"]["best_rank"] == 1
        assert one["a"]["hits"][0] == {"title": one["targets"][0], "relevant": True}
        assert not any(hit["relevant"] for hit in one["b"]["hits"])


def test_systems_that_were_asked_other_cases_are_no_pair(tastes, cases):
    other = recommendation_cases(tastes, "validation")
    with pytest.raises(ConfigError, match="one Cases object"):
        Pair(*(evaluate(one, _knowing(one, 1)) for one in (cases, other)))


def test_the_page_escapes_the_shops_words_and_shows_both_lists(shop):
    cases = search_cases(shop, "test")
    titles = [f"<b>Item</b> {row}" for row in range(6)]
    section = _compared(cases, titles, 0.5, 1)
    asked = {"folder": "runs/<a>"}
    page = render(
        {
            "name": "Toy & sons",
            "split": "test",
            "a": asked,
            "b": asked,
            "tasks": {"search": section},
        }
    )

    seen = _Text()
    seen.feed(page)
    assert {"script", "b"}.isdisjoint(seen.tags)
    assert "Toy & sons: A and B" in seen.text
    assert section["sentence"] in seen.text
    assert seen.text.count("best right answer at 1") == 1
    assert "A: not found" not in seen.text
    [won] = section["wins"]
    assert f"nDCG@10 {won['difference']:+.4f}".lower() in seen.text
    a, _, b = seen.text.partition("A: best right answer")[2].partition("B: best right answer")
    assert [hit["title"] for hit in won["a"]["hits"] if hit["title"] not in a] == []
    assert [hit["title"] for hit in won["b"]["hits"] if hit["title"] not in b] == []


class _Text(HTMLParser):
    """The words and the tags of a page."""

    def __init__(self):
        super().__init__()
        self.text, self.tags = "", set()

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)

    def handle_data(self, data):
        self.text += data
