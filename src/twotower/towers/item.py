"""The item tower: every product as one vector, whichever of its features are known."""

# Shapes: N items, F features, D vector width, M values of a bag, W text width.
from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from twotower.errors import ConfigError
from twotower.features.items import Feature
from twotower.towers.config import Fusion
from twotower.towers.layers import ResidualMlp, table

_KNOTS = 16
_ATTENTION_WIDTH = 32


class IdEmbedding(nn.Module):
    """One vector for each id or category value: [N] -> [N, D]."""

    def __init__(self, size: int, width: int) -> None:
        super().__init__()
        self.table = table(size, width)

    def start_from(self, row_N: Tensor, vector_ND: Tensor) -> None:
        """Each known row becomes the given vector; row 0, the unknown one, stays."""
        known_N = row_N > 0
        with torch.no_grad():
            self.table.weight[row_N[known_N]] = vector_ND[known_N]

    def forward(self, row_N: Tensor) -> Tensor:
        vector_ND: Tensor = self.table(row_N)
        return vector_ND


class BagEmbedding(nn.Module):
    """The mean of a bag's known values: [N, M] -> [N, D]."""

    def __init__(self, size: int, width: int) -> None:
        super().__init__()
        self.table = table(size, width)

    def forward(self, row_NM: Tensor) -> Tensor:
        known_NM1 = (row_NM > 0).unsqueeze(-1).to(self.table.weight.dtype)
        total_ND: Tensor = (self.table(row_NM) * known_NM1).sum(1)
        return total_ND / known_NM1.sum(1).clamp(min=1)


