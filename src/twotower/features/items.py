"""Item features: a catalogue's columns as arrays, the same in training and in serving."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np
import polars as pl
from numpy.typing import NDArray

from twotower import schema
from twotower.errors import ConfigError
from twotower.features.text import TEXT_FIELDS
from twotower.features.vocabulary import Vocabulary

Kind = Literal["id", "category", "bag", "number", "text"]
ItemArrays = dict[str, NDArray[Any]]
"""One array for each feature by name, and `present`, [N, F], which features an item has."""

N_QUANTILES = 32
_NUMBERS = (schema.PRICE, schema.RATING)
_USABLE = ("id", "text", "brand", "category", "attributes", "price", "rating")


@dataclass(frozen=True)
class ItemFeaturesConfig:
    """Which columns the item tower may see.

    Attributes:
        use: features in order; those whose column the catalogue lacks are left out.
            `id`, `text`, or a column: `brand`, `category`, `attributes`, `price`, `rating`.
        text_fields: columns joined into the item's text.
        category_levels: levels of the category path, each a feature of its own.
        max_attributes: attributes kept of each item, the most frequent ones first.
        min_count: a category value seen on fewer items is treated as unknown.
    """

    use: tuple[str, ...] = _USABLE
    text_fields: tuple[str, ...] = TEXT_FIELDS
    category_levels: int = 3
    max_attributes: int = 8
    min_count: int = 2

    def __post_init__(self) -> None:
        if not self.use or not set(self.use) <= set(_USABLE):
            raise ConfigError(f"features.use must name some of {_USABLE}, got {self.use}")
        if not self.text_fields or not set(self.text_fields) <= set(TEXT_FIELDS):
            raise ConfigError(
                f"features.text_fields must name some of {TEXT_FIELDS}, got {self.text_fields}"
            )
        for name in ("use", "text_fields"):
            twice = [one for one, count in Counter(getattr(self, name)).items() if count > 1]
            if twice:
                raise ConfigError(
                    f"features.{name} must name each once, got {twice[0]!r} more than once"
                )
        if self.category_levels < 1 or self.max_attributes < 1 or self.min_count < 1:
            raise ConfigError("category_levels, max_attributes and min_count must be at least 1")


@dataclass(frozen=True)
class Feature:
    """One input of the item tower.

    Attributes:
        name: name of its array; category levels are `category_1`, `category_2`, ...
        kind: how the tower reads it.
        size: rows of its table (id, category, bag), or its width (text, number: 1).
    """

    name: str
    kind: Kind
    size: int


class ItemFeatures:
    """Fitted on a catalogue; turns items, old or new, into arrays.

    Args:
        config: which columns to use and how.
        vocabularies: values of the id, category and bag features by name.
        quantiles: [N_QUANTILES] grid of each number feature by name.
        text_width: width of the text vectors, 0 without the text feature.
    """

    def __init__(
        self,
        config: ItemFeaturesConfig,
        vocabularies: Mapping[str, Vocabulary],
        quantiles: Mapping[str, NDArray[np.float64]],
        text_width: int,
    ) -> None:
        self.config = config
        self.vocabularies = dict(vocabularies)
        self.quantiles = dict(quantiles)
        self.text_width = text_width
        self.features = tuple(self._features())

    @classmethod
    def fit(
        cls,
        config: ItemFeaturesConfig,
        items: pl.DataFrame,
        *,
        warm: NDArray[np.bool_],
        text_width: int,
    ) -> "ItemFeatures":
        """Vocabularies and quantiles of the items that training may see.

        Args:
            config: which columns to use.
            items: the catalogue.
            warm: [N] whether an item occurs in training; only warm items get an id.
            text_width: width of the text encoder's vectors.

        Raises:
            ConfigError: the catalogue has values for none of the features.
        """
        seen = items.filter(pl.Series(warm)) if warm.any() else items
        vocabularies = {
            name: Vocabulary.fit(values, min_count=1 if name == "id" else config.min_count)
            for name, values in _values(seen, config).items()
        }
        numbers = {
            name: seen[name].cast(pl.Float64).to_numpy()[_finite(seen, name)]
            for name in _NUMBERS
            if name in config.use and name in items.columns
        }
        quantiles = {
            name: np.quantile(values, np.linspace(0, 1, N_QUANTILES))
            for name, values in numbers.items()
            if len(values)
        }
        kept = {name: found for name, found in vocabularies.items() if found.size > 1}
        fitted = cls(config, kept, quantiles, text_width if "text" in config.use else 0)
        if not fitted.features:
            raise ConfigError(
                f"features.use asks for {', '.join(config.use)}, of which none is in the catalogue "
                f"(its columns: {', '.join(items.columns)}); add 'text', or another column"
            )
        return fitted

    def _features(self) -> list[Feature]:
        found: list[Feature] = []
        for name in self.config.use:
            if name == "text" and self.text_width:
                found.append(Feature(name, "text", self.text_width))
            elif name in self.quantiles:
                found.append(Feature(name, "number", 1))
            elif name == schema.CATEGORY:
                levels = (f"category_{n}" for n in range(1, self.config.category_levels + 1))
                sizes = {v: self.vocabularies[v].size for v in levels if v in self.vocabularies}
                found += [Feature(level, "category", size) for level, size in sizes.items()]
            elif name in self.vocabularies:
                kind: Kind = {"id": "id", schema.ATTRIBUTES: "bag"}.get(name, "category")  # type: ignore[assignment]
                found.append(Feature(name, kind, self.vocabularies[name].size))
        return found

    def encode(self, items: pl.DataFrame, text_vectors: NDArray[np.float32]) -> ItemArrays:
        """Arrays for the item tower.

        Args:
            items: [N] items; columns that are absent count as missing.
            text_vectors: [N, W] text vectors; an all-zero row counts as missing.

        Returns:
            One array for each feature: [N] rows of a table, [N, M] rows for a bag,
            [N] numbers in [0, 1], [N, W] text; and `present` [N, F], bool.
        """
        arrays = {
            feature.name: self._array(feature, items, text_vectors) for feature in self.features
        }
        present = [_present(feature, arrays[feature.name], items) for feature in self.features]
        return {**arrays, "present": np.stack(present, axis=1)}

    def _array(
        self, feature: Feature, items: pl.DataFrame, text_vectors: NDArray[np.float32]
    ) -> NDArray[Any]:
        if feature.kind == "text":
            return np.ascontiguousarray(text_vectors, np.float32)
        if feature.kind == "number":
            return _normalised(items, feature.name, self.quantiles[feature.name])
        vocabulary = self.vocabularies[feature.name]
        if feature.kind == "bag":
            return _bags(items, feature.name, vocabulary, self.config.max_attributes)
        if feature.name.startswith("category_"):
            level = _levels(items, self.config.category_levels).get(feature.name)
        else:
            column = schema.ITEM_ID if feature.kind == "id" else feature.name
            level = items[column] if column in items.columns else None
        return np.zeros(len(items), np.int64) if level is None else vocabulary.rows(level)

    def to_json(self) -> dict[str, Any]:
        """Everything that was fitted, as plain JSON."""
        return {
            "config": asdict(self.config),
            "vocabularies": {name: list(v.values) for name, v in self.vocabularies.items()},
            "quantiles": {name: grid.tolist() for name, grid in self.quantiles.items()},
            "text_width": self.text_width,
        }

    @classmethod
    def from_json(cls, fitted: Mapping[str, Any]) -> "ItemFeatures":
        """The inverse of `to_json`."""
        config: dict[str, Any] = {
            name: tuple(value) if isinstance(value, list) else value
            for name, value in fitted["config"].items()
        }
        return cls(
            ItemFeaturesConfig(**config),
            {name: Vocabulary(tuple(values)) for name, values in fitted["vocabularies"].items()},
            {name: np.asarray(grid, np.float64) for name, grid in fitted["quantiles"].items()},
            fitted["text_width"],
        )


def id_rows(arrays: ItemArrays) -> NDArray[np.int64]:
    """[N] row of each item in the table of ids; 0 where it has none."""
    return arrays["id"] if "id" in arrays else np.zeros(len(arrays["present"]), np.int64)


def _values(items: pl.DataFrame, config: ItemFeaturesConfig) -> dict[str, pl.Series]:
    """The values of every feature that has a vocabulary, by name."""
    found = {"id": items[schema.ITEM_ID]} if "id" in config.use else {}
    if schema.BRAND in config.use and schema.BRAND in items.columns:
        found[schema.BRAND] = items[schema.BRAND]
    if schema.ATTRIBUTES in config.use and schema.ATTRIBUTES in items.columns:
        found[schema.ATTRIBUTES] = items[schema.ATTRIBUTES].explode()
    if schema.CATEGORY in config.use:
        found |= _levels(items, config.category_levels)
    return found


def _levels(items: pl.DataFrame, n_levels: int) -> dict[str, pl.Series]:
    """Prefixes of the category path: level 2 of "A > B > C" is "A > B"."""
    if schema.CATEGORY not in items.columns:
        return {}
    path = items[schema.CATEGORY].str.split(schema.CATEGORY_SEPARATOR)
    deep = path.list.len().fill_null(0)
    levels = {}
    for level in range(1, n_levels + 1):
        prefix = path.list.head(level).list.join(schema.CATEGORY_SEPARATOR)
        levels[f"category_{level}"] = prefix.zip_with(
            deep >= level, pl.Series([None], dtype=pl.String)
        )
    return levels


def _finite(items: pl.DataFrame, name: str) -> NDArray[np.bool_]:
    """[N] where a column holds a number."""
    return items[name].cast(pl.Float64).is_finite().fill_null(value=False).to_numpy()


def _normalised(
    items: pl.DataFrame, name: str, quantiles: NDArray[np.float64]
) -> NDArray[np.float32]:
    if name not in items.columns:
        return np.zeros(len(items), np.float32)
    values = items[name].cast(pl.Float64).fill_null(np.nan).to_numpy()
    grid, place = np.unique(quantiles, return_index=True)
    scaled = np.interp(np.nan_to_num(values), grid, place / (len(quantiles) - 1))
    return np.asarray(scaled, np.float32)


def _bags(items: pl.DataFrame, name: str, vocabulary: Vocabulary, width: int) -> NDArray[np.int64]:
    bags = np.zeros((len(items), width), np.int64)
    if name not in items.columns:
        return bags
    exploded = pl.DataFrame({"row": np.arange(len(items)), "value": items[name]}).explode("value")
    rows = vocabulary.rows(exploded["value"])
    known = (
        pl.DataFrame({"row": exploded["row"], "code": rows})
        .filter(pl.col("code") > 0)
        .unique()
        .sort("row", "code")
        .with_columns(place=pl.int_range(pl.len()).over("row"))
        .filter(pl.col("place") < width)
    )
    bags[known["row"].to_numpy(), known["place"].to_numpy()] = known["code"].to_numpy()
    return bags


def _present(feature: Feature, array: NDArray[Any], items: pl.DataFrame) -> NDArray[np.bool_]:
    if feature.kind == "number":
        if feature.name not in items.columns:
            return np.zeros(len(items), bool)
        return _finite(items, feature.name)
    return np.asarray(array.any(axis=1) if array.ndim == 2 else array > 0)
