"""A folder of bundles, and which of them is served.

RELEASES/
NAME/           a bundle; its folder's name names the release
current.json    {"current": NAME, "previous": NAME or null}
"""

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from twotower import disk
from twotower.bundle import MANIFEST, REJECTED, read_manifest
from twotower.errors import BundleError, UnknownRelease

_POINTER: Final = "current.json"
_NAME: Final = re.compile(r"[A-Za-z0-9_][\w.-]{0,99}", re.ASCII)
"""Of a release: nothing that leads out of the folder."""


@dataclass(frozen=True)
class Pointer:
    """Which release is served, and which one was before it."""

    current: str
    previous: str | None = None


class ReleaseFolder:
    """Bundles side by side. Processes that share the folder share the pointer.

    Args:
        folder: Where they lie.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @staticmethod
    def is_one(folder: Path) -> bool:
        """Says whether the folder holds bundles, and is none itself."""
        disk.restore(folder)
        return not (folder / MANIFEST).is_file() and bool(_bundles_in(folder))

    def names(self) -> list[str]:
        """The releases, the oldest first; those that cannot be read are left out."""
        versions = {}
        for name in _bundles_in(self.folder):
            try:
                versions[name] = str(read_manifest(self.folder / name)["version"])
            except BundleError:
                continue
        return sorted(versions, key=lambda name: (versions[name], name))

    def place(self, name: str) -> Path:
        """The bundle of a release; raises `UnknownRelease`."""
        if name not in _bundles_in(self.folder):
            raise UnknownRelease(
                f"release must be one of {', '.join(self.names()) or 'none'}, got {name!r}; "
                f"put its bundle into {self.folder.name}"
            )
        return self.folder / name

    def pointer(self) -> Pointer:
        """What is served: the newest release until one was promoted.

        Raises:
            BundleError: `current.json` cannot be read, or there is no release.
        """
        file = self.folder / _POINTER
        if not file.is_file():
            names = self.names()
            if not names:
                raise BundleError(f"expected bundles in {self.folder}, found none that is whole")
            return Pointer(names[-1])
        try:
            return Pointer(**json.loads(file.read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError) as error:
            raise BundleError(
                f"{file} must name a release ({error}); write it again with "
                "'twotower admin promote'"
            ) from error

    def before(self) -> str:
        """The release that a rollback goes back to; raises `UnknownRelease` where there is none."""
        pointer = self.pointer()
        if pointer.previous is None:
            raise UnknownRelease(
                f"{self.folder} has no release to go back to: nothing was promoted over "
                f"{pointer.current}"
            )
        return pointer.previous

    def point(self, name: str) -> Pointer:
        """Makes a release the current one, in one step; raises `OutputError`."""
        before = self.pointer()
        previous = before.previous if before.current == name else before.current
        now = Pointer(name, previous)
        disk.write_text(self.folder / _POINTER, json.dumps(vars(now)) + "\n")
        return now


def _bundles_in(folder: Path) -> list[str]:
    """Names of what looks like bundles, in the order of the alphabet; none that was rejected."""
    found = (file.parent.name for file in folder.glob(f"*/{MANIFEST}"))
    return sorted(name for name in found if _NAME.fullmatch(name) and not name.endswith(REJECTED))
