"""A real Chromium before a real server process; every page is watched for complaints."""

import re
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
from playwright.sync_api import expect, sync_playwright

from server_process import ServerProcess, serve_command
from twotower.server.pages import BUILT

WEB = Path(__file__).parents[2] / "web"
AXE = WEB / "node_modules" / "axe-core" / "axe.min.js"
DEBIAN_CHROMIUM = Path("/usr/bin/chromium")
QUIET = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
DESKTOP = {"width": 1440, "height": 900}
PATIENCE_MS = 30_000
expect.set_options(timeout=PATIENCE_MS)  # both cores are busy while two workers test


@pytest.fixture(scope="module")
def shop_address(tiny_bundle, tmp_path_factory):
    """Where a server process answers from the tiny bundle."""
    if not (BUILT / "index.html").is_file():
        pytest.fail(f"the web app is not built into {BUILT}; run `make web`")
    database = tmp_path_factory.mktemp("shop") / "shop.sqlite"
    with ServerProcess(serve_command(tiny_bundle, database)) as server:
        yield server.address


@pytest.fixture(scope="module")
def shop(shop_address):
    """The shop's HTTP interface, to prepare and to check what the page does."""
    with httpx.Client(base_url=shop_address, timeout=30) as client:
        yield client


@pytest.fixture(scope="module")
def chromium():
    """Debian's Chromium where it is installed, else the one that Playwright downloads."""
    with sync_playwright() as playwright:
        kind = playwright.chromium
        known = DEBIAN_CHROMIUM if DEBIAN_CHROMIUM.is_file() else Path(kind.executable_path)
        if not known.is_file():
            pytest.fail(
                "no Chromium; run `apt-get install chromium` or `playwright install chromium`"
            )
        browser = kind.launch(executable_path=known, args=QUIET)
        yield browser
        browser.close()


@dataclass
class Complaints:
    """What a page complained about; `expect` names what a test provokes."""

    heard: list = field(default_factory=list)
    expected: list = field(default_factory=list)

    def expect(self, pattern):
        self.expected.append(pattern)

    def unexpected(self):
        return [
            one for one in self.heard if not any(re.search(each, one) for each in self.expected)
        ]


@pytest.fixture
def complaints():
    return Complaints()


@pytest.fixture
def open_browser(chromium, shop_address, complaints):
    """A function: settings of a context -> a page of a visitor without a past."""
    contexts = []
    ours = urlsplit(shop_address).netloc

    def hear(message):
        if message.type in ("error", "warning"):
            complaints.heard.append(f"console: {message.text} {message.location.get('url', '')}")

    def watch(request):
        address = urlsplit(request.url)
        if address.scheme != "data" and address.netloc != ours:
            complaints.heard.append(f"another host: {request.url}")

    def open_browser(**settings):
        settings = {"viewport": DESKTOP, "reduced_motion": "reduce", **settings}
        context = chromium.new_context(base_url=shop_address, **settings)
        contexts.append(context)
        context.set_default_timeout(PATIENCE_MS)
        page = context.new_page()
        page.on("console", hear)
        page.on("pageerror", lambda error: complaints.heard.append(f"error: {error}"))
        page.on("request", watch)
        return page

    yield open_browser
    for context in contexts:
        context.close()
    assert complaints.unexpected() == []


@pytest.fixture
def page(open_browser):
    """One page on a desktop, in light colours."""
    return open_browser()


@pytest.fixture(scope="module")
def barriers():
    """A function: page -> what axe finds there against WCAG 2.2 AA, as readable lines."""
    if not AXE.is_file():
        pytest.fail(f"axe-core is missing at {AXE}; run `make web`")
    source = AXE.read_text(encoding="utf-8")

    def barriers(page):
        page.evaluate(source)
        found = page.evaluate(
            """() => axe.run(document, {
                runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"],
            })"""
        )
        return [
            f"{one['impact']} {one['id']}: {node['html'][:160]}"
            for one in found["violations"]
            for node in one["nodes"]
        ]

    return barriers
