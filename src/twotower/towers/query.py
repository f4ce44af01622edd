"""The query tower: typed words become a vector beside the items."""

# Shapes: B queries, W text width, D vector width.
from torch import Tensor, nn
from torch.nn import functional as F

from twotower.towers.item import TextAdapter
from twotower.towers.layers import ResidualMlp


class QueryTower(nn.Module):
    """An adapter on the text encoder's vector of the query.

    Args:
        text_width: W.
        width: D.
        dropout: share of hidden units dropped in training.
        normalise: unit-length vectors (cosine), or free ones (inner product).
    """

    def __init__(self, text_width: int, width: int, *, dropout: float, normalise: bool) -> None:
        super().__init__()
        self.adapter = TextAdapter(text_width, width)
        self.mlp = ResidualMlp(width, dropout)
        self.normalise = normalise

    def forward(self, text_BW: Tensor) -> Tensor:
        """[B, D] query vectors from [B, W] text vectors."""
        vector_BD: Tensor = self.mlp(self.adapter(text_BW))
        return F.normalize(vector_BD, dim=-1) if self.normalise else vector_BD
