"""What every metric of a report is, in one line: shown where its name is pointed at."""

from typing import Final

FORMULAS: Final = {
    "recall": "share of the right items in the first k: |{i in R: r_i <= k}| / |R|",
    "precision": "share of the first k that is right: |{i in R: r_i <= k}| / k",
    "hit_rate": "1 where any right item is in the first k: [min r_i <= k]",
    "ndcg": "sum of g_i / log2(1 + r_i) over r_i <= k, divided by that of the best order",
    "mrr": "1 / rank of the first right item, mean over cases",
    "map": "mean precision at the right items: 1/|R| * sum_j j / r_(j), mean over cases",
    "coverage": "share of the catalogue in any list: |union of lists| / N",
    "gini": "inequality of exposure x_i in ascending order: sum_i (2i - N - 1) x_i / (N sum x); "
    "0 when every item is shown equally often",
    "overlap": "share of a list that another case is shown too: "
    "sum_i x_i (x_i - 1) / ((C - 1) sum x)",
    "novelty": "bits of surprise: mean over the list of -log2 p(i), p(i) = (count_i + 1) / "
    "(sum of counts + N)",
    "diversity": "1 - mean cosine of two items of the list, by their text vectors",
    "category_diversity": "share of the pairs of two items of the list with different categories",
    "brand_diversity": "share of the pairs of two items of the list with different brands",
    "retrieval AUC": "share of the other items that stand behind a right one, ties against it",
}
"""Metric without its cut-off -> formula; R are the right items of a case, r_i the rank of one,
g_i its gain."""


def formula(metric: str) -> str | None:
    """The formula of a metric by its name in reports; None for what is no metric.

    Example:
        >>> formula("precision@10")
        'share of the first k that is right: |{i in R: r_i <= k}| / k'
    """
    return FORMULAS.get(metric.partition("@")[0])
