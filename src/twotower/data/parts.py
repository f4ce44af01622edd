"""The files of a table: one, a folder of parts, or all that a pattern names."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import polars as pl

from twotower.data import reading
from twotower.data.broken_rows import Broken
from twotower.data.encoding import UTF_8
from twotower.data.reading import SUFFIXES, Opened
from twotower.data.shop_toml import toml_lines
from twotower.errors import DataError

_PACKED = ("", ".gz", ".zst")


@dataclass(frozen=True, eq=False)
class Stacked:
    """The rows of all parts of a table, in the order of their names.

    Attributes:
        frame: the rows; a column that a part lacks is missing in its rows.
        rows: how many each part has, by its name.
        encodings: of the parts that are no UTF-8, by their name; guessed where nobody said.
        broken: rows that were put aside, counted in all parts.
    """

    frame: pl.DataFrame
    rows: Mapping[str, int]
    encodings: Mapping[str, str] = field(default_factory=dict)
    broken: tuple[Broken, ...] = ()


def find(folder: Path, table: str, named: str | None) -> tuple[Path, ...]:
    """The files of a table, sorted by name; none when the folder has none.

    `TABLE.csv` comes first, else the parts in a folder `TABLE`, else `TABLE-1.csv` and so on.

    Args:
        folder: where to look.
        table: `items`, `events`, ...
        named: the file, folder or pattern that shop.toml names for this table.

    Raises:
        DataError: what shop.toml names is not there, or two files could be this table.
    """
    if named is not None:
        found = _named(folder, named)
        if not found:
            raise DataError(
                f"shop.toml: [{table}] file = {named!r}, but {folder} has no such file."
            )
        return found
    whole = [folder / f"{table}{end}" for end in _endings() if (folder / f"{table}{end}").is_file()]
    if len(whole) > 1:
        names = ", ".join(path.name for path in whole)
        raise DataError(
            f"{folder} has several files for {table}: {names}. Keep one, or say which in shop.toml:"
            + toml_lines(table, {"file": whole[0].name})
        )
    return tuple(whole) or _inside(folder / table) or _numbered(folder, table)


def read(paths: tuple[Path, ...], encoding: str | None = None, *, skips: bool = False) -> Stacked:
    """All parts of a table below each other.

    Args:
        paths: at least one, in the order of their rows.
        encoding: of the text, where the shop says it.
        skips: rows that cannot be read are put aside, and stop nothing.

    Raises:
        DataError: a part cannot be read, or a column is of another kind than in the parts before.
    """
    parts = [reading.opened(path, encoding, skips=skips) for path in paths]
    frame = parts[0].frame
    for path, part in zip(paths[1:], parts[1:], strict=True):
        try:
            frame = pl.concat([frame, part.frame], how="diagonal_relaxed")
        except pl.exceptions.PolarsError as error:
            raise DataError(
                f"{path.name} does not go with {paths[0].name}: {str(error).splitlines()[0]}. "
                "Export the parts of a table with the same columns."
            ) from error
    return Stacked(
        frame,
        {path.name: len(part.frame) for path, part in zip(paths, parts, strict=True)},
        {
            path.name: part.encoding
            for path, part in zip(paths, parts, strict=True)
            if part.encoding != UTF_8
        },
        tuple(_counted_on(parts)),
    )


def _counted_on(parts: list[Opened]) -> Iterator[Broken]:
    before = 0
    for part in parts:
        yield from (replace(one, row=one.row + before) for one in part.broken)
        before += len(part.frame)


def called(paths: tuple[Path, ...], folder: Path) -> str:
    """What to call the files of a table: the one, the folder, or the first and how many more."""
    if len(paths) == 1:
        return paths[0].name
    if paths[0].parent != folder:
        return f"{paths[0].parent.name}/"
    return f"{paths[0].name} and {len(paths) - 1} more"


def files_in(folder: Path) -> tuple[Path, ...]:
    """Every file of a folder that could be a table, sorted by name."""
    return tuple(sorted(path for path in folder.iterdir() if path.name.endswith(_endings())))


def _named(folder: Path, named: str) -> tuple[Path, ...]:
    if (folder / named).is_dir():
        return _inside(folder / named)
    if any(sign in named for sign in "*?["):
        return tuple(sorted(path for path in folder.glob(named) if path.is_file()))
    return (folder / named,) if (folder / named).is_file() else ()


def _inside(folder: Path) -> tuple[Path, ...]:
    """Every table in a folder and below it; what writers add, such as _SUCCESS, is none."""
    if not folder.is_dir():
        return ()
    files = (path for path in folder.rglob("*") if path.is_file())
    return tuple(sorted(path for path in files if path.name.endswith(_endings())))


def _numbered(folder: Path, table: str) -> tuple[Path, ...]:
    found = (path for sign in "-_." for path in folder.glob(f"{table}{sign}*"))
    return tuple(sorted(path for path in found if path.name.endswith(_endings())))


def _endings() -> tuple[str, ...]:
    return tuple(f"{suffix}{packed}" for suffix in SUFFIXES for packed in _PACKED)
