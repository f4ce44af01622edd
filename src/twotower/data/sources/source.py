"""What a public data set is, and one of them in a folder."""

import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from twotower import disk
from twotower.data.rule import Cleaning
from twotower.data.shop_toml import TableMapping
from twotower.data.sources.files import PublisherFile
from twotower.data.sources.remote import Remote, Told, fetch
from twotower.data.tables import Tables
from twotower.errors import DataError


def nothing_more(cleaning: Cleaning) -> None:
    """The rules of a data set that needs none of its own."""


@dataclass(frozen=True)
class PlainLog:
    """Events that are one file with a header, each row an event; they may be read in parts.

    Attributes:
        file: the publisher's.
        mapping: our columns, and the kind of every event.
        others: all tables but the events, of a folder.
    """

    file: PublisherFile
    mapping: TableMapping
    others: Callable[[Path], Tables]


@dataclass(frozen=True)
class PublicSource:
    """A data set as its publisher gives it out.

    Attributes:
        name: what it is called on the command line.
        summary: what it is, in one line.
        load: the tables of a folder with the publisher's files, nothing left out yet.
        tidy: the data set's own cleaning rules, before those of every shop.
        remotes: files that everybody may fetch; none where the publisher wants a login or an
            agreement first, or one has to choose a part.
        licence: of those files.
        log: the events, where they are one plain file.
    """

    name: str
    summary: str
    load: Callable[[Path], Tables]
    tidy: Callable[[Cleaning], None] = nothing_more
    remotes: tuple[Remote, ...] = ()
    licence: str = ""
    log: PlainLog | None = None


@dataclass(frozen=True)
class Published:
    """A public data set, and the folder where its files are."""

    source: PublicSource
    folder: Path

    def tables(self) -> Tables:
        """Everything in the files, with our column names."""
        return self.source.load(self.folder)

    def tidy(self, cleaning: Cleaning) -> None:
        """The data set's own cleaning rules."""
        self.source.tidy(cleaning)


def download(source: PublicSource, folder: Path, told: Told) -> dict[str, str]:
    """The publisher's files in a folder, made where it is not there; see `remote.fetch`.

    Returns:
        SHA-256 of each file that was fetched, by its name; nothing of those that were there.

    Raises:
        DataError: the publisher does not let a program fetch them, and says where they are; or
            one cannot be reached, or is not what the publisher says.
        OutputError: the folder cannot be written.
    """
    if not source.remotes:
        raise DataError(
            f"{source.name} cannot be fetched by a command: its publisher wants a login or an "
            f"agreement first, or a part to be chosen.{_by_hand(source)}"
        )
    with disk.alone_in(folder):
        found = {remote.name: fetch(remote, folder, told) for remote in source.remotes}
    return {name: digest for name, digest in found.items() if digest}


def _by_hand(source: PublicSource) -> str:
    """What the loader says of an empty folder: which files, and where the publisher keeps them."""
    with tempfile.TemporaryDirectory() as empty:
        try:
            source.load(Path(empty))
        except DataError as error:
            return f" {str(error).replace(empty, 'The folder to give by --from')}"
    return ""
