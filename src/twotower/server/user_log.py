"""The bundle's own event log, by user: the histories the model was built from."""

from collections.abc import Container, Sequence

import numpy as np
import polars as pl

from twotower.features.history import Histories, History

_TELLING = 5
"""An example visitor has at least this many events, where the log has such users."""


class UserLog:
    """Histories of the users of the log, read once; `n_events` counts its events.

    Args:
        events: The prepared event table; None for a shop without one.
        erased: Whom nothing is told about.
    """

    def __init__(self, events: pl.DataFrame | None, erased: Container[str] = ()) -> None:
        self._erased = erased
        self._users: Sequence[str] = ()
        self._histories = Histories.from_lists([])
        if events is not None and len(events):
            self._users, self._histories = Histories.from_events(events)
        self._place = {user_id: place for place, user_id in enumerate(self._users)}
        self.n_events = len(self._histories.item_rows)

    def __len__(self) -> int:
        return len(self._users)

    def __contains__(self, user_id: str) -> bool:
        return user_id in self._place

    def history(self, user_id: str | None) -> History:
        """Gives a user's events, oldest first; none for a user the log does not know."""
        place = self._place.get(user_id) if user_id is not None else None
        if place is None or user_id in self._erased:
            return History.of([])
        return self._histories[place]

    def examples(self, limit: int) -> list[str]:
        """Picks users with something to tell, evenly over the whole log, always the same."""
        telling = np.flatnonzero(self._histories.lengths >= _TELLING)
        if len(telling) == 0:
            telling = np.arange(len(self))
        steps = np.linspace(0, len(telling) - 1, min(limit, len(telling))).astype(int)
        users = [self._users[telling[step]] for step in steps]
        return [one for one in users if one not in self._erased]
