"""A prepared dataset: the tables everything else starts from, and the folder they live in."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from functools import cached_property
from pathlib import Path
from typing import Any, Final

import polars as pl

from twotower import disk, schema
from twotower.errors import DataError

FORMAT: Final = 1
"""Version of the folder's layout."""
MANIFEST: Final = "dataset.json"
PROFILE: Final = "profile.json"
REFUSED: Final = "refused.jsonl"
TABLES: Final = ("items", "events", "searches", "users", "judgments")

_HASHED_ROWS = 500_000


@dataclass(frozen=True)
class About:
    """What a prepared dataset is and how it was split.

    Attributes:
        name: name of the shop or data set.
        synthetic: whether it was made up.
        split_kind: how events were split, see `prepare.PrepareConfig.split`, or `none`.
        judgment_split_kind: how judgments were split: `given`, `query`, or `none`.
        repeat: whether shoppers buy the same item again, so that seen items may be shown.
        text_fields: columns of the items that hold words, in the order they are read.
        gain_map: how grades became gains: `esci`, `exponential`, or None.
        validation_from: first millisecond of validation, of a split by time.
        test_from: first millisecond of test, of a split by time.
        language: of titles and queries: a Snowball stemmer's name, or `none`.
        synonyms: lines of the shop's rules.
    """

    name: str
    synthetic: bool = False
    split_kind: str = "none"
    judgment_split_kind: str = "none"
    repeat: bool = False
    text_fields: tuple[str, ...] = (schema.TITLE,)
    gain_map: str | None = None
    validation_from: int | None = None
    test_from: int | None = None
    language: str = "english"
    synonyms: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Everything, as plain JSON."""
        lists = {"text_fields": list(self.text_fields), "synonyms": list(self.synonyms)}
        return asdict(self) | lists

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> "About":
        """The inverse of `to_json`; names it does not know are left out."""
        known = {f.name: stored[f.name] for f in fields(cls) if f.name in stored}
        text_fields = tuple(known.get("text_fields", (schema.TITLE,)))
        synonyms = tuple(known.get("synonyms", ()))
        return cls(**known | {"text_fields": text_fields, "synonyms": synonyms})


class ContentHash:
    """SHA-256 of tables' contents: equal for equal tables, however they are stored or parted."""

    def __init__(self) -> None:
        self._digest, self._table = hashlib.sha256(), ""

    def add(self, table: str, rows: pl.DataFrame) -> None:
        """Takes in a table, or the next rows of the one before."""
        if table != self._table:
            columns = [f"{column}:{dtype}" for column, dtype in rows.schema.items()]
            self._digest.update(f"{table} {' '.join(columns)}\n".encode())
            self._table = table
        for start in range(0, len(rows), _HASHED_ROWS):
            self._digest.update(rows.slice(start, _HASHED_ROWS).write_ndjson().encode())

    def hexdigest(self) -> str:
        """Of everything so far."""
        return self._digest.hexdigest()


@dataclass(frozen=True)
class Summary:
    """What a prepared dataset's folder says of it, its tables aside.

    Attributes:
        about: what it is and how it was split.
        counts: rows by table and split, see `Dataset.counts`.
        content_hash: of the tables.
        profile: see `Dataset.profile`.
    """

    about: About
    counts: dict[str, int]
    content_hash: str
    profile: dict[str, Any]

    def write(self, folder: Path) -> None:
        """Makes a prepared dataset of a folder that has the tables."""
        _write_json(folder / PROFILE, self.profile)
        manifest = {
            "format": FORMAT,
            "about": self.about.to_json(),
            "counts": self.counts,
            "content_hash": self.content_hash,
            "files": {
                path.name: _fingerprint(path) for path in sorted(folder.iterdir()) if path.is_file()
            },
        }
        _write_json(folder / MANIFEST, manifest)


