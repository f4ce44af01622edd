"""Complete named configurations, as functions. A new one derives from an old one.

Each returns every setting of a build; `derive` changes single fields of one, for the command
line's `--set towers.width=64`.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields, is_dataclass, replace
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from twotower.data.config import PrepareConfig
from twotower.encoders.export import PACKAGED
from twotower.errors import ConfigError
from twotower.features.items import ItemFeaturesConfig
from twotower.towers.config import TowersConfig
from twotower.training.config import Design, TrainingConfig
from twotower.training.fine_tuning.config import FineTuningConfig
from twotower.training.space import Choice, Range, Space, Value


@dataclass(frozen=True)
class Recipe:
    """A whole build.

    Attributes:
        name: of the function that made it.
        text_encoder: `minilm`, or a path or hub name of a sentence-transformers model.
        prepare: how tables are read, cleaned and split.
        features: what the item tower sees.
        towers: the shape of the model.
        training: how it learns.
        fine_tuning: how the text encoder learns before; 0 epochs leave it as it is.
    """

    name: str
    text_encoder: str = PACKAGED
    prepare: PrepareConfig = field(default_factory=PrepareConfig)
    features: ItemFeaturesConfig = field(default_factory=ItemFeaturesConfig)
    towers: TowersConfig = field(default_factory=TowersConfig)
    training: TrainingConfig = field(default_factory=TrainingConfig)
    fine_tuning: FineTuningConfig = field(default_factory=FineTuningConfig)

    @property
    def design(self) -> Design:
        """The part that training needs."""
        return Design(self.features, self.towers, self.training, self.fine_tuning)

    def to_json(self) -> dict[str, Any]:
        """Every setting, as plain JSON."""
        return asdict(self)


def joint() -> Recipe:
    """Search and recommendations from one item tower, for a shop with a log and judgments."""
    return Recipe(
        "joint",
        towers=TowersConfig(width=128, dropout=0.2, id_dropout=0.2),
        training=TrainingConfig(
            epochs=20,
            start_from_text=True,
            kind_weights={"view": 1.0, "cart": 2.0, "purchase": 3.0},
            listwise_weight=0.5,
            batch_queries=128,
        ),
    )


def sequential() -> Recipe:
    """Recommendations from a log: the next item of each visitor."""
    return Recipe(
        "sequential",
        towers=TowersConfig(
            width=128,
            similarity="dot",
            fusion="sum",
            item_layers=0,
            history_ids=True,
            dropout=0.5,
            id_dropout=0.0,
        ),
        training=TrainingConfig(
            epochs=60,
            patience=5,
            batch_events=2048,
            weight_decay=0.0,
            negatives="uniform",
            uniform_negatives=2048,
            start_from_text=True,
            start_from_histories=True,
            average_steps=200,
            refit=True,
        ),
    )


def search() -> Recipe:
    """Search from a catalogue and judged queries; the item tower sees no id."""
    return Recipe(
        "search",
        features=ItemFeaturesConfig(use=("text", "brand", "category", "price")),
        towers=TowersConfig(width=384, dropout=0.3, id_dropout=0.0, heads=4),
        training=TrainingConfig(
            epochs=20,
            learning_rate=1e-4,
            weight_decay=0.1,
            negatives="mixed",
            uniform_negatives=8192,
            start_from_text=True,
            listwise_weight=0.5,
        ),
    )


def search_finetune() -> Recipe:
    """`search` with its text encoder fine-tuned before, on judged queries and on titles."""
    whole = search()
    return replace(whole, name="search-finetune", fine_tuning=FineTuningConfig(epochs=3))


def tiny() -> Recipe:
    """The joint recipe made small: seconds on a small shop, for tests and first steps."""
    whole = joint()
    return replace(
        whole,
        name="tiny",
        towers=replace(whole.towers, width=32, layers=1, history=20),
        training=replace(
            whole.training, epochs=6, patience=3, batch_histories=64, learning_rate=3e-3
        ),
    )


def pointwise() -> Recipe:
    """`sequential` with the classic objective: binary cross-entropy of single pairs."""
    whole = sequential()
    return replace(whole, name="pointwise", training=replace(whole.training, objective="pointwise"))


def contrastive() -> Recipe:
    """`sequential` with the other classic objective: pairs drawn together and pushed apart."""
    whole = sequential()
    return replace(
        whole,
        name="contrastive",
        towers=replace(whole.towers, similarity="cosine"),
        training=replace(whole.training, objective="contrastive"),
    )


def sasrec() -> Recipe:
    """What `sequential` grew out of: ids alone, from random numbers, with sampled softmax.

    SASRec (Kang and McAuley, ICDM 2018), in our towers and on our negatives.
    """
    whole = sequential()
    return replace(
        whole,
        name="sasrec",
        features=ItemFeaturesConfig(use=("id",)),
        towers=replace(whole.towers, history_ids=False),
        training=replace(
            whole.training, start_from_text=False, start_from_histories=False, average_steps=0
        ),
    )


RECIPES: Mapping[str, Callable[[], Recipe]] = {
    made.__name__.replace("_", "-"): made
    for made in (
        joint,
        sequential,
        search,
        search_finetune,
        pointwise,
        contrastive,
        sasrec,
        tiny,
    )
}


_SHARED: Space = {
    "towers.width": Choice((64, 128, 256)),
    "towers.dropout": Range(0.0, 0.6),
    "training.learning_rate": Range(1e-4, 5e-3, log=True),
    "training.weight_decay": Range(0.0, 0.1),
}
_HISTORIES: Space = {
    "towers.layers": Choice((1, 2, 3)),
    "towers.id_dropout": Range(0.0, 0.5),
    "training.batch_events": Choice((1024, 2048, 4096)),
}
_QUERIES: Space = {"training.listwise_weight": Range(0.0, 2.0)}

_DRAWN: Space = {"training.uniform_negatives": Choice((512, 1024, 2048, 4096))}

_SEARCH: Space = {
    **_SHARED,
    **_QUERIES,
    "towers.width": Choice((128, 256, 384)),
    "training.learning_rate": Range(2e-5, 1e-3, log=True),
}

SPACES: Mapping[str, Space] = {
    "joint": {**_SHARED, **_HISTORIES, **_QUERIES},
    "sequential": {
        **_SHARED,
        **_HISTORIES,
        **_DRAWN,
        "towers.similarity": Choice(("cosine", "dot")),
    },
    "pointwise": {**_SHARED, **_HISTORIES, **_DRAWN},
    "contrastive": {**_SHARED, **_HISTORIES, **_DRAWN},
    "sasrec": {**_SHARED, **_HISTORIES, **_DRAWN},
    "search": _SEARCH,
    "search-finetune": _SEARCH,
    "tiny": {**_SHARED, "towers.width": Choice((16, 32)), "towers.dropout": Range(0.0, 0.4)},
}
"""What `twotower tune` may change of each recipe; the recipe's own values lie inside."""

