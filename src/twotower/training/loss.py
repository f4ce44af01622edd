"""The losses, as pure functions of scores.

The order is fixed and is the whole point: temperature, then logQ, then mask. Scores
come in divided by the temperature already (they are logits); the correction is subtracted
from the negatives only, the positive is never corrected; masked negatives have
probability zero, not almost zero.
"""

# Shapes: B positions or queries, C candidates, J judged items of a query.
import torch
from torch import Tensor


def retrieval_loss(
    positive_B: Tensor,
    negative_BC: Tensor,
    keep_BC: Tensor,
    log_count_C: Tensor,
    weight_B: Tensor,
) -> Tensor:
    """Weighted mean sampled-softmax loss with the logQ correction.

        loss = -s_p + log( exp(s_p) + sum over kept j of exp(s_j - log Q_j) )

    Args:
        positive_B: [B] logits of the positives.
        negative_BC: [B, C] logits of the candidates, a multiset shared by the batch.
        keep_BC: [B, C] False where a candidate is no negative for that row: the same
            item, or another known positive of it.
        log_count_C: [C] log of Q_j, how often j is expected among the candidates. One
            uniform draw of each item makes the loss the full softmax.
        weight_B: [B] weights, 0 for padding; not all zero.

    Returns:
        Scalar, in nats.

    Source:
        Yi et al., "Sampling-bias-corrected neural modeling for large corpus item
        recommendations", RecSys 2019, with the positive uncorrected.
    """
    others_B = negatives_logsumexp(negative_BC, keep_BC, log_count_C)
    loss_B = torch.logaddexp(positive_B.float(), others_B) - positive_B.float()
    return (loss_B * weight_B).sum() / weight_B.sum()


def negatives_logsumexp(negative_BC: Tensor, keep_BC: Tensor, log_count_C: Tensor) -> Tensor:
    """[B] log of the corrected, masked sum of the negatives' exponentials; -inf if none."""
    corrected_BC = negative_BC.float() - log_count_C
    return torch.logsumexp(corrected_BC.masked_fill(~keep_BC, -torch.inf), dim=1)


def listwise_loss(logit_BJ: Tensor, gain_BJ: Tensor, judged_BJ: Tensor, sharpness: float) -> Tensor:
    """Mean divergence of the scores' order of a judged list from its gains.

    KL( softmax(sharpness * gain) || softmax(logit) ) over the judged items of each query.

    Args:
        logit_BJ: [B, J] logits of the judged items.
        gain_BJ: [B, J] gains.
        judged_BJ: [B, J] False for padding; each row has at least one True.
        sharpness: how much better a gain one higher is; above 0.

    Returns:
        Scalar, in nats; 0 exactly when the logits agree with the gains.
    """
    wanted_BJ = torch.log_softmax((sharpness * gain_BJ).masked_fill(~judged_BJ, -torch.inf), dim=1)
    found_BJ = torch.log_softmax(logit_BJ.float().masked_fill(~judged_BJ, -torch.inf), dim=1)
    gap_BJ = torch.where(judged_BJ, wanted_BJ.exp() * (wanted_BJ - found_BJ), 0.0)
    return gap_BJ.sum(1).mean()
