"""The lexical folder: lexical.json beside one archive of arrays. Nothing is pickled."""

import json
import os
import zipfile
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from twotower.errors import CorruptBundle, IncompatibleBundle, OutputError
from twotower.lexical import analysis
from twotower.lexical.live import LiveTexts
from twotower.lexical.postings import Postings

FORMAT = 1
_META, _ARRAYS, _LIVE = "lexical.json", "postings.npz", "live.json"
_DTYPES = {"offsets": np.int64, "rows": np.int32, "counts": np.float32, "lengths": np.float32}


@dataclass(frozen=True)
class Meta:
    """What lexical.json says."""

    k1: float
    b: float
    weights: dict[str, float]
    n_base: int
    analysis: int = analysis.VERSION
    format: int = FORMAT

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read lexical.json; refuse another format or analysis by name."""
        meta = cls(**_read_json(path))
        for name, ours in (("format", FORMAT), ("analysis", analysis.VERSION)):
            theirs = getattr(meta, name)
            if theirs != ours:
                raise IncompatibleBundle(
                    f"expected lexical {name} {ours} in {path}, found {theirs}:"
                    " build again, or use the twotower that wrote it"
                )
        return meta


def save(folder: Path, meta: Meta, postings: Postings, live: LiveTexts) -> None:
    """Write all three files, each whole or not at all."""
    terms = "\n".join(postings.vocabulary).encode()
    arrays = {name: getattr(postings, name) for name in _DTYPES}
    arrays["terms"] = np.frombuffer(terms, dtype=np.uint8)
    _write_whole(folder / _ARRAYS, lambda path: _write_arrays(path, arrays))
    changes = {
        "n_items": live.n_items,
        "hidden": live.hidden.tolist(),
        "documents": {str(row): dict(counts) for row, counts in live.documents.items()},
    }
    _write_whole(folder / _LIVE, lambda path: _write_json(path, changes))
    _write_whole(folder / _META, lambda path: _write_json(path, asdict(meta)))


def load(folder: Path, *, expected_items: int | None) -> tuple[Meta, Postings, LiveTexts]:
    """Read what `save` wrote; `postings` of the live layer are left to be worked out."""
    meta = Meta.read(folder / _META)
    postings = _read_postings(folder / _ARRAYS, meta)
    changes = _read_json(folder / _LIVE)
    try:
        live = LiveTexts(
            n_items=int(changes["n_items"]),
            hidden=np.array(changes["hidden"], dtype=np.int64),
            documents={int(row): counts for row, counts in changes["documents"].items()},
        )
    except (KeyError, TypeError, ValueError, AttributeError) as damage:
        raise CorruptBundle(
            f"expected live texts in {folder / _LIVE}, found {damage!r}"
        ) from damage
    if expected_items is not None and live.n_items != expected_items:
        raise IncompatibleBundle(
            f"expected the words of {expected_items} items in {folder}, found {live.n_items}:"
            " build again from this catalogue"
        )
    return meta, postings, live


def grown(live: LiveTexts, n_items: int) -> LiveTexts:
    """The same snapshot with room for `n_items` rows: the last ones may have been deleted."""
    return replace(live, n_items=n_items)


def _read_postings(path: Path, meta: Meta) -> Postings:
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as archive:
            arrays: dict[str, NDArray[Any]] = {name: archive[name] for name in (*_DTYPES, "terms")}
    except FileNotFoundError as missing:
        raise CorruptBundle(f"expected {path}, found no such file: build again") from missing
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as damage:
        raise CorruptBundle(f"expected postings in {path}, found {damage}: build again") from damage
    text = arrays.pop("terms").tobytes().decode()
    terms = text.split("\n") if text else []
    sizes = (len(arrays["offsets"]), len(arrays["counts"]), len(arrays["lengths"]))
    expected = (len(terms) + 1, len(arrays["rows"]), meta.n_base)
    types = {name: array.dtype for name, array in arrays.items()}
    if sizes != expected or types != {name: np.dtype(dtype) for name, dtype in _DTYPES.items()}:
        raise CorruptBundle(
            f"expected (terms + 1, postings, items) {expected} in {path}, found {sizes}:"
            " build again"
        )
    vocabulary = {term: number for number, term in enumerate(terms)}
    return Postings(vocabulary=vocabulary, weights=dict(meta.weights), **arrays)


def _write_arrays(path: Path, arrays: dict[str, NDArray[Any]]) -> None:
    with path.open("wb") as file:
        np.savez(file, allow_pickle=False, **arrays)


def _write_json(path: Path, content: dict[str, Any]) -> None:
    path.write_text(json.dumps(content, indent=2, sort_keys=True) + "\n", encoding="utf-8")


def _read_json(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as missing:
        raise CorruptBundle(f"expected {path}, found no such file: build again") from missing
    except (OSError, ValueError) as damage:
        raise CorruptBundle(f"expected JSON in {path}, found {damage}: build again") from damage
    if not isinstance(found, dict):
        raise CorruptBundle(f"expected a JSON object in {path}, found {type(found).__name__}")
    return found


def _write_whole(path: Path, write: Callable[[Path], object]) -> None:
    beside = path.with_name(f".{path.name}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write(beside)
        os.replace(beside, path)  # noqa: PTH105 - atomic over an existing file
    except OSError as failure:
        beside.unlink(missing_ok=True)
        raise OutputError(f"cannot write {path}: {failure}") from failure
