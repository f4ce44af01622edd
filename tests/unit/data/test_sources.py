"""Public data sets by name, on the command line."""

from importlib import import_module
from pkgutil import iter_modules

import pytest

from twotower.data import sources
from twotower.data.sources import amazon, esci
from twotower.data.sources.registry import SOURCES, published
from twotower.errors import ConfigError

LINES = {"train.txt": "0 5 7 9\n", "test.txt": "0 8\n", "cart.txt": "0 3 5\n"}


def test_an_unknown_name_is_answered_with_all_names(tmp_path):
    with pytest.raises(ConfigError) as refused:
        published("nosuch", tmp_path)
    for name, source in SOURCES.items():
        assert f"{name}: {source.summary}" in str(refused.value)


def test_every_loader_says_its_source_licence_and_counts():
    modules = [
        import_module(f"{sources.__name__}.{m.name}") for m in iter_modules(sources.__path__)
    ]
    loaders = [m for m in modules if hasattr(m, "SOURCE") or m in (amazon, esci)]
    assert len(loaders) >= 6
    for module in loaders:
        for word in ("Source:", "Licence:", "https://", "The publisher counts"):
            assert word in module.__doc__, (module.__name__, word)


@pytest.mark.parametrize("name", SOURCES)
def test_an_empty_folder_is_told_what_is_missing_and_where_it_is(tmp_path, name, twotower):
    said = twotower("prepare", name, "--from", tmp_path, "--out", tmp_path / "data")
    assert said.code == 1
    assert "lacks" in said.err
    assert "https://" in said.err
    assert not (tmp_path / "data").exists()


def test_the_command_prepares_a_public_data_set(tmp_path, twotower):
    for name, text in LINES.items():
        (tmp_path / name).write_text(text)
    said = twotower("prepare", "beibei", "--from", tmp_path, "--out", tmp_path / "data", "--json")
    assert said.code == 0, said.err
    assert said.json["about"]["name"] == "beibei"
    assert said.json["counts"]["events"] == 6


def test_the_command_lists_the_names(tmp_path, twotower):
    said = twotower("prepare", "nosuch", "--from", tmp_path, "--out", tmp_path / "data")
    assert said.code == 1
    assert all(name in said.err for name in SOURCES)


def test_a_name_without_a_folder_is_told_of_from(tmp_path, twotower):
    said = twotower("prepare", "beibei", "--out", tmp_path / "data")
    assert said.code == 1
    assert "--from FOLDER" in said.err


def test_a_folder_that_is_none_is_refused(tmp_path, twotower):
    said = twotower("prepare", "beibei", "--from", tmp_path / "x", "--out", tmp_path / "data")
    assert said.code == 1
    assert "is no folder" in said.err
