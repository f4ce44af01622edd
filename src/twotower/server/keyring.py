"""The keys that this process knows: whom it admits, and how often."""

import math
import threading
import time
from collections.abc import Callable
from typing import Final

from twotower.server.following import Follower
from twotower.server.problems import ProblemError
from twotower.shop.keys import Keys, digest_of
from twotower.shop.records import ApiKey

_BURST_S: Final = 10
"""A key may use up this much of its rate at once."""
_S_PER_MINUTE: Final = 60
_OF_THE_ENVIRONMENT: Final = "environment"


class Keyring:
    """Keys of the database, and one of the environment; changes are known within an interval.

    A shop that has, or ever had, a key admits nobody without one. One that never had a key
    admits everybody: `serve` then listens on this machine alone.

    Args:
        keys: Of the database.
        api_key: One that may do everything and stands in no database, or None.
        clock: Seconds, never going back.
    """

    def __init__(
        self, keys: Keys, api_key: str | None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._keys, self._clock = keys, clock
        self._own = None if api_key is None else _own_key(api_key)
        self._known: dict[str, ApiKey] = {}
        self._buckets: dict[str, _Bucket] = {}
        self._follower = Follower("keyring", "keys", self.refresh)
        self.refresh()

    @property
    def is_needed(self) -> bool:
        """Whether a key has to be shown."""
        return bool(self._known)

    def refresh(self) -> None:
        """Reads the keys of the database; raises `StorageUnavailable`, and knows the old ones."""
        found = [*self._keys.all(), *([self._own] if self._own else [])]
        self._known = {one.digest: one for one in found}

    def follow(self, interval_s: float) -> None:
        """Refreshes again and again, in the background, until `stop`."""
        self._follower.start(interval_s)

    def stop(self) -> None:
        """Ends following."""
        self._follower.stop()

    def admit(self, shown: str | None, scope: str) -> ApiKey | None:
        """Lets a request pass, or refuses it; to be called on one thread.

        Args:
            shown: The key that came with it.
            scope: What it is about to do.

        Returns:
            What is kept of the key; None where none is needed.

        Raises:
            ProblemError: No key, an unknown or revoked one, one of other scopes, or one that
                has asked more often than it may.
        """
        if not self.is_needed:
            return None
        key = self._known.get(digest_of(shown)) if shown else None
        if key is None or key.revoked is not None:
            raise ProblemError(
                "key-required",
                "send a key of the shop in the header X-API-Key; "
                "'twotower admin keys add' makes one",
                headers={"WWW-Authenticate": "X-API-Key"},
            )
        if not {scope, "admin"} & key.scopes:
            raise ProblemError(
                "scope-required",
                f"this needs a key of scope {scope}, the key shown has {', '.join(key.scopes)}",
            )
        self._count(key)
        return key

    def charge(self, key: ApiKey | None, more: int) -> None:
        """Counts an admitted request as so many more; the key's next ones wait for it."""
        if key is not None and key.per_minute is not None:
            self._bucket(key.key_id, key.per_minute).owe(more)

    def _bucket(self, key_id: str, per_minute: int) -> "_Bucket":
        return self._buckets.setdefault(key_id, _Bucket(per_minute, self._clock()))

    def _count(self, key: ApiKey) -> None:
        if key.per_minute is None:
            return
        bucket = self._bucket(key.key_id, key.per_minute)
        if wait_s := bucket.take(self._clock()):
            raise ProblemError(
                "too-many-requests",
                f"this key may ask {key.per_minute} times a minute; wait {wait_s} s",
                headers={"Retry-After": str(wait_s)},
            )


class _Bucket:
    """Requests that are left of a rate; it fills up evenly."""

    def __init__(self, per_minute: int, now_s: float) -> None:
        self._per_s = per_minute / _S_PER_MINUTE
        self._most = max(1.0, self._per_s * _BURST_S)
        self._left, self._at = self._most, now_s
        self._counting = threading.Lock()

    def owe(self, n: int) -> None:
        """Takes so many, whether they are there or not."""
        with self._counting:
            self._left -= n

    def take(self, now_s: float) -> int:
        """Takes one; 0, or the whole seconds until there is one."""
        with self._counting:
            self._left = min(self._most, self._left + (now_s - self._at) * self._per_s)
            self._at = now_s
            if self._left < 1:
                return math.ceil((1 - self._left) / self._per_s)
            self._left -= 1
            return 0


def _own_key(api_key: str) -> ApiKey:
    own = _OF_THE_ENVIRONMENT
    return ApiKey(own, own, digest_of(api_key), frozenset({"admin"}), created=0)
