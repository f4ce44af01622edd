"""What may be asked of a search."""

from dataclasses import dataclass
from functools import cached_property
from typing import Final, Literal, TypedDict, get_args

from twotower.errors import ConfigError, RetrievalError
from twotower.filtering.fields import FACETS
from twotower.filtering.grammar import read_filter
from twotower.filtering.syntax import Expression
from twotower.retrieval.answers import Mode
from twotower.retrieval.page import check_page

Sort = Literal["relevance", "price_ascending", "price_descending", "rating", "newest"]
MAX_QUERY: Final = 10_000
"""Characters of a query."""
MAX_VALUES: Final = 1_000
"""Values of one facet."""


class SearchOptions(TypedDict, total=False):
    """What a search may ask for beside its words; see `SearchQuestion`."""

    k: int
    offset: int
    mode: Mode
    filter: str | None
    facets: tuple[str, ...]
    max_values: int
    sort: Sort
    cursor: str | None
    explain: bool


@dataclass(frozen=True)
class SearchQuestion:
    """A search, checked when it is made.

    Attributes:
        query: 1..10000 characters; of its words the first 64 are searched for.
        k: hits on this page, 1..1000.
        offset: hits on the pages before, 0..10000; 0 with a cursor.
        mode: by words, by meaning, or both.
        filter: in the filter language, see `filtering.grammar`.
        facets: fields whose values are counted, of `filtering.fields.FACETS`.
        max_values: most values of each facet, 1..1000.
        sort: what the matched products are ordered by.
        cursor: of the answer before: the page that follows it.
        explain: whether each hit says what its score is made of.

    Raises:
        RetrievalError: the query is empty or too long, or a facet unknown.
        FilterError: the filter cannot be read.
        ConfigError: a number or a name is outside its range.
    """

    query: str
    k: int = 24
    offset: int = 0
    mode: Mode = "hybrid"
    filter: str | None = None
    facets: tuple[str, ...] = ()
    max_values: int = 20
    sort: Sort = "relevance"
    cursor: str | None = None
    explain: bool = False

    def __post_init__(self) -> None:
        if not self.words:
            raise RetrievalError(
                "query must hold at least one word, got nothing: type what is wanted"
            )
        if len(self.words) > MAX_QUERY:
            raise RetrievalError(
                f"query must have at most {MAX_QUERY} characters, got {len(self.words)}: shorten it"
            )
        check_page(self.k, self.offset)
        for name, value, known in (("mode", self.mode, Mode), ("sort", self.sort, Sort)):
            if value not in get_args(known):
                expected = ", ".join(get_args(known))
                raise ConfigError(f"{name} must be one of {expected}, got {value!r}")
        if not 1 <= self.max_values <= MAX_VALUES:
            raise ConfigError(f"max_values must be in 1..{MAX_VALUES}, got {self.max_values}")
        if self.cursor is not None and self.offset:
            raise RetrievalError("a cursor says where its page begins: leave offset out")
        unknown = [name for name in self.facets if name not in FACETS]
        if unknown:
            raise RetrievalError(f"facets must be of {', '.join(FACETS)}, got {unknown[0]!r}")
        _ = self.expression

    @property
    def words(self) -> str:
        """The query without space around it."""
        return self.query.strip()

    @cached_property
    def expression(self) -> Expression | None:
        """What the filter says."""
        return None if self.filter is None else read_filter(self.filter)
