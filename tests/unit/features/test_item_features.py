"""Items as arrays: what is known, what is new, what is missing."""

import json

import numpy as np
import polars as pl
import pytest

from twotower.errors import ConfigError
from twotower.features.items import ItemFeatures, ItemFeaturesConfig

ITEMS = pl.DataFrame(
    {
        "item_id": ["a", "b", "c", "d"],
        "title": ["Oak table", "Wool rug", "Desk lamp", "Floor lamp"],
        "brand": ["Arbo", "Arbo", "Lumo", None],
        "category": ["Living > Tables > Oak", "Living > Rugs", "Light", None],
        "attributes": [["oak", "brown"], ["wool", "brown", "brown"], [], None],
        "price": [120.0, 80.0, None, 35.0],
    }
)
TEXT = np.eye(4, dtype=np.float32)


def fitted(items=ITEMS, *, warm=(True, True, True, True), text_width=4, **config):
    config = ItemFeaturesConfig(**{"min_count": 1, **config})
    return ItemFeatures.fit(config, items, warm=np.array(warm), text_width=text_width)


def present(features, arrays):
    names = [feature.name for feature in features.features]
    return {name: arrays["present"][:, place].tolist() for place, name in enumerate(names)}


def one_item(**columns):
    return pl.DataFrame({"item_id": ["new"], "title": ["New"]} | columns)


def test_a_feature_stands_for_each_column_and_each_level_of_the_category():
    features = fitted()
    assert [(feature.name, feature.kind) for feature in features.features] == [
        ("id", "id"),
        ("text", "text"),
        ("brand", "category"),
        ("category_1", "category"),
        ("category_2", "category"),
        ("category_3", "category"),
        ("attributes", "bag"),
        ("price", "number"),
    ]


def test_a_missing_value_is_not_present():
    features = fitted()
    found = present(features, features.encode(ITEMS, TEXT))
    assert found["brand"] == [True, True, True, False]
    assert found["category_1"] == [True, True, True, False]
    assert found["category_2"] == [True, True, False, False]
    assert found["category_3"] == [True, False, False, False]
    assert found["attributes"] == [True, True, False, False]
    assert found["price"] == [True, True, False, True]
    assert found["text"] == [True] * 4


@pytest.mark.parametrize("price", [None, float("nan")])
def test_a_price_that_is_no_number_is_missing(price):
    features = fitted()
    arrays = features.encode(one_item(price=[price]).cast({"price": pl.Float64}), TEXT[:1])
    assert present(features, arrays)["price"] == [False]
    assert np.isfinite(arrays["price"]).all()


def test_a_price_that_is_no_number_does_not_spoil_the_scale_of_the_others():
    damaged = ITEMS.with_columns(price=pl.Series([120.0, 80.0, float("nan"), 35.0]))
    scaled = fitted(damaged).encode(ITEMS, TEXT)["price"]
    np.testing.assert_allclose(scaled, fitted().encode(ITEMS, TEXT)["price"])


def test_values_that_fitting_did_not_see_are_not_present():
    features = fitted()
    new = one_item(brand=["Zeta"], category=["Garden > Hoses"], attributes=[["green"]])
    found = present(features, features.encode(new, TEXT[:1]))
    assert not any(found[name][0] for name in ("id", "brand", "category_1", "attributes"))
    assert found["text"] == [True]


def test_a_new_leaf_of_a_known_category_still_has_the_known_levels():
    features = fitted()
    found = present(features, features.encode(one_item(category=["Living > Beds"]), TEXT[:1]))
    assert found["category_1"] == [True]
    assert found["category_2"] == [False]


def test_an_all_zero_text_vector_is_missing():
    features = fitted()
    found = present(features, features.encode(ITEMS, np.zeros_like(TEXT)))
    assert found["text"] == [False] * 4


def test_columns_the_items_lack_are_missing():
    features = fitted()
    arrays = features.encode(one_item(), TEXT[:1])
    found = present(features, arrays)
    assert [name for name, values in found.items() if values[0]] == ["text"]
    assert arrays["attributes"].shape == (1, 8)


