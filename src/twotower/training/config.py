"""What is trained and how, as frozen objects; needs no PyTorch."""

import math
from dataclasses import dataclass, field
from typing import Literal

from twotower.errors import ConfigError
from twotower.features.items import ItemFeaturesConfig
from twotower.schema import EventKind
from twotower.towers.config import TowersConfig
from twotower.training.fine_tuning.config import FineTuningConfig


@dataclass(frozen=True)
class TrainingConfig:
    """Settings of a training run.

    Attributes:
        epochs: at most; early stopping usually ends before.
        patience: epochs without a better validation NDCG@10 before it stops.
        batch_histories: histories in a batch, at most.
        batch_events: events in a batch of histories, in the mean, at most; where histories are
            long, a batch holds fewer of them, and an epoch has more steps.
        batch_queries: queries in a batch.
        learning_rate: of AdamW, after the warm-up.
        weight_decay: of AdamW, on matrices that are no embedding tables.
        warmup_steps: steps over which the learning rate rises from 0.
        negatives: `all` is the full softmax, exact and best below some 200,000 items;
            `uniform` draws from the catalogue; `mixed` adds the batch's other positives, with
            the logQ correction.
        objective: `softmax` over the negatives, or one of the classic ones that judge each pair
            for itself: `pointwise` (binary cross-entropy) or `contrastive` (with a margin).
        uniform_negatives: uniform draws of a batch, with `uniform` and `mixed`.
        kind_weights: weight of a positive by event kind; kinds left out weigh 1. Kinds of weight 0
            are read in histories and never predicted.
        max_judged: judged items of a query kept in a batch, best first.
        listwise_weight: weight of the graded listwise term of judged queries.
        sharpness: how much a gain counts in that term.
        start_from_text: both text adapters start as a cosine-preserving projection.
        start_from_histories: item ids start near the items they are seen with.
        average_steps: steps over which the weights are averaged (exponentially); it is the
            averaged towers that are validated and kept. 0 keeps the last weights themselves.
        refit: once validation has chosen the number of epochs, train again from the start on
            the events of training and validation together; the test split stays unseen.
        validation_cases: at most, of each task, drawn once.
        seed: of weights, order, dropout and draws.
    """

    epochs: int = 30
    patience: int = 4
    batch_histories: int = 256
    batch_events: int = 4096
    batch_queries: int = 512
    learning_rate: float = 1e-3
    weight_decay: float = 0.01
    warmup_steps: int = 50
    negatives: Literal["all", "uniform", "mixed"] = "all"
    objective: Literal["softmax", "pointwise", "contrastive"] = "softmax"
    uniform_negatives: int = 4096
    kind_weights: dict[str, float] = field(default_factory=dict)
    max_judged: int = 64
    listwise_weight: float = 0.0
    sharpness: float = 2.0
    start_from_text: bool = False
    start_from_histories: bool = False
    average_steps: int = 0
    refit: bool = False
    validation_cases: int = 10_000
    seed: int = 0

    def __post_init__(self) -> None:
        for name in _AT_LEAST_ONE:
            if getattr(self, name) < 1:
                raise ConfigError(f"training.{name} must be at least 1, got {getattr(self, name)}")
        for name in _AT_LEAST_ZERO:
            if not 0 <= getattr(self, name) < math.inf:
                raise ConfigError(
                    f"training.{name} must be 0 or more, and finite, got {getattr(self, name)}"
                )
        for name in ("learning_rate", "sharpness"):
            if not 0 < getattr(self, name) < math.inf:
                raise ConfigError(
                    f"training.{name} must be above 0, and finite, got {getattr(self, name)}"
                )
        if self.negatives not in ("all", "uniform", "mixed"):
            raise ConfigError(
                f"training.negatives must be all, uniform or mixed, got {self.negatives!r}"
            )
        if self.objective not in ("softmax", "pointwise", "contrastive"):
            raise ConfigError(
                "training.objective must be softmax, pointwise or contrastive, "
                f"got {self.objective!r}"
            )
        if self.objective != "softmax" and self.negatives == "all":
            raise ConfigError(
                f"training.negatives must be uniform or mixed for objective {self.objective}, "
                "got 'all'"
            )
        unknown = set(self.kind_weights) - {kind.value for kind in EventKind}
        if unknown:
            raise ConfigError(f"training.kind_weights names unknown event kinds {sorted(unknown)}")
        for kind, weight in self.kind_weights.items():
            if not isinstance(weight, int | float) or not 0 <= weight < math.inf:
                raise ConfigError(
                    "training.kind_weights must be 0 or more, and finite, "
                    f"got {weight!r} for {kind}"
                )


_AT_LEAST_ZERO = ("weight_decay", "warmup_steps", "listwise_weight", "average_steps", "seed")
_AT_LEAST_ONE = (
    "epochs",
    "patience",
    "batch_histories",
    "batch_events",
    "batch_queries",
    "uniform_negatives",
    "max_judged",
    "validation_cases",
)


@dataclass(frozen=True)
class Design:
    """What is trained and how: the part of a recipe that training needs.

    Attributes:
        features: what the item tower sees.
        towers: the shape of the model.
        training: how it learns.
        fine_tuning: how its text encoder learns before.
    """

    features: ItemFeaturesConfig
    towers: TowersConfig
    training: TrainingConfig
    fine_tuning: FineTuningConfig = field(default_factory=FineTuningConfig)
