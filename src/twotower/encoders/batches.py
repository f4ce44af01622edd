"""Token sequences of similar length together, so that little is padded."""

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray


def by_length(lengths: Sequence[int], batch_tokens: int) -> Iterator[list[int]]:
    """Places of sequences, longest first, in batches of at most so many tokens with padding."""
    batch: list[int] = []
    for place in sorted(range(len(lengths)), key=lambda place: -lengths[place]):
        longest = lengths[batch[0]] if batch else lengths[place]
        if (len(batch) + 1) * longest > batch_tokens and batch:
            yield batch
            batch = []
        batch.append(place)
    if batch:
        yield batch


def padded(
    tokens: Sequence[Sequence[int]], dtype: type[np.integer]
) -> tuple[NDArray[np.integer], NDArray[np.integer]]:
    """[B, T] token ids, 0 where there is none, and [B] how many each has."""
    lengths = np.array([len(ids) for ids in tokens], dtype)
    ids = np.zeros((len(tokens), lengths.max()), dtype)
    for row, known in enumerate(tokens):
        ids[row, : len(known)] = known
    return ids, lengths