def test_only_items_seen_in_training_have_an_id():
    features = fitted(warm=(True, False, True, False))
    assert present(features, features.encode(ITEMS, TEXT))["id"] == [True, False, True, False]


def test_values_of_items_outside_training_are_not_learned():
    features = fitted(warm=(True, True, False, True))
    assert present(features, features.encode(ITEMS, TEXT))["brand"] == [True, True, False, False]


def test_values_rarer_than_the_least_count_are_unknown():
    features = fitted(min_count=2)
    found = present(features, features.encode(ITEMS, TEXT))
    assert found["brand"] == [True, True, False, False]
    assert found["category_1"] == [True, True, False, False]
    assert found["id"] == [True] * 4  # an id is always rare


def test_a_bag_holds_each_known_value_once_and_the_most_frequent_first():
    features = fitted(max_attributes=2)
    words = features.vocabularies["attributes"]
    bags = features.encode(ITEMS, TEXT)["attributes"]
    brown, wool = words.rows(pl.Series(["brown", "wool"])).tolist()
    assert brown == 1  # on two items
    assert bags[1].tolist() == [brown, wool]
    assert bags[2:].tolist() == [[0, 0], [0, 0]]


def test_a_bag_larger_than_its_width_keeps_the_most_frequent_values():
    features = fitted(max_attributes=1)
    assert features.encode(ITEMS, TEXT)["attributes"].tolist() == [[1], [1], [0], [0]]


def test_numbers_are_their_quantile_and_stay_inside_zero_and_one():
    items = pl.DataFrame(
        {"item_id": [str(n) for n in range(101)], "price": [float(n) ** 3 for n in range(101)]}
    )
    features = fitted(items, warm=[True] * 101, text_width=0, use=("price",))
    scaled = features.encode(items, np.zeros((101, 0), np.float32))["price"]
    np.testing.assert_allclose(scaled, np.linspace(0, 1, 101), atol=0.02)
    outside = pl.DataFrame({"item_id": ["low", "high"], "price": [-5.0, 1e12]})
    found = features.encode(outside, np.zeros((2, 0), np.float32))["price"]
    assert found.tolist() == [0.0, 1.0]


def test_prices_that_are_all_the_same_are_a_number():
    same = ITEMS.with_columns(price=pl.lit(9.0))
    assert np.isfinite(fitted(same).encode(same, TEXT)["price"]).all()


def test_what_was_fitted_goes_through_json_and_gives_the_same_arrays():
    features = fitted(warm=(True, False, True, True))
    again = ItemFeatures.from_json(json.loads(json.dumps(features.to_json())))
    assert again.features == features.features
    assert again.config == features.config
    for name, array in features.encode(ITEMS, TEXT).items():
        same = again.encode(ITEMS, TEXT)[name]
        assert same.dtype == array.dtype
        np.testing.assert_array_equal(same, array)


def test_an_item_has_the_same_arrays_alone_and_among_others():
    features = fitted()
    together = features.encode(ITEMS, TEXT)
    for row in range(len(ITEMS)):
        alone = features.encode(ITEMS[row], TEXT[row : row + 1])
        for name, array in together.items():
            np.testing.assert_array_equal(alone[name][0], array[row])


def test_a_catalogue_with_none_of_the_features_says_so():
    bare = ITEMS.select("item_id", "title")
    with pytest.raises(ConfigError, match=r"features\.use asks for price, brand, of which none"):
        fitted(bare, use=("price", "brand"))


@pytest.mark.parametrize(
    "config",
    [
        {"use": ()},
        {"use": ("colour",)},
        {"category_levels": 0},
        {"max_attributes": 0},
        {"min_count": 0},
        {"text_fields": ()},
        {"text_fields": ("titel",)},
    ],
)
def test_settings_outside_their_range_are_refused(config):
    with pytest.raises(ConfigError, match=next(iter(config))):
        ItemFeaturesConfig(**config)
