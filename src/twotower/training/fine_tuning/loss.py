"""The loss of a bi-encoder: softmax over the items of the batch, and the graded term."""

# Shapes: B questions, J judged items of a question, R items of the batch, W text width.
import torch
from torch import Tensor

from twotower.schema import PAD
from twotower.training.fine_tuning.batches import TextBatch
from twotower.training.fine_tuning.config import FineTuningConfig
from twotower.training.loss import listwise_loss, negatives_logsumexp


def text_loss(
    query_BW: Tensor, item_RW: Tensor, batch: TextBatch, config: FineTuningConfig
) -> Tensor:
    """Mean loss of the questions of a batch, in nats.

    Each positive, weighted by its gain, against all items of the batch that are wrong for its
    question: other questions' items, judged low, and mined. Each item counts once.

    Args:
        query_BW: unit-length vectors of the queries.
        item_RW: unit-length vectors of the items.
        batch: what is what.
        config: temperature and weight of the graded term.
    """
    score_BR = query_BW.float() @ item_RW.float().T / config.temperature
    others_B = negatives_logsumexp(score_BR, batch.wrong_BR, score_BR.new_zeros(1))
    score_BJ = score_BR.gather(1, batch.place_BJ.clamp(min=0))
    loss_BJ = torch.logaddexp(score_BJ, others_B.unsqueeze(1)) - score_BJ
    weight_BJ = batch.gain_BJ.clamp(min=torch.finfo(torch.float32).tiny) * batch.positive_BJ
    weight_BJ = weight_BJ / weight_BJ.sum(1, keepdim=True)
    loss = torch.where(batch.positive_BJ, loss_BJ * weight_BJ, 0.0).sum(1).mean()
    if config.listwise_weight:
        judged_BJ = batch.place_BJ != PAD
        graded = listwise_loss(score_BJ, batch.gain_BJ, judged_BJ, config.sharpness)
        loss = loss + config.listwise_weight * graded
    return loss
