"""The verbs of `twotower admin`: looking after a live shop, while it is served or not."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

app = typer.Typer(help="Look after a live shop, served or not.", no_args_is_help=True)
keys = typer.Typer(help="Keys of the HTTP interface.", no_args_is_help=True)
app.add_typer(keys, name="keys")

Shop = Annotated[
    Path, typer.Argument(metavar="BUNDLE", help="The bundle whose shop it is; it is not opened.")
]
Database = Annotated[
    str | None,
    typer.Option(
        envvar="TWOTOWER_DATABASE",
        help="A file or postgresql://USER@HOST/DATABASE; a file beside the bundle if left out.",
    ),
]
Releases = Annotated[Path, typer.Argument(metavar="RELEASES", help="A folder of bundles.")]
_MS_PER_S = 1_000


@keys.command("add")
def add_key(
    bundle: Shop,
    name: Annotated[str, typer.Argument(help="Who or what will use it.")],
    scope: Annotated[
        list[str], typer.Option(help="search, events, metrics or admin; may be given again.")
    ],
    per_minute: Annotated[
        int | None, typer.Option(help="Requests a minute that each server answers it.")
    ] = None,
    database: Database = None,
) -> None:
    """Make a key and print it, once: only its hash is kept. Servers know it within a second."""
    with _opened(bundle, database) as shop:
        secret, made = shop.keys.add(name, scope, per_minute=per_minute)
    Console(stderr=True).print(
        f"Key {made.key_id} for {escape(name)}; it cannot be shown again:", highlight=False
    )
    typer.echo(secret)


@keys.command("list")
def list_keys(bundle: Shop, database: Database = None) -> None:
    """Show every key: what it may do, and whether it was revoked."""
    with _opened(bundle, database) as shop:
        found = shop.keys.all()
    table = Table("id", "name", "scopes", "per minute", "made", "revoked")
    for one in found:
        rate = "" if one.per_minute is None else f"{one.per_minute:,}"
        scopes = ", ".join(sorted(one.scopes))
        row = (one.key_id, escape(one.name), scopes, rate, _day(one.created), _day(one.revoked))
        table.add_row(*row)
    Console().print(table)


@keys.command("revoke")
def revoke_key(
    bundle: Shop,
    key: Annotated[str, typer.Argument(help="Its id, as 'list' shows it.")],
    database: Database = None,
) -> None:
    """End a key. Servers refuse it within a second."""
    with _opened(bundle, database) as shop:
        shop.keys.revoke(key)


@app.command()
def promote(
    folder: Releases,
    name: Annotated[str, typer.Argument(help="The bundle's folder in there.")],
    force: Annotated[
        bool, typer.Option("--force", help="Also one that does not beat its baselines.")
    ] = False,
) -> None:
    """Verify a bundle and make it the one that is served. Running servers change to it."""
    from twotower.releases import ReleaseFolder
    from twotower.server.releases import open_release

    shelf = ReleaseFolder(folder)
    open_release(shelf.place(name), even_if_worse=force)
    _tell(shelf.point(name))


@app.command()
def rollback(folder: Releases) -> None:
    """Go back to the bundle that was served before. Running servers change to it."""
    from twotower.releases import ReleaseFolder
    from twotower.server.releases import open_release

    shelf = ReleaseFolder(folder)
    name = shelf.before()
    open_release(shelf.place(name), even_if_worse=True)
    _tell(shelf.point(name))


@app.command()
def backup(
    bundle: Shop,
    out: Annotated[Path, typer.Option(help="SQLite file to write.")],
    database: Database = None,
) -> None:
    """Copy the whole shop database into a file, while it is in use."""
    from twotower import disk
    from twotower.shop.backup import copy_shop
    from twotower.shop.database import ShopDatabase

    with (
        disk.whole_file(out) as part,
        _opened(bundle, database) as shop,
        ShopDatabase(part) as copy,
    ):
        rows = copy_shop(shop, copy)
    _show_rows(rows)


@app.command()
def restore(
    bundle: Shop,
    file: Annotated[Path, typer.Argument(help="What 'backup' wrote.", exists=True, dir_okay=False)],
    database: Database = None,
) -> None:
    """Copy a backup into a new database, of either kind; then start the servers on it."""
    from twotower.shop.backup import copy_shop
    from twotower.shop.database import ShopDatabase

    with ShopDatabase(file) as copy, _opened(bundle, database) as shop:
        rows = copy_shop(copy, shop)
    _show_rows(rows)


@app.command()
def vacuum(bundle: Shop, database: Database = None) -> None:
    """Give back the room of what was deleted, while the shop is in use."""
    with _opened(bundle, database) as shop:
        shop.vacuum()


@app.command()
def export(
    bundle: Shop,
    out: Annotated[Path, typer.Option(help="Parquet file to write.")],
    live_only: Annotated[
        bool, typer.Option("--live-only", help="Without the log that the bundle was trained on.")
    ] = False,
    database: Database = None,
) -> None:
    """Write the events of the log and the live ones as one table, for the next training."""
    from twotower import disk
    from twotower.data.dataset import Dataset
    from twotower.shop.event_log import live_log, whole_log

    _refuse_missing(bundle, database)
    with _opened(bundle, database) as shop:
        if live_only:
            table = live_log(shop)
        else:
            data = Dataset.load(bundle / "data")
            table = whole_log(data.events, data.items, shop)
    with disk.whole_file(out) as part:
        table.write_parquet(part)
    Console().print(f"{len(table):,} events in [bold]{escape(str(out))}[/]")


@app.command()
def erase(
    bundle: Shop,
    person: Annotated[str, typer.Argument(help="A user's or visitor's id.")],
    database: Database = None,
) -> None:
    """Forget a user or visitor: live events, and what logs of bundles say from now on."""
    with _opened(bundle, database) as shop:
        n_events = shop.erasures.erase(person)
    Console().print(
        f"{n_events:,} events deleted. Backups, tables and bundles of before still hold the "
        "person: write them again, or delete them."
    )


def _show_rows(rows: dict[str, int]) -> None:
    Console().print(", ".join(f"{count:,} {name}" for name, count in rows.items() if count))


def _tell(pointer: Any) -> None:
    Console().print(f"{pointer.current} is served; before it was {pointer.previous}")


def _refuse_missing(bundle: Path, database: str | None) -> None:
    """Raises `ConfigError` where the database would be made anew, and so be empty."""
    from twotower.errors import ConfigError
    from twotower.shop.address import beside, is_missing_file, read_address, shown_address

    url = read_address(database or beside(bundle))
    if is_missing_file(url):
        raise ConfigError(
            f"there is no shop database {shown_address(url)}: name the one that 'serve' uses with "
            "--database (beside a folder of releases it is RELEASES-shop/shop.sqlite)"
        )


@contextmanager
def _opened(bundle: Path, database: str | None) -> Iterator[Any]:
    from twotower.shop.address import beside
    from twotower.shop.database import ShopDatabase

    with ShopDatabase(database or beside(bundle)) as shop:
        yield shop


def _day(time_ms: int | None) -> str:
    return "" if time_ms is None else f"{datetime.fromtimestamp(time_ms / _MS_PER_S, UTC):%Y-%m-%d}"
