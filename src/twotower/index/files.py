"""An index's folder: index.json beside the arrays, each file written whole or not at all."""

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from twotower import disk
from twotower.errors import CorruptBundle, IncompatibleBundle
from twotower.index.base import Vectors
from twotower.index.live import LiveLayer

FORMAT = 1
METRIC = "inner_product"
_META = "index.json"
_GONE, _LIVE_ROWS, _LIVE_VECTORS = "gone.npy", "live_rows.npy", "live_vectors.npy"


@dataclass(frozen=True)
class Meta:
    """What index.json says; everything else in the folder is checked against it."""

    kind: str
    width: int
    n_base: int
    n_items: int
    n_live: int = 0
    metric: str = METRIC
    format: int = FORMAT
    settings: dict[str, Any] = field(default_factory=dict)
    measured: dict[str, Any] = field(default_factory=dict)

    def write(self, folder: Path) -> None:
        """Write index.json."""
        text = json.dumps(asdict(self), indent=2, sort_keys=True) + "\n"
        disk.write_text(folder / _META, text)

    @classmethod
    def read(cls, folder: Path) -> Self:
        """Read index.json; refuse another format or metric by name."""
        path = folder / _META
        try:
            found = json.loads(path.read_text(encoding="utf-8"))
            meta = cls(**found)
        except FileNotFoundError as missing:
            raise CorruptBundle(
                f"expected an index at {path}, found none: build again"
            ) from missing
        except (OSError, ValueError, TypeError) as damage:
            raise CorruptBundle(f"expected index metadata in {path}, found {damage}") from damage
        for name, ours in (("format", FORMAT), ("metric", METRIC)):
            theirs = getattr(meta, name)
            if theirs != ours:
                raise IncompatibleBundle(
                    f"expected index {name} {ours} in {path}, found {theirs}:"
                    " build again, or use the twotower that wrote it"
                )
        return meta

    def expect(self, folder: Path, *, kind: str, width: int) -> None:
        """Raise `IncompatibleBundle` unless this is a `kind` index, `width` wide."""
        for name, expected, found in (("kind", kind, self.kind), ("width", width, self.width)):
            if expected != found:
                raise IncompatibleBundle(
                    f"expected an index of {name} {expected} in {folder}, found {found}:"
                    " build the index with these towers"
                )


def write_array(path: Path, array: NDArray[Any]) -> None:
    """Write an array as .npy, never pickled."""
    with disk.whole_file(path) as part, part.open("wb") as file:
        np.save(file, array, allow_pickle=False)


def read_array(path: Path, shape: tuple[int, ...], dtype: type, *, mapped: bool) -> NDArray[Any]:
    """The array in `path`, memory-mapped if wanted; its shape and type must be as expected."""
    empty = 0 in shape
    try:
        found = np.load(path, mmap_mode="r" if mapped and not empty else None, allow_pickle=False)
    except FileNotFoundError as missing:
        raise CorruptBundle(f"expected {path}, found no such file: build again") from missing
    except (OSError, ValueError, EOFError) as damage:
        raise CorruptBundle(f"expected an array in {path}, found {damage}: build again") from damage
    if found.shape != shape or found.dtype != np.dtype(dtype):
        raise CorruptBundle(
            f"expected {np.dtype(dtype)}{list(shape)} in {path},"
            f" found {found.dtype}{list(found.shape)}: build again"
        )
    return np.asarray(found) if not mapped else found


def write_live(folder: Path, live: LiveLayer) -> None:
    """Write the live layer beside the base."""
    write_array(folder / _GONE, live.gone)
    write_array(folder / _LIVE_ROWS, live.rows)
    write_array(folder / _LIVE_VECTORS, live.vectors)


def read_live(folder: Path, meta: Meta) -> LiveLayer:
    """The live layer that `write_live` wrote."""
    gone = read_array(folder / _GONE, (meta.n_items,), np.bool_, mapped=False)
    rows = read_array(folder / _LIVE_ROWS, (meta.n_live,), np.int64, mapped=False)
    shape = (meta.n_live, meta.width)
    vectors: Vectors = read_array(folder / _LIVE_VECTORS, shape, np.float32, mapped=False)
    live = LiveLayer.empty(meta.n_base, meta.width).upserted(rows, vectors)
    return live.deleted(np.flatnonzero(gone))
