"""How a command ends: what is said on one line, and the exit code."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from rich.console import Console
from rich.markup import escape
from typer.core import TyperGroup

from twotower.errors import TwoTowerError

FAILED, NOT_PROMOTED, INTERRUPTED = 1, 3, 130
"""Exit codes: an error that was told, a bundle no better than its baselines, Ctrl+C."""

_GO_ON = {
    "download": "where it was",
    "train": "from the last checkpoint",
    "tune": "where it was",
    "build": "where it was",
    "demo": "where it was",
}


class Verbs(TyperGroup):
    """The verbs of a command line; Ctrl+C comes through as what to do next."""

    def invoke(self, ctx: Any) -> Any:
        """Runs the verb; Typer itself would end without a word."""
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt as interrupt:
            where = _GO_ON.get(ctx.invoked_subcommand)
            hint = f"the same command goes on {where}" if where else "nothing half-written is left"
            raise _Stopped(hint) from interrupt


class _Stopped(Exception):  # noqa: N818 - asked for, no error
    """Ctrl+C, with a hint."""


@contextmanager
def one_line() -> Iterator[None]:
    """Errors and Ctrl+C leave one line on stderr and an exit code, no traceback."""
    try:
        yield
    except TwoTowerError as error:
        _error(escape(" ".join([str(error), *getattr(error, "__notes__", [])])))
    except OSError as error:
        where = escape(str(error.filename or "a file"))
        _error(
            f"{where}: {error.strerror or error}; "
            "check that it can be read or written and that the disk is not full"
        )
    except _Stopped as stopped:
        Console(stderr=True).print(f"stopped; {stopped}", soft_wrap=True, highlight=False)
        sys.exit(INTERRUPTED)


def _error(told: str) -> None:
    Console(stderr=True).print(f"[bold red]error:[/] {told}", soft_wrap=True, highlight=False)
    sys.exit(FAILED)
