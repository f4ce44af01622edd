"""What the server counts, in Prometheus' text format; each app has its own registry."""

from collections.abc import Mapping

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)
_MS = 1_000


class Metrics:
    """Counters and histograms of one app. Labels are bounded: routes, never addresses."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._requests = Counter(
            "twotower_requests",
            "Requests by route and status.",
            ("method", "route", "status"),
            registry=self.registry,
        )
        self._latency = Histogram(
            "twotower_request_seconds",
            "Time to answer by route.",
            ("route",),
            buckets=_SECONDS,
            registry=self.registry,
        )
        self._stages = Histogram(
            "twotower_stage_seconds",
            "Time of one stage of an answer.",
            ("route", "stage"),
            buckets=_SECONDS,
            registry=self.registry,
        )
        self._events = Counter(
            "twotower_events", "Events by verdict.", ("verdict",), registry=self.registry
        )
        self._fallbacks = Counter(
            "twotower_fallbacks",
            "Answers given by a simpler method.",
            ("route", "fallback"),
            registry=self.registry,
        )
        self._items = Gauge(
            "twotower_catalogue_items", "Products in the catalogue.", registry=self.registry
        )
        self._cursor = Gauge(
            "twotower_catalogue_cursor",
            "Number of the last product change applied; equal where processes agree.",
            registry=self.registry,
        )

        self._promotions = Counter(
            "twotower_promotions", "Promotions by outcome.", ("outcome",), registry=self.registry
        )
        self._bundle = Gauge(
            "twotower_bundle", "The bundle that answers.", ("version",), registry=self.registry
        )

        self._cache = Counter(
            "twotower_cache_requests",
            "Questions to the cache by outcome: hit, miss, or failed where it did not answer.",
            ("cache", "outcome"),
            registry=self.registry,
        )
        self._cache_bytes = Gauge(
            "twotower_cache_bytes", "Held by the cache of this process.", registry=self.registry
        )

    def answered(self, method: str, route: str, status: int, seconds: float) -> None:
        """Counts one request."""
        self._requests.labels(method, route, str(status)).inc()
        self._latency.labels(route).observe(seconds)

    def staged(self, route: str, took_ms: Mapping[str, float]) -> None:
        """Counts the stages of one answer, milliseconds by name."""
        for stage, milliseconds in took_ms.items():
            self._stages.labels(route, stage).observe(milliseconds / _MS)

    def stored(self, accepted: int, duplicate: int, rejected: int) -> None:
        """Counts the events of one batch."""
        self._events.labels("accepted").inc(accepted)
        self._events.labels("duplicate").inc(duplicate)
        self._events.labels("rejected").inc(rejected)

    def fell_back(self, route: str, fallback: str) -> None:
        """Counts an answer that a simpler method gave."""
        self._fallbacks.labels(route, fallback).inc()

    def cached(self, cache: str, outcome: str) -> None:
        """Counts a question to a cache: `hit`, `miss` or `failed`."""
        self._cache.labels(cache, outcome).inc()

    def cache_bytes(self, n_bytes: int) -> None:
        """Notes what the cache of this process holds."""
        self._cache_bytes.set(n_bytes)

    def promoted(self, outcome: str) -> None:
        """Counts a promotion: `done` or `refused`."""
        self._promotions.labels(outcome).inc()

    def serving(self, version: str) -> None:
        """Notes which bundle answers."""
        self._bundle.clear()
        self._bundle.labels(version).set(1)

    def catalogue(self, n_items: int, cursor: int) -> None:
        """Notes how many products there are, and the number of the last change applied."""
        self._items.set(n_items)
        self._cursor.set(cursor)

    def text(self) -> bytes:
        """Gives all of it in Prometheus' text format."""
        return generate_latest(self.registry)
