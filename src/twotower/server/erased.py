"""Whom this process is silent about: those who were erased after their bundle was built."""

import threading

from twotower.server.following import Follower
from twotower.shop.erasures import Erasures, digest_of_person


class Erased:
    """The erasures of the database; those of other processes are known within an interval.

    Args:
        erasures: Of the database.
    """

    def __init__(self, erasures: Erasures) -> None:
        self._erasures = erasures
        self._digests: frozenset[str] = frozenset()
        self._refreshing = threading.Lock()
        self._follower = Follower("erased", "erasures", self.refresh)
        self.refresh()

    def __contains__(self, person_id: object) -> bool:
        return bool(self._digests) and digest_of_person(str(person_id)) in self._digests

    def erase(self, person_id: str) -> int:
        """Erases a person here and now; raises and gives what `Erasures.erase` does."""
        n_events = self._erasures.erase(person_id)
        self.refresh()
        return n_events

    def refresh(self) -> None:
        """Reads the erasures; raises `StorageUnavailable`, and knows the old ones.

        What was read first is never known last, whichever threads refresh.
        """
        with self._refreshing:
            self._digests = self._erasures.digests()

    def follow(self, interval_s: float) -> None:
        """Refreshes again and again, in the background, until `stop`."""
        self._follower.start(interval_s)

    def stop(self) -> None:
        """Ends following."""
        self._follower.stop()
