"""Request ids: unique, and sorted by the time they were made."""

import secrets
import time

_VERSION_7 = 0x7 << 76
_VARIANT = 0b10 << 62
_RANDOM_A = (1 << 12) - 1
_RANDOM_B = (1 << 62) - 1


def new_request_id() -> str:
    """Makes a UUID of version 7 as 32 hexadecimal digits.

    Source: RFC 9562, section 5.7.
    """
    random = secrets.randbits(74)
    value = (time.time_ns() // 1_000_000) << 80 | _VERSION_7
    value |= (random >> 62 & _RANDOM_A) << 64 | _VARIANT | random & _RANDOM_B
    return f"{value:032x}"
