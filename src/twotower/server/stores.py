"""Where answers are kept for a while: in this process, or in Redis for several."""

import logging
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import TYPE_CHECKING, Final, Protocol, TypeVar, cast

from twotower.errors import ConfigError, MissingExtra, installing
from twotower.server.settings import ServerSettings

if TYPE_CHECKING:
    from redis import Redis

_T = TypeVar("_T")
_log = logging.getLogger(__name__)
_WAIT_S: Final = 0.1
"""Redis is asked this long; an answer takes tens of milliseconds to make."""
_PAUSE_S: Final = 1.0
_KEPT_S: Final = 600
_PREFIX: Final = b"twotower:"
_BYTES_PER_MB: Final = 1_000_000


class StoreLostError(Exception):
    """The store cannot be asked now."""


class Store(Protocol):
    """Bytes by key; what was put may be gone at any time."""

    @property
    def n_bytes(self) -> int:
        """Bytes that are held in this process, keys included."""

    @property
    def is_keeping(self) -> bool:
        """Whether what is put now has a chance to be kept."""

    def get(self, key: bytes) -> bytes | None:
        """Gives what was put; raises `StoreLostError`."""

    def put(self, key: bytes, value: bytes) -> None:
        """Keeps something; raises `StoreLostError`."""

    def close(self) -> None:
        """Ends connections."""


class MemoryStore:
    """Of this process alone, bounded; what was asked for longest ago goes first.

    Args:
        max_bytes: Of keys and values together; 0 keeps nothing.
    """

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes, self._n_bytes = max_bytes, 0
        self._kept: OrderedDict[bytes, bytes] = OrderedDict()
        self._changing = threading.Lock()

    @property
    def n_bytes(self) -> int:
        """Bytes that are held, keys included."""
        return self._n_bytes

    @property
    def is_keeping(self) -> bool:
        """Whether there is any room at all."""
        return self._max_bytes > 0

    def get(self, key: bytes) -> bytes | None:
        """Gives what was put, and remembers that it was asked for."""
        with self._changing:
            if key in self._kept:
                self._kept.move_to_end(key)
            return self._kept.get(key)

    def put(self, key: bytes, value: bytes) -> None:
        """Keeps something, in the place of what was asked for longest ago."""
        if len(key) + len(value) > self._max_bytes:
            return
        with self._changing:
            self._n_bytes += len(key) + len(value) - self._forget(key)
            self._kept[key] = value
            while self._n_bytes > self._max_bytes:
                self._n_bytes -= self._forget(next(iter(self._kept)))

    def close(self) -> None:
        """Nothing is open."""

    def _forget(self, key: bytes) -> int:
        """How many bytes that freed."""
        value = self._kept.pop(key, None)
        return 0 if value is None else len(key) + len(value)


class RedisStore:
    """Of all processes that name the same Redis, which bounds it by its own `maxmemory`.

    A Redis that does not answer is left alone for a second, and told of once.

    Args:
        url: `redis://`, `rediss://` or `unix://`.
        clock: Seconds, never going back.

    Raises:
        ConfigError: Not such a URL. It is not repeated: it may hold a password.
        MissingExtra: The client library is not installed.
    """

    n_bytes = 0

    def __init__(self, url: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._redis, self._clock = _client(url), clock
        self._not_before, self._is_failing = 0.0, False

    @property
    def is_keeping(self) -> bool:
        """Whether Redis is not being left alone."""
        return self._clock() >= self._not_before

    def get(self, key: bytes) -> bytes | None:
        """Gives what any process has put; raises `StoreLostError`."""
        return cast(bytes | None, self._asked(lambda: self._redis.get(_PREFIX + key)))

    def put(self, key: bytes, value: bytes) -> None:
        """Keeps something for ten minutes; raises `StoreLostError`."""
        self._asked(lambda: self._redis.set(_PREFIX + key, value, ex=_KEPT_S))

    def close(self) -> None:
        """Ends the connections."""
        self._redis.close()

    def _asked(self, ask: Callable[[], _T]) -> _T:
        from redis.exceptions import RedisError

        if not self.is_keeping:
            raise StoreLostError
        try:
            told = ask()
        except (RedisError, OSError) as error:
            self._not_before = self._clock() + _PAUSE_S
            if not self._is_failing:
                _log.warning("the cache does not answer, answers are made anew: %s", error)
            self._is_failing = True
            raise StoreLostError from error
        if self._is_failing:
            _log.warning("the cache answers again")
            self._is_failing = False
        return told


def _client(url: str) -> "Redis":
    try:
        from redis import Redis
        from redis.backoff import NoBackoff
        from redis.retry import Retry
    except ImportError as error:
        raise MissingExtra(
            f"a cache in Redis needs its client, which is not installed; {installing('cluster')}"
        ) from error
    try:
        return Redis.from_url(
            url,
            socket_timeout=_WAIT_S,
            socket_connect_timeout=_WAIT_S,
            retry=Retry(NoBackoff(), 0),
        )
    except ValueError:
        raise ConfigError(
            "redis must be redis://HOST:PORT/0, rediss://... or unix://PATH; "
            "the address given cannot be read"
        ) from None


def store_of(settings: ServerSettings) -> Store:
    """Opens the store that settings name."""
    if settings.redis is not None:
        return RedisStore(settings.redis)
    return MemoryStore(settings.cache_mb * _BYTES_PER_MB)
