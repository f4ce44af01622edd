"""A real Redis server for tests: a unix socket only, nothing on disk, gone afterwards."""

import shutil
import subprocess
import tempfile
import time
from pathlib import Path

import pytest

STARTS_WITHIN_S = 20


class RedisServer:
    """One server; `with` starts it and removes it again.

    Attributes:
        url: where a client finds it.
    """

    def __init__(self):
        self.folder = Path(tempfile.mkdtemp(prefix="twotower-redis-"))
        self.url = f"unix://{self.folder}/socket"

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_exception):
        self.kill()
        shutil.rmtree(self.folder)

    def start(self):
        """Starts it, and waits until it answers."""
        place = ["--port", "0", "--unixsocket", self.folder / "socket", "--dir", self.folder]
        command = ["redis-server", *place, "--save", "", "--appendonly", "no"]
        self._process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        until = time.monotonic() + STARTS_WITHIN_S
        while not (self.folder / "socket").exists():
            assert self._process.poll() is None, "redis-server ended"
            assert time.monotonic() < until, "redis-server does not answer"
            time.sleep(0.02)

    def kill(self):
        """Ends it as a crash does."""
        self._process.kill()
        self._process.wait()
        (self.folder / "socket").unlink(missing_ok=True)


@pytest.fixture
def redis_server():
    if shutil.which("redis-server") is None:
        pytest.skip("no redis-server here; `make redis` installs Debian's")
    with RedisServer() as server:
        yield server
