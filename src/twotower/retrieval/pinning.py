"""Searches under the shop's rules: what is hidden and pinned, and pages around pins.

Hidden products are in no matched set, pinned ones are in every one whose filter allows them: so
totals, facets and pages agree under rules as they do without.
"""

import math
from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from twotower.filtering.segments import Mask
from twotower.index.base import Rows
from twotower.retrieval.matching import Matched, MatchedMeaning, MatchedWords
from twotower.retrieval.order import Mark, Ordered
from twotower.retrieval.rules import InForce, ranks_of


class MatchingUnderRules:
    """What a query matches when the rules have spoken; satisfies `matching.Matching`.

    Args:
        matching: without them.
        rules: of this search.
    """

    def __init__(self, matching: MatchedWords | MatchedMeaning, rules: InForce) -> None:
        self._matching, self._rules = matching, rules
        self._pinned = np.array([pin.row for pin in rules.pins], np.int64)

    def under(self, allowed: Mask | None) -> Matched:
        """The matched set among the rows that are allowed, pins included."""
        seen = self._rules.visible(allowed)
        found = self._matching.under(seen)
        if not len(self._pinned):
            return found
        pinned = self._pinned
        if seen is not None:
            pinned = pinned[pinned < len(seen)]
            pinned = pinned[seen[pinned]]
        return found.joined(self._matching.of(np.setdiff1d(pinned, found.rows)))

    def weak(self, allowed: Mask | None) -> Matched | None:
        """What nearly matches, pins left out; None where nobody can tell."""
        if isinstance(self._matching, MatchedWords):
            return None
        near = self._matching.weak(self._rules.visible(allowed))
        return near.only(~np.isin(near.rows, self._pinned))


def places_of_pins(ordered: Ordered, rules: InForce) -> dict[int, int]:
    """The pins of a list: rank -> place in its rows."""
    there = set(ordered.rows.tolist())
    pins = [pin for pin in rules.pins if pin.row in there]
    ranks = ranks_of(pins, len(ordered.rows))
    return {rank: int(np.searchsorted(ordered.rows, pin.row)) for rank, pin in ranks.items()}


def pinned_page(
    ordered: Ordered, pins: Mapping[int, int], offset: int, k: int, after: Mark | None
) -> tuple[NDArray[np.int64], Mark]:
    """A page of a list in which some products have a rank of their own.

    Args:
        ordered: the list without pins taken into account.
        pins: rank -> place in its rows.
        offset: ranks before the page.
        k: ranks on it.
        after: where the page before ended; the page follows it.

    Returns:
        int64[<=k] places, and where the page ends, for the one that follows.
    """
    before = offset if after is None else after.rank
    out = np.array([*pins.values()], np.int64)
    skip = before - sum(rank <= before for rank in pins) if after is None else 0
    room = k - sum(before < rank <= before + k for rank in pins)
    free = ordered.page(skip, room, after, out)
    places = _merged(free, pins, before, k, is_end=len(free) < room)
    last = before + len(places)
    if len(free):
        return places, ordered.mark(int(free[-1]), last)
    if after is not None:
        return places, replace(after, rank=last)
    if skip == 0:
        return places, Mark(math.inf, math.inf, -1, last)
    earlier = ordered.page(skip - 1, 1, None, out)
    if len(earlier) == 0:  # the page begins beyond the end
        return places, Mark(-math.inf, -math.inf, -1, last)
    return places, ordered.mark(int(earlier[0]), last)


def _merged(
    free: Rows, pins: Mapping[int, int], before: int, k: int, *, is_end: bool
) -> NDArray[np.int64]:
    """Free places in their order around pinned ones; at the end, the pins that are left."""
    others, places = iter(free.tolist()), []
    for rank in range(before + 1, before + k + 1):
        place = pins[rank] if rank in pins else next(others, None)
        if place is None:
            break
        places.append(place)
    if is_end:
        late = [pins[rank] for rank in sorted(pins) if rank > before + len(places)]
        places += late[: k - len(places)]
    return np.array(places, np.int64)
