"""The shape of the model, as one frozen object; needs no PyTorch."""

import math
from dataclasses import dataclass
from typing import Literal

from twotower.errors import ConfigError

Fusion = Literal["attention", "concat", "sum"]


@dataclass(frozen=True)
class TowersConfig:
    """The shape of the model.

    Attributes:
        width: D, width of all vectors.
        similarity: `cosine` (unit-length vectors and a learned temperature) or `dot`.
        fusion: how an item's features become one vector.
        item_layers: residual layers of the item tower above the fusion.
        id_dropout: share of item ids hidden in a training step.
        dropout: in all towers.
        history: H, events of a visitor that the user tower reads.
        history_ids: items of a history have an id embedding of their own, added to their
            vector: what an item leads to is not what it is found by.
        layers: transformer blocks of the user tower.
        heads: attention heads of the user tower; must divide `width`.
        temperature: at the start, for `cosine`.
    """

    width: int = 128
    similarity: Literal["cosine", "dot"] = "cosine"
    fusion: Fusion = "attention"
    item_layers: int = 1
    id_dropout: float = 0.1
    dropout: float = 0.2
    history: int = 50
    history_ids: bool = False
    layers: int = 2
    heads: int = 2
    temperature: float = 0.05

    def __post_init__(self) -> None:
        if self.similarity not in ("cosine", "dot"):
            raise ConfigError(f"towers.similarity must be cosine or dot, got {self.similarity!r}")
        if self.fusion not in ("attention", "concat", "sum"):
            raise ConfigError(
                f"towers.fusion must be attention, concat or sum, got {self.fusion!r}"
            )
        if self.heads < 1 or self.width < 1 or self.width % self.heads:
            raise ConfigError(
                f"towers.width must be a multiple of heads ({self.heads}), got {self.width}"
            )
        for name in ("id_dropout", "dropout"):
            if not 0 <= getattr(self, name) < 1:
                raise ConfigError(f"towers.{name} must be in [0, 1), got {getattr(self, name)}")
        if self.history < 1 or self.layers < 1 or self.item_layers < 0:
            raise ConfigError(
                "towers.history and layers must be at least 1, item_layers at least 0"
            )
        if not 0 < self.temperature < math.inf:
            raise ConfigError(
                f"towers.temperature must be positive and finite, got {self.temperature}"
            )
