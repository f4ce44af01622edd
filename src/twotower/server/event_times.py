"""When an event happened: what senders write, as UTC milliseconds."""

from datetime import UTC, datetime, timedelta

from twotower.errors import DataError

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_EARLIEST_MS = 100_000_000_000
"""March 1973. A smaller number is a time in seconds."""
_MS_PER_S = 1_000


def event_time(value: str | int | None, *, now_ms: int, ahead_s: int) -> int:
    """Reads the time of an event.

    Args:
        value: UTC milliseconds, ISO 8601 with an offset, or None for now.
        now_ms: The server's clock, UTC milliseconds.
        ahead_s: How far in the future the sender's clock may lie, seconds.

    Returns:
        UTC milliseconds.

    Raises:
        DataError: Not a time, without an offset, in seconds, or too far in the future.
    """
    if value is None:
        return now_ms
    time_ms = value if isinstance(value, int) else _from_iso(value)
    if time_ms < _EARLIEST_MS:
        raise DataError(f"time must be UTC milliseconds since 1970, got {value}; not seconds")
    if time_ms > now_ms + ahead_s * _MS_PER_S:
        raise DataError(
            f"time must not be later than {ahead_s} s from now, got {value}; check the clock"
        )
    return time_ms


def _from_iso(text: str) -> int:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise DataError(f"time must be ISO 8601 or UTC milliseconds, got {text!r}") from None
    if moment.tzinfo is None:
        raise DataError(f"time must say its offset, such as {text}Z or {text}+02:00")
    return (moment - _EPOCH) // timedelta(milliseconds=1)
