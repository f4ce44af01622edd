"""Every metric that a report holds says what it is."""

import re

import numpy as np

from twotower.evaluation import metrics
from twotower.evaluation.cases import recommendation_cases
from twotower.evaluation.diversity import Traits
from twotower.evaluation.formulas import formula
from twotower.evaluation.markup import row, table
from twotower.evaluation.protocol import evaluate
from twotower.evaluation.results import TaskResult, task_section


def test_every_metric_of_a_report_has_a_formula(tastes):
    cases = recommendation_cases(tastes, "test")
    found = evaluate(cases, lambda part: np.zeros((len(part), 40)))
    groups = {"category": np.arange(40) % 3, "brand": np.arange(40) % 5}
    result = TaskResult("test", {"model": found}, traits=Traits(np.eye(40), groups))
    section = task_section(result, resamples=10)

    names = set(section["metrics"]["all"])
    assert len(names) > 20
    assert [name for name in sorted(names) if formula(name) is None] == []


def test_what_the_page_says_is_what_the_code_documents():
    for name in ("recall", "precision", "hit_rate"):
        documented = re.findall(r"`([^`]*r_i <= k[^`]*)`", getattr(metrics, name).__doc__)
        assert documented, name
        assert documented[0] in formula(f"{name}@10")


def test_a_metric_is_told_where_it_is_pointed_at_and_other_words_are_not():
    page = table("", ["system", "mrr"], [row("ndcg@10", ["1"]), row("a < b", ["2"])])
    assert re.findall(r'<abbr title="[^"]+">([^<]+)</abbr>', page) == ["mrr", "ndcg@10"]
    assert "a &lt; b" in page
