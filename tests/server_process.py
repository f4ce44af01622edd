"""The server as a process of its own, from the command that starts it to its end."""

import re
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

_SERVE = """
import sys
from pathlib import Path
from rich.console import Console
from twotower.server.run import serve
from twotower.server.settings import ServerSettings
serve(
    Path(sys.argv[1]),
    console=Console(file=sys.stdout, width=200),
    settings=ServerSettings(port=0),
    database=sys.argv[2],
)
"""


def serve_command(bundle: Path, database: Path | str) -> list[str]:
    """Serves the bundle from the source tree on a free port; a warning is an error."""
    return [sys.executable, "-W", "error", "-c", _SERVE, str(bundle), str(database)]


class ServerProcess:
    """A server that has said it is ready; as a context manager it is stopped at the end.

    Attributes:
        process: with what the server prints as `stdout`.
        address: where it answers.

    Raises:
        AssertionError: it ended without being ready.
    """

    def __init__(self, command: Sequence[str], **surroundings: Any) -> None:
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, **surroundings)
        self.address = self._ready_address()

    def _ready_address(self) -> str:
        said = []
        assert self.process.stdout
        for line in self.process.stdout:
            said.append(line)
            if ready := re.search(r"Ready at (http://\S+)", line):
                return ready.group(1)
        self.process.wait()
        raise AssertionError(f"the server did not start: {said}")

    def stop(self, by: int = signal.SIGTERM) -> int:
        """Its exit code, once it has ended."""
        self.process.send_signal(by)
        code = self.process.wait(timeout=20)
        assert self.process.stdout
        self.process.stdout.close()
        return code

    def __enter__(self) -> "ServerProcess":
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
