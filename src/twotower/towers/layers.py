"""Parts that more than one tower uses."""

# Shapes: B batch, H history length, D vector width, A attention heads.
import torch
from torch import Tensor, nn
from torch.nn import functional as F

EMBEDDING_STD = 0.02
_STEEPEST = 0.25


class ResidualMlp(nn.Module):
    """`x + MLP(norm(x))`, the identity at the start: its last layer is zero.

    Args:
        width: D; the hidden layer is twice as wide.
        dropout: share of the hidden units dropped in training.
    """

    def __init__(self, width: int, dropout: float = 0.0) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.up = nn.Linear(width, 2 * width)
        self.down = nn.Linear(2 * width, width)
        self.dropout = dropout
        nn.init.zeros_(self.down.weight)
        nn.init.zeros_(self.down.bias)

    def forward(self, x: Tensor) -> Tensor:
        hidden = F.gelu(self.up(self.norm(x)))
        if self.dropout:
            hidden = F.dropout(hidden, self.dropout, self.training)
        return x + self.down(hidden)  # type: ignore[no-any-return]


class CausalBlock(nn.Module):
    """A pre-norm transformer block in which an event sees only itself and earlier ones.

    Its hidden layer is twice as wide as the vectors. Each head has a bias by distance, learned
    from a start at which earlier events count less and less, in every head at a pace of its own.

    Args:
        width: D, a multiple of `heads`.
        heads: attention heads.
        dropout: share dropped of attention weights and of what each part adds.
        max_length: longest sequence it can read.

    Source:
        Vaswani et al., "Attention is all you need", 2017; pre-norm as in Xiong et al., 2020;
        the bias starts where Press et al., "Train short, test long", 2022, leave it.
    """

    def __init__(self, width: int, heads: int, dropout: float, max_length: int) -> None:
        super().__init__()
        self.heads, self.dropout = heads, dropout
        self.distance = table(max_length, heads)
        with torch.no_grad():
            self.distance.weight.copy_(_slopes(heads, max_length))
        self.attention_norm, self.mlp_norm = nn.LayerNorm(width), nn.LayerNorm(width)
        self.qkv, self.out = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.up, self.down = nn.Linear(width, 2 * width), nn.Linear(2 * width, width)

    def forward(self, x_BHD: Tensor) -> Tensor:
        x_BHD = x_BHD + self._drop(self.out(self._attend(self.attention_norm(x_BHD))))
        hidden = F.gelu(self.up(self.mlp_norm(x_BHD)))
        return x_BHD + self._drop(self.down(hidden))

    def _drop(self, x: Tensor) -> Tensor:
        return F.dropout(x, self.dropout, self.training)

    def _attend(self, x_BHD: Tensor) -> Tensor:
        batch, length, width = x_BHD.shape
        qkv = self.qkv(x_BHD).view(batch, length, 3, self.heads, width // self.heads)
        q, k, v = qkv.permute(2, 0, 3, 1, 4).unbind(0)
        dropout = self.dropout if self.training else 0.0
        bias = self._bias(length)
        mixed = F.scaled_dot_product_attention(q, k, v, attn_mask=bias, dropout_p=dropout)
        return mixed.transpose(1, 2).reshape(batch, length, width)

    def _bias(self, length: int) -> Tensor:
        """[A, length, length] added to the logits: by distance back, shutting out what is ahead."""
        place = torch.arange(length, device=self.distance.weight.device)
        distance = place.unsqueeze(1) - place
        bias: Tensor = self.distance(distance.clamp(min=0)).permute(2, 0, 1)
        return bias.masked_fill(distance < 0, torch.finfo(bias.dtype).min)


def _slopes(heads: int, length: int) -> Tensor:
    """[length, A] a straight line down for each head, the first one the steepest."""
    slope_A = _STEEPEST ** (torch.arange(1, heads + 1) / heads)
    return -torch.arange(length).unsqueeze(1) * slope_A


def table(rows: int, width: int, unknown: int | None = None) -> nn.Embedding:
    """An embedding table of small random rows; that of the unknown is zero, and stays so."""
    embedding = nn.Embedding(rows, width, padding_idx=unknown)
    with torch.no_grad():
        embedding.weight.normal_(std=EMBEDDING_STD)
        if unknown is not None:
            embedding.weight[unknown] = 0
    return embedding


def is_table(module: nn.Module) -> bool:
    """Whether a module's weights are embeddings, which are not decayed."""
    return isinstance(module, nn.Embedding)
