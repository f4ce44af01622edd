"""Addresses: what is understood, and that no password is ever shown."""

import sys
from pathlib import Path

import pytest

from twotower.errors import ConfigError, MissingExtra
from twotower.shop.address import beside, read_address, shown_address
from twotower.shop.connection import open_engine


def test_the_default_place_is_beside_the_bundle_and_not_in_it():
    assert beside(Path("/shops/demo")) == Path("/shops/demo-shop/shop.sqlite")


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg"])
def test_every_spelling_of_postgresql_means_the_one_driver(scheme):
    url = read_address(f"{scheme}://shop:pa%40ss@db.example:5433/live?sslmode=require")
    assert url.drivername == "postgresql+psycopg"
    assert (url.username, url.password, url.host) == ("shop", "pa@ss", "db.example")
    assert (url.port, url.database, url.query["sslmode"]) == (5433, "live", "require")


def test_a_path_and_its_url_are_one_file(tmp_path):
    where = tmp_path / "shop.sqlite"
    assert read_address(where) == read_address(str(where)) == read_address(f"sqlite:///{where}")
    assert shown_address(read_address(where)) == str(where)


def test_what_is_shown_has_neither_password_nor_options():
    url = read_address("postgresql+psycopg://shop:secret@db:5433/live?password=hidden&host=/run")
    assert shown_address(url) == "postgresql://shop@db:5433/live"


@pytest.mark.parametrize(
    "address",
    [
        "mysql://shop:secret@db/shop",
        "postgresql+psycopg2://shop:secret@db/shop",
        "postgresql://shop:secret@db:port/shop",
        "shop:secret@db://x",
        "sqlite://",
        "sqlite:///:memory:",
        "://",
    ],
)
def test_what_is_no_address_is_refused_with_the_forms_and_without_repeating_it(address):
    with pytest.raises(ConfigError, match=r"a path, sqlite:///PATH or postgresql://") as caught:
        read_address(address)
    assert "secret" not in str(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__ or caught.value.__context__ is None


def test_without_the_driver_the_extra_that_brings_it_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(MissingExtra, match=r"pip install '\.\[cluster\]'") as caught:
        open_engine("postgresql://shop:secret@db/shop")
    assert "\n" not in str(caught.value)
    assert "secret" not in str(caught.value)
