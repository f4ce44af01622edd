"""The error family: every error a user can meet, each with a remedy.

    TwoTowerError
    ├── DataError            a table breaks its contract: file, row, column and the remedy
    │   └── RowError             some rows of it do, which could be put aside
    ├── ConfigError          a setting is outside its range: names the field and the range
    ├── OutputError          a folder cannot be written: permissions, disk full, already there
    ├── StorageUnavailable   the shop database cannot be reached, read or written
    ├── ServerProblem        a server refuses what a client asks: carries the problem
    ├── ServerUnreachable    a server does not answer a client
    ├── MissingExtra         an optional part of the installation is needed: names the extra
    ├── BundleError
    │   ├── CorruptBundle        a file is missing, truncated or its hash differs
    │   ├── IncompatibleBundle   a version or width disagrees: names both values
    │   ├── UnfitBundle          a whole bundle does not answer as it should
    │   └── UnknownRelease       no bundle of that name is in the folder
    └── RetrievalError
        ├── UnknownItem          an item id is not in the catalogue
        ├── UnknownUser          a user id has no history here
        ├── UnknownRule          a rule id is not among the shop's rules
        ├── FilterError          a filter cannot be read: the position and what was meant
        ├── ExpiredCursor        the bundle that began a list of pages answers no longer
        └── EmptyCorpus          nothing is left to search

Messages have three parts: what was expected, what was received, what to do.
The command line prints one line and exits 1; the server answers problem+json.
"""

from collections.abc import Sequence

_WITH_TORCH, _TORCH_FOR_CPU = "train", "https://download.pytorch.org/whl/cpu"
"""The extra that brings PyTorch, and where it comes without CUDA, which is gigabytes on Linux."""


class TwoTowerError(Exception):
    """Root of the family; catch this to catch all of ours."""


class DataError(TwoTowerError):
    """A table breaks its contract. Names file, row or column, and the remedy."""


class RowError(DataError):
    """Some rows of a table break its contract. Names the first, and how many there are.

    Attributes:
        table: they are in.
        column: at fault, by our name.
        rows: counted from 0.
        expected: what a value should have been.
    """

    def __init__(
        self, told: str, *, table: str, column: str, rows: Sequence[int], expected: str
    ) -> None:
        super().__init__(told)
        self.table, self.column, self.rows, self.expected = table, column, rows, expected


class ConfigError(TwoTowerError):
    """A setting is outside its range. Names the field and the range."""


class OutputError(TwoTowerError):
    """A folder or file cannot be written. Nothing half-written is left behind."""


class StorageUnavailable(TwoTowerError):  # noqa: N818 - names the state of the database
    """The shop database cannot be reached, read or written. What it acknowledged stays."""


class ServerProblem(TwoTowerError):  # noqa: N818 - the interface calls it a problem
    """A server refuses what a client asks. The message is the problem's detail.

    Attributes:
        status: of HTTP.
        type: `urn:twotower:problem:NAME`; empty where it was none of ours.
        request_id: for the shop's logs.
    """

    def __init__(self, detail: str, status: int, type: str, request_id: str) -> None:
        super().__init__(detail)
        self.status, self.type, self.request_id = status, type, request_id


class ServerUnreachable(TwoTowerError):  # noqa: N818 - names the state of the server
    """A server does not answer a client, at any of its attempts."""


class MissingExtra(TwoTowerError):  # noqa: N818 - reads as a sentence, like KeyboardInterrupt
    """An optional part of the installation is needed; the message says which extra."""


def installing(extra: str) -> str:
    """The remedy of a missing extra, for an installation from a clone or from a wheel."""
    index = f"--extra-index-url {_TORCH_FOR_CPU} " if extra == _WITH_TORCH else ""
    where = f"'.[{extra}]' in a clone of twotower, or 'WHEEL[{extra}]' from its wheel"
    return f"pip install {index}{where}"


class BundleError(TwoTowerError):
    """A bundle cannot be used."""


class CorruptBundle(BundleError):  # noqa: N818 - names the state of the bundle
    """A file of the bundle is missing, truncated or altered."""


class IncompatibleBundle(BundleError):  # noqa: N818 - names the state of the bundle
    """Two versions or widths disagree; the message names both."""


class UnfitBundle(BundleError):  # noqa: N818 - names the state of the bundle
    """A bundle is whole, but does not answer as it should, or no better than its baselines."""


class UnknownRelease(BundleError):  # noqa: N818 - names what is unknown
    """No bundle of that name is in the folder of releases."""


class RetrievalError(TwoTowerError):
    """A question cannot be answered."""


class UnknownItem(RetrievalError):  # noqa: N818 - names what is unknown
    """An item id is not in the catalogue."""


class UnknownUser(RetrievalError):  # noqa: N818 - names what is unknown
    """A user id has no history here."""


class UnknownRule(RetrievalError):  # noqa: N818 - names what is unknown
    """A rule id is not among the shop's rules."""


class FilterError(RetrievalError):
    """A filter cannot be read. Names the character, and the field that was probably meant.

    Attributes:
        position: of the fault, counted in characters from 1.
    """

    def __init__(self, reason: str, position: int) -> None:
        super().__init__(f"{reason} (filter, character {position})")
        self.position = position


class ExpiredCursor(RetrievalError):  # noqa: N818 - names the state of the cursor
    """The bundle that began a list of pages answers no longer: ask for its first page."""


class EmptyCorpus(RetrievalError):  # noqa: N818 - names the state of the corpus
    """Nothing is left to search after filters and exclusions."""
