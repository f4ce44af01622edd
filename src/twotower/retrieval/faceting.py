"""Facets of a matched set."""

from collections.abc import Iterable

import numpy as np

from twotower.filtering.facets import Facet, facet_of, without_field
from twotower.filtering.syntax import Expression
from twotower.retrieval.catalogue import Catalogue
from twotower.retrieval.matching import Matched, Matching


def facets_of(
    fields: Iterable[str],
    matching: Matching,
    matched: Matched,
    expression: Expression | None,
    catalogue: Catalogue,
    *,
    max_values: int,
) -> tuple[Facet, ...]:
    """How often the values of each field occur among what matches.

    What the filter demands of a field itself does not count while that field is counted.

    Args:
        fields: of `filtering.fields.FACETS`.
        matching: what the query matches.
        matched: the same under the whole filter.
        expression: the filter.
        catalogue: the products.
        max_values: most values of each.
    """
    columns = catalogue.columns
    found = []
    for field in fields:
        others = without_field(expression, field)
        is_free = others == expression
        rows = (matched if is_free else matching.under(catalogue.filtered(others))).rows
        among = np.zeros(len(columns), np.bool_)
        among[rows[rows < len(columns)]] = True
        found.append(facet_of(field, columns, among, limit=max_values, chosen=expression))
    return tuple(found)
