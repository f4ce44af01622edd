"""What is shipped is what is tested: the built wheel, alone, with its base dependencies only."""

import json
import os
import re
import subprocess
import sys
import zipfile
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from server_process import ServerProcess
from twotower.data.dataset import Dataset

ROOT = Path(__file__).parents[2]


@dataclass
class Light:
    """A new environment that holds the wheel; commands run outside the source tree."""

    python: Path
    place: Path

    def command(self, *words):
        return [str(self.python.parent / "twotower"), *map(str, words)]

    @property
    def surroundings(self):
        ours = ("PYTHONPATH", "PYTHONDONTWRITEBYTECODE")  # it was installed without compiling
        kept = {name: value for name, value in os.environ.items() if name not in ours}
        return {**kept, "TWOTOWER_CACHE": str(self.place / "cache"), "COLUMNS": "200"}

    def run(self, *command):
        return subprocess.run(
            command, cwd=self.place, env=self.surroundings, capture_output=True, text=True
        )

    def twotower(self, *words):
        return self.run(*self.command(*words))


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """Built without isolation, so that building downloads nothing."""
    if not (ROOT / "src/twotower/server/static/index.html").is_file():
        pytest.fail("the web app is not built, so a wheel would lack it; run `make web`")
    folder = tmp_path_factory.mktemp("dist")
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    [made] = folder.glob("*.whl")
    return made


@pytest.fixture(scope="module")
def light(wheel, tmp_path_factory):
    place = tmp_path_factory.mktemp("light")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", place / "venv"], check=True)
    python = place / "venv" / "bin" / "python"
    pip = [sys.executable, "-m", "pip", "--python", str(python), "install", "-qq", "--no-compile"]
    subprocess.run([*pip, "-c", str(ROOT / "constraints.txt"), str(wheel)], cwd=place, check=True)
    return Light(python, place)


@pytest.fixture(scope="module")
def served(light, tiny_bundle):
    """A client of the server that the wheel's own command starts."""
    database = light.place / "shop.sqlite"
    command = light.command("serve", tiny_bundle, "--port", "0", "--database", database)
    with (
        ServerProcess(command, cwd=light.place, env=light.surroundings) as server,
        httpx.Client(base_url=server.address, timeout=30) as client,
    ):
        yield client


@pytest.fixture(scope="module")
def title(tiny_bundle):
    titles = Dataset.load(tiny_bundle / "data").items.unique("title", keep="none")["title"]
    return titles.sort()[0]


def test_the_wheel_carries_the_licence_the_types_and_the_web_app(wheel):
    names = zipfile.ZipFile(wheel).namelist()
    assert any(name.endswith("licenses/LICENSE") for name in names)
    assert "twotower/py.typed" in names
    assert "twotower/server/static/index.html" in names
    assert [name for name in names if "shop/migrations/versions/r0001" in name]
    assert not [name for name in names if "__pycache__" in name or name.startswith("tests")]


def test_the_base_installation_has_neither_torch_nor_the_source_tree(light):
    where = light.run(light.python, "-c", "import twotower; print(twotower.__file__)").stdout
    assert Path(where.strip()).is_relative_to(light.place)
    for heavy in ("torch", "lightning", "scipy", "sentence_transformers", "psycopg", "pytest"):
        found = light.run(light.python, "-c", f"import {heavy}")
        assert "ModuleNotFoundError" in found.stderr, f"{heavy} came with the base"


def test_a_bundle_is_served_from_the_wheel(served, title):
    assert served.get("/health/ready").status_code == 200
    hits = served.post("/v1/search", json={"query": title}).json()["hits"]
    assert title in [hit["item"]["title"] for hit in hits]
    home = served.post("/v1/recommendations", json={"placement": "home", "visitor_id": "v"})
    assert home.json()["hits"]


def test_a_postgresql_address_without_its_driver_is_one_line_with_the_remedy(light, tiny_bundle):
    refused = light.twotower(
        "serve", tiny_bundle, "--port", 0, "--database", "postgresql://shop:secret@db/shop"
    )
    assert refused.returncode == 1
    [line] = refused.stderr.strip().splitlines()
    assert line.startswith("error:")
    assert "'WHEEL[cluster]' from its wheel" in line
    assert "secret" not in refused.stdout + refused.stderr


def test_the_page_and_its_script_come_from_the_wheel(served):
    page = served.get("/")
    assert page.headers["content-type"].startswith("text/html")
    assert '<div id="root">' in page.text
    script = re.search(r'src="(/assets/[^"]+\.js)"', page.text).group(1)
    assert served.get(script).status_code == 200


def test_search_answers_in_the_shell(light, tiny_bundle, title):
    answer = light.twotower("search", tiny_bundle, title, "-k", 3, "--json")
    assert answer.returncode == 0, answer.stderr
    hits = json.loads(answer.stdout)["hits"]
    assert len(hits) == 3
    table = light.twotower("search", tiny_bundle, title)
    assert hits[0]["item_id"] in table.stdout


def test_recommend_answers_in_the_shell(light, tiny_bundle):
    item_id = Dataset.load(tiny_bundle / "data").items["item_id"][0]
    answer = light.twotower("recommend", tiny_bundle, "--history", item_id, "--json")
    assert answer.returncode == 0, answer.stderr
    hits = json.loads(answer.stdout)["hits"]
    assert item_id not in [hit["item_id"] for hit in hits]


def test_the_report_is_shown_without_the_train_extra(light, tiny_bundle):
    answer = light.twotower("report", tiny_bundle, "--json")
    assert answer.returncode == 0, answer.stderr
    assert json.loads(answer.stdout)["metrics"]["all"]["recall@10"]["n"] > 0
    shown = light.twotower("report", tiny_bundle)
    assert shown.returncode == 0, shown.stderr
    assert "recall@10" in shown.stdout


@pytest.mark.parametrize(
    "words",
    [
        ("prepare", "synthetic:products=60,shoppers=30", "--out", "data"),
        ("train", "data", "--out", "run"),
        ("evaluate", "run"),
        ("bundle", "run", "--out", "bundle"),
        ("build", "synthetic", "--out", "bundle"),
        ("demo", "--out", "no-demo"),
    ],
    ids=lambda words: words[0],
)
def test_what_needs_the_train_extra_says_so_in_one_line(light, words):
    refused = light.twotower(*words)
    assert refused.returncode == 1
    last = refused.stderr.strip().splitlines()[-1]
    assert last.startswith("error:")
    assert "pip install --extra-index-url https://download.pytorch.org/whl/cpu '.[train]'" in last
    assert "Traceback" not in refused.stderr
