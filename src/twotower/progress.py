"""Telling how far work is."""

import re
import time
from collections.abc import Callable

Progress = Callable[[str, int, int], None]
"""Told (stage, done, total)."""

Steps = Callable[[int, int], None]
"""Told (done, total) of one stage."""


_QUIET_S = 10.0
_KIND = re.compile(r"[^,:\d]*")
"""What the names of stages of one kind have in common: `train, epoch 2`, `train, epoch 3`."""


class PlainLines:
    """Progress for a log: a line when another kind of stage begins, and now and then how far it is.

    Args:
        write: takes a line.
        clock: gives seconds.
    """

    def __init__(
        self, write: Callable[[str], object], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._write, self._clock = write, clock
        self._kind: str | None = None
        self._told = 0.0

    def __call__(self, stage: str, done: int, total: int) -> None:
        """Told as a `Progress`."""
        kind, now = _KIND.match(stage), self._clock()
        begun = kind.group() if kind else stage
        is_new = begun != self._kind
        if not is_new and now - self._told < _QUIET_S:
            return
        self._kind, self._told = begun, now
        self._write(stage if is_new or not total else f"{stage}: {done / total:.0%}")


def steps_of(progress: Progress | None, stage: str) -> Steps | None:
    """Who is told of one stage's steps; nobody where nobody listens."""
    if progress is None:
        return None
    return lambda done, total: progress(stage, done, total)
