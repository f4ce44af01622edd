"""The lexical folder: lexical.json beside archives of arrays. Nothing is pickled."""

import json
import zipfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from twotower import disk
from twotower.errors import CorruptBundle, IncompatibleBundle
from twotower.lexical import analysis
from twotower.lexical.postings import Postings
from twotower.lexical.vocabulary import Sequences

FORMAT = 2
_META, _POSTINGS, _WORDS, _LIVE = "lexical.json", "postings.npz", "words.npz", "live.json"
_POSTING_TYPES = {
    "offsets": np.int64, "rows": np.int32, "counts": np.uint8, "lengths": np.int32,
}  # fmt: skip
_WORD_TYPES = {"tokens": np.int32, "starts": np.int64}
_STRINGS = "strings"
Arrays = dict[str, NDArray[Any]]


@dataclass(frozen=True)
class Meta:
    """What lexical.json says."""

    k1: float
    b: float
    weights: dict[str, float]
    fields: list[str]
    language: str
    synonyms: list[str]
    n_base: int
    analysis: int = analysis.VERSION
    format: int = FORMAT

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read lexical.json; refuse another format or analysis by name."""
        stored = _read_json(path)
        for name, ours in (("format", FORMAT), ("analysis", analysis.VERSION)):
            theirs = stored.get(name)
            if theirs != ours:
                raise IncompatibleBundle(
                    f"expected lexical {name} {ours} in {path}, found {theirs}:"
                    " build again, or use the twotower that wrote it"
                )
        try:
            return cls(**stored)
        except TypeError as damage:
            raise CorruptBundle(f"expected settings in {path}, found {damage}") from damage


@dataclass(frozen=True)
class Changes:
    """What changed since the catalogue was counted.

    Attributes:
        n_items: rows in all, appended and deleted ones included.
        deleted: rows without a text now.
        texts: row -> field -> text, of every row that was set.
    """

    n_items: int
    deleted: tuple[int, ...]
    texts: Mapping[int, Mapping[str, str | None]]


def save(
    folder: Path, meta: Meta, postings: Postings, sequences: Sequences, changes: Changes
) -> None:
    """Write all files, each whole or not at all; lexical.json comes last."""
    _write_arrays(folder / _POSTINGS, postings, _POSTING_TYPES, postings.vocabulary)
    _write_arrays(folder / _WORDS, sequences, _WORD_TYPES, sequences.words)
    said = {
        "n_items": changes.n_items,
        "deleted": list(changes.deleted),
        "texts": {str(row): dict(fields) for row, fields in changes.texts.items()},
    }
    _write_json(folder / _LIVE, said)
    _write_json(folder / _META, asdict(meta))


def load(folder: Path, *, expected_items: int | None) -> tuple[Meta, Postings, Sequences, Changes]:
    """Read what `save` wrote."""
    meta = Meta.read(folder / _META)
    postings = _read_postings(folder / _POSTINGS, meta)
    sequences = _read_sequences(folder / _WORDS, meta)
    said = _read_json(folder / _LIVE)
    try:
        changes = Changes(
            n_items=int(said["n_items"]),
            deleted=tuple(int(row) for row in said["deleted"]),
            texts={int(row): dict(fields) for row, fields in said["texts"].items()},
        )
    except (KeyError, TypeError, ValueError, AttributeError) as damage:
        raise CorruptBundle(
            f"expected live texts in {folder / _LIVE}, found {damage!r}"
        ) from damage
    if expected_items is not None and changes.n_items != expected_items:
        raise IncompatibleBundle(
            f"expected the words of {expected_items} items in {folder}, found {changes.n_items}:"
            " build again from this catalogue"
        )
    return meta, postings, sequences, changes


def _read_postings(path: Path, meta: Meta) -> Postings:
    arrays, terms = _read_arrays(path, _POSTING_TYPES)
    n_fields, n_postings = len(meta.fields), len(arrays["rows"])
    _check_shapes(
        path,
        {name: array.shape for name, array in arrays.items()},
        {
            "offsets": (len(terms) + 1,),
            "rows": (n_postings,),
            "counts": (n_fields, n_postings),
            "lengths": (n_fields, meta.n_base),
        },
    )
    vocabulary = {term: number for number, term in enumerate(terms)}
    return Postings(fields=tuple(meta.fields), vocabulary=vocabulary, **arrays)


def _read_sequences(path: Path, meta: Meta) -> Sequences:
    arrays, words = _read_arrays(path, _WORD_TYPES)
    starts = arrays["starts"].shape
    _check_shapes(path, {"starts": starts}, {"starts": (meta.n_base + 1,)})
    return Sequences(tuple(words), **arrays)


def _check_shapes(path: Path, found: Mapping[str, Any], expected: Mapping[str, Any]) -> None:
    if found != expected:
        raise CorruptBundle(f"expected arrays {expected} in {path}, found {found}: build again")


def _write_arrays(path: Path, holder: object, types: Mapping[str, Any], strings: Any) -> None:
    arrays: Arrays = {name: getattr(holder, name) for name in types}
    arrays[_STRINGS] = np.frombuffer("\n".join(strings).encode(), dtype=np.uint8)
    with disk.whole_file(path) as part, part.open("wb") as file:
        np.savez(file, allow_pickle=False, **arrays)


def _read_arrays(path: Path, types: Mapping[str, Any]) -> tuple[Arrays, list[str]]:
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as archive:
            arrays: Arrays = {name: archive[name] for name in (*types, _STRINGS)}
        text = arrays.pop(_STRINGS).tobytes().decode()
    except FileNotFoundError as missing:
        raise CorruptBundle(f"expected {path}, found no such file: build again") from missing
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as damage:
        raise CorruptBundle(f"expected arrays in {path}, found {damage}: build again") from damage
    for name, dtype in types.items():
        if arrays[name].dtype != np.dtype(dtype):
            raise CorruptBundle(
                f"expected {np.dtype(dtype)} as {name} in {path}, found {arrays[name].dtype}:"
                " build again"
            )
    return arrays, text.split("\n") if text else []


def _write_json(path: Path, content: dict[str, Any]) -> None:
    disk.write_text(path, json.dumps(content, indent=2, sort_keys=True) + "\n")


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
