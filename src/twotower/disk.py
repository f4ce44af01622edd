"""What is written to disk appears whole and synced, or not at all."""

import errno
import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from twotower.errors import OutputError

_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_FULL_WORDS = ("space left", "too large", "quota", "requested and")
"""How libraries that keep no errno say it; the last are NumPy's."""
_RUST = "(os error "
"""In what libraries written in Rust (Polars, safetensors) raise for an error of the disk."""


@contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """A place beside `path` to write to; at the end it becomes `path`, in one step.

    Raises:
        OutputError: it cannot be written, or the disk is full. An older file is untouched.
    """
    part = _beside(path, "part")
    with _staged(path, part):
        path.parent.mkdir(parents=True, exist_ok=True)
        yield part
        _sync(part)
        part.replace(path)
        _sync(path.parent)


@contextmanager
def whole_folder(folder: Path) -> Iterator[Path]:
    """A new folder to fill; at the end it takes the place of `folder`, of an older one too.

    Raises:
        OutputError: it cannot be written, or the disk is full. Nothing is left behind, and
            what was there before is untouched.
    """
    near = next(parent for parent in folder.absolute().parents if parent.exists())
    staging = _beside(near / folder.name, "part")
    with _staged(folder, staging):
        staging.mkdir()
        yield staging
        for path in (*staging.rglob("*"), staging):
            _sync(path)
        folder.parent.mkdir(parents=True, exist_ok=True)
        _swap(staging, folder)
        for parent in folder.absolute().parents:
            _sync(parent)
            if parent == near:
                break


def write_text(path: Path, text: str) -> None:
    """Replaces a text file in one step; raises `OutputError` as `whole_file` does."""
    with whole_file(path) as part:
        part.write_text(text, encoding="utf-8")


def refuse_foreign(folder: Path, marker: str, what: str) -> None:
    """Refuses a place that holds something of others; asked before work is begun.

    Args:
        folder: where something of ours is to be written.
        marker: the file that every folder of ours holds.
        what: they are called, such as `bundle`.

    Raises:
        OutputError: there is a file, or a folder with something in it but no marker.
    """
    try:
        is_free = not any(folder.iterdir()) if folder.is_dir() else not folder.exists()
        is_ours = (folder / marker).is_file()
    except OSError as error:
        raise _not_written(folder, str(error), error) from error
    if not is_free and not is_ours:
        raise OutputError(
            f"{folder} holds something that is no {what}, so it is left alone; choose another --out"
        )


@contextmanager
def _staged(target: Path, part: Path) -> Iterator[None]:
    """Errors of the disk are told of the target; nothing stays at `part`, whatever happens."""
    try:
        yield
    except OutputError as error:  # of a file within
        raise OutputError(str(error).replace(str(part), str(target))) from error
    except Exception as error:
        if not isinstance(error, OSError) and _RUST not in str(error):
            raise
        told = str(error).replace(str(part), str(target))
        raise _not_written(target, told, error) from error
    finally:
        shutil.rmtree(part, ignore_errors=True)
        with suppress(OSError):
            part.unlink()


def _swap(staging: Path, folder: Path) -> None:
    """Puts the new folder in the old one's place; the old one comes back if that fails."""
    if not folder.exists():
        staging.rename(folder)
        return
    retired = _beside(folder, "old")
    folder.rename(retired)
    try:
        staging.rename(folder)
    except OSError:
        retired.rename(folder)
        raise
    shutil.rmtree(retired, ignore_errors=True)


def _beside(path: Path, kind: str) -> Path:
    """A hidden name of its own next to `path`: on the same disk, so that renaming is one step."""
    return path.with_name(f".{path.name}.{secrets.token_hex(4)}.{kind}")


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _not_written(path: Path, told: str, error: Exception) -> OutputError:
    if getattr(error, "errno", None) in _FULL or any(words in told for words in _FULL_WORDS):
        return OutputError(
            f"{path} was not written: the disk is full or over its quota ({told}). "
            "Free some space, or choose another place. Nothing was left behind."
        )
    return OutputError(
        f"{path} cannot be written: {told}. Choose a folder you may write to. "
        "Nothing was left behind."
    )
