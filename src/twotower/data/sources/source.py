"""What a public data set is, and one of them in a folder."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from twotower.data.rule import Cleaning
from twotower.data.tables import Tables


def nothing_more(cleaning: Cleaning) -> None:
    """The rules of a data set that needs none of its own."""


@dataclass(frozen=True)
class PublicSource:
    """A data set as its publisher gives it out.

    Attributes:
        name: what it is called on the command line.
        summary: what it is, in one line.
        load: the tables of a folder with the publisher's files, nothing left out yet.
        tidy: the data set's own cleaning rules, before those of every shop.
    """

    name: str
    summary: str
    load: Callable[[Path], Tables]
    tidy: Callable[[Cleaning], None] = nothing_more


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
