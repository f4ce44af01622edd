"""A sentence encoder in an ONNX folder: tokenizer, transformer and pooling, without PyTorch."""

import hashlib
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray
from tokenizers import Tokenizer

from twotower.errors import CorruptBundle
from twotower.progress import Steps

MODEL_FILE, TOKENIZER_FILE, ABOUT_FILE = "model.onnx", "tokenizer.json", "encoder.json"
FILES = (MODEL_FILE, TOKENIZER_FILE, ABOUT_FILE)


class OnnxTextEncoder:
    """Reads a folder written by `encoders.export`; satisfies `TextEncoder`.

    Args:
        folder: holds `model.onnx`, `tokenizer.json` and `encoder.json`.
        batch_tokens: upper bound of tokens, padding included, in one batch.

    Raises:
        CorruptBundle: a file is missing or unreadable; build the bundle again.
    """

    def __init__(self, folder: Path, *, batch_tokens: int = 4096) -> None:
        missing = [name for name in FILES if not (folder / name).is_file()]
        if missing:
            raise CorruptBundle(f"text encoder {folder} lacks {', '.join(missing)}; build it again")
        self.folder = folder
        self._batch_tokens = batch_tokens
        with _readable(folder / ABOUT_FILE):
            about = json.loads((folder / ABOUT_FILE).read_text())
            self.name: str = about["name"]
            self.width: int = about["width"]
            self.hash: str = about["hash"]
            max_tokens: int = about["max_tokens"]
        with _readable(folder / TOKENIZER_FILE):
            self._tokenizer = Tokenizer.from_file(str(folder / TOKENIZER_FILE))
        self._tokenizer.enable_truncation(max_tokens)
        self._tokenizer.no_padding()
        with _readable(folder / MODEL_FILE):
            self._session = ort.InferenceSession(
                str(folder / MODEL_FILE), providers=["CPUExecutionProvider"]
            )

    def encode(self, texts: Sequence[str], progress: Steps | None = None) -> NDArray[np.float32]:
        """[N, W] unit-length vectors, an empty text a zero row; longest texts first inside."""
        vectors = np.zeros((len(texts), self.width), np.float32)
        filled = [row for row, text in enumerate(texts) if text.strip()]
        encodings = self._tokenizer.encode_batch([texts[row] for row in filled])
        tokens = [encoding.ids for encoding in encodings]
        done = len(texts) - len(filled)
        for batch in self._batches([len(ids) for ids in tokens]):
            rows = [filled[place] for place in batch]
            vectors[rows] = self._run([tokens[place] for place in batch])
            done += len(batch)
            if progress:
                progress(done, len(texts))
        return vectors

    def _batches(self, lengths: Sequence[int]) -> Iterator[list[int]]:
        """Texts of similar length together, so that little is padded."""
        batch: list[int] = []
        for place in sorted(range(len(lengths)), key=lambda place: -lengths[place]):
            longest = lengths[batch[0]] if batch else lengths[place]
            if (len(batch) + 1) * longest > self._batch_tokens and batch:
                yield batch
                batch = []
            batch.append(place)
        if batch:
            yield batch

    def _run(self, tokens: Sequence[Sequence[int]]) -> NDArray[np.float32]:
        longest = max(len(ids) for ids in tokens)
        ids = np.zeros((len(tokens), longest), np.int64)
        mask = np.zeros((len(tokens), longest), np.int64)
        for row, known in enumerate(tokens):
            ids[row, : len(known)] = known
            mask[row, : len(known)] = 1
        (vectors,) = self._session.run(None, {"input_ids": ids, "attention_mask": mask})
        return np.asarray(vectors, np.float32)


@contextmanager
def _readable(file: Path) -> Iterator[None]:
    try:
        yield
    except Exception as error:  # tokenizers and ORT raise their own untyped families
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise CorruptBundle(f"{file} is unreadable ({reason}); build it again") from error


def folder_hash(*files: Path) -> str:
    """The first 16 hex digits of the SHA-256 of the files' bytes, in order."""
    digest = hashlib.sha256()
    for file in files:
        digest.update(file.read_bytes())
    return digest.hexdigest()[:16]