class NumberEmbedding(nn.Module):
    """A number in [0, 1] as a point between learned knots: [N] -> [N, D]."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.table = table(_KNOTS, width)

    def forward(self, number_N: Tensor) -> Tensor:
        place_N = number_N.clamp(0, 1) * (_KNOTS - 1)
        low_N = place_N.floor().clamp(max=_KNOTS - 2)
        share_N1 = (place_N - low_N).unsqueeze(-1)
        row_N = low_N.long()
        low_ND, high_ND = self.table(row_N), self.table(row_N + 1)
        vector_ND: Tensor = low_ND + (high_ND - low_ND) * share_N1
        return vector_ND


class TextAdapter(nn.Module):
    """A linear map of the frozen text vector: [N, W] -> [N, D].

    `start_from` sets it to a projection that keeps the encoder's cosines, so that
    training starts from what the encoder already knows.
    """

    def __init__(self, text_width: int, width: int) -> None:
        super().__init__()
        self.map = nn.Linear(text_width, width)
        nn.init.zeros_(self.map.bias)  # a shared offset would push all cosines up

    def start_from(self, projection_DW: Tensor) -> None:
        """Becomes the given projection, without an offset."""
        with torch.no_grad():
            self.map.weight.copy_(projection_DW)
            self.map.bias.zero_()

    def forward(self, text_NW: Tensor) -> Tensor:
        vector_ND: Tensor = self.map(text_NW)
        return vector_ND


def _embedding(feature: Feature, width: int) -> nn.Module:
    if feature.kind == "text":
        return TextAdapter(feature.size, width)
    if feature.kind == "number":
        return NumberEmbedding(width)
    if feature.kind == "bag":
        return BagEmbedding(feature.size, width)
    return IdEmbedding(feature.size, width)


class AttentionFusion(nn.Module):
    """Weighs an item's features against each other and adds them up.

    The weights are a softmax over the features the item has, equal at the start; they
    are scaled by the square root of their number, so that a sum of independent parts
    keeps its size however many there are.
    """

    def __init__(self, n_features: int, width: int) -> None:
        super().__init__()
        self.hidden = nn.Linear(width, _ATTENTION_WIDTH)
        self.score = nn.Linear(_ATTENTION_WIDTH, 1, bias=False)
        self.prior_F = nn.Parameter(torch.zeros(n_features))
        nn.init.zeros_(self.score.weight)

    def forward(self, token_NFD: Tensor, present_NF: Tensor) -> tuple[Tensor, Tensor]:
        logit_NF = self.score(torch.tanh(self.hidden(token_NFD))).squeeze(-1) + self.prior_F
        weight_NF = _masked_softmax(logit_NF, present_NF)
        count_N1 = present_NF.sum(1, keepdim=True).clamp(min=1).to(token_NFD.dtype)
        scaled_NF1 = (weight_NF * count_N1.sqrt()).unsqueeze(-1)
        return (token_NFD * scaled_NF1).sum(1), weight_NF


class SumFusion(nn.Module):
    """Adds the features an item has, all with the same weight."""

    def forward(self, token_NFD: Tensor, present_NF: Tensor) -> tuple[Tensor, Tensor]:
        weight_NF = _masked_softmax(torch.zeros_like(token_NFD[..., 0]), present_NF)
        kept_NF1 = present_NF.unsqueeze(-1).to(token_NFD.dtype)
        return (token_NFD * kept_NF1).sum(1), weight_NF


class ConcatFusion(nn.Module):
    """Joins all features side by side; a learned vector stands for a missing one."""

    def __init__(self, n_features: int, width: int) -> None:
        super().__init__()
        self.missing_FD = nn.Parameter(torch.zeros(n_features, width))
        self.join = nn.Linear(n_features * width, width)
        nn.init.zeros_(self.join.bias)  # shared by all items, it would make all cosines high

    def forward(self, token_NFD: Tensor, present_NF: Tensor) -> tuple[Tensor, Tensor]:
        weight_NF = _masked_softmax(torch.zeros_like(token_NFD[..., 0]), present_NF)
        filled_NFD = torch.where(present_NF.unsqueeze(-1), token_NFD, self.missing_FD)
        return self.join(filled_NFD.flatten(1)), weight_NF


def _masked_softmax(logit_NF: Tensor, present_NF: Tensor) -> Tensor:
    """Softmax over the present features; all zero for an item with none."""
    masked_NF = logit_NF.masked_fill(~present_NF, torch.finfo(logit_NF.dtype).min)
    return torch.softmax(masked_NF, dim=1) * present_NF.to(logit_NF.dtype)


def _fusion(kind: Fusion, n_features: int, width: int) -> nn.Module:
    if kind == "attention":
        return AttentionFusion(n_features, width)
    if kind == "concat":
        return ConcatFusion(n_features, width)
    if kind == "sum":
        return SumFusion()
    raise ConfigError(f"towers.fusion must be attention, concat or sum, got {kind!r}")


class ItemTower(nn.Module):
    """Features of items in, one vector each out, and how much each feature weighed.

    Args:
        features: the inputs, in the order of `present`.
        width: D.
        fusion: how features become one vector.
        id_dropout: share of items whose id is hidden in a training step, so that the
            tower also learns to place an item by its other features.
        layers: residual layers above the fusion; without any, a vector is the fused one.
        dropout: share of the layers' hidden units dropped in training.
        normalise: unit-length vectors (cosine), or free ones (inner product).

    Source:
        id dropout: Volkovs et al., "DropoutNet", NeurIPS 2017.
    """

    def __init__(
        self,
        features: Sequence[Feature],
        width: int,
        *,
        fusion: Fusion,
        id_dropout: float,
        layers: int,
        dropout: float,
        normalise: bool,
    ) -> None:
        super().__init__()
        self.features = tuple(features)
        self.id_dropout, self.normalise = id_dropout, normalise
        self.embeddings = nn.ModuleDict({f.name: _embedding(f, width) for f in features})
        self.fusion = _fusion(fusion, len(features), width)
        self.layers = nn.Sequential(*(ResidualMlp(width, dropout) for _ in range(layers)))

    def forward(self, arrays: Mapping[str, Tensor]) -> tuple[Tensor, Tensor]:
        """Vectors and attention weights.

        Args:
            arrays: what `ItemFeatures.encode` gives, as tensors.

        Returns:
            [N, D] item vectors and [N, F] weights that sum to 1 over the features present.
        """
        token_NFD = torch.stack([self.embeddings[f.name](arrays[f.name]) for f in self.features], 1)
        present_NF = self._hide_ids(arrays["present"])
        fused_ND, weight_NF = self.fusion(token_NFD, present_NF)
        vector_ND = self.layers(fused_ND)
        return (F.normalize(vector_ND, dim=-1) if self.normalise else vector_ND), weight_NF

    def _hide_ids(self, present_NF: Tensor) -> Tensor:
        """In training, some ids count as missing, but never an item's only feature."""
        names = [feature.kind for feature in self.features]
        if not self.training or self.id_dropout == 0 or "id" not in names:
            return present_NF
        column = names.index("id")
        hidden_N = torch.rand(len(present_NF), device=present_NF.device) < self.id_dropout
        hidden_N &= present_NF.sum(1) > 1
        present_NF = present_NF.clone()
        present_NF[:, column] &= ~hidden_N
        return present_NF
