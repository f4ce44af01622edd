"""What every text encoder offers, and what runs one."""

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from twotower.progress import Steps


class Engine(Protocol):
    """Runs a transformer with its pooling; many threads may call it at once."""

    def __call__(self, tokens: Sequence[Sequence[int]]) -> NDArray[np.float32]:
        """[B, W] unit-length vectors of sequences of token ids, none of them empty."""
        ...


class TextEncoder(Protocol):
    """Turns texts into unit-length vectors.

    Attributes:
        name: what the encoder is called in reports.
        width: W, the width of its vectors.
        hash: identifies the weights; two encoders with one hash give the same vectors.
    """

    name: str
    width: int
    hash: str

    def encode(self, texts: Sequence[str], progress: Steps | None = None) -> NDArray[np.float32]:
        """[N, W] unit-length vectors; an empty text gives a zero row."""
        ...
