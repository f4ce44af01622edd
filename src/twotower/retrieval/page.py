"""Pages: which hits of a ranking are asked for."""

from typing import Final

from numpy.typing import NDArray

from twotower.errors import ConfigError
from twotower.index.base import Rows
from twotower.index.ranking import Score, best, contenders

MAX_K: Final = 1_000
MAX_OFFSET: Final = 10_000


def check_page(k: int, offset: int) -> None:
    """Raise `ConfigError` unless 1 <= k <= 1000 and 0 <= offset <= 10000."""
    if not 1 <= k <= MAX_K:
        raise ConfigError(f"k must be in 1..{MAX_K} (hits of one answer), got {k}")
    if not 0 <= offset <= MAX_OFFSET:
        raise ConfigError(f"offset must be in 0..{MAX_OFFSET} (hits before the page), got {offset}")


def page_of(rows: Rows, scores: NDArray[Score], offset: int, k: int) -> tuple[Rows, NDArray[Score]]:
    """Places offset..offset+k of a ranking of `rows`, best first, ties to the smaller row.

    Rows of score -inf are in no place. Pages joined together equal one long page.
    """
    places = contenders(scores, offset + k, 0.0)
    ranked, ranked_scores = best(rows[places], scores[places], offset + k)
    return ranked[offset:], ranked_scores[offset:]
