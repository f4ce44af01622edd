"""The classic objectives: each pair judged for itself, not against the others.

They are here to be measured beside the softmax. A softmax asks which of all items comes next;
these ask of each pair whether it belongs together, so a negative far down costs as much
thought as one near the top.
"""

# Shapes: P positives, C candidates.
from collections.abc import Callable, Mapping
from typing import Final

from torch import Tensor
from torch.nn.functional import softplus

MARGIN: Final = 0.5
"""Cosine up to which a negative costs nothing in the contrastive loss."""

PairLoss = Callable[[Tensor, Tensor, Tensor, Tensor], Tensor]
"""(scores of positives [P], of candidates [P, C], kept [P, C], weights [P]) -> scalar."""


def pointwise_loss(
    positive_P: Tensor, negative_PC: Tensor, keep_PC: Tensor, weight_P: Tensor
) -> Tensor:
    """Binary cross-entropy: is this pair one that happened?

        loss = -log sigmoid(s_p) - mean over kept j of log(1 - sigmoid(s_j))

    A positive weighs as much as all its negatives together.

    Args:
        positive_P: [P] logits of the positives; inner products, since cosines would keep the
            sigmoid between .27 and .73.
        negative_PC: [P, C] logits of the candidates.
        keep_PC: [P, C] False where a candidate is no negative for that row.
        weight_P: [P] weights; not all zero.

    Returns:
        Scalar, in nats.

    Source:
        He et al., "Neural collaborative filtering", WWW 2017, section 3.1.1.
    """
    cost_P = softplus(-positive_P.float()) + _mean(softplus(negative_PC.float()), keep_PC)
    return (cost_P * weight_P).sum() / weight_P.sum()


def contrastive_loss(
    positive_P: Tensor, negative_PC: Tensor, keep_PC: Tensor, weight_P: Tensor
) -> Tensor:
    """Positives are drawn together, negatives pushed apart up to a margin.

        loss = (1 - c_p)^2 + mean over kept j of max(0, c_j - margin)^2

    Args:
        positive_P: [P] cosines of the positives, not divided by a temperature.
        negative_PC: [P, C] cosines of the candidates.
        keep_PC: [P, C] False where a candidate is no negative for that row.
        weight_P: [P] weights; not all zero.

    Returns:
        Scalar; 0 when every positive has cosine 1 and no negative more than `MARGIN`.

    Source:
        Hadsell, Chopra, LeCun, "Dimensionality reduction by learning an invariant mapping",
        CVPR 2006, with cosine distance.
    """
    near_PC = (negative_PC.float() - MARGIN).clamp(min=0) ** 2
    cost_P = (1 - positive_P.float()) ** 2 + _mean(near_PC, keep_PC)
    return (cost_P * weight_P).sum() / weight_P.sum()


PAIR_LOSSES: Final[Mapping[str, PairLoss]] = {
    "pointwise": pointwise_loss,
    "contrastive": contrastive_loss,
}


def _mean(cost_PC: Tensor, keep_PC: Tensor) -> Tensor:
    kept_PC = cost_PC.masked_fill(~keep_PC, 0.0)
    return kept_PC.sum(1) / keep_PC.sum(1).clamp(min=1)
