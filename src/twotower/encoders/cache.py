"""Text vectors kept on disk by (encoder hash, text hash): a second run encodes only what is new."""

import hashlib
import secrets
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from twotower import disk
from twotower.encoders.base import TextEncoder
from twotower.progress import Steps

_CHUNK = 4096
_KEY_BYTES = 16
_Key = bytes


class CachedTextEncoder:
    """A text encoder that remembers; satisfies `TextEncoder`.

    Vectors lie in shards of a few thousand, each written whole when it is done, so an
    interrupted run loses at most one shard. A shard's keys begin with the digest of all that
    follows and of the vectors; one that does not match is encoded again.

    Args:
        encoder: does the work for texts that are new.
        cache: folder that keeps the vectors of all encoders.
    """

    def __init__(self, encoder: TextEncoder, cache: Path) -> None:
        self._encoder = encoder
        self._folder = cache / "vectors" / encoder.hash
        self._whole: set[Path] = set()
        self.name, self.width, self.hash = encoder.name, encoder.width, encoder.hash

    def encode(self, texts: Sequence[str], progress: Steps | None = None) -> NDArray[np.float32]:
        """[N, W] unit-length vectors, from the disk where they are known."""
        keys = [hashlib.blake2b(text.encode(), digest_size=_KEY_BYTES).digest() for text in texts]
        new = self._new_texts(keys, texts)
        known = len(texts) - len(new)
        for start in range(0, len(new), _CHUNK):
            part = list(new.items())[start : start + _CHUNK]
            step = _shifted(progress, known + start, len(texts))
            self._write([key for key, _ in part], self._encoder.encode([t for _, t in part], step))
        return self._read(keys)

    def _new_texts(self, keys: Sequence[_Key], texts: Sequence[str]) -> dict[_Key, str]:
        self._drop_damaged()
        known = {key for shard in self._shards() for key in _keys(shard)}
        return {key: text for key, text in zip(keys, texts, strict=True) if key not in known}

    def _read(self, keys: Sequence[_Key]) -> NDArray[np.float32]:
        wanted: dict[_Key, list[int]] = {}
        for row, key in enumerate(keys):
            wanted.setdefault(key, []).append(row)
        vectors = np.empty((len(keys), self.width), np.float32)
        for shard in self._shards():
            found = [
                (place, wanted[key]) for place, key in enumerate(_keys(shard)) if key in wanted
            ]
            stored = np.load(_vectors(shard), mmap_mode="r", allow_pickle=False)
            for place, rows in found:
                vectors[rows] = stored[place]
        return vectors

    def _shards(self) -> list[Path]:
        return sorted(self._folder.glob("*.keys"))

    def _drop_damaged(self) -> None:
        """A shard that is not as it was written is encoded again; each is looked at once."""
        for shard in self._shards():
            if shard in self._whole:
                continue
            if self._is_whole(shard):
                self._whole.add(shard)
            else:
                shard.unlink(missing_ok=True)

    def _is_whole(self, shard: Path) -> bool:
        try:
            written, keys = _parts(shard)
            stored = np.load(_vectors(shard), mmap_mode="r", allow_pickle=False)
        except (OSError, ValueError, EOFError):
            return False
        has_all = stored.shape == (len(keys) / _KEY_BYTES, self.width)
        return has_all and stored.dtype == np.float32 and _digest(keys, stored) == written

    def _write(self, keys: Sequence[_Key], vectors: NDArray[np.float32]) -> None:
        shard, joined = self._folder / f"{secrets.token_hex(8)}.keys", b"".join(keys)
        vectors = np.ascontiguousarray(vectors, np.float32)
        with disk.whole_file(_vectors(shard)) as part, part.open("wb") as file:
            np.save(file, vectors, allow_pickle=False)
        with disk.whole_file(shard) as part:  # last: a shard counts once its keys are there
            part.write_bytes(_digest(joined, vectors) + joined)


def _keys(shard: Path) -> list[_Key]:
    _, joined = _parts(shard)
    return [joined[start : start + _KEY_BYTES] for start in range(0, len(joined), _KEY_BYTES)]


def _parts(shard: Path) -> tuple[bytes, bytes]:
    """The digest, and the keys one after the other."""
    written = shard.read_bytes()
    return written[:_KEY_BYTES], written[_KEY_BYTES:]


def _digest(keys: bytes, vectors: NDArray[np.float32]) -> bytes:
    digest = hashlib.blake2b(keys, digest_size=_KEY_BYTES)
    digest.update(vectors.data)
    return digest.digest()


def _vectors(shard: Path) -> Path:
    return shard.with_suffix(".vectors.npy")


def _shifted(progress: Steps | None, before: int, total: int) -> Steps | None:
    if progress is None:
        return None
    return lambda done, _: progress(before + done, total)
