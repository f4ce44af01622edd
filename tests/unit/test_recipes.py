"""Recipes are whole, and changing one field teaches what can be changed."""

import json

import pytest

from twotower.errors import ConfigError
from twotower.recipes import RECIPES, SPACES, as_words, derive, recipe, space
from twotower.training.config import Design


@pytest.mark.parametrize("name", RECIPES)
def test_a_recipe_has_its_name_and_every_setting_of_a_build(name):
    made = recipe(name)
    assert made.name == name
    assert made == recipe(name)
    assert isinstance(made.design, Design)
    assert set(made.to_json()) == {
        "name",
        "text_encoder",
        "prepare",
        "features",
        "towers",
        "training",
        "fine_tuning",
    }


@pytest.mark.parametrize("name", RECIPES)
def test_every_setting_goes_through_json_and_back(name):
    made = recipe(name)
    stored = json.loads(json.dumps(made.to_json()))
    settings = [
        f"{part}.{field}={json.dumps(value)}"
        for part, fields in stored.items()
        if isinstance(fields, dict)
        for field, value in fields.items()
    ]
    again = derive(recipe("tiny"), [*settings, f"name={name}"])
    assert again == made
    assert json.loads(json.dumps(again.to_json())) == stored


def test_an_unknown_recipe_lists_those_there_are():
    with pytest.raises(ConfigError, match=rf"one of {', '.join(RECIPES)}, got 'sequental'"):
        recipe("sequental")


@pytest.mark.parametrize(
    ("setting", "read"),
    [
        ("towers.width=64", lambda made: made.towers.width == 64),
        ("towers.dropout=0", lambda made: made.towers.dropout == 0.0),
        ("training.learning_rate=1e-4", lambda made: made.training.learning_rate == 1e-4),
        ("training.negatives=mixed", lambda made: made.training.negatives == "mixed"),
        ("training.start_from_text=false", lambda made: made.training.start_from_text is False),
        ("features.use=text,brand", lambda made: made.features.use == ("text", "brand")),
        ('features.use=["text"]', lambda made: made.features.use == ("text",)),
        (
            'training.kind_weights={"cart": 5}',
            lambda made: made.training.kind_weights == {"cart": 5},
        ),
        ("prepare.split = leave-one-out", lambda made: made.prepare.split == "leave-one-out"),
        ("text_encoder=some/model", lambda made: made.text_encoder == "some/model"),
        ("training.seed=7", lambda made: made.training.seed == 7),
    ],
)
def test_one_field_is_changed_and_nothing_else(setting, read):
    before = recipe("joint")
    after = derive(before, [setting])
    assert read(after)
    changed = [
        (part, field)
        for part, fields in after.to_json().items()
        if isinstance(fields, dict)
        for field, value in fields.items()
        if before.to_json()[part][field] != value
    ]
    assert len(changed) + (after.text_encoder != before.text_encoder) == 1
    assert before == recipe("joint")


def test_later_settings_win():
    assert derive(recipe("joint"), ["towers.width=64", "towers.width=32"]).towers.width == 32


@pytest.mark.parametrize(
    ("setting", "told"),
    [
        ("towers.with=64", "did you mean width?"),
        ("tower.width=64", "did you mean towers?"),
        ("width=64", "Recipe has the fields"),
        ("towers=64", "Recipe has the fields"),
        ("towers.width.deep=64", "TowersConfig has the fields"),
        ("towers.width", "must look like towers.width=64"),
        ("=3", "Recipe has the fields"),
        ("towers.width=wide", 'must be a whole number such as 128, got "wide"'),
        ("towers.width=64.5", "must be a whole number such as 128, got 64.5"),
        ("training.epochs=true", "must be a whole number such as 20, got true"),
        ("training.start_from_text=1", "must be true or false, such as true, got 1"),
        ("training.learning_rate=fast", "must be a number such as 0.001"),
        ("training.kind_weights=3", "must be a JSON object such as {"),
        ("towers.width=63", "multiple of heads"),
        ("towers.heads=0", "multiple of heads"),
        ("towers.dropout=1", "towers.dropout must be in [0, 1), got 1.0"),
        ("towers.fusion=mean", "attention, concat or sum"),
        ("training.epochs=0", "training.epochs must be at least 1, got 0"),
        ("training.learning_rate=NaN", "training.learning_rate must be above 0"),
        ("features.use=colour", "features.use must name some of"),
        ("features.text_fields=titel", "features.text_fields must name some of"),
        ("prepare.split=by-luck", "auto, time, leave-one-out, given"),
        ("prepare.test_share=1.5", "test_share"),
        ("prepare.validation_share=NaN", "validation_share and test_share must be above 0"),
        ("prepare.test_share=NaN", "validation_share and test_share must be above 0"),
        ('features.use=["id","id"]', "features.use must name each once, got 'id' more than once"),
        ("features.use=[[1]]", "features.use must be a list of words such as "),
        ("features.text_fields=title,brand,title", "got 'title' more than once"),
        ("name=5", 'name must be text such as "joint", got 5; as text it is \'name="5"\''),
        ("text_encoder=true", 'text_encoder must be text such as "minilm", got true'),
        ("features.use=5", "features.use must be a list of words such as "),
    ],
)
def test_a_wrong_setting_is_refused_with_what_would_be_right(setting, told):
    with pytest.raises(ConfigError) as caught:
        derive(recipe("joint"), [setting])
    assert told in str(caught.value)
    assert "\n" not in str(caught.value)


# -- what a search may change ----------------------------------------------------


@pytest.mark.parametrize("name", RECIPES)
def test_every_recipe_has_a_space_that_holds_its_own_values(name):
    free, start = space(recipe(name))
    assert set(free) == set(start) == set(SPACES[name])
    for path, values in free.items():
        assert values.holds(start[path]), path
    assert derive(recipe(name), as_words(start)) == recipe(name)


@pytest.mark.parametrize("name", RECIPES)
def test_every_value_of_a_space_makes_a_recipe(name):
    for path, values in SPACES[name].items():
        for value in values.ends:
            assert derive(recipe(name), as_words({path: value})) is not None


def test_a_field_that_was_set_by_hand_is_not_searched():
    free, start = space(derive(recipe("joint"), ["towers.width=96"]))
    assert "towers.width" not in free
    assert set(free) == set(start) == set(SPACES["joint"]) - {"towers.width"}


def test_a_file_of_settings_stands_for_all_of_them(tmp_path):
    file = tmp_path / "settings.json"
    file.write_text('{"towers.width": 64, "towers.similarity": "dot", "towers.dropout": 0.25}')
    made = derive(recipe("joint"), [f"@{file}", "towers.dropout=0.5"])
    assert (made.towers.width, made.towers.similarity, made.towers.dropout) == (64, "dot", 0.5)


@pytest.mark.parametrize("content", [None, "[1]", "{", '{"towers.with": 3}'])
def test_a_file_without_settings_is_refused(tmp_path, content):
    file = tmp_path / "settings.json"
    if content is not None:
        file.write_text(content)
    with pytest.raises(ConfigError, match=r"JSON file such as|did you mean width"):
        derive(recipe("joint"), [f"@{file}"])
