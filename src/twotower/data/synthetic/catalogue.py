"""The demo shop's products: lines of a brand, each in a few colours."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from twotower import schema
from twotower.data.synthetic.assortment import Assortment, Brand, ProductType
from twotower.data.synthetic.pictures import BACKDROPS, picture

DAY_MS: Final = 24 * 3600 * 1000
END_MS: Final = int(datetime(2025, 7, 1, tzinfo=UTC).timestamp() * 1000)
"""When the log ends."""
START_MS: Final = END_MS - 181 * DAY_MS
"""When the log begins."""

_LAUNCHES_DAYS: Final = 730
_NEW_DAYS: Final = 21
_NEW_SHARE: Final = 0.06
_OUT_OF_STOCK: Final = 0.06
_COLOURS_OF_LINE: Final = (0.3, 0.3, 0.25, 0.15)
_ZIPF: Final = 0.8
_SERIES: Final = """
    Harlow Skye Ember Isla Juno Otis Marlow Wren Aspen Clover Darcy Elwood Fenn Greta Hollis Ines
    Jasper Kit Linden Mabel Nora Orla Perry Quinn Rowan Sorrel Thea Una Vesper Willa Yarrow Zola
    Arden Birch Cleo Dune Esker Flora Gale Heath Iris Jude Koa Lark Moss Niko Opal Pippa Reed Saga
    Tilda Umber Vale Wilder Alma Basil Coral Dahlia Enzo Freya
