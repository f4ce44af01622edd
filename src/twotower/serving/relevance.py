"""How likely a product fits: learnt from judged pairs of validation, checked on those of test.

Pairs are what was judged, right where it counts as a positive, and products drawn from the
whole catalogue for the same queries, counted as wrong: judged products alone are near misses
at worst, and say nothing of what is far away. Evidence is a logistic regression; the curve over
it is isotonic, so that a probability means what it says.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any, Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from twotower import schema
from twotower.evaluation.protocol import batches
from twotower.evaluation.ranks import top_rows
from twotower.lexical.word_search import WordSearch
from twotower.retrieval.blend import blend_scores
from twotower.retrieval.relevance import Relevance
from twotower.serving.fusion import FEWEST_QUERIES
from twotower.serving.scorers import Subject, query_scorer

DRAWN: Final = 10
"""Products drawn for each query."""
LEADING: Final = 10
"""First hits of a hybrid list: what a shopper sees."""
KEPT: Final = 0.98
"""Share of the right products among the leading ones that the cut-off keeps."""
_HIGHEST_CUT: Final = 0.5
"""What is more likely right than wrong is never a weak match."""
_BINS: Final = 20
_PER_BIN: Final = 25
_RIDGE: Final = 1e-3
_CELLS: Final = 8_000_000


@dataclass(frozen=True)
class Pairs:
    """P pairs of query and product.

    Attributes:
        semantic: float[P] inner products.
        coverage: float[P] shares of the query's words that the product holds.
        right: bool[P] judged, and a positive.
        judged: bool[P] judged; the others were drawn.
        leading: bool[P] among the first `LEADING` hits of the hybrid list.
        matches: int[Q] rows that match each query, by the relevance that was given.
    """

    semantic: NDArray[np.float64]
    coverage: NDArray[np.float64]
    right: NDArray[np.bool_]
    judged: NDArray[np.bool_]
    leading: NDArray[np.bool_]
    matches: NDArray[np.int64]


def judged_pairs(
    subject: Subject,
    words: WordSearch,
    split: str,
    *,
    weight: float,
    relevance: Relevance | None = None,
    seed: int = 0,
) -> Pairs:
    """The pairs of a split.

    Args:
        subject: with a query tower, and at least one judged query in the split.
        words: as they are served.
        split: whose queries.
        weight: the share of meaning in the hybrid list.
        relevance: by which matches are counted; the rule's when not given.
        seed: of the draws.
    """
    asked = _asked(subject, split)
    queries, rule = asked[schema.QUERY].to_list(), relevance or Relevance()
    readings = [words.read(query) for query in queries]
    meant = [reading.corrected or query for reading, query in zip(readings, queries, strict=True)]
    semantic = query_scorer(subject, meant)
    n_items, rng = subject.dataset.n_items, np.random.default_rng(seed)
    found: list[Pairs] = []
    for cases in batches(len(queries), n_items, max(1, _CELLS // n_items)):
        for case, meaning in zip(cases.tolist(), semantic(cases), strict=True):
            held = words.scores(readings[case])
            coverage = words.coverage(readings[case], held)
            leading = top_rows(blend_scores(meaning[None], held[None], weight)[0], LEADING)
            judged = np.array(asked[schema.ITEM_ROW][case].to_list(), np.int64)
            drawn = np.setdiff1d(rng.integers(0, n_items, DRAWN), judged)
            rows = np.concatenate([judged, drawn])
            right = np.zeros(len(rows), np.bool_)
            right[: len(judged)] = asked[schema.POSITIVE][case].to_list()
            matches = int((rule.fit(meaning, coverage) >= rule.cut_off).sum())
            found.append(
                Pairs(
                    meaning[rows].astype(np.float64),
                    coverage[rows].astype(np.float64),
                    right,
                    np.arange(len(rows)) < len(judged),
                    np.isin(rows, leading),
                    np.array([matches]),
                )
            )
    return _joined(found)


def fitted(pairs: Pairs) -> Relevance:
    """The relevance that the pairs teach; the rule, where they are too few to teach one."""
    if len(pairs.matches) < FEWEST_QUERIES or pairs.right.sum() < _PER_BIN:
        return Relevance()
    bias, semantic, words = _logistic(pairs)
    evidence = bias + semantic * pairs.semantic + words * pairs.coverage
    points, probability = _curve(evidence, pairs.right)
    seen = np.interp(evidence[pairs.right & pairs.leading], points, probability)
    lowest = np.quantile(seen, 1 - KEPT, method="lower") if len(seen) else _HIGHEST_CUT
    return Relevance(
        bias,
        semantic,
        words,
        tuple(np.round(points, 6).tolist()),
        tuple(np.round(probability, 6).tolist()),
        float(np.floor(min(lowest, _HIGHEST_CUT) * 1e4) / 1e4),
        len(pairs.matches),
    )


def reliability(pairs: Pairs, relevance: Relevance) -> dict[str, Any]:
    """Whether probabilities mean what they say, on queries that did not teach them.

    Returns:
        `bins` of equal size from the lowest to the highest probability, each with `predicted`
        and `observed` share of right pairs and `n`; `ece`, the mean distance of the two; what
        the cut-off keeps, and how many rows match a query.
    """
    told = relevance.fit(pairs.semantic, pairs.coverage)
    bins = [
        {
            "predicted": float(told[part].mean()),
            "observed": float(pairs.right[part].mean()),
            "n": len(part),
        }
        for part in np.array_split(np.argsort(told, kind="stable"), 10)
        if len(part)
    ]
    apart = sum(one["n"] * abs(one["predicted"] - one["observed"]) for one in bins)
    seen = told[pairs.right & pairs.leading] >= relevance.cut_off
    return {
        "queries": len(pairs.matches),
        "judged_pairs": int(pairs.judged.sum()),
        "drawn_pairs": int((~pairs.judged).sum()),
        "ece": apart / len(told),
        "bins": bins,
        "cut_off": relevance.cut_off,
        "right_leading_hits_kept": float(seen.mean()) if len(seen) else 1.0,
        "median_matches": float(np.median(pairs.matches)),
        "queries_without_match": float((pairs.matches == 0).mean()),
    }


def _joined(parts: Sequence[Pairs]) -> Pairs:
    """All pairs of some queries, at least one, in their order."""
    columns = {
        field.name: np.concatenate([getattr(part, field.name) for part in parts])
        for field in fields(Pairs)
    }
    return Pairs(**columns)


def _asked(subject: Subject, split: str) -> pl.DataFrame:
    """query, and lists of item_row and positive: what was judged of it, each item once."""
    assert subject.dataset.judgments is not None, "only a shop with judgments is asked"
    known = (pl.col(schema.SPLIT) == split) & (pl.col(schema.ITEM_ROW) >= 0)
    pairs = subject.dataset.judgments.filter(known & pl.col(schema.GAIN).is_not_null())
    once = pairs.group_by(schema.QUERY, schema.ITEM_ROW, maintain_order=True)
    lists = once.agg(pl.col(schema.POSITIVE).any()).group_by(schema.QUERY, maintain_order=True)
    return lists.agg(schema.ITEM_ROW, schema.POSITIVE)


def _logistic(pairs: Pairs) -> tuple[float, float, float]:
    """Bias and weights of meaning and words; neither counts against a product."""
    columns = [np.ones_like(pairs.semantic), pairs.semantic, pairs.coverage]
    kept = [0, 1, 2]
    while True:
        weights = _newton(np.stack([columns[place] for place in kept], axis=1), pairs.right)
        against = [place for place, weight in zip(kept, weights, strict=True) if weight < 0]
        if not any(against):
            found = dict(zip(kept, weights.tolist(), strict=True))
            return found[0], found.get(1, 0.0), found.get(2, 0.0)
        kept.remove(next(place for place in against if place))


def _newton(inputs: NDArray[np.float64], right: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Weights of a logistic regression with a slight ridge."""
    ridge = _RIDGE * np.eye(inputs.shape[1])
    weights = np.zeros(inputs.shape[1])
    for _ in range(30):
        told = 1 / (1 + np.exp(-np.clip(inputs @ weights, -30, 30)))
        slope = inputs.T @ (told - right) + ridge @ weights
        bend = (inputs * (told * (1 - told))[:, None]).T @ inputs + ridge
        weights = weights - np.linalg.solve(bend, slope)
    return weights


def _curve(
    evidence: NDArray[np.float64], right: NDArray[np.bool_]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Ascending evidence and the share that is right there, never falling.

    Bins of equal size, each with half a right and half a wrong pair more; bins that fall are
    joined (pool adjacent violators).
    """
    n_bins = int(np.clip(len(evidence) // _PER_BIN, 2, _BINS))
    blocks: list[list[float]] = []
    for part in np.array_split(np.argsort(evidence, kind="stable"), n_bins):
        n = float(len(part))
        blocks.append([evidence[part].mean(), (right[part].sum() + 0.5) / (n + 1), n])
        while len(blocks) > 1 and blocks[-2][1] >= blocks[-1][1]:
            (x1, y1, n1), (x0, y0, n0) = blocks.pop(), blocks.pop()
            n = n0 + n1
            blocks.append([(x0 * n0 + x1 * n1) / n, (y0 * n0 + y1 * n1) / n, n])
    points, shares, _ = np.array(blocks).T
    return points, shares