_TYPES: Mapping[type, str] = {
    bool: "true or false,",
    int: "a whole number",
    float: "a number",
    str: "text",
    tuple: "a list of words",
    dict: "a JSON object",
}
"""What a value of a field is called."""


def space(whole: Recipe) -> tuple[Space, dict[str, Value]]:
    """What may be changed of a recipe, and its values now.

    A field that differs from the recipe of that name was set by hand, and stays.
    """
    own = recipe(whole.name)
    free = {
        path: values
        for path, values in SPACES.get(whole.name, {}).items()
        if _at(whole, path) == _at(own, path)
    }
    return free, {path: _at(whole, path) for path in free}


def _at(part: Any, path: str) -> Any:
    for name in path.split("."):
        part = getattr(part, name)
    return part


def recipe(name: str) -> Recipe:
    """The recipe of that name.

    Raises:
        ConfigError: there is none; lists those there are.
    """
    if name not in RECIPES:
        raise ConfigError(f"recipe must be one of {', '.join(RECIPES)}, got {name!r}")
    return RECIPES[name]()


def derive(whole: Recipe, settings: Sequence[str]) -> Recipe:
    """The recipe with single fields changed.

    Args:
        whole: where to start from.
        settings: such as `towers.width=64`; values are read as JSON, otherwise as text. `@FILE`
            stands for all settings of a JSON file, such as `twotower tune` writes.

    Raises:
        ConfigError: there is no such field or file, or the value is out of its range.

    Example:
        >>> derive(search(), ["towers.width=64", "training.epochs=3"]).towers.width
        64
    """
    for setting in (one for word in settings for one in _read(word)):
        path, equals, text = setting.partition("=")
        if not equals:
            raise ConfigError(f"--set must look like towers.width=64, got {setting!r}")
        whole = _with(whole, path.strip().split("."), _value(text.strip()), path)
    return whole


def as_words(settings: Mapping[str, Any]) -> list[str]:
    """Fields and values as `derive` reads them.

    Example:
        >>> as_words({"towers.width": 64, "towers.similarity": "dot"})
        ['towers.width=64', 'towers.similarity="dot"']
    """
    return [f"{path}={json.dumps(value)}" for path, value in settings.items()]


def _read(setting: str) -> list[str]:
    """The setting itself, or those of the file that it names."""
    if not setting.startswith("@"):
        return [setting]
    try:
        found = json.loads(Path(setting[1:]).read_text("utf-8"))
        return as_words(found)
    except (OSError, ValueError, AttributeError) as error:
        raise ConfigError(
            f'--set {setting}: expected a JSON file such as {{"towers.width": 64}}, got: {error}'
        ) from error


def _with(part: Any, path: Sequence[str], value: Any, whole_path: str) -> Any:
    name, *rest = path
    known = [f.name for f in fields(part)]
    if name not in known or (bool(rest) != is_dataclass(getattr(part, name, None))):
        near = get_close_matches(name, known, n=1)
        hint = f"; did you mean {near[0]}?" if near and near[0] != name else ""
        raise ConfigError(
            f"--set {whole_path}: {type(part).__name__} has the fields {', '.join(known)}{hint}"
        )
    old = getattr(part, name)
    new = _with(old, rest, value, whole_path) if rest else _like(old, value, whole_path)
    return replace(part, **{name: new})


def _value(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text


def _like(old: Any, value: Any, path: str) -> Any:
    """The value as the field's own type; text is not made of anything else."""
    if isinstance(old, tuple):
        value = value.split(",") if isinstance(value, str) else value
        is_list = isinstance(value, list) and all(isinstance(each, str) for each in value)
        value = tuple(value) if is_list else value
    elif isinstance(old, float) and type(value) is int:
        value = float(value)
    if type(value) is not type(old):
        quoted = f"; as text it is '{path}=\"{value}\"'" if isinstance(old, str) else ""
        raise ConfigError(
            f"--set {path} must be {_TYPES[type(old)]} such as {json.dumps(old)}, "
            f"got {json.dumps(value)}{quoted}"
        )
    return value
