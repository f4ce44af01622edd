"""Answers to searches that were asked before, as long as nothing they depend on has changed.

The key of an answer holds the question, the rules of the shop that hold for it now, and the stamp
of the shop that answers: its bundle, and the last change of a product that its index knows. It
holds the version of twotower too, as servers of two versions may share a store. After an update
the key is another one, so an older answer is not found any more: there is nothing to be thrown
away, and nothing to forget about it. A process reads stamp and rules before it makes an answer, so
what stands under a key is never older than it.
"""

import hashlib
from collections.abc import Sequence
from typing import Final

from pydantic import ValidationError

import twotower
from twotower.retrieval.rules import Rule
from twotower.server.metrics import Metrics
from twotower.server.replies import SearchReply
from twotower.server.requests import SearchRequest
from twotower.server.stores import Store, StoreLostError

_OF_THE_REQUEST: Final = {"visitor_id", "user_id"}
"""Fields of a question that its answer does not depend on."""


class AnswerCache:
    """Kept answers; safe to share between threads, and what it lacks is made anew.

    Args:
        store: Where they are kept.
        metrics: What counts.
    """

    def __init__(self, store: Store, metrics: Metrics) -> None:
        self._store, self._metrics = store, metrics

    def key(self, stamp: str, rules: Sequence[Rule], question: SearchRequest) -> bytes:
        """Names the answer to a question, as a shop of this stamp gives it under these rules."""
        asked = question.model_dump_json(exclude=_OF_THE_REQUEST)
        whole = f"{twotower.__version__}\n{stamp}\n{rules!r}\n{asked}"
        return hashlib.blake2b(whole.encode(), digest_size=20).digest()

    def search(self, key: bytes) -> SearchReply | None:
        """Gives a kept answer; None where it has to be made."""
        try:
            kept = self._store.get(key)
            answer = None if kept is None else SearchReply.model_validate_json(kept)
        except (StoreLostError, ValidationError):
            self._metrics.cached("search", "failed")
            return None
        self._metrics.cached("search", "miss" if answer is None else "hit")
        return answer

    def keep(self, key: bytes, answer: SearchReply) -> None:
        """Keeps an answer, where that is possible."""
        if not self._store.is_keeping:
            return
        try:
            self._store.put(key, answer.model_dump_json().encode())
        except StoreLostError:
            self._metrics.cached("search", "failed")
        self._metrics.cache_bytes(self._store.n_bytes)

    def close(self) -> None:
        """Ends what is open."""
        self._store.close()
