"""The whole model: one item tower and the two towers that meet it."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn

from twotower.errors import ConfigError
from twotower.features.items import Feature
from twotower.towers.item import Fusion, ItemTower, TextAdapter
from twotower.towers.query import QueryTower
from twotower.towers.user import UserTower

MAX_SCALE = 100.0
"""Bound of 1 / temperature, as in CLIP: beyond it the loss only sharpens noise."""


@dataclass(frozen=True)
class TowersConfig:
    """The shape of the model.

    Attributes:
        width: D, width of all vectors.
        similarity: `cosine` (unit-length vectors and a learned temperature) or `dot`.
        fusion: how an item's features become one vector.
        id_dropout: share of item ids hidden in a training step.
        dropout: in the user and the query tower.
        history: H, events of a visitor that the user tower reads.
        layers: transformer blocks of the user tower.
        heads: attention heads of the user tower; must divide `width`.
        temperature: at the start, for `cosine`.
    """

    width: int = 128
    similarity: Literal["cosine", "dot"] = "cosine"
    fusion: Fusion = "attention"
    id_dropout: float = 0.1
    dropout: float = 0.2
    history: int = 50
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
        if self.history < 1 or self.layers < 1:
            raise ConfigError("towers.history and layers must be at least 1")
        if not 0 < self.temperature < math.inf:
            raise ConfigError(
                f"towers.temperature must be positive and finite, got {self.temperature}"
            )


class TwoTower(nn.Module):
    """Item tower, and a user tower and a query tower where there is something to learn from.

    Args:
        config: the shape.
        features: inputs of the item tower.
        text_width: W, width of the text encoder's vectors.
        with_users: whether there are histories to learn from.
        with_queries: whether there are judged queries to learn from.
    """

    def __init__(
        self,
        config: TowersConfig,
        features: Sequence[Feature],
        *,
        text_width: int,
        with_users: bool,
        with_queries: bool,
    ) -> None:
        super().__init__()
        self.config = config
        normalise = config.similarity == "cosine"
        self.item = ItemTower(
            features,
            config.width,
            fusion=config.fusion,
            id_dropout=config.id_dropout,
            normalise=normalise,
        )
        self.user = (
            UserTower(
                config.width,
                max_length=config.history,
                layers=config.layers,
                heads=config.heads,
                dropout=config.dropout,
                normalise=normalise,
            )
            if with_users
            else None
        )
        self.query = (
            QueryTower(text_width, config.width, dropout=config.dropout, normalise=normalise)
            if with_queries
            else None
        )
        scale = 1 / config.temperature if normalise else 1.0
        self.log_scale = nn.Parameter(torch.tensor(math.log(scale)), requires_grad=normalise)

    def scale(self) -> Tensor:
        """1 / temperature, by which scores become logits."""
        return self.log_scale.exp().clamp(max=MAX_SCALE)

    def start_from_text(self, text_NW: Tensor) -> None:
        """Both text adapters become the same cosine-preserving projection.

        The projection is the leading principal directions of the catalogue's text
        vectors, so that search starts at the frozen encoder's quality instead of at
        chance.

        Args:
            text_NW: [N, W] text vectors of the catalogue.
        """
        projection_DW = principal_directions(text_NW, self.config.width)
        for adapter in self.modules():
            if isinstance(adapter, TextAdapter):
                adapter.start_from(projection_DW)


def principal_directions(text_NW: Tensor, width: int) -> Tensor:
    """[D, W] orthonormal rows spanning the most of the vectors; zero rows beyond W."""
    rows_NW = text_NW[text_NW.abs().sum(1) > 0].double()
    _, vectors_WW = torch.linalg.eigh(rows_NW.T @ rows_NW)
    leading_DW = vectors_WW.flip(1).T[:width]
    padding_DW = torch.zeros(width - len(leading_DW), text_NW.shape[1], dtype=torch.double)
    return torch.cat([leading_DW, padding_DW]).float()
