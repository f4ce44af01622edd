"""Keys of the HTTP interface: what each may do. The keys themselves are kept nowhere."""

import hashlib
import secrets
import time
from collections.abc import Iterable
from typing import Final

from sqlalchemy import select, update

from twotower.errors import ConfigError
from twotower.shop.records import ApiKey
from twotower.shop.tables import keys
from twotower.shop.transactions import Transactions

SCOPES: Final = ("search", "events", "metrics", "admin")
"""What a key may be for; `admin` may do everything."""
_PREFIX: Final = "tt_"
"""By this a key that was committed or mailed by mistake is recognised."""
_NS_PER_MS: Final = 1_000_000
_LONGEST_NAME: Final = 100
_MOST_PER_MINUTE: Final = 10_000_000


class Keys:
    """The keys of one database; safe to share between threads and processes.

    Args:
        transactions: Of the open database.
    """

    def __init__(self, transactions: Transactions) -> None:
        self._transactions = transactions

    def add(
        self, name: str, scopes: Iterable[str], *, per_minute: int | None = None
    ) -> tuple[str, ApiKey]:
        """Makes a key, on disk when this returns.

        Args:
            name: Who or what will use it, for people.
            scopes: Of `SCOPES`, one or more.
            per_minute: Requests that each server process answers it in a minute; None for all.

        Returns:
            The key, which cannot be read again, and what is kept of it.

        Raises:
            ConfigError: A scope, the name or the rate is outside its range.
            StorageUnavailable: It cannot be written; there is no such key.
        """
        wanted = frozenset(scopes)
        _check(name, wanted, per_minute)
        secret = _PREFIX + secrets.token_urlsafe(32)
        made = ApiKey(
            key_id=secrets.token_hex(4),
            name=name,
            digest=digest_of(secret),
            scopes=wanted,
            per_minute=per_minute,
            created=time.time_ns() // _NS_PER_MS,
        )
        row = {**vars(made), "scopes": " ".join(sorted(wanted))}
        with self._transactions.writing() as connection:
            connection.execute(keys.insert(), row)
        return secret, made

    def revoke(self, key_id: str) -> None:
        """Ends a key, on disk when this returns.

        Args:
            key_id: Of `all`.

        Raises:
            ConfigError: There is no such key, or it was revoked before.
            StorageUnavailable: It cannot be written; the key is as it was.
        """
        there = (keys.c.key_id == key_id) & keys.c.revoked.is_(None)
        ended = update(keys).where(there).values(revoked=time.time_ns() // _NS_PER_MS)
        with self._transactions.writing() as connection:
            if connection.execute(ended).rowcount == 0:
                raise ConfigError(
                    f"key must be the id of one that is not revoked, got {key_id!r}; "
                    "'twotower admin keys list' shows them"
                )

    def all(self) -> list[ApiKey]:
        """Reads every key, revoked ones too, oldest first; raises `StorageUnavailable`."""
        every = select(keys).order_by(keys.c.created, keys.c.key_id)
        with self._transactions.reading() as connection:
            rows = connection.execute(every).mappings().all()
        return [ApiKey(**{**row, "scopes": frozenset(row["scopes"].split())}) for row in rows]


def digest_of(secret: str) -> str:
    """What is kept of a key: its SHA-256, enough for 256 random bits; 64 hex digits."""
    return hashlib.sha256(secret.encode(errors="surrogatepass")).hexdigest()


def _check(name: str, scopes: frozenset[str], per_minute: int | None) -> None:
    if not name.strip() or len(name) > _LONGEST_NAME or not name.isprintable():
        raise ConfigError(f"name must be 1..{_LONGEST_NAME} printable characters, got {name!r}")
    if not scopes or not scopes <= set(SCOPES):
        raise ConfigError(
            f"scope must be one or more of {', '.join(SCOPES)}, "
            f"got {', '.join(sorted(scopes)) or 'none'}"
        )
    if per_minute is not None and not 1 <= per_minute <= _MOST_PER_MINUTE:
        raise ConfigError(f"per_minute must be in 1..{_MOST_PER_MINUTE}, got {per_minute}")