"""
"""Names of product lines."""


@dataclass(frozen=True, eq=False)
class Catalogue:
    """The items, and what was planted in each of them.

    Attributes:
        items: as `schema` names the columns; row n is item n below.
        kind: [N] place of its product type in the assortment.
        brand: [N] place of its brand.
        colour: [N] number of its colour name.
        colour_word: [N] number of the word that people use for that colour.
        material: [N] number of its material.
        option: [N] place of its first option within the type's.
        line: [N] product line; items of a line differ in colour only.
        price_level: [N] price among its type, in standard deviations.
        popularity: [N] share of attention, sums to 1; a long tail.
        launched: [N] UTC milliseconds.
        colour_words: the words that `colour_word` numbers.
        materials: the materials that `material` numbers.
    """

    items: pl.DataFrame
    kind: NDArray[np.int64]
    brand: NDArray[np.int64]
    colour: NDArray[np.int64]
    colour_word: NDArray[np.int64]
    material: NDArray[np.int64]
    option: NDArray[np.int64]
    line: NDArray[np.int64]
    price_level: NDArray[np.float64]
    popularity: NDArray[np.float64]
    launched: NDArray[np.int64]
    colour_words: tuple[str, ...]
    materials: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.kind)


def make_catalogue(shop: Assortment, products: int, rng: np.random.Generator) -> Catalogue:
    """A catalogue of this many products, spread over all types; the same for the same seed."""
    sizes = _sizes(len(shop.types), products, rng)
    rows: list[dict[str, Any]] = []
    for position, kind in enumerate(shop.types):
        rows += _products(shop, position, kind, int(sizes[position]), rng)
    order = rng.permutation(len(rows))
    rows = [rows[n] for n in order]
    popularity = _zipf(len(rows), rng)
    return _catalogue(shop, rows, popularity, rng)


def _sizes(types: int, products: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """[T] products of each type, at least one where there are enough, summing to `products`."""
    weights = rng.lognormal(0, 0.3, types)
    wanted = weights / weights.sum() * products
    sizes: NDArray[np.int64] = np.floor(wanted).astype(np.int64)
    sizes[np.argsort(sizes - wanted)[: products - int(sizes.sum())]] += 1
    return sizes


def _products(
    shop: Assortment, position: int, kind: ProductType, size: int, rng: np.random.Generator
) -> list[dict[str, Any]]:
    """The products of one type: lines, each in one to four colours."""
    makers = [n for n, brand in enumerate(shop.brands) if kind.department in brand.departments]
    nouns = dict(zip(makers, rng.integers(len(kind.nouns), size=len(makers)), strict=True))
    share = 1 / np.arange(1, len(makers) + 1) ** 0.6
    share = rng.permutation(share / share.sum())
    series = {maker: rng.permutation(_SERIES.split()) for maker in makers}
    lines_of = dict.fromkeys(makers, 0)
    found: list[dict[str, Any]] = []
    while len(found) < size:
        maker = int(rng.choice(makers, p=share))
        line = _line(shop.brands[maker], kind, rng)
        name = _series_name(series[maker], lines_of[maker])
        lines_of[maker] += 1
        n_colours = min(1 + int(rng.choice(4, p=_COLOURS_OF_LINE)), size - len(found))
        for colour in rng.choice(len(kind.colours), n_colours, replace=False):
            found.append(
                line
                | {"kind": position, "brand": maker, "series": name}
                | {"noun": kind.nouns[nouns[maker]], "colour": kind.colours[colour]}
            )
    return found


def _series_name(names: NDArray[np.str_], place: int) -> str:
    """A name that no other line of this brand and type has."""
    again, first = divmod(place, len(names))
    name = str(names[first])
    return f"{name} {again + 1}" if again else name


def _line(brand: Brand, kind: ProductType, rng: np.random.Generator) -> dict[str, Any]:
    """What all colours of a product line share."""
    material = int(rng.integers(len(kind.materials)))
    options = tuple(int(rng.integers(len(one))) for one in kind.options)
    level = 0.5 * brand.tier + 0.12 * (options[0] - 1) + rng.normal(0, 0.2)
    launched = START_MS
    if rng.random() < _NEW_SHARE:
        launched = END_MS - int(rng.random() * _NEW_DAYS * DAY_MS)
    else:
        launched = END_MS - int(rng.uniform(_NEW_DAYS, _LAUNCHES_DAYS) * DAY_MS)
    return {
        "material": kind.materials[material],
        "options": options,
        "price": _shelf_price(kind.price * float(np.exp(level))),
        "launched": launched // DAY_MS * DAY_MS,
        "says": kind.says[int(rng.integers(len(kind.says)))],
        "line": int(rng.integers(2**62)),
        "rating": round(float(np.clip(rng.normal(4.2 + 0.15 * brand.tier, 0.35), 2.6, 5)), 1),
    }


def _shelf_price(price: float) -> float:
    """A price as shops write it: 12.99, 68.00, 1,249.00."""
    if price < 30:
        return max(price // 1, 2.0) - 0.01
    step = 1 if price < 100 else 5 if price < 500 else 10
    return float(round(price / step) * step) - (1 if price >= 500 else 0)


def _zipf(products: int, rng: np.random.Generator) -> NDArray[np.float64]:
    share = 1 / np.arange(1, products + 1) ** _ZIPF
    return np.asarray(rng.permutation(share / share.sum()))


def _catalogue(
    shop: Assortment,
    rows: list[dict[str, Any]],
    popularity: NDArray[np.float64],
    rng: np.random.Generator,
) -> Catalogue:
    kind = np.array([row["kind"] for row in rows])
    price = np.array([row["price"] for row in rows])
    _, colour = _numbered([row["colour"] for row in rows])
    words, colour_word = _numbered([shop.colours[row["colour"]] for row in rows])
    materials, material = _numbered([row["material"] for row in rows])
    in_stock = rng.random(len(rows)) >= _OUT_OF_STOCK
    return Catalogue(
        items=_frame(shop, rows, in_stock),
        kind=kind,
        brand=np.array([row["brand"] for row in rows]),
        colour=colour,
        colour_word=colour_word,
        material=material,
        option=np.array([row["options"][0] for row in rows]),
        line=np.array([row["line"] for row in rows]),
        price_level=_levels(np.log(price), kind),
        popularity=popularity,
        launched=np.array([row["launched"] for row in rows]),
        colour_words=words,
        materials=materials,
    )


def _numbered(names: list[str]) -> tuple[tuple[str, ...], NDArray[np.int64]]:
    number = {name: n for n, name in enumerate(sorted(set(names)))}
    return tuple(number), np.array([number[name] for name in names], np.int64)


def _levels(values: NDArray[np.float64], kind: NDArray[np.int64]) -> NDArray[np.float64]:
    """[N] each value among those of its type, in standard deviations."""
    n = np.maximum(np.bincount(kind), 1)
    mean = np.bincount(kind, values) / n
    spread = np.sqrt(np.bincount(kind, (values - mean[kind]) ** 2) / n) + 1e-9
    return np.asarray((values - mean[kind]) / spread[kind])


def _frame(
    shop: Assortment, rows: list[dict[str, Any]], in_stock: NDArray[np.bool_]
) -> pl.DataFrame:
    kinds = [shop.types[row["kind"]] for row in rows]
    return pl.DataFrame(
        {
            schema.ITEM_ID: [f"P{n:05d}" for n in range(1, len(rows) + 1)],
            schema.TITLE: [_title(shop, k, row) for k, row in zip(kinds, rows, strict=True)],
            schema.DESCRIPTION: [
                _description(shop, k, r) for k, r in zip(kinds, rows, strict=True)
            ],
            schema.BRAND: [shop.brands[row["brand"]].name for row in rows],
            schema.CATEGORY: [kind.path for kind in kinds],
            schema.PRICE: [row["price"] for row in rows],
            schema.RATING: [row["rating"] for row in rows],
            schema.ATTRIBUTES: [_attributes(k, row) for k, row in zip(kinds, rows, strict=True)],
            schema.IN_STOCK: in_stock,
            schema.LAUNCHED: pl.Series([row["launched"] for row in rows], dtype=pl.Int64),
            schema.IMAGE: [
                picture(k.key, shop.hexes[row["colour"]], variant=row["line"] % BACKDROPS)
                for k, row in zip(kinds, rows, strict=True)
            ],
        }
    )


def _title(shop: Assortment, kind: ProductType, row: dict[str, Any]) -> str:
    option = kind.options[0][row["options"][0]]
    words = [shop.brands[row["brand"]].name, row["series"], option, row["material"], row["noun"]]
    return f"{' '.join(words)}, {row['colour']}"


def _description(shop: Assortment, kind: ProductType, row: dict[str, Any]) -> str:
    """What the product is like, from its attributes."""
    extra = kind.options[1][row["options"][1]]
    colour, material = row["colour"], row["material"].lower()
    if kind.department == "Beauty":
        made = f"With {material}; {colour.lower()}; {extra}"
    else:
        made = f"Made of {material} in {colour.lower()}, {extra}"
    return (
        f"{row['says']} {made}. From the {row['series']} range by {shop.brands[row['brand']].name}."
    )


def _attributes(kind: ProductType, row: dict[str, Any]) -> list[str]:
    options = [one[n] for one, n in zip(kind.options, row["options"], strict=True)]
    return [row["colour"], row["material"], *options]
