"""The verb `twotower download`: a public data set's files, where the publisher lets a program."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from twotower.options import AsJson
from twotower.terminal import print_json, workshop


def download(
    name: Annotated[str, typer.Argument(metavar="NAME", help="A public data set's name.")],
    to: Annotated[
        Path | None, typer.Option("--to", help="Folder to write; NAME if left out.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Fetch a public data set, verify it, and go on where a connection broke.

    Of one that its publisher gives out by hand only, it says which files and where.
    """
    from twotower.data.sources import source as sources
    from twotower.data.sources.registry import published

    found = published(name, to or Path(name))
    with workshop(quiet=as_json) as here:
        fetched = sources.download(found.source, found.folder, here.progress)
    source, place = found.source, str(found.folder)
    if as_json:
        return print_json({"folder": place, "sha256": fetched, "licence": source.licence})
    console = Console()
    for file, digest in fetched.items():
        told = {remote.name: remote.checksum for remote in source.remotes}[file]
        by = "verified" if told else "the publisher gives no checksum"
        console.print(f"{file}: SHA-256 {digest} ({by})", soft_wrap=True, highlight=False)
    if not fetched:
        console.print(f"Everything is in {place} already.", soft_wrap=True)
    return console.print(
        f"Licence: {source.licence}. Next: twotower prepare {name} --from {place} --out DATA",
        soft_wrap=True,
        highlight=False,
    )
