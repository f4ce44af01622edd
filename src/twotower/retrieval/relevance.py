"""How likely a product fits a query: a probability learnt from judged queries, and a cut-off.

    evidence    = bias + semantic * s + words * c
    probability = the curve at the evidence, straight between its points

s is the inner product with the query's vector, c the share of the query's words that the row
holds. Neither depends on the other rows at hand, so a product put in a minute ago is judged
like any other. Where nothing was judged a rule stands in, and says so.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from functools import cached_property
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray


@dataclass(frozen=True)
class Relevance:
    """What fits a query; the defaults are the rule of shops where nothing was judged.

    The rule takes what holds all words of the query, what is near it in meaning (a cosine of
    .4), and what is half of each.

    Attributes:
        bias: of the evidence.
        semantic: weight of the inner product, not negative.
        words: weight of the share of words, not negative.
        evidence: ascending points of the curve; empty without judgments.
        probability: [len(evidence)] how likely a row with that evidence fits, never falling.
        cut_off: least probability that counts as a match; without a curve, least evidence.
            What comes half-way to it is a weak match.
        queries: judged queries it was learnt from.
    """

    bias: float = 0.0
    semantic: float = 2.5
    words: float = 1.0
    evidence: tuple[float, ...] = ()
    probability: tuple[float, ...] = ()
    cut_off: float = 1.0
    queries: int = 0

    @property
    def is_calibrated(self) -> bool:
        """Whether probabilities come from judged queries."""
        return bool(self.evidence)

    @property
    def definition(self) -> str:
        """What a match is, in words."""
        if self.is_calibrated:
            return (
                f"products that fit with a probability of {self.cut_off:.2f} or more, "
                f"as {self.queries:,} judged queries say"
            )
        return (
            "products near the query in words and meaning; "
            "a rule, not calibrated: the shop has too few judged queries"
        )

    def fit(self, semantic: ArrayLike, coverage: ArrayLike) -> NDArray[np.float64]:
        """float64[...] how well rows fit: probabilities, or the rule's evidence.

        Args:
            semantic: float[...] inner products with the query's vector.
            coverage: float[...] shares of the query's words that the rows hold.

        Example:
            >>> Relevance().fit([0.4, 0.1], [0.5, 0.5]).tolist()
            [1.5, 0.75]
        """
        evidence = self.weighed(semantic, coverage)
        if not self.is_calibrated:
            return evidence
        return np.interp(evidence, self.evidence, self.probability)

    def weighed(self, semantic: ArrayLike, coverage: ArrayLike) -> NDArray[np.float64]:
        """float64[...] the evidence for rows; takes what `fit` takes."""
        meaning, held = np.asarray(semantic, np.float64), np.asarray(coverage, np.float64)
        evidence: NDArray[np.float64] = self.bias + self.semantic * meaning + self.words * held
        return evidence

    @cached_property
    def least_evidence(self) -> float:
        """With less than this, a row is no match, and no weak one but by a word of the query."""
        least = min(self.cut_off, self.cut_off / 2)
        if not self.is_calibrated:
            return least
        reaches = int(np.searchsorted(self.probability, least))
        if reaches == len(self.evidence):
            return float("inf")
        return self.evidence[reaches - 1] if reaches else -float("inf")

    def to_json(self) -> dict[str, Any]:
        """As the bundle's manifest and the report print it."""
        curve = {"evidence": list(self.evidence), "probability": list(self.probability)}
        return asdict(self) | curve

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Self:
        """The inverse of `to_json`; names it does not know are left out."""
        known = {f.name: stored[f.name] for f in fields(cls) if f.name in stored}
        for name in ("evidence", "probability"):
            known[name] = tuple(known.get(name, ()))
        return cls(**known)
