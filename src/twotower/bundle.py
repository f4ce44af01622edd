"""The release folder: towers, vectors, index, data and report, whole or refused.

BUNDLE/
manifest.json       format and version, who made it, settings, sha256 of every file
report.json         how good it is
data/               the prepared dataset
model/              features.json, again.json, towers/*.onnx, text_encoder/,
                    {vectors,attention,ids}.npy
index/  lexical/    what answers
"""

import hashlib
import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from twotower import __version__, disk
from twotower.data.dataset import Dataset
from twotower.encoders.packed import NEEDED_FILES as ENCODER_FILES
from twotower.encoders.packed import PackedTextEncoder
from twotower.errors import BundleError, CorruptBundle, IncompatibleBundle
from twotower.features.again import NOT_AGAIN, Again
from twotower.features.history import UNKNOWN_TIME, Histories
from twotower.features.items import ItemFeatures
from twotower.index.base import Index
from twotower.index.build import load_index
from twotower.lexical.word_search import WordSearch
from twotower.towers.exported import ExportedTowers

FORMAT = 2
"""Version of the folder's layout. A release reads this one and says so of others."""
REJECTED = ".rejected"
"""Ends the name of a bundle that lost to its baselines and was put beside a better one."""

MANIFEST, REPORT = "manifest.json", "report.json"
_DATA, _MODEL, _INDEX, _LEXICAL = "data", "model", "index", "lexical"
_NEEDED = {"version": str, "files": dict, "index": dict, "settings": dict, "recipe": dict}
_NEEDED_FILES = (
    REPORT,
    "data/dataset.json",
    "data/items.parquet",
    "index/index.json",
    "lexical/lexical.json",
    "model/attention.npy",
    "model/features.json",
    "model/towers/item.onnx",
    "model/vectors.npy",
    *(f"model/text_encoder/{name}" for name in ENCODER_FILES),
)
"""Without one of these nothing is answered; the others depend on what was trained."""


@dataclass(frozen=True)
class Model:
    """Trained towers with all they need to answer, without PyTorch.

    Attributes:
        folder: where they lie.
        features: turns items into arrays.
        towers: turn arrays, histories and text vectors into vectors.
        text_encoder: turns texts into text vectors.
        item_vectors: [N, D] vectors of the catalogue, memory-mapped.
        attention: [N, F] how much each feature of each item weighed.
        ids: [N] row of each item in the table of ids; zeros in bundles of before.
        again: how much it counts that a visitor had an item before; nothing in those.
    """

    folder: Path
    features: ItemFeatures
    towers: ExportedTowers
    text_encoder: PackedTextEncoder
    item_vectors: NDArray[np.float32]
    attention: NDArray[np.float32]
    ids: NDArray[np.int64]
    again: Again = NOT_AGAIN

    @classmethod
    def load(cls, folder: Path) -> "Model":
        """Opens the folder.

        Raises:
            CorruptBundle: a file is missing or unreadable.
            IncompatibleBundle: towers and vectors have different widths.
        """
        try:
            features = ItemFeatures.from_json(json.loads((folder / "features.json").read_text()))
            vectors = np.load(folder / "vectors.npy", mmap_mode="r", allow_pickle=False)
            attention = np.load(folder / "attention.npy", mmap_mode="r", allow_pickle=False)
            ids = _ids(folder / "ids.npy", len(vectors))
            again = _again(folder / "again.json")
        except (OSError, ValueError, KeyError, EOFError) as error:
            raise CorruptBundle(
                f"{folder} is not a whole model ({error}); build it again"
            ) from error
        towers = ExportedTowers(folder / "towers")
        if vectors.shape[1] != towers.width:
            raise IncompatibleBundle(
                f"{folder}: the towers make vectors {towers.width} wide, "
                f"vectors.npy holds {vectors.shape[1]}; build it again"
            )
        encoder = PackedTextEncoder(folder / "text_encoder")
        return cls(folder, features, towers, encoder, vectors, attention, ids, again)

    def users(
        self, histories: Histories, now_ms: int | NDArray[np.int64] = UNKNOWN_TIME
    ) -> NDArray[np.float32]:
        """[U, D] user vectors of histories over the catalogue; see `ExportedTowers.users`."""
        return self.towers.users(self.item_vectors, histories, now_ms, ids=self.ids)

    @cached_property
    def hash(self) -> str:
        """Identifies the towers and the space of their vectors: 16 hex digits."""
        digest = hashlib.sha256()
        for file in sorted((self.folder / "towers").glob("*.onnx")):
            digest.update(sha256(file).encode())
        return digest.hexdigest()[:16]


