"""What is asked in an epoch, what is a negative of it, and what is mined for it."""

import numpy as np
import polars as pl
import pytest

from twotower.errors import ConfigError
from twotower.schema import PAD
from twotower.training.fine_tuning.batches import batch_of
from twotower.training.fine_tuning.catalogue import Catalogue
from twotower.training.fine_tuning.config import FineTuningConfig
from twotower.training.fine_tuning.mining import mined, together
from twotower.training.fine_tuning.questions import Question, Questions
from twotower.training.fine_tuning.titles import TitleQueries

TEXTS = ["Red Sofa", "red  sofa", "Blue Sofa", "Oak Table", "Red Lamp", "Green Chair"]
CATALOGUE = Catalogue(TEXTS)


def question(query="red sofa", rows=(0, 2, 3), gains=(3.0, 0.5, 0.0), positive=(1, 0, 0), words=()):
    return Question(
        query,
        np.array(rows),
        np.array(gains, np.float32),
        np.array(positive, bool),
        frozenset(words),
    )


def judgments(n_queries):
    return pl.DataFrame(
        {
            "query": [f"query {n}" for n in range(n_queries) for _ in range(2)],
            "item_row": [0, 3] * n_queries,
            "gain": [1.0, 0.0] * n_queries,
            "positive": [True, False] * n_queries,
        }
    )


def questions(judged, **settings):
    return Questions(judged, TitleQueries(TEXTS), FineTuningConfig(epochs=1, **settings))


def test_beside_judged_queries_some_are_made_up_from_titles():
    asked = questions(judgments(12), title_queries=4).epoch(1)
    assert len(asked) == 16
    assert sum(bool(one.words) for one in asked) == 4
    assert len({one.query for one in asked if not one.words}) == 12


def test_without_judgments_every_title_is_asked_once():
    asked = questions(None).epoch(1)
    assert sorted(one.best for one in asked) == [0, 1, 2, 3, 4, 5]
    assert all(one.words for one in asked)


def test_an_epoch_is_not_larger_than_asked_for_and_the_next_one_asks_others():
    every = questions(judgments(50), title_queries=0, epoch_queries=10)
    first, again, second = every.epoch(1), every.epoch(1), every.epoch(2)
    assert len(every) == len(first) == 10
    assert [one.query for one in first] == [one.query for one in again]
    assert {one.query for one in first} != {one.query for one in second}


def test_queries_without_a_positive_are_not_asked():
    judged = judgments(3).with_columns(positive=pl.col("positive") & (pl.col("query") != "query 1"))
    assert {one.query for one in questions(judged, title_queries=0).epoch(1)} == {
        "query 0",
        "query 2",
    }


def test_positives_and_their_twins_are_no_negatives():
    assert CATALOGUE.wrong(question(), np.arange(6)).tolist() == [0, 0, 1, 1, 1, 1]


def test_items_with_all_words_of_a_made_up_query_are_no_negatives():
    asked = question("red", (0,), (1.0,), (1,), words=["red"])
    assert CATALOGUE.wrong(asked, np.arange(6)).tolist() == [0, 0, 1, 1, 0, 1]


def ranking(scores, **settings):
    """Rows that are mined for a question whose items have these scores, best first."""
    of_all = np.array([scores], np.float32)
    config = FineTuningConfig(epochs=1, **settings)
    found = mined([question()], lambda part: of_all[part], CATALOGUE, np.arange(6), config)[0]
    return found[found != PAD].tolist()


def test_near_items_that_are_wrong_are_mined_nearest_first():
    scores = [1.0, 0.99, 0.5, 0.7, 0.6, 0.2]
    assert ranking(scores, mined_skip=0) == [3, 4, 2, 5]


def test_the_very_nearest_and_those_like_the_positive_are_not_mined():
    scores = [1.0, 0.99, 0.5, 0.97, 0.6, 0.2]
    assert ranking(scores, mined_skip=0) == [4, 2, 5]
    assert ranking(scores, mined_skip=4) == [2, 5]
    assert ranking(scores, mined_skip=0, mined_depth=4) == [4]


def test_of_two_miners_each_gives_half_and_nothing_twice():
    one, other = np.arange(16).reshape(2, 8), np.arange(16).reshape(2, 8)[::-1].copy()
    other[0, 1], other[1, 7] = 2, 99
    expected = [[0, 1, 2, 3, 8, PAD, 10, 11], [8, 9, 10, 11, 0, 1, 2, 3]]
    assert together(one, other).tolist() == expected


def batch(asked, hard, seed=0, **settings):
    settings = {"typo_share": 0.0, "drop_share": 0.0, **settings}
    config = FineTuningConfig(epochs=1, **settings)
    return batch_of(asked, np.array(hard), CATALOGUE, config, np.random.default_rng(seed))


def test_a_batch_holds_each_item_once_and_says_what_it_is_to_each_question():
    asked = [question(), question("lamp", (4,), (1.0,), (1,))]
    made = batch(asked, [[5, PAD], [PAD, PAD]], judged_items=3)
    assert made.items == ["Red Sofa", "Blue Sofa", "Oak Table", "Red Lamp", "Green Chair"]
    assert sorted(made.place_BJ[0].tolist()) == [0, 1, 2]
    assert made.place_BJ[1].tolist() == [3, PAD, PAD]
    assert made.wrong_BR.tolist() == [[False, True, True, True, True], [True] * 3 + [False, True]]


@pytest.mark.parametrize("seed", range(5))
def test_every_question_of_a_batch_has_a_positive(seed):
    made = batch([question()], [[PAD]], seed, judged_items=2)
    assert made.positive_BJ.sum() == 1
    assert made.place_BJ[made.positive_BJ].tolist() == [made.items.index("Red Sofa")]


def test_better_positives_are_drawn_more_often():
    asked = question(rows=(3, 4), gains=(3.0, 1.0), positive=(1, 1))
    drawn = [batch([asked], [[PAD]], seed, judged_items=1).items[0] for seed in range(200)]
    assert 0.65 < drawn.count("Oak Table") / 200 < 0.85


@pytest.mark.parametrize(
    ("setting", "told"),
    [
        ({"epochs": -1}, "fine_tuning.epochs must be at least 0, got -1"),
        ({"typo_share": 1.5}, r"fine_tuning.typo_share must be in \[0, 1\], got 1.5"),
        ({"learning_rate": float("nan")}, "fine_tuning.learning_rate must be above 0"),
        ({"drop_share": float("nan")}, "fine_tuning.drop_share must be in"),
        ({"mined_skip": 100}, "fine_tuning.mined_skip must be below mined_depth, got 100 of 100"),
        ({"mined_by": "hand"}, "mined_by must be one of encoder, words, both, got 'hand'"),
        ({"batch_queries": 1}, "fine_tuning.batch_queries must be at least 2, got 1"),
    ],
)
def test_settings_out_of_range_are_refused(setting, told):
    with pytest.raises(ConfigError, match=told):
        FineTuningConfig(**setting)
