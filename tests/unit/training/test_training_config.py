"""Settings of training outside their range are refused by name."""

import math

import pytest

from twotower.errors import ConfigError
from twotower.training.config import TrainingConfig


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("epochs", 0),
        ("patience", 0),
        ("batch_histories", 0),
        ("batch_queries", -3),
        ("uniform_negatives", 0),
        ("max_judged", 0),
        ("validation_cases", 0),
        ("learning_rate", 0.0),
        ("learning_rate", math.nan),
        ("learning_rate", math.inf),
        ("weight_decay", -0.1),
        ("weight_decay", math.nan),
        ("warmup_steps", -1),
        ("listwise_weight", -1.0),
        ("listwise_weight", math.nan),
        ("sharpness", 0.0),
        ("sharpness", math.inf),
        ("negatives", "some"),
        ("objective", "regression"),
        ("kind_weights", {"look": 1.0}),
        ("kind_weights", {"view": -1.0}),
        ("kind_weights", {"view": math.nan}),
        ("kind_weights", {"view": "much"}),
        ("seed", -1),
    ],
)
def test_a_setting_outside_its_range_is_refused_by_name(field, value):
    with pytest.raises(ConfigError, match=rf"training\..*{field}"):
        TrainingConfig(**{field: value})


@pytest.mark.parametrize("objective", ["pointwise", "contrastive"])
def test_objectives_of_pairs_need_drawn_negatives(objective):
    assert TrainingConfig(objective=objective, negatives="uniform").objective == objective
    with pytest.raises(ConfigError, match=f"uniform or mixed for objective {objective}"):
        TrainingConfig(objective=objective, negatives="all")