def _ids(file: Path, n_items: int) -> NDArray[np.int64]:
    if not file.is_file():
        return np.zeros(n_items, np.int64)
    found: NDArray[np.int64] = np.load(file, mmap_mode="r", allow_pickle=False)
    return found


def _again(file: Path) -> Again:
    return Again(**json.loads(file.read_text())) if file.is_file() else NOT_AGAIN


def write_model(
    folder: Path,
    features: ItemFeatures,
    encoder: PackedTextEncoder,
    vectors: NDArray[np.float32],
    attention: NDArray[np.float32],
    ids: NDArray[np.int64],
    again: Again,
) -> None:
    """Everything of a model but its towers, which are exported into `folder/towers`."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "features.json").write_text(json.dumps(features.to_json()))
    (folder / "again.json").write_text(json.dumps(again.to_json()))
    np.save(folder / "vectors.npy", vectors, allow_pickle=False)
    np.save(folder / "attention.npy", attention, allow_pickle=False)
    np.save(folder / "ids.npy", ids, allow_pickle=False)
    (folder / "text_encoder").mkdir(exist_ok=True)
    for name in encoder.files:
        shutil.copyfile(encoder.folder / name, folder / "text_encoder" / name)


@dataclass(frozen=True)
class Bundle:
    """A release, opened. Read-only: live changes are a layer over it.

    Attributes:
        folder: where it lies.
        manifest: what `manifest.json` says.
        model: towers, encoder and vectors.
        dataset: the prepared tables.
        index: nearest items.
        lexical: words.
        report: how good it is.
    """

    folder: Path
    manifest: Mapping[str, Any]
    model: Model
    dataset: Dataset
    index: Index
    lexical: WordSearch
    report: Mapping[str, Any]

    @property
    def version(self) -> str:
        """Identifies the bundle: when it was made and what is in it."""
        return str(self.manifest["version"])

    @property
    def settings(self) -> Mapping[str, Any]:
        """How answers are made: `semantic_weight` of hybrid search, and so on."""
        found: Mapping[str, Any] = self.manifest["settings"]
        return found

    @classmethod
    def load(cls, folder: Path, *, verify: bool = True) -> "Bundle":
        """Opens a bundle that is whole, or refuses.

        Args:
            folder: written by `write_bundle`.
            verify: compare every file's hash with the manifest's.

        Raises:
            BundleError: there is no bundle.
            CorruptBundle: a file is missing, truncated, altered or not listed; names it.
            IncompatibleBundle: another format, or an index of other towers; names both.
        """
        manifest = read_manifest(folder)
        if verify:
            _verify(folder, manifest)
        model = Model.load(folder / _MODEL)
        made_for = manifest["index"]["towers"]
        if made_for != model.hash:
            raise IncompatibleBundle(
                f"{folder}: the index was built by towers {made_for}, the bundle holds towers "
                f"{model.hash}; build the bundle again"
            )
        return cls(
            folder,
            manifest,
            model,
            Dataset.load(folder / _DATA),
            load_index(folder / _INDEX, expected_width=model.towers.width),
            WordSearch.load(folder / _LEXICAL),
            _read_object(folder / REPORT),
        )


def read_manifest(folder: Path) -> dict[str, Any]:
    """What `manifest.json` says, of a format that this release reads.

    Raises:
        BundleError: there is no manifest.
        CorruptBundle: it is not JSON, or does not list a file that every bundle needs.
        IncompatibleBundle: its format is another one.
    """
    disk.restore(folder)
    if not (folder / MANIFEST).is_file():
        raise BundleError(
            f"expected a bundle in {folder}, found no {MANIFEST}; make one with 'twotower build'"
        )
    manifest = _read_object(folder / MANIFEST)
    if manifest.get("format") != FORMAT:
        raise IncompatibleBundle(
            f"{folder} has bundle format {manifest.get('format')}, twotower {__version__} reads "
            f"{FORMAT}; build the bundle again, or use the twotower that made it "
            f"({manifest.get('twotower')})"
        )
    lacking = [name for name, kind in _NEEDED.items() if not isinstance(manifest.get(name), kind)]
    if lacking:
        raise CorruptBundle(f"{folder / MANIFEST} lacks {', '.join(lacking)}; build it again")
    for name in _NEEDED_FILES:
        if name not in manifest["files"]:
            raise CorruptBundle(f"{folder / MANIFEST} does not list {name}; build it again")
    return manifest


def write_bundle(
    folder: Path,
    model: Model,
    dataset: Dataset,
    *,
    index: Index,
    lexical: WordSearch,
    report: Mapping[str, Any],
    settings: Mapping[str, Any],
    recipe: Mapping[str, Any],
) -> Bundle:
    """Writes a release beside its place, opens and verifies it there, then moves it in.

    Args:
        folder: a new place, or an older bundle, which is replaced.
        model: the trained towers.
        dataset: the prepared tables.
        index: of `model.item_vectors`.
        lexical: of the catalogue's words.
        report: of `evaluation.report`.
        settings: how answers are made.
        recipe: the whole configuration.

    Raises:
        OutputError: the place holds something else, cannot be written, or the disk is full.
    """
    refuse_foreign(folder)
    with disk.whole_folder(folder) as staging:
        shutil.copytree(model.folder, staging / _MODEL, copy_function=shutil.copyfile)
        dataset.save(staging / _DATA)
        index.save(staging / _INDEX)
        lexical.save(staging / _LEXICAL)
        (staging / REPORT).write_text(json.dumps(report, indent=2) + "\n")
        manifest = _manifest(staging, model, dataset, settings, recipe)
        (staging / MANIFEST).write_text(json.dumps(manifest, indent=2) + "\n")
        Bundle.load(staging)
    return Bundle.load(folder, verify=False)


def refuse_foreign(folder: Path) -> None:
    """Refuses a place for a bundle that holds something else, or cannot be written.

    Raises:
        OutputError: there is a file, or a folder with something in it that is no bundle, or
            nothing can be made there.
    """
    disk.refuse_foreign(folder, MANIFEST, "bundle")


def sha256(file: Path) -> str:
    """Hex digest of a file's bytes."""
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


