"""Arguments and options that several verbs of the command line share."""

from pathlib import Path
from typing import Annotated

import typer

Source = Annotated[
    str, typer.Argument(help="A folder of tables, 'synthetic', or a public data set's name.")
]
From = Annotated[
    Path | None,
    typer.Option("--from", help="Folder of a public data set's files; docs/public-data.md."),
]
Shop = Annotated[
    Path | None,
    typer.Option("--shop", help="A mapping of the tables in place of SOURCE/shop.toml."),
]
RecipeName = Annotated[
    str,
    typer.Option(
        "--recipe",
        help="A recipe: joint, sequential, search, search-finetune, pointwise, contrastive, "
        "sasrec, tiny.",
    ),
]
Settings = Annotated[
    list[str] | None,
    typer.Option("--set", help="A field of the recipe, as towers.width=64; or @FILE."),
]
SplitKind = Annotated[
    str | None,
    typer.Option(
        "--split",
        help="auto, time, rolling, leave-one-out, given, cold-start, last-by-user, random or "
        "random-by-user.",
    ),
]
OnError = Annotated[
    str | None,
    typer.Option("--on-error", help="stop, or skip: rows at fault go to DATA/refused.jsonl."),
]
Incremental = Annotated[
    bool,
    typer.Option(
        "--incremental",
        help="Keep what was read of the events in DATA/log; next time only new files are read.",
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON, for machines.")]
Out = Annotated[Path, typer.Option("--out", help="Folder to write.")]
ServedFolder = Annotated[
    Path, typer.Argument(metavar="BUNDLE", help="A bundle's folder, or a folder of bundles.")
]
BundleFolder = Annotated[Path, typer.Argument(metavar="BUNDLE", help="A bundle's folder.")]
RunFolder = Annotated[Path, typer.Argument(metavar="RUN", help="A run's folder.")]
Host = Annotated[str, typer.Option(help="Address to listen on.")]
Port = Annotated[int, typer.Option(help="Port; 0 takes a free one.")]
Database = Annotated[
    str | None,
    typer.Option(
        envvar="TWOTOWER_DATABASE",
        help="A file or postgresql://USER@HOST/DATABASE; a file beside the bundle if left out.",
    ),
]
Redis = Annotated[
    str | None,
    typer.Option(
        envvar="TWOTOWER_REDIS",
        help="redis://HOST:PORT/0 that keeps answers for several servers; memory if left out.",
    ),
]
HowMany = Annotated[int, typer.Option("-k", help="How many items.")]
