"""A cursor: where a page ended, as a text that the next question brings back.

It names the bundle, the shop's rules and the question, and holds the last hit's place in the
order, not its number: products that come or go between two pages neither repeat a hit nor hide one.
"""

import base64
import hashlib
import json
from dataclasses import astuple
from typing import Final

from twotower.errors import ExpiredCursor, RetrievalError
from twotower.retrieval.order import Mark
from twotower.retrieval.questions import SearchQuestion

_HASH: Final = 16
"""Hex digits by which a question is known again."""


def written_cursor(mark: Mark, question: SearchQuestion, edition: str) -> str:
    """The cursor of the page after `mark`; the edition is of the bundle and the rules."""
    content = json.dumps([edition, _fingerprint(question), *astuple(mark)])
    return base64.urlsafe_b64encode(content.encode()).decode().rstrip("=")


def read_cursor(question: SearchQuestion, edition: str) -> Mark | None:
    """Where the page before ended; None for a question without a cursor.

    Raises:
        RetrievalError: it is no cursor, or that of another question.
        ExpiredCursor: another edition answers now.
    """
    if question.cursor is None:
        return None
    try:
        padded = question.cursor + "=" * (-len(question.cursor) % 4)
        made_by, asked, worth, score, row, rank = json.loads(
            base64.b64decode(padded, altchars=b"-_", validate=True)
        )
        mark = Mark(float(worth), float(score), int(row), int(rank))
    except (ValueError, TypeError, OverflowError) as error:
        raise RetrievalError("cursor must be the next_cursor of an answer: ask anew") from error
    if asked != _fingerprint(question):
        raise RetrievalError(
            "cursor belongs to another search: query, mode, filter and sort stay from page to page"
        )
    if made_by != edition:
        raise ExpiredCursor(
            f"cursor is of {made_by}, {edition} answers now: another bundle, or other rules of "
            "the shop; ask for the first page"
        )
    return mark


def _fingerprint(question: SearchQuestion) -> str:
    parts = [question.words, question.mode, question.filter, question.sort]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:_HASH]
