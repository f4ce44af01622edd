"""The public data sets by name."""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from twotower.data.sources import (
    amazon,
    beibei,
    best_buy,
    esci,
    hm,
    home_depot,
    movielens,
    online_retail,
    rees46,
    retailrocket,
    wands,
)
from twotower.data.sources.source import PublicSource, Published
from twotower.errors import ConfigError

SOURCES: Final[Mapping[str, PublicSource]] = {
    source.name: source
    for source in (
        *amazon.SOURCES,
        beibei.SOURCE,
        best_buy.SOURCE,
        *esci.SOURCES,
        hm.SOURCE,
        home_depot.SOURCE,
        movielens.SOURCE,
        movielens.SOURCE_100K,
        movielens.SOURCE_1M,
        online_retail.SOURCE,
        rees46.SOURCE,
        retailrocket.SOURCE,
        wands.SOURCE,
    )
}


def is_published(name: str) -> bool:
    """Whether a public data set has this name."""
    return name in SOURCES


def published(name: str, folder: Path) -> Published:
    """A public data set, its files in a folder.

    Raises:
        ConfigError: there is none of that name; lists those there are.
    """
    if name not in SOURCES:
        known = "\n".join(f"  {source.name}: {source.summary}" for source in SOURCES.values())
        raise ConfigError(f"{name!r} is no public data set; there are:\n{known}")
    return Published(SOURCES[name], folder)
