"""The user tower: what a visitor did becomes a vector beside the items."""

# Shapes: B visitors, H history length, S = H + 1 states, D vector width.
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from twotower.features.history import GAP_BUCKETS
from twotower.schema import EVENT_KINDS
from twotower.towers.layers import EMBEDDING_STD, CausalBlock, table


class UserTower(nn.Module):
    """A causal transformer over the item vectors of a history.

    A learned start state comes before the first event, so that a visitor who has done
    nothing yet also has a vector. State s has seen the first s events; in training each
    state predicts the next item.

    Args:
        width: D.
        max_length: H, the longest history it can read.
        layers: transformer blocks.
        heads: attention heads; must divide `width`.
        dropout: share dropped in training, of the inputs too.
        normalise: unit-length vectors (cosine), or free ones (inner product).
        n_ids: rows of the ids' own table, the first one for unknown ids; 0 leaves it out.

    Source:
        Kang and McAuley, "Self-attentive sequential recommendation", ICDM 2018, with item
        vectors in place of id embeddings.
    """

    def __init__(
        self,
        width: int,
        *,
        max_length: int,
        layers: int,
        heads: int,
        dropout: float,
        normalise: bool,
        n_ids: int = 0,
    ) -> None:
        super().__init__()
        self.id = table(n_ids, width, unknown=0) if n_ids else None
        self.max_length, self.normalise, self.dropout = max_length, normalise, dropout
        self.start_D = nn.Parameter(torch.randn(width) * EMBEDDING_STD)
        self.position = table(max_length + 1, width)
        self.kind = table(len(EVENT_KINDS) + 1, width)
        self.gap = table(GAP_BUCKETS, width)
        self.blocks = nn.ModuleList(
            CausalBlock(width, heads, dropout, max_length + 1) for _ in range(layers)
        )
        self.norm = nn.LayerNorm(width)

    def states(self, item_BHD: Tensor, id_BH: Tensor, kind_BH: Tensor, gap_BH: Tensor) -> Tensor:
        """[B, S, D]: the vector of each visitor before the first event and after each one.

        Args:
            item_BHD: item vectors of the history, oldest first; anything after its end.
            id_BH: id rows of its items, 0 where unknown.
            kind_BH: event kind codes.
            gap_BH: bucket of the time from each event to the next one, or to now.
        """
        start_B1D = self.start_D.expand(item_BHD.shape[0], 1, -1)
        event_BHD = item_BHD + self.kind(kind_BH) + self.gap(gap_BH)
        if self.id is not None:
            event_BHD = event_BHD + self.id(id_BH)
        x_BSD = torch.cat([start_B1D, event_BHD], dim=1)
        place_S = torch.arange(x_BSD.shape[1], device=x_BSD.device)
        x_BSD = F.dropout(x_BSD + self.position(place_S), self.dropout, self.training)
        for block in self.blocks:
            x_BSD = block(x_BSD)
        x_BSD = self.norm(x_BSD)
        return F.normalize(x_BSD, dim=-1) if self.normalise else x_BSD

    def forward(
        self, item_BHD: Tensor, id_BH: Tensor, kind_BH: Tensor, gap_BH: Tensor, length_B: Tensor
    ) -> Tensor:
        """[B, D]: the vector of each visitor after all of its `length_B` events."""
        state_BSD = self.states(item_BHD, id_BH, kind_BH, gap_BH)
        last_B1D = length_B.view(-1, 1, 1).expand(-1, 1, state_BSD.shape[2])
        return state_BSD.gather(1, last_B1D).squeeze(1)
