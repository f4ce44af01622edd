"""A real PostgreSQL server for tests: its own data folder, a unix socket only, gone afterwards."""

import itertools
import os
import shutil
import signal
import subprocess
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

USER = "shop"
DEBIAN = Path("/usr/lib/postgresql")
SETTINGS = ("-c", "listen_addresses=", "-c", "fsync=off")  # processes are killed, not the machine
STARTS_WITHIN_S = 30


def programs():
    """The folder of initdb and postgres, the newest where there are several; None where none."""
    if (found := shutil.which("postgres")) and shutil.which("initdb"):
        return Path(found).resolve().parent
    packaged = sorted(DEBIAN.glob("*/bin/postgres"), key=lambda file: int(file.parts[-3]))
    return packaged[-1].parent if packaged else None


class PostgresServer:
    """One server; `with` starts it and removes it again.

    PostgreSQL refuses to run as root, so root runs it as another user. Its folder has a short
    name of its own, as the path of a unix socket may have 107 characters.
    """

    def __init__(self):
        self.folder = Path(tempfile.mkdtemp(prefix="twotower-pg-"))
        self._bin = programs()
        self._names = itertools.count(1)

    def __enter__(self):
        if os.geteuid() == 0:
            shutil.chown(self.folder, _someone())
        login = ["--username", USER, "--auth", "trust"]
        data = ["--pgdata", self.folder / "data", "--encoding", "UTF8", "--no-locale", "--no-sync"]
        made = self._run("initdb", *data, *login, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        said, _ = made.communicate()
        assert made.returncode == 0, said
        self.start()
        return self

    def __exit__(self, *_exception):
        self.stop(at_once=True)
        shutil.rmtree(self.folder)

    def start(self):
        """Starts it, and waits until it answers."""
        self.log = (self.folder / "log").open("ab")
        place = ["-D", self.folder / "data", "-k", self.folder]
        self._process = self._run("postgres", *place, *SETTINGS, stdout=self.log, stderr=self.log)
        until = time.monotonic() + STARTS_WITHIN_S
        while True:
            try:
                psycopg.connect(self._conninfo).close()
                return
            except psycopg.OperationalError:
                running = self._process.poll() is None and time.monotonic() < until
                assert running, (self.folder / "log").read_text()
                time.sleep(0.05)

    def stop(self, *, at_once=False):
        """Stops it; at once, its processes end without finishing anything, as in a crash."""
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGQUIT if at_once else signal.SIGINT)
            self._process.wait(timeout=STARTS_WITHIN_S)
        self.log.close()

    def new_database(self):
        """Makes an empty schema, which is a database to who sees no other; its URL."""
        name = f"shop{next(self._names)}"
        with psycopg.connect(self._conninfo) as connection:
            connection.execute(f"CREATE SCHEMA {name}")
        return f"postgresql://{USER}@/postgres?host={self.folder}&options=-csearch_path%3D{name}"

    @property
    def _conninfo(self):
        return f"host={self.folder} user={USER} dbname=postgres"

    def _run(self, program, *words, **more):
        other = {}
        if os.geteuid() == 0:
            other = {"user": _someone(), "group": "nogroup", "extra_groups": []}
        command = [self._bin / program, *words]
        surroundings = {"PATH": os.environ["PATH"], "LC_ALL": "C", "TZ": "UTC"}
        return subprocess.Popen(command, cwd=self.folder, env=surroundings, **other, **more)


def _someone():
    """A user that is not root: the package's own where it made one."""
    import pwd

    names = {one.pw_name for one in pwd.getpwall()}
    return "postgres" if "postgres" in names else "nobody"


@contextmanager
def started():
    """A server of one's own; without PostgreSQL the test is skipped."""
    if programs() is None:
        pytest.skip("no PostgreSQL on this machine; `make postgres` installs it")
    with PostgresServer() as server:
        yield server


@pytest.fixture(scope="session")
def postgres():
    """A PostgreSQL server, one for each worker; a test asks it for a `new_database()`."""
    with started() as server:
        yield server


@pytest.fixture(params=["sqlite", "postgresql"])
def shop_address(request, tmp_path):
    """Where a new shop database can be, of each kind."""
    if request.param == "sqlite":
        return str(tmp_path / "live" / "shop.sqlite")
    return request.getfixturevalue("postgres").new_database()
