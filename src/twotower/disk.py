"""What is written to disk appears whole and synced, or not at all."""

import errno
import fcntl
import os
import secrets
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from twotower.errors import OutputError

_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_FULL_WORDS = ("space left", "too large", "quota", "requested and")
"""How libraries that keep no errno say it; the last are NumPy's."""
_PART, _RETIRED = "part", "old"
"""How names end of what is being written, and of what is about to be replaced."""
_RUST = "(os error "
"""In what libraries written in Rust (Polars, safetensors) raise for an error of the disk."""


@contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """A place beside `path` to write to; at the end it becomes `path`, in one step.

    Raises:
        OutputError: it cannot be written, or the disk is full. An older file is untouched.
    """
    with _staging(path, path.parent, Path.touch) as part:
        yield part
        _sync(part)
        part.replace(path)
        _sync(path.parent)


@contextmanager
def whole_folder(folder: Path) -> Iterator[Path]:
    """A new folder to fill; at the end it takes the place of `folder`, of an older one too.

    Raises:
        OutputError: it cannot be written, or the disk is full. Nothing half-written is left,
            and what was there before is untouched.
    """
    restore(folder)
    near = _nearest(folder)
    with _staging(folder, near, Path.mkdir) as part:
        yield part
        for path in (*part.rglob("*"), part):
            _sync(path)
        folder.parent.mkdir(parents=True, exist_ok=True)
        _swap(part, folder)
        for parent in folder.absolute().parents:
            _sync(parent)
            if parent == near:
                break


@contextmanager
def alone_in(folder: Path) -> Iterator[None]:
    """Waits until no other process is alone in the folder, which is made if it is not there.

    On a disk without locks nobody waits.

    Raises:
        OutputError: the folder cannot be made.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise _not_written(folder, str(error), error) from error
    with _locked(folder, wait=True):
        yield


def write_text(path: Path, text: str) -> None:
    """Replaces a text file in one step; raises `OutputError` as `whole_file` does."""
    with whole_file(path) as part:
        part.write_text(text, encoding="utf-8")


def refuse_foreign(folder: Path, marker: str, what: str, *, is_replaced: bool = True) -> None:
    """Refuses a place that holds something of others or cannot be written, before work is begun.

    Args:
        folder: where something of ours is to be written.
        marker: the file that every folder of ours holds.
        what: they are called, such as `bundle`.
        is_replaced: whether it is written beside its place; otherwise within.

    Raises:
        OutputError: there is a file, or a folder with something in it but no marker, or nothing
            can be made where it is to be.
    """
    restore(folder)
    try:
        is_free = not any(folder.iterdir()) if folder.is_dir() else not folder.exists()
        is_ours = (folder / marker).is_file()
    except OSError as error:
        raise _not_written(folder, str(error), error) from error
    if not is_free and not is_ours:
        raise OutputError(
            f"{folder} holds something that is no {what}, so it is left alone; choose another --out"
        )
    near = _nearest(folder) if is_replaced or not folder.exists() else folder
    with _staging(folder, near, Path.mkdir):
        pass


def restore(folder: Path) -> None:
    """Puts back what a writer had put aside when it was killed, just before the new one came in.

    Where it cannot, or the writer is still at work, nothing happens.
    """
    if folder.exists():
        return
    with suppress(OSError):
        for retired in _left_of(folder, folder.parent, _RETIRED):
            with _locked(retired) as is_held:
                if is_held:
                    retired.rename(folder)


@contextmanager
def kept(folder: Path) -> Iterator[None]:
    """Notes on an error that passes, where there is such a folder: the work in it is not lost."""
    try:
        yield
    except Exception as error:
        if folder.exists() and not hasattr(error, "__notes__"):
            error.add_note(
                f"What was done is kept in {folder}: the same command goes on from there."
            )
        raise


@contextmanager
def _staging(target: Path, near: Path, make: Callable[[Path], None]) -> Iterator[Path]:
    """A place to write in, made in the folder `near` and gone at the end, whatever happens.

    Errors of the disk are told of the target. What a killed writer of the same target left
    is removed: it is not locked any more.
    """
    part = _beside(near / target.name, _PART)
    try:
        near.mkdir(parents=True, exist_ok=True)
        for path in _left_of(target, near, _PART):
            _remove_abandoned(path)
        make(part)
        with _locked(part):
            yield part
    except OutputError as error:  # of a file within
        raise OutputError(str(error).replace(str(part), str(target))) from error
    except Exception as error:
        if not isinstance(error, OSError) and _RUST not in str(error):
            raise
        told = str(error).replace(str(part), str(target))
        raise _not_written(target, told, error) from error
    finally:
        _remove(part)


@contextmanager
def _locked(path: Path, *, wait: bool = False) -> Iterator[bool]:
    """Holds the file or folder for this writer, if nobody does; says whether it is held."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)
        is_held = True
    except OSError:  # another writer's, or a disk without locks
        is_held = False
    try:
        yield is_held
    finally:
        os.close(descriptor)


def _nearest(path: Path) -> Path:
    """The nearest folder above that is there."""
    return next(parent for parent in path.absolute().parents if parent.exists())


def _left_of(target: Path, near: Path, kind: str) -> list[Path]:
    """What writers of the target work on, or left when they were killed."""
    start, end = f".{target.name}.", f".{kind}"
    return [path for path in near.iterdir() if path.name.startswith(start) and path.suffix == end]


def _remove_abandoned(path: Path) -> None:
    with suppress(OSError), _locked(path) as is_held:
        if is_held:
            _remove(path)


def _remove(path: Path) -> None:
    shutil.rmtree(path, ignore_errors=True)
    with suppress(OSError):
        path.unlink()


def _swap(part: Path, folder: Path) -> None:
    """Puts the new folder in the old one's place; the old one comes back if that fails.

    It stays locked meanwhile, so that `restore` leaves it to us; were we killed, it would not.
    """
    if not folder.exists():
        part.rename(folder)
        return
    retired = _beside(folder, _RETIRED)
    with _locked(folder):
        folder.rename(retired)
        try:
            part.rename(folder)
        except OSError:
            retired.rename(folder)
            raise
        abandoned = retired.rename(_beside(folder, _PART))  # not to be restored any more
    shutil.rmtree(abandoned, ignore_errors=True)


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
            "Free some space, or choose another place. Nothing half-written was left."
        )
    return OutputError(
        f"{path} cannot be written: {told}. Choose a folder you may write to. "
        "Nothing half-written was left."
    )
