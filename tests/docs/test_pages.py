"""The pages agree with the code: generated ones are current, links lead somewhere, examples run."""

import os
import re
import runpy
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import typer

from twotower.cli import app
from twotower.data import clean, shop_toml, sources, words
from twotower.data.sources.registry import SOURCES
from twotower.recipes import RECIPES

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
README = ROOT / "README.md"
PAGES = [README, ROOT / "CHANGELOG.md", *sorted(DOCS.rglob("*.md"))]
LONGEST_DECISION = 70
GENERATOR = runpy.run_path(str(DOCS / "generate.py"))
GENERATED = GENERATOR["PAGES"]

each_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))


def blocks(page, kind):
    return re.findall(rf"^```{kind}\n(.*?)^```$", page.read_text("utf-8"), re.MULTILINE | re.DOTALL)


def anchors(page):
    headings = re.findall(r"^#+ (.*)$", page.read_text("utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", one).lower().replace(" ", "-") for one in headings}


@pytest.mark.parametrize("name", GENERATED)
def test_generated_pages_are_current(name):
    file, page = GENERATED[name]
    assert file.read_text("utf-8") == page(), f"{file.name} is stale; write it with `make docs`"


@each_page
def test_links_lead_to_files_and_headings(page):
    text = re.sub(r"^```.*?^```$", "", page.read_text("utf-8"), flags=re.MULTILINE | re.DOTALL)
    for link in re.findall(r"\]\(([^)\s]+)\)", text):
        if re.match(r"[a-z]+:", link):
            continue
        path, _, heading = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        assert target.exists(), f"{page.name} links to {link}"
        if heading:
            headings = re.findall(r"^#+ (.*)$", target.read_text("utf-8"), re.MULTILINE)
            assert heading in {
                re.sub(r"[^\w -]", "", h).lower().replace(" ", "-") for h in headings
            }


def test_every_command_and_option_is_documented():
    page = (DOCS / "cli.md").read_text("utf-8")
    for name, command in GENERATOR["commands_of"](typer.main.get_command(app)):
        section = page.partition(f"\n## {name}\n")[2].partition("\n## ")[0]
        for parameter in command.params:
            assert parameter.help, f"{name} {parameter.name} has no help"
            if parameter.param_type_name == "option":
                assert f"`{parameter.opts[0]}`" in section
    recipes = re.search(r"A recipe: ([\w, -]+)\.", page).group(1).split(", ")
    assert recipes == list(RECIPES)


def test_every_cleaning_rule_is_documented():
    room = Path(clean.__file__).parent
    parts = ("clean", "duplicates", "outliers", "cancellations", "kcore", "refusals", "prepare")
    source = "".join((room / f"{part}.py").read_text("utf-8") for part in parts)
    rules = set(
        re.findall(r'^\s+(?:cleaning\.\w+\()?"([a-z]+(?:_[a-z]+)+)",', source, re.MULTILINE)
    )
    rules |= set(re.findall(r'cleaning\.\w+\("([a-z_]+)"', source))
    rules |= set(re.findall(r'record\("([a-z_]+)"', source)) | {"busy_user", "busy_session"}
    rules |= {f"invalid_{column}" for column in ("price", "rating")}
    page = (DOCS / "shop-toml.md").read_text("utf-8")
    assert len(rules) > 8
    assert [rule for rule in sorted(rules) if f"`{rule}`" not in page] == []


def test_every_public_data_set_and_its_rules_are_documented():
    page = (DOCS / "public-data.md").read_text("utf-8")
    names = {name.removesuffix("-large") for name in SOURCES}
    assert [name for name in sorted(names) if f"`{name}`" not in page] == []
    files = Path(sources.__file__).parent.glob("*.py")
    called = r'cleaning\.(?:drop|note)\(\s*"([a-z_]+)"'
    rules = {rule for file in files for rule in re.findall(called, file.read_text("utf-8"))}
    assert len(rules) > 12
    assert [rule for rule in sorted(rules) if f"`{rule}`" not in page] == []


def test_the_shop_toml_shown_is_understood(tmp_path):
    [shown] = blocks(DOCS / "shop-toml.md", "toml")
    (tmp_path / shop_toml.SHOP_FILE).write_text(shown, encoding="utf-8")
    shop = shop_toml.read(tmp_path / shop_toml.SHOP_FILE)
    assert shop.name == tomllib.loads(shown)["name"]
    assert shop.tables["items"].file == "products.csv"
    assert shop.tables["events"].kinds["refund"] == words.CANCEL


def test_the_python_of_the_readme_runs(tiny_bundle, tmp_path):
    (tmp_path / "demo").symlink_to(tiny_bundle, target_is_directory=True)
    [example] = blocks(README, "python")
    done = subprocess.run(
        [sys.executable, "-c", example],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT / "src")},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert [line.split()[0] for line in done.stdout.splitlines()] == list("12345")


def test_the_tree_of_the_readme_is_the_real_one():
    [tree] = re.findall(
        r"^```\n(src/.*?)^```$", README.read_text("utf-8"), re.MULTILINE | re.DOTALL
    )
    words = [line.split()[0] for line in tree.splitlines()]
    inner = {line.split()[0] for line in tree.splitlines() if line.startswith("  ")}
    package = ROOT / "src" / "twotower"
    there = {f"{room.parent.name}/" for room in package.glob("*/__init__.py")}
    there |= {file.name for file in package.glob("*.py") if not file.name.startswith("__")}
    assert inner == there
    assert all((ROOT / word).is_dir() for word in words if word not in inner)


def test_the_make_targets_of_the_readme_exist():
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
    named = set(re.findall(r"(?:^|`)make ([a-z-]+)", README.read_text("utf-8"), re.MULTILINE))
    assert {"demo", "test", "web"} <= named <= targets


def test_the_extras_of_the_readme_are_the_real_ones():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    shown = set(re.findall(r"^\| `(\w+)` \|", README.read_text("utf-8"), re.MULTILINE))
    assert shown == set(project["optional-dependencies"])


def test_decisions_are_numbered_without_gaps_and_stay_under_a_page():
    decisions = sorted((DOCS / "decisions").glob("*.md"))
    assert [int(file.name[:4]) for file in decisions] == list(range(1, len(decisions) + 1))
    for file in decisions:
        text = file.read_text("utf-8")
        assert text.startswith(f"# {file.name[:4]}")
        assert len(text.splitlines()) <= LONGEST_DECISION
        assert "would change our mind" in text
