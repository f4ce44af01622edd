import pytest
from asgi_client import opened
from fake_retriever import FakeRetriever

from twotower.server.app import create_app
from twotower.server.settings import ServerSettings
from twotower.shop.database import ShopDatabase


@pytest.fixture
def where(tmp_path):
    return tmp_path / "shop.sqlite"


@pytest.fixture
def open_shop(where, tmp_path):
    """A function: settings -> context manager of a client of a shop on the same file."""

    def open_shop(settings=None, *, retriever=None, pages=tmp_path / "no-pages"):
        retriever = retriever or FakeRetriever()
        settings = settings or ServerSettings()
        return opened(create_app(retriever, ShopDatabase(where), settings, pages=pages))

    return open_shop


@pytest.fixture
def client(open_shop):
    with open_shop() as opened_client:
        yield opened_client
