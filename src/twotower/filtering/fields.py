"""What a filter may speak of, and what each field may be compared with."""

from collections.abc import Mapping
from typing import Final, Literal

from twotower import schema

Kind = Literal["id", "text", "texts", "path", "number", "time", "flag"]
"""`texts` is a list of texts; a `path` is a category, which has all that is below it."""

FIELDS: Final[Mapping[str, Kind]] = {
    schema.ITEM_ID: "id",
    schema.BRAND: "text",
    schema.CATEGORY: "path",
    schema.ATTRIBUTES: "texts",
    schema.PRICE: "number",
    schema.RATING: "number",
    schema.LAUNCHED: "time",
    schema.IN_STOCK: "flag",
}
"""Every field that a filter may name, and what kind it is."""

FACETS: Final = tuple(name for name, kind in FIELDS.items() if kind != "id")
"""Fields whose values are counted."""


def fields_of(*kinds: Kind) -> tuple[str, ...]:
    """The fields of these kinds, in their order."""
    return tuple(name for name, kind in FIELDS.items() if kind in kinds)
