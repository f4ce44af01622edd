"""One training step: a batch in, a loss out, for histories and for queries."""

# Shapes: B rows of the batch, S states, P wanted positions, C candidates, J judged items,
# R items computed in this step, D vector width, P queries of a piece.
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from twotower.schema import PAD
from twotower.towers.two_tower import TwoTower
from twotower.training.config import TrainingConfig
from twotower.training.examples import Batch, HistoryBatch, QueryBatch
from twotower.training.full_softmax import full_softmax_loss
from twotower.training.loss import listwise_loss, negatives_logsumexp, retrieval_loss
from twotower.training.negatives import Candidates, NegativeSource, draw_candidates, keep_mask
from twotower.training.pairs import PAIR_LOSSES, PairLoss

_LOGITS_AT_ONCE = 2**23
"""Logits of queries that are held at a time, some five times over: 160 MB."""


@dataclass(frozen=True)
class ItemVectors:
    """Item vectors of one step, looked up by item row.

    Attributes:
        vector_RD: [R, D].
        row_R: [R] sorted item rows they belong to; None for the whole catalogue in order.
    """

    vector_RD: Tensor
    row_R: Tensor | None = None

    def __getitem__(self, row: Tensor) -> Tensor:
        """[..., D] vectors of the given rows; those of `PAD` mean nothing."""
        if self.row_R is not None:
            row = torch.searchsorted(self.row_R, row.clamp(min=int(self.row_R[0])))
        return self.vector_RD[row.clamp(min=0)]


@dataclass(frozen=True)
class Catalogue:
    """The items, as what can be learnt from.

    Attributes:
        arrays: [N, ...] features, as tensors.
        warm_N: [N] which items are ever the next one of a history. The others are no negatives
            of histories: all they could learn is that an item without a past is never wanted.
        group_N: [N] a row of the catalogue, the same one for items of the same text. They are
            no negatives for each other: a text that is right cannot be wrong as well.
    """

    arrays: dict[str, Tensor]
    warm_N: Tensor
    group_N: Tensor


