"""The server's settings: one validated object, made by the caller of `create_app`."""

import ipaddress
import re
from dataclasses import dataclass

from twotower.errors import ConfigError

_LEAST_KEY = 16
_OWN = ("localhost", "127.0.0.1", "[::1]")
_HOST = re.compile(r"[\w.-]+|\[[0-9a-fA-F:.]+\]")


@dataclass(frozen=True)
class ServerSettings:
    """How the server listens and what it refuses.

    Attributes:
        host: Address to listen on; `serve` takes one beyond loopback only where keys are needed.
        port: 0..65535; 0 takes a free one.
        api_key: A key that may do everything, beside those of the database. Where there is any
            key, each route asks for one of its scope in the header X-API-Key.
        allowed_hosts: Names beside this machine's own under which requests may be addressed to it,
            such as the one that a proxy passes on. Without a key every other name is refused:
            else a page of another site whose name is made to point here could ask everything.
        max_body_bytes: Larger bodies are refused with 413.
        max_body_s: Bodies that take longer to arrive are refused with 408.
        max_running: More requests at once are refused with 503.
        max_history: Events of a visitor that are read for an answer, the newest.
        max_clock_ahead_s: An event may lie this far in the future, for clocks that differ.
        warm_up_queries: Titles searched before the server says it is ready.
        shutdown_s: Running requests may take this long after a stop signal.
        json_logs: Log every request to standard error as a line of JSON: its id, route, status
            and time, and nothing of what was asked.
        follow_interval_s: Seconds between two looks at what other processes on the same
            database changed, .01..60.
        cache_mb: Megabytes of answers that this process keeps; 0 keeps none.
        redis: URL of a Redis that keeps them for several processes in its place.
    """

    host: str = "127.0.0.1"
    port: int = 8000
    api_key: str | None = None
    allowed_hosts: tuple[str, ...] = ()
    max_body_bytes: int = 2_000_000
    max_body_s: float = 10.0
    max_running: int = 256
    max_history: int = 200
    max_clock_ahead_s: int = 600
    warm_up_queries: int = 4
    shutdown_s: int = 10
    json_logs: bool = False
    follow_interval_s: float = 0.25
    cache_mb: int = 64
    redis: str | None = None

    def __post_init__(self) -> None:
        _in_range("port", self.port, 0, 65_535)
        _in_range("max_body_bytes", self.max_body_bytes, 1_000, 1_000_000_000)
        _in_range("max_body_s", self.max_body_s, 0.1, 600)
        _in_range("max_running", self.max_running, 1, 100_000)
        _in_range("max_history", self.max_history, 1, 10_000)
        _in_range("max_clock_ahead_s", self.max_clock_ahead_s, 0, 86_400)
        _in_range("warm_up_queries", self.warm_up_queries, 1, 1_000)
        _in_range("shutdown_s", self.shutdown_s, 0, 600)
        _in_range("follow_interval_s", self.follow_interval_s, 0.01, 60)
        _in_range("cache_mb", self.cache_mb, 0, 100_000)
        if self.api_key is not None and len(self.api_key) < _LEAST_KEY:
            raise ConfigError(
                f"api_key must have {_LEAST_KEY} or more characters, got {len(self.api_key)}; "
                "make one with: python -c 'import secrets; print(secrets.token_urlsafe())'"
            )
        for name in self.allowed_hosts:
            if not _HOST.fullmatch(name):
                raise ConfigError(
                    f"allowed_hosts must be names without scheme and port, got {name!r}; "
                    "write shop.example"
                )

    @property
    def host_names(self) -> frozenset[str]:
        """Every name under which requests may be addressed to this server, in lower case."""
        return frozenset(name.lower() for name in (*_OWN, self.host, *self.allowed_hosts))


def is_loopback(host: str) -> bool:
    """Says whether only this machine can reach the address."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def _in_range(field: str, value: float, low: float, high: float) -> None:
    if not low <= value <= high:
        raise ConfigError(f"{field} must be in {low}..{high}, got {value}")
