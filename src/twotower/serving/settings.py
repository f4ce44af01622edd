"""The settings of serving: chosen on validation, kept in the bundle, printed in the report."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any, Final

from twotower.lexical.bm25 import Parameters
from twotower.retrieval.blend import DEFAULT_WEIGHT
from twotower.retrieval.relevance import Relevance

DEFAULT: Final = "the default: too few judged queries to choose on"


@dataclass(frozen=True)
class Serving:
    """How answers are made; chosen on validation, kept in the bundle.

    Attributes:
        k1: of BM25.
        b: of BM25.
        semantic_weight: share of meaning in hybrid search; the rest are words.
        frozen_weight: the same for the frozen encoder, which is only a baseline.
        field_weights: of BM25, by column of the items; the usual ones where not given.
        fusion: how `semantic_weight` came about, in words.
        relevance: how likely a product fits, and from where on it counts as a match.
    """

    k1: float = 0.3
    b: float = 0.6
    semantic_weight: float = DEFAULT_WEIGHT
    frozen_weight: float = DEFAULT_WEIGHT
    field_weights: Mapping[str, float] = field(default_factory=dict)
    fusion: str = DEFAULT
    relevance: Relevance = field(default_factory=Relevance)

    @property
    def words(self) -> Parameters:
        """What BM25 counts by."""
        return Parameters(self.k1, self.b, self.field_weights)

    def to_json(self) -> dict[str, Any]:
        """As the bundle's manifest and the report print it."""
        return asdict(self) | {"relevance": self.relevance.to_json()}

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> "Serving":
        """The inverse of `to_json`; names it does not know are left out."""
        known = {f.name: stored[f.name] for f in fields(cls) if f.name in stored}
        return cls(**known | {"relevance": Relevance.from_json(stored.get("relevance", {}))})
