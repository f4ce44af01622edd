"""Typed rows of a log, kept beside the dataset: next time only files that are new are read."""

import hashlib
import json
import os
import shutil
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Final

import polars as pl

from twotower import schema
from twotower.data.check import Forms
from twotower.data.config import PrepareConfig
from twotower.data.streaming.log import Log
from twotower.data.streaming.sort import Sorted, Sorter, Typed
from twotower.data.streaming.survey import Look, bounds_of, forms_of, look
from twotower.data.times import Form

LOG: Final = "log"
"""The folder of typed rows in a prepared dataset."""
_MANIFEST: Final = "log.json"
_FORMAT: Final = 1
_GROWN: Final = 4
"""Ranges of users are drawn anew when each has grown by so much."""


@dataclass(frozen=True, eq=False)
class Kept:
    """What was kept of a log.

    Attributes:
        files: typed rows, by what `keys_of` says of their file.
        forms: how ids and times were read.
        bounds: of the ranges of users.
    """

    files: Mapping[str, Typed]
    forms: Forms
    bounds: pl.Series

    def fits(self, looks: Mapping[str, Look], forms: Forms, part_rows: int) -> bool:
        """Whether the typed rows are those that a log has that is read like this."""
        rows = sum(look.rows for look in looks.values())
        return forms == self.forms and rows <= _GROWN * part_rows * (len(self.bounds) + 1)


def keys_of(log: Log) -> dict[Path, str]:
    """What tells each file from any other: a hash of its name and its bytes."""
    return {path: _key(log.name(path), path) for path in log.paths}


def sorted_log(
    log: Log,
    config: PrepareConfig,
    folder: Path,
    part_rows: int,
    *,
    keys: Mapping[Path, str],
    kept: Kept | None = None,
) -> Sorted:
    """Every row of a log in its type and range of users; what was kept is not read again.

    Args:
        log: the files.
        config: whether rows at fault stop everything, or are put aside.
        folder: to write to.
        part_rows: rows of a range, about.
        keys: of each file another word, as names of files may have it.
        kept: of an earlier log of the same shop; used where it fits this one.
    """
    old = {path: kept.files[key] for path, key in keys.items() if kept and key in kept.files}
    looks = {
        log.name(path): old[path].look if path in old else look(log, path) for path in log.paths
    }
    forms = forms_of(list(looks.values()))
    if kept is not None and not kept.fits(looks, forms, part_rows):
        return sorted_log(log, config, folder, part_rows, keys=keys)
    bounds = kept.bounds if kept else bounds_of(list(looks.values()), forms, part_rows)
    sorter = Sorter(log, looks, forms, bounds, config, folder)
    files = {
        log.name(path): _linked(old[path], folder) if path in old else sorter.sort(path, key)
        for path, key in keys.items()
    }
    return Sorted(files, forms, bounds)


def keep(found: Sorted, log: Log, keys: Mapping[Path, str], folder: Path) -> None:
    """Says beside the typed rows what they are of.

    Args:
        found: the log; its pieces lie in the folder.
        log: its files.
        keys: of the files.
        folder: to write to.
    """
    files = {}
    for path, key in keys.items():
        typed = found.files[log.name(path)]
        if typed.look.times is not None:
            typed.look.times.to_frame(schema.TIME).write_ipc(_times(folder, key))
        files[key] = {
            "rows": typed.look.rows,
            "numbered": sorted(typed.look.numbered),
            "has_times": typed.look.times is not None,
            "has_clock": typed.has_clock,
            "pieces": {
                part: [[piece.name, piece.stat().st_size] for piece in pieces]
                for part, pieces in typed.pieces.items()
            },
        }
    time = found.forms.time
    told = {
        "format": _FORMAT,
        "read_as": _read_as(log),
        "numbered": sorted(found.forms.numbered),
        "time": asdict(time) if time else None,
        "bounds": found.bounds.to_list(),
        "files": files,
    }
    (folder / _MANIFEST).write_text(json.dumps(told), encoding="utf-8")


def read(folder: Path, log: Log) -> Kept | None:
    """What `keep` left; None where there is nothing, not all of it, or it was read otherwise."""
    try:
        told = json.loads((folder / _MANIFEST).read_text("utf-8"))
        if told["format"] != _FORMAT or told["read_as"] != _read_as(log):
            return None
        return Kept(
            {key: _typed(folder, key, file) for key, file in told["files"].items()},
            Forms(frozenset(told["numbered"]), Form(**told["time"]) if told["time"] else None),
            pl.Series(told["bounds"], dtype=pl.String),
        )
    except (OSError, ValueError, KeyError, TypeError, pl.exceptions.PolarsError):
        return None


def _typed(folder: Path, key: str, told: Mapping[str, Any]) -> Typed:
    """Raises ValueError where a piece is not what it was."""
    pieces = {
        int(part): [folder / name for name, _ in names] for part, names in told["pieces"].items()
    }
    sizes = [size for names in told["pieces"].values() for _, size in names]
    found = [path.stat().st_size for paths in pieces.values() for path in paths]
    if found != sizes:
        raise ValueError(f"{folder} is damaged")
    times = pl.read_ipc(_times(folder, key)).to_series() if told["has_times"] else None
    users = pl.Series(schema.USER_ID, [], dtype=pl.String)
    looked = Look(told["rows"], frozenset(told["numbered"]), times, users)
    return Typed(looked, told["has_clock"], pieces)


def _times(folder: Path, key: str) -> Path:
    return folder / f"{key}.times"


def _key(name: str, path: Path) -> str:
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").digest()
    return hashlib.sha256(digest + name.encode()).hexdigest()[:32]


def _read_as(log: Log) -> dict[str, Any]:
    """What else the typed rows of a file depend on, as JSON has it."""
    told = {
        "columns": dict(log.header.columns),
        "types": {name: str(dtype) for name, dtype in log.header.frame.schema.items()},
        "mapping": asdict(log.mapping),
        "time_zone": log.shop.time_zone,
    }
    return dict(json.loads(json.dumps(told)))


def _linked(typed: Typed, folder: Path) -> Typed:
    """The same rows under names of this folder as well."""
    return replace(
        typed,
        pieces={
            part: [_link(piece, folder) for piece in pieces]
            for part, pieces in typed.pieces.items()
        },
    )


def _link(piece: Path, folder: Path) -> Path:
    to = folder / piece.name
    try:
        os.link(piece, to)
    except OSError:  # a disk without such links
        shutil.copyfile(piece, to)
    return to
