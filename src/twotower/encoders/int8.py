"""Weights in 8 bits, run by CTranslate2: several times faster than full precision.

Activations are rounded token by token, so the vector of a text depends on no other text of
its batch, and nothing has to be calibrated.
"""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from twotower.encoders.batches import padded

FILES: Final = ("model.bin", "config.json", "vocabulary.json")
_INSTRUCTIONS: Final = "CT2_FORCE_CPU_ISA"
_AVX512: Final = {"avx512f", "avx512bw", "avx512dq", "avx512vl", "avx512cd"}


class Int8Engine:
    """The transformer in 8 bits, mean over the tokens, length one; satisfies `Engine`.

    Args:
        folder: holds the files of CTranslate2.
        threads: calls that run at once; each has one thread.
    """

    def __init__(self, folder: Path, threads: int) -> None:
        if cpu_flags() >= _AVX512:
            os.putenv(_INSTRUCTIONS, "AVX512")  # never chosen by itself, and 1.2 times faster
        import ctranslate2  # which reads it when it is loaded

        self._view = ctranslate2.StorageView.from_array
        self._encoder = ctranslate2.Encoder(
            str(folder),
            device="cpu",
            compute_type="int8_float32",
            inter_threads=threads,
            intra_threads=1,
        )

    def __call__(self, tokens: Sequence[Sequence[int]]) -> NDArray[np.float32]:
        """[B, W] unit-length vectors of sequences of token ids."""
        ids, lengths = padded(tokens, np.int32)
        output = self._encoder.forward_batch(self._view(ids), self._view(lengths))
        states = np.asarray(output.last_hidden_state)  # [B, T, W]
        mask = (np.arange(ids.shape[1]) < lengths[:, None]).astype(np.float32)
        sums = np.matmul(mask[:, None, :], states)[:, 0]
        norms = np.linalg.norm(sums, axis=1, keepdims=True)
        return np.asarray(sums / np.maximum(norms, np.finfo(np.float32).tiny), np.float32)


def cpu_flags() -> set[str]:
    """What this machine's cores can do, in Linux's names; empty where nobody says."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return set()
    return next((set(line.split()) for line in lines if line.startswith("flags")), set())
