"""A text encoder in a folder: tokenizer, weights and a description; answers without PyTorch."""

import hashlib
import json
import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

from twotower.encoders import int8, onnx
from twotower.encoders.base import Engine
from twotower.encoders.batches import by_length
from twotower.errors import CorruptBundle
from twotower.progress import Steps

TOKENIZER_FILE, ABOUT_FILE = "tokenizer.json", "encoder.json"
NEEDED_FILES: Final = (TOKENIZER_FILE, ABOUT_FILE)
"""Of every encoder; its weights are `model.onnx`, or the files of `encoders.int8`."""


class PackedTextEncoder:
    """Reads a folder written by `encoders.export`; satisfies `TextEncoder`.

    Args:
        folder: holds `tokenizer.json`, `encoder.json` and weights.
        batch_tokens: upper bound of tokens, padding included, in one batch. Small batches
            stay in the core's own cache: 512 are faster than 4,096.

    Raises:
        CorruptBundle: a file is missing, unreadable or altered; build the bundle again.
    """

    def __init__(self, folder: Path, *, batch_tokens: int = 512) -> None:
        _refuse_incomplete(folder, NEEDED_FILES)
        self.folder = folder
        self._batch_tokens = batch_tokens
        with _readable(folder / ABOUT_FILE):
            about = json.loads((folder / ABOUT_FILE).read_text())
            self.name: str = about["name"]
            self.width: int = about["width"]
            self.hash: str = about["hash"]
            max_tokens: int = about["max_tokens"]
        weights = weights_of(folder)
        _refuse_incomplete(folder, weights)
        _refuse_altered(folder, (*weights, TOKENIZER_FILE), self.hash)
        self.files: tuple[str, ...] = (*weights, *NEEDED_FILES)
        with _readable(folder / TOKENIZER_FILE):
            self._tokenizer = Tokenizer.from_file(str(folder / TOKENIZER_FILE))
        self._tokenizer.enable_truncation(max_tokens)
        self._tokenizer.no_padding()
        self._threads = usable_cores()
        with _readable(folder / weights[0]):
            self._engine = _opened(folder, self._threads)

    def encode(self, texts: Sequence[str], progress: Steps | None = None) -> NDArray[np.float32]:
        """[N, W] unit-length vectors, an empty text a zero row; longest texts first inside."""
        vectors = np.zeros((len(texts), self.width), np.float32)
        filled = [row for row, text in enumerate(texts) if text.strip()]
        encodings = self._tokenizer.encode_batch([texts[row] for row in filled])
        tokens = [encoding.ids for encoding in encodings]
        batches = list(by_length([len(ids) for ids in tokens], self._batch_tokens))
        done = len(texts) - len(filled)
        for batch, found in self._run(tokens, batches):
            vectors[[filled[place] for place in batch]] = found
            done += len(batch)
            if progress:
                progress(done, len(texts))
        return vectors

    def _run(
        self, tokens: Sequence[Sequence[int]], batches: Sequence[Sequence[int]]
    ) -> Iterator[tuple[Sequence[int], NDArray[np.float32]]]:
        """Each batch with its vectors; a core has a whole batch to itself."""
        asked = ([tokens[place] for place in batch] for batch in batches)
        if len(batches) == 1 or self._threads == 1:  # a shopper's query waits for no thread
            yield from zip(batches, map(self._engine, asked), strict=True)
            return
        pool = ThreadPoolExecutor(self._threads, "text-encoder")
        try:
            yield from zip(batches, pool.map(self._engine, asked), strict=True)
        finally:
            pool.shutdown(cancel_futures=True)


def weights_of(folder: Path) -> tuple[str, ...]:
    """The names of the weights that lie in the folder, or should."""
    return int8.FILES if (folder / int8.FILES[0]).is_file() else onnx.FILES


def describe(folder: Path, *, name: str, width: int, max_tokens: int) -> None:
    """Writes `encoder.json` of a folder that holds weights and tokenizer."""
    about: dict[str, Any] = {
        "name": name,
        "width": width,
        "max_tokens": max_tokens,
        "hash": _hash(folder, (*weights_of(folder), TOKENIZER_FILE)),
    }
    (folder / ABOUT_FILE).write_text(json.dumps(about, indent=2) + "\n")


def usable_cores() -> int:
    """How many cores this process may run on."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _opened(folder: Path, threads: int) -> Engine:
    if weights_of(folder) == int8.FILES:
        return int8.Int8Engine(folder, threads)
    return onnx.OnnxEngine(folder)


def _refuse_incomplete(folder: Path, names: Sequence[str]) -> None:
    missing = [name for name in names if not (folder / name).is_file()]
    if missing:
        raise CorruptBundle(f"text encoder {folder} lacks {', '.join(missing)}; build it again")


def _refuse_altered(folder: Path, names: Sequence[str], expected: str) -> None:
    """Before anything is opened: a runtime may crash on weights that were cut short."""
    with _readable(folder):
        found = _hash(folder, names)
    if found != expected:
        raise CorruptBundle(
            f"text encoder {folder}: {', '.join(names)} must have hash {expected}, found {found}; "
            "build it again"
        )


@contextmanager
def _readable(file: Path) -> Iterator[None]:
    try:
        yield
    except Exception as error:  # tokenizers and the runtimes raise their own untyped families
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise CorruptBundle(f"{file} is unreadable ({reason}); build it again") from error


def _hash(folder: Path, names: Sequence[str]) -> str:
    """The first 16 hex digits of the SHA-256 of the files' bytes, in order."""
    digest = hashlib.sha256()
    for name in names:
        digest.update((folder / name).read_bytes())
    return digest.hexdigest()[:16]
