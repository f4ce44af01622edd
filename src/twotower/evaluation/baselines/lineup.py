"""The line-up: which baselines stand beside the user tower, each tuned with the same budget."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from importlib.util import find_spec
from typing import Any, Final, Literal

from twotower.data.dataset import Dataset
from twotower.errors import ConfigError, MissingExtra, installing
from twotower.evaluation.baselines import ease, factors, frequency, item_knn, popularity
from twotower.evaluation.baselines.tuning import Tuned, tune
from twotower.evaluation.cases import Cases
from twotower.evaluation.protocol import Scorer
from twotower.features.history import Histories
from twotower.progress import Steps
from twotower.schema import Split

Lineup = Literal["quick", "all"]
LINEUPS: Final = ("quick", "all")

QUICK_EASE_ITEMS, EASE_ITEMS = 5_000, 20_000
"""Largest catalogues for EASE, whose matrix is items x items: at 20,000 it takes 1.6 GB, twice."""

Make = Callable[[Any, Cases], Scorer]
"""Settings and cases -> a scorer of these cases."""


@dataclass(frozen=True)
class Baseline:
    """Something to beat.

    Attributes:
        name: In reports.
        grid: Settings it may try; empty where there is nothing to choose.
        fit: Dataset and the split to be ranked -> what makes a scorer of settings and cases.
        default: Settings where no validation case can choose.
        why_not: Dataset -> why it does not run, in words; None when it does.
    """

    name: str
    grid: Sequence[Any]
    fit: Callable[[Dataset, str], Make]
    default: Any = None
    why_not: Callable[[Dataset], str | None] = lambda _: None

    def tuned(
        self, dataset: Dataset, validation: Cases, progress: Steps | None = None
    ) -> Tuned[Any]:
        """The settings that rank validation best; the defaults where nothing can choose.

        Args:
            dataset: With events; those of training are learnt from.
            validation: Cases of the validation split; may be empty.
            progress: Told after each trial.
        """
        if not self.grid or not len(validation):
            return Tuned(self.default)
        make = self.fit(dataset, Split.VALIDATION)
        return tune(self.grid, make, validation, progress=progress)


@dataclass(frozen=True)
class Contenders:
    """Baselines ready to be ranked.

    Attributes:
        scorers: By name, for the cases they were made for.
        settings: By name: the chosen ones and every trial, as the report prints them.
        left_out: By name: why.
    """

    scorers: dict[str, Scorer] = field(default_factory=dict)
    settings: dict[str, dict[str, Any]] = field(default_factory=dict)
    left_out: dict[str, str] = field(default_factory=dict)


def contenders(
    dataset: Dataset,
    cases: Cases,
    split: str,
    validation: Cases,
    *,
    lineup: Lineup = "quick",
    progress: Callable[[str], Steps | None] = lambda _: None,
) -> Contenders:
    """The baselines of a line-up, tuned on validation and fitted to all before the split.

    Args:
        dataset: With events.
        cases: To be ranked.
        split: "validation" or "test": what happened before it is learnt from.
        validation: Cases of the validation split, which choose the settings; may be empty.
        lineup: `quick` for what takes seconds, `all` for everything.
        progress: Name of a baseline -> who is told of its trials.

    Raises:
        ConfigError: there is no such line-up.
        MissingExtra: the line-up needs a library that is not installed.
    """
    found = Contenders()
    for baseline in baselines(lineup):
        if reason := baseline.why_not(dataset):
            found.left_out[baseline.name] = reason
            continue
        chosen = baseline.tuned(dataset, validation, progress(baseline.name))
        found.scorers[baseline.name] = baseline.fit(dataset, split)(chosen.settings, cases)
        if baseline.grid:
            found.settings[baseline.name] = chosen.to_json()
    return found


def baselines(lineup: Lineup) -> tuple[Baseline, ...]:
    """The baselines of a line-up, in the order of the report."""
    if lineup not in LINEUPS:
        raise ConfigError(f"baselines must be one of {', '.join(LINEUPS)}, got {lineup!r}")
    if lineup == "quick":
        return (*_COUNTED, _ease(QUICK_EASE_ITEMS))
    if find_spec("implicit") is None:
        raise MissingExtra(
            f"all baselines need the library implicit; {installing('baselines')}; "
            "or leave it at the quick ones"
        )
    return (*_COUNTED, _ease(EASE_ITEMS), *_FACTORISED)


def _random(dataset: Dataset, split: str) -> Make:
    return lambda _, cases: popularity.random_scorer(dataset.n_items)


def _popularity(dataset: Dataset, split: str) -> Make:
    return lambda _, cases: popularity.popularity_scorer(dataset, split)


def _recent(dataset: Dataset, split: str) -> Make:
    return lambda window, cases: popularity.recent_popularity_scorer(
        dataset, split, days=window.days
    )


def _by_history(kind: Callable[[Dataset, str], Any]) -> Callable[[Dataset, str], Make]:
    """A baseline that reads histories."""

    def fit(dataset: Dataset, split: str) -> Make:
        fitted = kind(dataset, split)
        return lambda settings, cases: fitted.scorer(_histories(cases), settings)

    return fit


def _by_user(kind: Callable[[Dataset, str], Any]) -> Callable[[Dataset, str], Make]:
    """A baseline that knows visitors by id."""

    def fit(dataset: Dataset, split: str) -> Make:
        fitted = kind(dataset, split)
        return lambda settings, cases: fitted.scorer(cases, settings)

    return fit


def _histories(cases: Cases) -> Histories:
    assert cases.histories is not None, "recommendation cases have histories"
    return cases.histories


def _without_clock(dataset: Dataset) -> str | None:
    if popularity.has_times(dataset):
        return None
    return "the events have no times"


def _without_repeats(dataset: Dataset) -> str | None:
    if dataset.about.repeat:
        return None
    return "what a visitor had is taken out of lists"


def _ease(most: int) -> Baseline:
    def why_not(dataset: Dataset) -> str | None:
        if dataset.n_items <= most:
            return None
        return f"{dataset.n_items:,} items are more than {most:,}: its matrix would not fit" + (
            f"; with all baselines it is run up to {EASE_ITEMS:,}" if most < EASE_ITEMS else ""
        )

    return Baseline("ease", ease.GRID, _by_history(ease.Ease), ease.EaseConfig(), why_not)


def _without_lightfm(_: Dataset) -> str | None:
    if find_spec("lightfm") is not None:
        return None
    return "LightFM is not installed; pip install rectools-lightfm builds it, given a C compiler"


_COUNTED: Final = (
    Baseline("random", (), _random),
    Baseline("popularity", (), _popularity),
    Baseline("recent_popularity", popularity.WINDOWS, _recent, popularity.Window(), _without_clock),
    Baseline(
        "personal_frequency",
        frequency.GRID,
        _by_history(frequency.PersonalFrequency),
        frequency.FrequencyConfig(),
        _without_repeats,
    ),
    Baseline("item_knn", item_knn.GRID, _by_history(item_knn.ItemKnn), item_knn.ItemKnnConfig()),
)
_FACTORISED: Final = (
    Baseline("ials", factors.IALS_GRID, _by_history(factors.Ials), factors.IalsConfig()),
    Baseline("bpr", factors.BPR_GRID, _by_user(factors.Bpr), factors.BprConfig()),
    Baseline(
        "lightfm",
        factors.LIGHTFM_GRID,
        _by_user(factors.LightFm),
        factors.LightFmConfig(),
        _without_lightfm,
    ),
)
