"""Negative sources: each says which items are negatives *and* how often each is expected.

Both go to `retrieval_loss` together, so temperature, correction and mask cannot come out
in the wrong order, and mixed sources simply add their expected counts.
"""

# Shapes: B rows of the batch, C candidates, N items, K known positives of a row.
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor


@dataclass(frozen=True)
class Candidates:
    """Items drawn as negatives, a multiset shared by the batch.

    Attributes:
        row_C: [C] item rows.
        log_count_C: [C] log of how often each item is expected among them.
    """

    row_C: Tensor
    log_count_C: Tensor


class NegativeSource(Protocol):
    """Draws negatives and knows its own expected counts."""

    def draw(self, positive_B: Tensor, generator: torch.Generator) -> Tensor:
        """[C] item rows for a batch with these positives."""
        ...

    def expected(self, row_C: Tensor, n_positives: int) -> Tensor:
        """[C] how often this source is expected to draw each of these items."""
        ...


@dataclass(frozen=True)
class InBatch:
    """The other rows' positives; popular items come up as often as they are positives.

    Attributes:
        count_N: [N] times each item is a positive in the training data.
    """

    count_N: Tensor

    def draw(self, positive_B: Tensor, generator: torch.Generator) -> Tensor:
        """The batch's own positives."""
        return positive_B

    def expected(self, row_C: Tensor, n_positives: int) -> Tensor:
        """Batch size times the item's share of all positives."""
        count_C = self.count_N[row_C.cpu()].to(row_C.device)
        return n_positives * count_C.float() / self.count_N.sum()


@dataclass(frozen=True)
class Uniform:
    """Every item of the catalogue equally often, so that unpopular ones are seen too.

    Attributes:
        n_items: N.
        n_draws: candidates of one batch.
    """

    n_items: int
    n_draws: int

    def draw(self, positive_B: Tensor, generator: torch.Generator) -> Tensor:
        """Independent uniform draws."""
        drawn_C = torch.randint(self.n_items, (self.n_draws,), generator=generator)
        return drawn_C.to(positive_B.device)

    def expected(self, row_C: Tensor, n_positives: int) -> Tensor:
        """The same for every item."""
        return torch.full(row_C.shape, self.n_draws / self.n_items, device=row_C.device)


def draw_candidates(
    sources: Sequence[NegativeSource], positive_B: Tensor, generator: torch.Generator
) -> Candidates:
    """The union of all sources, with the sum of their expected counts.

    Args:
        sources: at least one.
        positive_B: [B] positives of the batch.
        generator: source of randomness.
    """
    row_C = torch.cat([source.draw(positive_B, generator) for source in sources])
    expected_C = torch.stack([s.expected(row_C, len(positive_B)) for s in sources]).sum(0)
    return Candidates(row_C, expected_C.log())


def keep_mask(row_C: Tensor, known_BK: Tensor) -> Tensor:
    """[B, C] False where a candidate is one of the row's known positives.

    Args:
        row_C: [C] candidate rows, or [B, C] of each row; or what stands for them, such as
            groups of items, if it does for `known_BK`.
        known_BK: [B, K] rows that are no negatives for each row; padded with -1.
    """
    keep_BC = known_BK.new_ones(len(known_BK), row_C.shape[-1], dtype=torch.bool)
    for known_B in known_BK.T:
        keep_BC &= known_B.unsqueeze(1) != row_C
    return keep_BC
