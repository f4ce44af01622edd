"""The site: built without a warning, every page has its place, and no page asks another host."""

import os
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"


class _Loaded(HTMLParser):
    """Addresses that a browser loads by itself."""

    def __init__(self):
        super().__init__()
        self.addresses = []

    def handle_starttag(self, tag, attrs):
        named = dict(attrs)
        if tag == "link" or "src" in named:
            self.addresses.append(named.get("src") or named.get("href"))


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    folder = tmp_path_factory.mktemp("site")
    built = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "-q", "--strict", "-d", folder],
        cwd=ROOT,
        env={**os.environ, "NO_MKDOCS_2_WARNING": "1"},
        capture_output=True,
        text=True,
    )
    assert built.returncode == 0, built.stderr
    return folder


def test_every_page_is_built_and_in_the_navigation(site):
    front = (site / "index.html").read_text("utf-8")
    for page in DOCS.rglob("*.md"):
        name = page.relative_to(DOCS).with_suffix(".html").as_posix()
        assert (site / name).is_file()
        assert re.search(rf'href="(?:\./)?{re.escape(name)}" class="md-nav__link', front), name


def test_no_page_asks_another_host(site):
    for page in site.rglob("*.html"):
        found = _Loaded()
        found.feed(page.read_text("utf-8"))
        assert found.addresses
        assert [one for one in found.addresses if re.match(r"(https?:)?//", one or "")] == []


def test_sources_and_tools_are_not_published(site):
    assert not list(site.rglob("*.py"))
    assert not list(site.rglob("*.md"))
