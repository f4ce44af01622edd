"""Looking at the shared database again and again, in the background."""

import logging
import threading
from collections.abc import Callable

from twotower.errors import StorageUnavailable

_log = logging.getLogger(__name__)
_END_S = 5.0


class Follower:
    """A thread that repeats one look; a look that fails is tried again, and told of once.

    Args:
        name: Of the thread.
        followed: What is looked at, for the log.
        look: Does it once.
    """

    def __init__(self, name: str, followed: str, look: Callable[[], None]) -> None:
        self._name, self._followed, self._look = name, followed, look
        self._ending = threading.Event()
        self._thread: threading.Thread | None = None

    @property
    def is_ending(self) -> bool:
        """Whether it was ended."""
        return self._ending.is_set()

    def start(self, interval_s: float) -> None:
        """Looks every `interval_s` seconds, until `stop`."""
        self._thread = threading.Thread(
            target=self._follow, args=(interval_s,), name=self._name, daemon=True
        )
        self._thread.start()

    def end(self) -> None:
        """Ends it, and waits for nothing."""
        self._ending.set()

    def stop(self) -> None:
        """Ends it, and waits for the look that is under way."""
        self.end()
        if self._thread is not None:
            self._thread.join(_END_S)

    def _follow(self, interval_s: float) -> None:
        is_failing = False
        while not self._ending.wait(interval_s):
            try:
                self._look()
            except Exception as error:  # whatever it is, it is tried again; told once
                if not is_failing:
                    trace = None if isinstance(error, StorageUnavailable) else error
                    _log.warning("%s are not followed: %s", self._followed, error, exc_info=trace)
                is_failing = True
            else:
                if is_failing:
                    _log.warning("%s are followed again", self._followed)
                is_failing = False
