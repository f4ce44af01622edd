"""What the demo shop sells, read from `assortment.toml` and `needs.toml`."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from twotower import schema


@dataclass(frozen=True)
class ProductType:
    """A kind of product; `assortment.toml` says what each field means."""

    key: str
    path: str
    nouns: tuple[str, ...]
    price: float
    colours: tuple[str, ...]
    materials: tuple[str, ...]
    options: tuple[tuple[str, ...], ...]
    says: tuple[str, ...]
    goes: tuple[str, ...]
    like: tuple[str, ...]
    month: int = 0

    @property
    def department(self) -> str:
        """The widest level of the category path."""
        return self.path.split(schema.CATEGORY_SEPARATOR)[0]


@dataclass(frozen=True)
class Brand:
    """A made-up brand: tier -1 is cheap, 0 middle, 1 premium."""

    name: str
    tier: int
    departments: tuple[str, ...]


@dataclass(frozen=True)
class Part:
    """A type, or only those of its products with this material or option."""

    key: str
    only: str | None

    @classmethod
    def of(cls, text: str) -> "Part":
        """`jacket:Down` is the jackets of down."""
        key, _, only = text.partition(":")
        return cls(key, only or None)


@dataclass(frozen=True)
class Need:
    """What people want without naming it, and what answers it."""

    phrases: tuple[str, ...]
    exact: tuple[Part, ...]
    substitute: tuple[Part, ...]
    complement: tuple[Part, ...]


@dataclass(frozen=True)
class Assortment:
    """Everything the demo shop could sell.

    Attributes:
        types: kinds of product, in the order of the file.
        brands: who makes them.
        colours: colour name to the word people use for it.
        hexes: colour name to its sRGB value.
        needs: what people want without naming it.
    """

    types: tuple[ProductType, ...]
    brands: tuple[Brand, ...]
    colours: Mapping[str, str]
    hexes: Mapping[str, str]
    needs: tuple[Need, ...]

    @property
    def departments(self) -> tuple[str, ...]:
        """The widest levels of the category paths, each once."""
        return tuple(dict.fromkeys(kind.department for kind in self.types))

    def positions(self, keys: tuple[str, ...]) -> list[int]:
        """Places of some types in `types`."""
        place = {kind.key: n for n, kind in enumerate(self.types)}
        return [place[key] for key in keys]


@cache
def assortment() -> Assortment:
    """The packaged assortment."""
    stored, needs = _toml("assortment.toml"), _toml("needs.toml")
    types = tuple(
        ProductType(
            key=key,
            path=kind["path"],
            nouns=tuple(kind["nouns"]),
            price=float(kind["price"]),
            colours=tuple(stored["palettes"][kind["colours"]]),
            materials=tuple(kind["materials"]),
            options=tuple(tuple(one) for one in kind["options"]),
            says=tuple(kind["says"]),
            goes=tuple(kind["goes"]),
            like=tuple(kind["like"]),
            month=kind.get("month", 0),
        )
        for key, kind in stored["types"].items()
    )
    return Assortment(
        types,
        tuple(Brand(b["name"], b["tier"], tuple(b["departments"])) for b in stored["brands"]),
        {name: word for name, (word, _) in stored["colours"].items()},
        {name: shade for name, (_, shade) in stored["colours"].items()},
        tuple(_need(need) for need in needs["needs"]),
    )


def _need(need: Mapping[str, Any]) -> Need:
    exact, substitute, complement = (
        tuple(map(Part.of, need[name])) for name in ("exact", "substitute", "complement")
    )
    return Need(tuple(need["phrases"]), exact, substitute, complement)


def _toml(name: str) -> dict[str, Any]:
    return tomllib.loads(files(__package__).joinpath(name).read_text("utf-8"))