@dataclass(frozen=True, eq=False)
class Dataset:
    """A shop's tables: checked, cleaned, split. Row i of `items` is item_row i everywhere.

    Attributes:
        items: item_id and title, and whatever else of `schema` the shop has.
        events: user_id, item_row, event, time, order, split, and session_id where there
            is one; sorted by user and then by time. None without events.
        searches: user_id, query, time: what was typed. None without searches.
        users: user_id and whatever the shop has.
        judgments: query, item_row, grade, gain, positive, split. None without judgments.
        about: what it is and how it was split.
        profile: what was read, what each cleaning rule did, and the columns in numbers.
        refused: rows that were put aside, with reasons; kept beside the tables, not read back.
    """

    items: pl.DataFrame
    events: pl.DataFrame | None
    searches: pl.DataFrame | None
    users: pl.DataFrame | None
    judgments: pl.DataFrame | None
    about: About
    profile: dict[str, Any] = field(default_factory=dict)
    refused: pl.DataFrame | None = None

    @property
    def n_items(self) -> int:
        """Number of items of the catalogue."""
        return len(self.items)

    @property
    def tables(self) -> dict[str, pl.DataFrame]:
        """The tables there are, by name."""
        found = {name: getattr(self, name) for name in TABLES}
        return {name: frame for name, frame in found.items() if frame is not None}

    @property
    def counts(self) -> dict[str, int]:
        """Rows of each table by name, and of each split as `events.train`, ..."""
        found = {name: len(frame) for name, frame in self.tables.items()}
        for name in ("events", "judgments"):
            frame = self.tables.get(name)
            if frame is not None:
                sizes = frame.group_by(schema.SPLIT).len().iter_rows()
                found |= dict(sorted((f"{name}.{split}", size) for split, size in sizes))
        return found

    @cached_property
    def content_hash(self) -> str:
        """SHA-256 of the tables' contents: equal for equal tables, however they are stored."""
        digest = ContentHash()
        for name, frame in self.tables.items():
            digest.add(name, frame)
        return digest.hexdigest()

    @property
    def summary(self) -> "Summary":
        """What the folder will say of it."""
        return Summary(self.about, self.counts, self.content_hash, self.profile)

    def save(self, folder: Path) -> None:
        """The folder, whole or not at all: written beside its place, synced, then renamed.

        Args:
            folder: a new or empty folder, or an older prepared dataset to be replaced.

        Raises:
            OutputError: the folder holds something else, cannot be written, or the disk is
                full. Nothing is left behind, and what was there before is untouched.
        """
        disk.refuse_foreign(folder, MANIFEST, "prepared dataset")
        with disk.whole_folder(folder) as staging:
            self.write_tables(staging)
            self.summary.write(staging)

    def write_tables(self, folder: Path) -> None:
        """The tables alone, as files of this folder."""
        for name, frame in self.tables.items():
            frame.write_parquet(folder / f"{name}.parquet", compression="zstd")
        if self.refused is not None:
            self.refused.write_ndjson(folder / REFUSED)

    @classmethod
    def load(cls, folder: Path) -> "Dataset":
        """The dataset of a folder that `save` wrote, every file compared with its hash.

        Raises:
            DataError: the folder is no prepared dataset, is of another format, or a file
                is missing, truncated or altered; names the file.
        """
        folder = Path(folder)
        disk.restore(folder)
        manifest = _read_manifest(folder)
        for name, expected in manifest["files"].items():
            _verify(folder / name, expected)
        names = {name: f"{name}.parquet" for name in TABLES}
        tables = {
            name: pl.read_parquet(folder / file) if file in manifest["files"] else None
            for name, file in names.items()
        }
        profile = json.loads((folder / PROFILE).read_text())
        loaded = cls(**tables, about=About.from_json(manifest["about"]), profile=profile)  # type: ignore[arg-type]
        vars(loaded)["content_hash"] = manifest["content_hash"]  # the files are what they were
        return loaded


def _read_manifest(folder: Path) -> dict[str, Any]:
    path = folder / MANIFEST
    if not path.is_file():
        raise DataError(
            f"{folder} is no prepared dataset: it has no {MANIFEST}. "
            f"Make one with `twotower prepare SOURCE --out {folder}`."
        )
    try:
        manifest: dict[str, Any] = json.loads(path.read_text())
        found = manifest["format"]
        _ = manifest["files"], manifest["about"], manifest["content_hash"]
    except (ValueError, KeyError, TypeError) as error:
        raise DataError(f"{path} is damaged ({error}). Prepare the dataset again.") from error
    if found != FORMAT:
        raise DataError(
            f"{path} is of format {found}, this version reads format {FORMAT}. "
            "Prepare the dataset again."
        )
    return manifest


def _verify(path: Path, expected: Mapping[str, Any]) -> None:
    if not path.is_file():
        raise DataError(f"{path} is missing. Prepare the dataset again.")
    found = _fingerprint(path)
    if found != expected:
        raise DataError(
            f"{path} is damaged: expected {expected['bytes']} bytes with SHA-256 "
            f"{expected['sha256'][:12]}…, got {found['bytes']} bytes with {found['sha256'][:12]}…. "
            "Prepare the dataset again."
        )


def _fingerprint(path: Path) -> dict[str, Any]:
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return {"sha256": digest, "bytes": path.stat().st_size}


def _write_json(path: Path, value: Mapping[str, Any]) -> None:
    path.write_text(json.dumps(value, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
