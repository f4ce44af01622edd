"""The softmax over the whole catalogue, without ever holding its logits."""

# Shapes: P positions, N items, D vector width, C positions of one piece.
from typing import Any

import torch
from torch import Tensor

_LOGITS_AT_ONCE = 2**22
"""Logits of one piece, 16 MB; its buffers are made once and used for every piece."""

_CERTAIN = 1e-30
"""Probabilities below this one lose digits in fp32; their logarithm is taken the long way."""


def full_softmax_loss(
    state_PD: Tensor, vector_ND: Tensor, target_P: Tensor, weight_P: Tensor
) -> Tensor:
    """Weighted mean cross-entropy of picking each target among all items.

    Logits are made piece by piece and turned into gradients at once: memory grows with
    P * D + N * D, not with P * N, and nothing is computed twice.

    Args:
        state_PD: [P, D] what asks, divided by the temperature already.
        vector_ND: [N, D] vectors of the whole catalogue.
        target_P: [P] item row that was right.
        weight_P: [P] weights; not all zero.

    Returns:
        Scalar, in nats, fp32. Useless vectors give log N.
    """
    loss: Tensor = _FullSoftmax.apply(state_PD, vector_ND, target_P, weight_P)  # type: ignore[no-untyped-call]
    return loss


class _FullSoftmax(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, state_PD: Tensor, vector_ND: Tensor, target_P: Tensor, weight_P: Tensor
    ) -> Tensor:
        state_PD, vector_ND = state_PD.float(), vector_ND.float()
        share_P = weight_P / weight_P.sum()
        loss = state_PD.new_zeros(())
        state_slope_PD, vector_slope_ND = torch.empty_like(state_PD), torch.zeros_like(vector_ND)
        size = max(1, _LOGITS_AT_ONCE // len(vector_ND))
        logit_CN = state_PD.new_empty(min(size, len(state_PD)), len(vector_ND))
        slope_CN = torch.empty_like(logit_CN)
        for start in range(0, len(state_PD), size):
            part = slice(start, start + size)
            n_rows = len(state_PD[part])
            logit, slope = logit_CN[:n_rows], slope_CN[:n_rows]
            torch.mm(state_PD[part], vector_ND.T, out=logit)
            torch.softmax(logit, 1, out=slope)
            target_C1, share_C1 = target_P[part].unsqueeze(1), share_P[part].unsqueeze(1)
            loss -= (_log_probability(logit, slope, target_C1) * share_C1).sum()
            slope.scatter_add_(1, target_C1, torch.full_like(share_C1, -1.0))
            slope.mul_(share_C1)
            torch.mm(slope, vector_ND, out=state_slope_PD[part])
            vector_slope_ND.addmm_(slope.T, state_PD[part])
        ctx.save_for_backward(state_slope_PD, vector_slope_ND)
        return loss

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, Tensor, None, None]:
        state_slope_PD, vector_slope_ND = ctx.saved_tensors
        return grads[0] * state_slope_PD, grads[0] * vector_slope_ND, None, None


def _log_probability(logit_CN: Tensor, probability_CN: Tensor, target_C1: Tensor) -> Tensor:
    """[C, 1] log of each target's probability, exact however small it is."""
    found_C1 = probability_CN.gather(1, target_C1)
    rare_C = (found_C1 < _CERTAIN).squeeze(1)
    log_C1 = found_C1.clamp(min=_CERTAIN).log()
    if rare_C.any():
        logit_RN = logit_CN[rare_C]
        log_C1[rare_C] = logit_RN.gather(1, target_C1[rare_C]) - logit_RN.logsumexp(1, keepdim=True)
    return log_C1
