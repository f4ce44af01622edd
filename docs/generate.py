"""Writes the pages that follow from the code: `python docs/generate.py [cli] [columns] [openapi]`.

Tests compare them with the code, so a stale page fails; `make docs` writes them again.
"""

import json
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import typer

DOCS = Path(__file__).parent

_COLUMNS, _COLUMNS_END = "<!-- columns -->", "<!-- /columns -->"
_CLI_HEAD = """\
# Command line

Written by `make docs` from the commands themselves.

One verb for each stage, in the order of the flow. Progress goes to standard error; `--json`
prints one JSON document to standard output. `TWOTOWER_CACHE` names the folder that keeps
exported text encoders and text vectors (`~/.cache/twotower` when it is not set);
`TWOTOWER_API_KEY` is a key that `serve` accepts for everything, beside those that `admin keys`
makes; `TWOTOWER_DATABASE` and `TWOTOWER_REDIS` stand for `--database` and `--redis`: what is in an
option, every user of the machine can read.

| exit code | means |
|---|---|
| 0 | done |
| 1 | an error, told in one line with the remedy; lines for `shop.toml` to paste follow it |
| 2 | the command line was not understood |
| 3 | the bundle is whole, but not better than its baselines: not to be promoted |
| 130 | interrupted; the same command goes on where it was |
"""


def cli_page() -> str:
    """The reference of every command, argument and option."""
    from twotower.cli import app

    root = typer.main.get_command(app)
    return "\n".join([_CLI_HEAD, *(_command(name, one) for name, one in commands_of(root))])


def commands_of(group: Any, before: str = "") -> Iterator[tuple[str, Any]]:
    """Every command with its name, those of groups as `admin keys add`."""
    for name, one in group.commands.items():
        if hasattr(one, "commands"):
            yield from commands_of(one, f"{before}{name} ")
        else:
            yield f"{before}{name}", one


def columns_page() -> str:
    """The page on tables, with the columns that are recognised today."""
    from twotower.data import words

    rows = ["| table | our name | also recognised |", "|---|---|---|"]
    for table, columns in words.ALIASES.items():
        for name, aliases in columns.items():
            needed = " (required)" if name in words.REQUIRED[table] else ""
            told = ", ".join(f"`{word}`" for word in aliases.split())
            rows.append(f"| {table} | `{name}`{needed} | {told} |")
    page = (DOCS / "shop-toml.md").read_text(encoding="utf-8")
    before, _, rest = page.partition(_COLUMNS)
    after = rest.partition(_COLUMNS_END)[2]
    return "\n".join([before + _COLUMNS, *rows, _COLUMNS_END]) + after


def openapi_page() -> str:
    """The OpenAPI document of the HTTP interface."""
    from twotower.server.openapi import openapi_document

    return json.dumps(openapi_document(), indent=2, ensure_ascii=False) + "\n"


PAGES: Mapping[str, tuple[Path, Callable[[], str]]] = {
    "cli": (DOCS / "cli.md", cli_page),
    "columns": (DOCS / "shop-toml.md", columns_page),
    "openapi": (DOCS / "reference" / "openapi.json", openapi_page),
}


def _command(name: str, command: Any) -> str:
    arguments = [one for one in command.params if one.param_type_name == "argument"]
    options = [one for one in command.params if one.param_type_name == "option"]
    usage = " ".join(["twotower", name, *map(_argument, arguments), *map(_usage, options)])
    rows = [f"| `{_cell(_argument(one))}` | {_cell(one.help)} |  |" for one in arguments]
    rows += [f"| `{_names(one)}` | {_cell(one.help)} | {_default(one)} |" for one in options]
    table = ["|  | what | default |", "|---|---|---|", *rows]
    return "\n".join([f"## {name}", "", command.help, "", f"    {usage}", "", *table, ""])


def _argument(parameter: Any) -> str:
    return str(parameter.metavar or parameter.name.upper())


def _names(option: Any) -> str:
    return ", ".join(option.opts)


def _usage(option: Any) -> str:
    word = str(option.opts[0])
    if not option.is_flag:
        word = f"{word} {option.metavar or word.lstrip('-').upper()}"
    word = f"{word} ..." if option.multiple else word
    return word if option.required else f"[{word}]"


def _cell(text: str | None) -> str:
    return (text or "").replace("|", "\\|")


def _default(option: Any) -> str:
    if option.required:
        return "required"
    if option.is_flag or option.default in (None, [], ()):
        return ""
    return f"`{option.default}`"


def main(names: list[str]) -> None:
    """Writes the named pages, or all."""
    for name in names or list(PAGES):
        file, page = PAGES[name]
        file.parent.mkdir(exist_ok=True)
        file.write_text(page(), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
