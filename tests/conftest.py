"""What many tests share: the cache of the text encoder, and one small trained shop."""

import json
import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock
from hypothesis import settings

os.environ.setdefault("OMP_NUM_THREADS", "1")
# The towers of the tests are so small that PyTorch's threads only wait for each other: one
# is up to 30 times faster where the cores are shared, and gives the same weights everywhere.

settings.register_profile("no wall clock", deadline=None)
settings.load_profile("no wall clock")

ROOT = Path(__file__).parents[1]
pytest_plugins = ["postgres_server", "redis_server"]
TINY_SHOP = "synthetic:products=400,shoppers=600,seed=1"

MakeOnce = Callable[[str, Callable[[Path], object]], Path]


@pytest.fixture(scope="session")
def cache() -> Path:
    """Keeps the exported text encoder between test runs."""
    return ROOT / ".cache"


@pytest.fixture(scope="session")
def make_once(tmp_path_factory: pytest.TempPathFactory) -> MakeOnce:
    """A function: name, what makes that folder -> the folder, the same one for all workers."""
    place = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        place = place.parent

    def make_once(name: str, make: Callable[[Path], object]) -> Path:
        folder, part = place / name, place / f"{name}.part"
        with FileLock(place / f"{name}.lock"):
            if not folder.is_dir():
                shutil.rmtree(part, ignore_errors=True)  # of a worker that failed at it
                make(part)
                part.rename(folder)
        return folder

    return make_once


@pytest.fixture(scope="session")
def tiny_bundle(make_once: MakeOnce, cache: Path) -> Path:
    """A bundle trained in seconds on a small synthetic shop; not to be written to."""

    def make(folder: Path) -> None:
        from twotower.pipeline import Workshop, build
        from twotower.recipes import tiny

        build(TINY_SHOP, tiny(), folder, Workshop(cache))

    return make_once("tiny-bundle", make)


@dataclass(frozen=True)
class Said:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


@pytest.fixture
def twotower(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, cache: Path
) -> Callable[..., Said]:
    """Runs the command line inside the test: `twotower("search", bundle, "red sofa")`."""
    from twotower.cli import main

    monkeypatch.setenv("TWOTOWER_CACHE", str(cache))
    monkeypatch.setenv("COLUMNS", "200")

    def run(*words: object) -> Said:
        monkeypatch.setattr("sys.argv", ["twotower", *map(str, words)])
        capsys.readouterr()
        code: Any = 0
        try:
            main()
        except SystemExit as ended:
            code = ended.code or 0
        return Said(code, *capsys.readouterr())

    return run
