"""The whole model: one item tower and the two towers that meet it."""

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from twotower.features.items import Feature
from twotower.towers.config import TowersConfig
from twotower.towers.item import IdEmbedding, ItemTower, TextAdapter
from twotower.towers.query import QueryTower
from twotower.towers.user import UserTower

MAX_SCALE = 100.0
"""Bound of 1 / temperature, as in CLIP: beyond it the loss only sharpens noise."""


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
            layers=config.item_layers,
            dropout=config.dropout,
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
                n_ids=_n_ids(features) if config.history_ids else 0,
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

    def start_from_ids(self, row_N: Tensor, vector_ND: Tensor) -> None:
        """Item ids start as the given vectors, such as those of a log's co-occurrences.

        Args:
            row_N: [N] id rows of the catalogue, 0 where the id is unknown.
            vector_ND: [N, D].
        """
        embedding = self.item.embeddings["id"]
        assert isinstance(embedding, IdEmbedding)
        embedding.start_from(row_N, vector_ND)


def _n_ids(features: Sequence[Feature]) -> int:
    """Rows of the id feature's table; 0 without one."""
    return next((feature.size for feature in features if feature.kind == "id"), 0)


def principal_directions(text_NW: Tensor, width: int) -> Tensor:
    """[D, W] orthonormal rows spanning the most of the vectors; zero rows beyond W."""
    rows_NW = text_NW[text_NW.abs().sum(1) > 0].double()
    _, vectors_WW = torch.linalg.eigh(rows_NW.T @ rows_NW)
    leading_DW = vectors_WW.flip(1).T[:width]
    padding_DW = torch.zeros(width - len(leading_DW), text_NW.shape[1], dtype=torch.double)
    return torch.cat([leading_DW, padding_DW]).float()
