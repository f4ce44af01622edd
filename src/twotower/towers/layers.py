"""Parts that more than one tower uses."""

# Shapes: B batch, H history length, D vector width.
from torch import Tensor, nn
from torch.nn import functional as F

EMBEDDING_STD = 0.02


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

    Its hidden layer is twice as wide as the vectors.

    Args:
        width: D, a multiple of `heads`.
        heads: attention heads.
        dropout: share dropped of attention weights and of what each part adds.

    Source:
        Vaswani et al., "Attention is all you need", 2017; pre-norm as in Xiong et al., 2020.
    """

    def __init__(self, width: int, heads: int, dropout: float) -> None:
        super().__init__()
        self.heads, self.dropout = heads, dropout
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
        mixed = F.scaled_dot_product_attention(q, k, v, is_causal=True, dropout_p=dropout)
        return mixed.transpose(1, 2).reshape(batch, length, width)


def table(rows: int, width: int) -> nn.Embedding:
    """An embedding table of small random rows."""
    embedding = nn.Embedding(rows, width)
    nn.init.normal_(embedding.weight, std=EMBEDDING_STD)
    return embedding


def is_table(module: nn.Module) -> bool:
    """Whether a module's weights are embeddings, which are not decayed."""
    return isinstance(module, nn.Embedding)
