"""Where a shop database is: the path of a file, or the URL of a server."""

import re
from pathlib import Path
from typing import Final

from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

from twotower.errors import ConfigError

_DRIVERS: Final = {
    "sqlite": "sqlite",
    "postgres": "postgresql+psycopg",
    "postgresql": "postgresql+psycopg",
    "postgresql+psycopg": "postgresql+psycopg",
}
"""The schemes of a URL, and what SQLAlchemy is told for each."""
_FORMS: Final = "a path, sqlite:///PATH or postgresql://USER@HOST/DATABASE"
_SCHEME: Final = re.compile(r"[a-z0-9+]{1,30}")


def beside(bundle: Path) -> Path:
    """Gives the default place of a bundle's database: a sibling folder, as bundles never change.

    Args:
        bundle: The bundle's folder.

    Returns:
        `NAME-shop/shop.sqlite` beside it.
    """
    folder = bundle.resolve()
    return folder.parent / f"{folder.name}-shop" / "shop.sqlite"


def read_address(where: str | Path) -> URL:
    """Reads a path or a URL.

    Args:
        where: A path, `sqlite:///PATH`, `postgresql://...` or `postgresql+psycopg://...`.

    Returns:
        The URL with the driver that is used.

    Raises:
        ConfigError: It is none of these. What was given is not repeated: it may hold a password.
    """
    if isinstance(where, Path) or "://" not in where:
        return URL.create("sqlite", database=str(where))
    scheme = where.partition("://")[0]
    if scheme not in _DRIVERS:
        named = f"{scheme}://..." if _SCHEME.fullmatch(scheme) else "another address"
        raise ConfigError(f"database must be {_FORMS}, got {named}")
    try:
        url = make_url(where).set(drivername=_DRIVERS[scheme])
    except (ArgumentError, ValueError):
        raise ConfigError(
            f"database must be {_FORMS}; the {scheme}:// address given cannot be read: "
            "write what is special in a name or password as %XX, such as %40 for @"
        ) from None
    if scheme == "sqlite" and url.database in (None, "", ":memory:"):
        raise ConfigError(f"database must be {_FORMS}; the sqlite:// address given names no file")
    return url


def is_missing_file(url: URL) -> bool:
    """Whether an address is that of a file, and no file is there."""
    return url.get_backend_name() == "sqlite" and not Path(str(url.database)).is_file()


def shown_address(url: URL) -> str:
    """Spells an address for people: a path, or a URL without password and options."""
    if url.get_backend_name() == "sqlite":
        return str(url.database)
    bare = URL.create(
        "postgresql", username=url.username, host=url.host, port=url.port, database=url.database
    )
    return bare.render_as_string()
