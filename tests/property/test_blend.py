"""Laws of the blend: the same order for candidates as for the whole catalogue."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from twotower.errors import ConfigError
from twotower.retrieval.blend import Scale, blend_scores

weights = st.floats(0, 1)
N = 20


def tables(low: float, high: float):
    numbers = st.floats(low, high, width=32)
    return st.integers(1, 4).flatmap(lambda b: arrays(np.float32, (b, N), elements=numbers))


def order(scores: np.ndarray, rows: np.ndarray) -> list[int]:
    return rows[np.lexsort((rows, -scores))].tolist()


@st.composite
def both(draw):
    semantic = draw(tables(-1, 1))
    lexical = draw(arrays(np.float32, semantic.shape, elements=st.floats(0, 30, width=32)))
    return semantic, lexical


@given(both(), weights, st.lists(st.integers(0, N - 1), min_size=1, unique=True))
def test_candidates_are_ordered_as_in_the_ranking_of_everything(scores, weight, chosen):
    semantic, lexical = scores
    rows = np.array(sorted(chosen))
    scale = Scale.of(semantic, lexical)
    whole = blend_scores(semantic, lexical, weight)
    part = blend_scores(semantic[:, rows], lexical[:, rows], weight, scale=scale)
    np.testing.assert_array_equal(whole[:, rows], part)
    for all_scores, part_scores in zip(whole, part, strict=True):
        kept = [row for row in order(all_scores, np.arange(N)) if row in set(chosen)]
        assert order(part_scores, rows) == kept


@given(both(), weights)
def test_better_in_both_is_never_worse_in_the_blend(scores, weight):
    semantic, lexical = scores
    blended = blend_scores(semantic, lexical, weight)
    for near, words, mixed in zip(semantic, lexical, blended, strict=True):
        better = (near[:, None] >= near) & (words[:, None] >= words)
        assert (mixed[:, None] >= mixed - 1e-6)[better].all()


@given(both())
def test_the_ends_of_the_weight_are_words_alone_and_meaning_alone(scores):
    semantic, lexical = scores
    words, meaning = blend_scores(semantic, lexical, 0.0), blend_scores(semantic, lexical, 1.0)
    for row in range(len(semantic)):
        assert (np.diff(words[row][np.argsort(lexical[row], kind="stable")]) >= 0).all()
        assert (np.diff(meaning[row][np.argsort(semantic[row], kind="stable")]) >= 0).all()


@given(both(), weights, st.integers(0, N - 1))
def test_a_row_that_may_not_be_returned_never_is(scores, weight, gone):
    semantic, lexical = scores
    semantic = semantic.copy()
    semantic[:, gone] = -np.inf
    blended = blend_scores(semantic, lexical, weight)
    assert (blended[:, gone] == -np.inf).all()
    assert np.isfinite(np.delete(blended, gone, axis=1)).all()


@given(both(), st.floats(0.1, 5), st.floats(-3, 3), weights)
def test_the_unit_of_the_scores_does_not_matter(scores, factor, shift, weight):
    semantic, lexical = (table.astype(np.float64) for table in scores)
    if (np.ptp(semantic, axis=1) < 1e-3).any():
        return
    before = blend_scores(semantic, lexical, weight)
    after = blend_scores(semantic * factor + shift, lexical * factor, weight)
    np.testing.assert_allclose(before, after, atol=1e-4)


def test_a_catalogue_that_scores_alike_is_no_accident():
    same = np.full((2, 5), 0.3, np.float32)
    assert (blend_scores(same, np.zeros((2, 5)), 0.5) == 0).all()
    assert blend_scores(np.empty((2, 0)), np.empty((2, 0)), 0.5).shape == (2, 0)


def test_bad_questions_are_refused_with_the_reason():
    with pytest.raises(ConfigError, match=r"weight must be in 0\.\.1"):
        blend_scores(np.zeros((1, 2)), np.zeros((1, 2)), 1.5)
    with pytest.raises(ConfigError, match="one shape"):
        blend_scores(np.zeros((1, 2)), np.zeros((1, 3)), 0.5)
