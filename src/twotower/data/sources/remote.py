"""A publisher's file fetched over HTTP: in pieces, taken up where it broke off, and verified."""

import contextlib
import hashlib
import shutil
import time
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from http.client import HTTPException, HTTPResponse
from pathlib import Path, PurePosixPath
from typing import Final
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

from twotower import disk
from twotower.errors import DataError, OutputError

_PIECE: Final = 2**18
_PATIENCE_S: Final = 60.0
_ATTEMPTS: Final = 5
_OTHER_RANGE, _SERVERS_FAULT = 416, 500
_PART, _EDITION = ".part", ".edition"

Told = Callable[[str, int, int], None]
"""Called with the name of a file, how many bytes are here, and how many there are (0 unknown)."""


@dataclass(frozen=True)
class Remote:
    """A file that a publisher lets everybody fetch.

    Attributes:
        url: of the file.
        name: what it is called here.
        checksum: that the publisher gives, as `md5:...` or `sha256:...`; None where there is none.
        members: of an archive, the files that are taken out of it, by their names without folders.
    """

    url: str
    name: str
    checksum: str | None = None
    members: tuple[str, ...] = ()

    @property
    def files(self) -> tuple[str, ...]:
        """What is in the folder when it has been fetched."""
        return self.members or (self.name,)


def fetch(remote: Remote, folder: Path, told: Told, *, pause_s: float = 1.0) -> str:
    """The file in the folder, or its members; nothing is done where they are there already.

    A connection that breaks is taken up again where it broke, also by a later call.

    Args:
        remote: the file.
        folder: where to; there has to be such a folder.
        told: how far it is.
        pause_s: before the second attempt; doubled before each further one.

    Returns:
        SHA-256 of what was fetched; nothing where it was there already.

    Raises:
        DataError: it cannot be reached, or is not what the publisher says.
        OutputError: the disk is full, or the folder cannot be written.
    """
    if all((folder / name).is_file() for name in remote.files):
        return ""
    part = folder / f".{remote.name}{_PART}"
    try:
        _complete(remote, part, told, pause_s)
        digest = _verified(remote, part)
        if remote.members:
            _unpack(remote, part, folder)
        else:
            part.replace(folder / remote.name)
        _forget(part)
    except OSError as error:
        raise OutputError(
            f"{folder} cannot be written: {error.strerror or error}. Free some space, or choose "
            "another --to; what has been fetched is kept."
        ) from error
    return digest


def _complete(remote: Remote, part: Path, told: Told, pause_s: float) -> None:
    """Fetches what is lacking, at several attempts."""
    for attempt in range(1, _ATTEMPTS + 1):
        try:
            return _go_on(remote, part, told)
        except HTTPError as error:
            if error.code == _OTHER_RANGE:  # of the same edition nothing is lacking
                return None
            if error.code < _SERVERS_FAULT or attempt == _ATTEMPTS:
                raise _unreachable(remote, part, f"the server says {error.code}") from error
        except (HTTPException, ConnectionError, TimeoutError, URLError, _Short) as error:
            if attempt == _ATTEMPTS:
                raise _unreachable(remote, part, str(error)) from error
        time.sleep(pause_s * 2 ** (attempt - 1))
    return None


class _Short(Exception):  # noqa: N818 - never seen outside
    """The connection ended before the file did."""


def _go_on(remote: Remote, part: Path, told: Told) -> None:
    """Adds to the part what comes after it, or begins afresh where the server has another file."""
    here = part.stat().st_size if part.exists() else 0
    edition = _edition(part).read_text() if _edition(part).exists() else ""
    ask = Request(remote.url)  # noqa: S310 - https of this package's own list
    if here and edition:
        ask.add_header("Range", f"bytes={here}-")
        ask.add_header("If-Range", edition)
    with urlopen(ask, timeout=_PATIENCE_S) as answer:  # noqa: S310 - as above # nosec B310
        goes_on = answer.status == 206
        here = here if goes_on else 0
        total = here + int(answer.headers.get("Content-Length") or 0)
        edition = answer.headers.get("ETag") or answer.headers.get("Last-Modified") or ""
        _edition(part).write_text("" if edition.startswith("W/") else edition)
        with part.open("ab" if goes_on else "wb") as file:
            for piece in _pieces(answer):
                file.write(piece)
                here += len(piece)
                told(remote.name, here, total)
        if here < total:
            raise _Short(f"the connection ended after {here:,} of {total:,} bytes")


def _pieces(answer: HTTPResponse) -> Iterator[bytes]:
    """The bytes as they come; the disk has no part in what goes wrong here."""
    while True:
        try:
            piece = answer.read(_PIECE)
        except OSError as error:
            raise _Short(f"the connection ended: {error.strerror or error}") from error
        if not piece:
            return
        yield piece


def _edition(part: Path) -> Path:
    """Keeps what the server says of the file's edition, so that two are never joined."""
    return part.with_name(part.name + _EDITION)


def _forget(part: Path) -> None:
    part.unlink(missing_ok=True)
    _edition(part).unlink(missing_ok=True)


def _verified(remote: Remote, part: Path) -> str:
    kind, _, expected = (remote.checksum or "sha256:").partition(":")
    found = {name: _digest(part, name) for name in {kind, "sha256"}}
    if expected and found[kind] != expected:
        _forget(part)
        raise DataError(
            f"{remote.url} is not the publisher's file: {kind} {found[kind]}, expected {expected}. "
            "It was taken away; try again, and if that does not help, the publisher has changed it."
        )
    return found["sha256"]


def _digest(path: Path, kind: str) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, kind).hexdigest()


def _unpack(remote: Remote, archive: Path, folder: Path) -> None:
    """The wanted members, each whole or not at all, whatever folders the archive has."""
    try:
        with zipfile.ZipFile(archive) as packed:
            found = {PurePosixPath(name).name: name for name in packed.namelist()}
            missing = [name for name in remote.members if name not in found]
            if missing:
                raise DataError(
                    f"{remote.url} has no {', '.join(missing)}: the publisher has changed it. "
                    "Get the files by hand; docs/public-data.md names them."
                )
            for name in remote.members:
                with (
                    packed.open(found[name]) as inner,
                    disk.whole_file(folder / name) as path,
                    path.open("wb") as file,
                ):
                    shutil.copyfileobj(inner, file)
    except (zipfile.BadZipFile, zlib.error) as error:
        with contextlib.suppress(OSError):
            _forget(archive)
        raise DataError(
            f"{remote.url} is a damaged archive ({error}). It was taken away; try again."
        ) from error


def _unreachable(remote: Remote, part: Path, told: str) -> DataError:
    here = part.stat().st_size if part.exists() else 0
    kept = f" {here:,} bytes are kept: the same command goes on from there." if here else ""
    return DataError(
        f"{remote.url} cannot be fetched: {told}. Try again later, or get it by hand and give its "
        f"folder by --from.{kept}"
    )
