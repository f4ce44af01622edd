"""The exported towers, run by ONNX Runtime: the same vectors without PyTorch."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray

from twotower.errors import CorruptBundle
from twotower.features.history import UNKNOWN_TIME, Histories, Seen
from twotower.features.items import ItemArrays

ITEM_FILE, QUERY_FILE, USER_FILE = "item.onnx", "query.onnx", "user.onnx"
_CHUNK = 2048


class ExportedTowers:
    """Reads a folder written by `towers.export`.

    Args:
        folder: holds `item.onnx`, and `query.onnx` and `user.onnx` where they were trained.

    Raises:
        CorruptBundle: the item tower is missing or a file is unreadable.
    """

    def __init__(self, folder: Path) -> None:
        self._item = _session(folder / ITEM_FILE)
        if self._item is None:
            raise CorruptBundle(f"{folder / ITEM_FILE} is missing; build the bundle again")
        self._query, self._user = _session(folder / QUERY_FILE), _session(folder / USER_FILE)
        self.width: int = self._item.get_outputs()[0].shape[1]
        self._inputs = [found.name for found in self._item.get_inputs()]
        metadata = self._user.get_modelmeta().custom_metadata_map if self._user else {}
        self.history_length = int(metadata.get("history_length", 0))
        """H, the events of a visitor that the user tower reads."""
        self.seen = Seen(_codes(metadata.get("kinds", "0")), _codes(metadata.get("gaps", "0")))
        """Which kinds and gaps it learnt to read."""

    @property
    def has_users(self) -> bool:
        """Whether a user tower was trained."""
        return self._user is not None

    @property
    def has_queries(self) -> bool:
        """Whether a query tower was trained."""
        return self._query is not None

    def items(self, arrays: ItemArrays) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """[N, D] item vectors and [N, F] attention weights of what `ItemFeatures.encode` gives."""
        n_items, n_features = arrays["present"].shape
        if n_items == 0:
            return np.zeros((0, self.width), np.float32), np.zeros((0, n_features), np.float32)
        found = [
            self._item.run(None, {name: arrays[name][part] for name in self._inputs})
            for part in _chunks(n_items)
        ]
        vectors, attention = zip(*found, strict=True)
        return np.concatenate(vectors), np.concatenate(attention)

    def queries(self, text_vectors: NDArray[np.float32]) -> NDArray[np.float32]:
        """[Q, D] query vectors from [Q, W] text vectors."""
        assert self._query is not None, "ask has_queries first"
        parts = [
            self._query.run(None, {"text": text_vectors[part]})[0]
            for part in _chunks(len(text_vectors))
        ]
        return np.concatenate(parts) if parts else np.zeros((0, self.width), np.float32)

    def users(
        self,
        item_vectors: NDArray[np.float32],
        histories: Histories,
        now_ms: int | NDArray[np.int64] = UNKNOWN_TIME,
        *,
        ids: NDArray[np.int64],
    ) -> NDArray[np.float32]:
        """[U, D] user vectors.

        Args:
            item_vectors: [N, D] vectors of the catalogue.
            histories: of U visitors; runs of the same item are merged here.
            now_ms: when the answer is wanted: one time, or one for each visitor.
            ids: [N] id rows of the catalogue, see `features.items.id_rows`.
        """
        assert self._user is not None, "ask has_users first"
        collapsed = histories.collapsed()
        now = np.broadcast_to(now_ms, len(histories)).astype(np.int64)
        users = np.arange(len(histories))
        parts = [
            self._run_users(item_vectors, ids, collapsed.take(users[part]), now[part])
            for part in _chunks(len(histories), 512)
        ]
        return np.concatenate(parts) if parts else np.zeros((0, self.width), np.float32)

    def _run_users(
        self,
        item_vectors: NDArray[np.float32],
        ids: NDArray[np.int64],
        histories: Histories,
        now_ms: NDArray[np.int64],
    ) -> NDArray[np.float32]:
        longest = int(np.clip(histories.lengths.max(), 1, self.history_length))
        padded = self.seen.read(histories.padded(longest, now_ms))
        rows = np.maximum(padded.item_rows, 0)
        inputs = {
            "items": np.asarray(item_vectors[rows], np.float32),
            "ids": np.asarray(ids[rows], np.int64),
            "kinds": padded.kinds,
            "gaps": padded.gaps,
            "lengths": padded.lengths,
        }
        read = {found.name: inputs[found.name] for found in self._user.get_inputs()}
        return np.asarray(self._user.run(None, read)[0])


def _session(file: Path) -> Any:
    """One thread a call: a second one doubles the processor time and saves no wall time."""
    if not file.is_file():
        return None
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    try:
        return ort.InferenceSession(str(file), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # ORT raises its own untyped family
        raise CorruptBundle(f"{file} is no readable ONNX model; build the bundle again") from error


def _codes(text: str) -> tuple[int, ...]:
    return tuple(int(code) for code in text.split(","))


def _chunks(n_rows: int, size: int = _CHUNK) -> Iterator[slice]:
    return (slice(start, start + size) for start in range(0, n_rows, size))
