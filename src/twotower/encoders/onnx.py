"""Weights in full precision, run by ONNX Runtime: any architecture, any machine."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray

from twotower.encoders.batches import padded

MODEL_FILE: Final = "model.onnx"
FILES: Final = (MODEL_FILE,)


class OnnxEngine:
    """Transformer, pooling and normalisation as one graph; satisfies `Engine`.

    A call runs on one thread. With ONNX Runtime's default, processor time was a multiple of
    wall time, on cores that were not given to this process too.

    Args:
        folder: holds `model.onnx`.
    """

    def __init__(self, folder: Path) -> None:
        options = ort.SessionOptions()
        options.intra_op_num_threads = 1
        self._session = ort.InferenceSession(
            str(folder / MODEL_FILE), options, providers=["CPUExecutionProvider"]
        )

    def __call__(self, tokens: Sequence[Sequence[int]]) -> NDArray[np.float32]:
        """[B, W] unit-length vectors of sequences of token ids."""
        ids, lengths = padded(tokens, np.int64)
        mask = (np.arange(ids.shape[1]) < lengths[:, None]).astype(np.int64)
        (vectors,) = self._session.run(None, {"input_ids": ids, "attention_mask": mask})
        return np.asarray(vectors, np.float32)