def _manifest(
    folder: Path,
    model: Model,
    dataset: Dataset,
    settings: Mapping[str, Any],
    recipe: Mapping[str, Any],
) -> dict[str, Any]:
    created = datetime.now(UTC)
    files = sorted(file for file in folder.rglob("*") if file.is_file())
    return {
        "format": FORMAT,
        "version": f"{created:%Y%m%dT%H%M%S}-{model.hash[:8]}",
        "created": created.isoformat(timespec="seconds"),
        "twotower": __version__,
        "name": dataset.about.name,
        "synthetic": dataset.about.synthetic,
        "data_hash": dataset.content_hash,
        "width": model.towers.width,
        "towers": model.hash,
        "index": {"towers": model.hash},
        "settings": dict(settings),
        "recipe": dict(recipe),
        "files": {file.relative_to(folder).as_posix(): _fingerprint(file) for file in files},
    }


def _fingerprint(file: Path) -> dict[str, Any]:
    return {"sha256": sha256(file), "bytes": file.stat().st_size}


def _verify(folder: Path, manifest: Mapping[str, Any]) -> None:
    for room in (_DATA, _MODEL, _INDEX, _LEXICAL):
        for file in sorted((folder / room).rglob("*")):
            name = file.relative_to(folder).as_posix()
            if file.is_file() and name not in manifest["files"]:
                raise CorruptBundle(
                    f"{folder / MANIFEST} does not list {name}, which is there; "
                    "build the bundle again"
                )
    for name, expected in manifest["files"].items():
        file = folder / name
        if not file.is_file():
            raise CorruptBundle(f"{file} is missing; build the bundle again")
        if not isinstance(expected, dict) or expected.keys() != {"sha256", "bytes"}:
            raise CorruptBundle(
                f"{folder / MANIFEST} must give sha256 and bytes of {name}, got {expected!r}; "
                "build the bundle again"
            )
        size = file.stat().st_size
        if size != expected["bytes"]:
            raise CorruptBundle(
                f"{file} must have {expected['bytes']} bytes, found {size}; build the bundle again"
            )
        found = sha256(file)
        if found != expected["sha256"]:
            raise CorruptBundle(
                f"{file} must have SHA-256 {expected['sha256'][:12]}…, found {found[:12]}…; "
                "build the bundle again"
            )


def _read_object(file: Path) -> dict[str, Any]:
    try:
        found = json.loads(file.read_text())
    except (OSError, ValueError) as error:
        raise CorruptBundle(f"{file} is unreadable ({error}); build it again") from error
    if not isinstance(found, dict):
        raise CorruptBundle(f"{file} must hold a JSON object; build it again")
    return found