class Learner(nn.Module):
    """The towers with what they need to learn: item features, negatives and losses.

    Args:
        model: the towers.
        catalogue: the items.
        config: how to learn.
        sources: negatives of each kind of batch, by its class; used with `mixed`.
    """

    def __init__(
        self,
        model: TwoTower,
        catalogue: Catalogue,
        config: TrainingConfig,
        sources: dict[type[Batch], list[NegativeSource]],
    ) -> None:
        super().__init__()
        self.model, self.config = model, config
        self._sources = sources
        self._names, warm = tuple(catalogue.arrays), catalogue.warm_N
        self.register_buffer("group_N", catalogue.group_N, persistent=False)
        self.register_buffer("warm_N", warm, persistent=False)
        self.register_buffer("warm_row_R", warm.nonzero().squeeze(1), persistent=False)
        self.register_buffer("warm_place_N", warm.cumsum(0) - 1, persistent=False)
        for name, array in catalogue.arrays.items():
            self.register_buffer(f"items_{name}", array, persistent=False)

    def forward(self, batch: Batch, generator: torch.Generator) -> Tensor:
        """The loss of a batch, in nats."""
        if self.config.negatives == "all":
            candidates, items = None, ItemVectors(self.item_vectors())
        else:
            candidates = draw_candidates(self._sources[type(batch)], _positives(batch), generator)
            items = self._items(_rows(batch), candidates.row_C)
        if isinstance(batch, HistoryBatch):
            return self._history_loss(batch, items, candidates)
        if candidates and (pair_loss := PAIR_LOSSES.get(self.config.objective)):
            return self._query_pair_loss(batch, items, candidates, pair_loss)
        return self._query_loss(batch, items, candidates)

    def item_vectors(self) -> Tensor:
        """[N, D] vectors of the whole catalogue."""
        vector_ND: Tensor = self.model.item(self._arrays())[0]
        return vector_ND

    def ids(self, row: Tensor) -> Tensor:
        """Rows in the table of ids of the given items; 0 where unknown, `PAD` too."""
        if "id" not in self._names:
            return torch.zeros_like(row)
        return torch.where(row == PAD, 0, self.get_buffer("items_id")[row.clamp(min=0)])

    def _arrays(self, row_R: Tensor | None = None) -> dict[str, Tensor]:
        """Features of the given items, of all when left out."""
        arrays = {name: self.get_buffer(f"items_{name}") for name in self._names}
        return arrays if row_R is None else {name: a[row_R] for name, a in arrays.items()}

    def _groups(self, row: Tensor) -> Tensor:
        """The group of each item, to be compared in place of the item; `PAD` stays `PAD`."""
        group_N = self.get_buffer("group_N")
        return torch.where(row == PAD, PAD, group_N[row.clamp(min=0)])

    def _items(self, *rows: Tensor) -> ItemVectors:
        row_R = torch.unique(torch.cat([part.flatten() for part in rows]))
        row_R = row_R[row_R != PAD]
        return ItemVectors(self.model.item(self._arrays(row_R))[0], row_R)

    def _history_loss(
        self, batch: HistoryBatch, items: ItemVectors, candidates: Candidates | None
    ) -> Tensor:
        assert self.model.user is not None
        state_BSD = self.model.user.states(
            items[batch.item_BL], self.ids(batch.item_BL), batch.kind_BL, batch.gap_BL
        )
        wanted_BS = batch.weight_BS > 0
        state_PD = state_BSD[wanted_BS] * self._scale()
        target_P, weight_P = batch.target_BS[wanted_BS], batch.weight_BS[wanted_BS]
        if candidates is None:
            warm_RD = items[self.get_buffer("warm_row_R")]
            place_P = self.get_buffer("warm_place_N")[target_P]
            return full_softmax_loss(state_PD, warm_RD, place_P, weight_P)
        positive_P = (state_PD * items[target_P]).sum(1)
        keep_BC = keep_mask(self._groups(candidates.row_C), self._groups(batch.target_BS))
        keep_BC &= self.get_buffer("warm_N")[candidates.row_C]
        negative_PC = state_PD @ items[candidates.row_C].T
        keep_PC = keep_BC[wanted_BS.nonzero()[:, 0]]
        if pair_loss := PAIR_LOSSES.get(self.config.objective):
            return pair_loss(positive_P, negative_PC, keep_PC, weight_P)
        return retrieval_loss(positive_P, negative_PC, keep_PC, candidates.log_count_C, weight_P)

    def _query_pair_loss(
        self, batch: QueryBatch, items: ItemVectors, candidates: Candidates, pair_loss: PairLoss
    ) -> Tensor:
        """Each positive of a query, and what is drawn or judged to be none."""
        assert self.model.query is not None
        query_BD = self.model.query(batch.text_BW) * self._scale()
        score_BJ = torch.einsum("bd,bjd->bj", query_BD, items[batch.judged_BJ])
        row_BK = torch.cat([candidates.row_C.expand(len(query_BD), -1), batch.judged_BJ], dim=1)
        score_BK = torch.cat([query_BD @ items[candidates.row_C].T, score_BJ], dim=1)
        keep_BK = keep_mask(self._groups(row_BK), self._groups(batch.known_BK)) & (row_BK != PAD)
        query_P = batch.positive_BJ.nonzero()[:, 0]
        gain_P = batch.gain_BJ[batch.positive_BJ]
        return pair_loss(score_BJ[batch.positive_BJ], score_BK[query_P], keep_BK[query_P], gain_P)

    def _scale(self) -> Tensor | float:
        """What turns inner products into scores; the contrastive loss asks for cosines."""
        return 1.0 if self.config.objective == "contrastive" else self.model.scale()

    def _query_loss(
        self, batch: QueryBatch, items: ItemVectors, candidates: Candidates | None
    ) -> Tensor:
        """Softmax of each positive against all that is not known to be one, and the graded term."""
        assert self.model.query is not None
        query_BD = self.model.query(batch.text_BW) * self.model.scale()
        judged_BJ = batch.judged_BJ != PAD
        score_BJ = torch.einsum("bd,bjd->bj", query_BD, items[batch.judged_BJ])
        known_BK = self._groups(batch.known_BK)
        if candidates is None:
            group_N = self.get_buffer("group_N")
            others_B = _all_negatives_logsumexp(query_BD, items.vector_RD, known_BK, group_N)
        else:
            wrong_BJ = judged_BJ & keep_mask(self._groups(batch.judged_BJ), known_BK)
            others_B = torch.logaddexp(
                negatives_logsumexp(
                    query_BD @ items[candidates.row_C].T,
                    keep_mask(self._groups(candidates.row_C), known_BK),
                    candidates.log_count_C,
                ),
                negatives_logsumexp(score_BJ, wrong_BJ, query_BD.new_zeros(1)),
            )
        loss_BJ = torch.logaddexp(score_BJ, others_B.unsqueeze(1)) - score_BJ
        weight_BJ = batch.gain_BJ * batch.positive_BJ
        weight_BJ = weight_BJ / weight_BJ.sum(1, keepdim=True)
        loss = torch.where(batch.positive_BJ, loss_BJ * weight_BJ, 0.0).sum(1).mean()
        if self.config.listwise_weight:
            graded = listwise_loss(score_BJ, batch.gain_BJ, judged_BJ, self.config.sharpness)
            loss = loss + self.config.listwise_weight * graded
        return loss


def _positives(batch: Batch) -> Tensor:
    """[P] item rows that are positives in this batch."""
    if isinstance(batch, HistoryBatch):
        return batch.target_BS[batch.weight_BS > 0]
    return batch.judged_BJ[batch.positive_BJ]


def _rows(batch: Batch) -> Tensor:
    """All item rows a batch mentions."""
    if isinstance(batch, HistoryBatch):
        return torch.cat([batch.item_BL.flatten(), batch.target_BS.flatten()])
    return batch.judged_BJ


def _all_negatives_logsumexp(
    query_BD: Tensor, vector_ND: Tensor, known_BK: Tensor, group_N: Tensor
) -> Tensor:
    """[B] log of the sum of the exponentials of all items that are in no known group.

    More logits than `_LOGITS_AT_ONCE` are made piece by piece, and again for their gradients.
    """

    def piece(query_PD: Tensor, vector_ND: Tensor, known_PK: Tensor) -> Tensor:
        keep_PN = _keep_all_but(known_PK, group_N)
        return negatives_logsumexp(query_PD @ vector_ND.T, keep_PN, query_PD.new_zeros(1))

    size = max(1, _LOGITS_AT_ONCE // len(vector_ND))
    if len(query_BD) <= size:
        return piece(query_BD, vector_ND, known_BK)
    pieces = zip(torch.split(query_BD, size), torch.split(known_BK, size), strict=True)
    return torch.cat(
        [checkpoint(piece, asked, vector_ND, known, use_reentrant=False) for asked, known in pieces]
    )


def _keep_all_but(known_BK: Tensor, group_N: Tensor) -> Tensor:
    """[B, N] True for every item that is in none of the row's known groups."""
    n_items = len(group_N)
    keep_BN = known_BK.new_ones(len(known_BK), n_items + 1, dtype=torch.bool)
    keep_BN.scatter_(1, torch.where(known_BK == PAD, n_items, known_BK), value=False)
    return keep_BN[:, group_N]
