"""The search for settings: trials on validation, told apart by Optuna, kept in one JSON file.

A trial is written down before it begins and after it ends, so that a search that was
interrupted goes on with the trial that was cut short, from its last epoch. What trial n tries
depends on the seed, n and the trials before it alone: an interrupted search tries what a
whole one would have tried.
"""

import json
import shutil
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import optuna

from twotower import disk
from twotower.errors import ConfigError, DataError
from twotower.progress import Progress
from twotower.training.config import Design
from twotower.training.loop import MONITOR, Curve, Validate, finished_epochs
from twotower.training.material import Material
from twotower.training.space import Choice, Space, Value
from twotower.training.train import fit_towers

STUDY, SETTINGS = "study.json", "settings.json"
COMPLETE, PRUNED, RUNNING = "complete", "pruned", "running"

_SAME = ("recipe", "data_hash", "space", "seed")
"""What a search must share with another to be taken up by it."""
_STARTUP_TRIALS, _WARMUP_EPOCHS = 5, 2
"""Trials, and epochs of a trial, in which none is given up."""

Found = dict[str, Any]
Settings = Mapping[str, Value]


def refuse_foreign(folder: Path) -> None:
    """Refuses a place that holds something else or cannot be written, with `OutputError`."""
    disk.refuse_foreign(folder, STUDY, "study", is_replaced=False)


class Study:
    """A search in a folder: new, or taken up again.

    Args:
        folder: where `study.json` and the settings found are kept.
        about: recipe, data_hash and what else should be kept.
        space: what may be changed.
        start: the recipe's own values of these fields: the first trial.
        seed: of the draws.

    Raises:
        ConfigError: the folder holds a search of something else, or there is nothing to change.
        OutputError: the folder holds something else or cannot be written.
    """

    def __init__(
        self, folder: Path, about: Mapping[str, Any], space: Space, start: Settings, seed: int = 0
    ) -> None:
        if not space:
            raise ConfigError("there is nothing to search: every field of the space is set")
        self._folder, self._space, self._start, self._seed = folder, space, start, seed
        described = {path: asdict(values) for path, values in space.items()}
        asked = {**about, "space": described, "start": start, "seed": seed, "metric": MONITOR}
        self._about = json.loads(json.dumps(asked))
        self.trials: list[Found] = self._begin()

    def _begin(self) -> list[Found]:
        file = self._folder / STUDY
        refuse_foreign(self._folder)
        if not file.is_file():
            return []
        found = json.loads(file.read_text("utf-8"))
        other = [name for name in _SAME if found.get(name) != self._about.get(name)]
        if other:
            raise ConfigError(
                f"{self._folder} holds a study with another {' and '.join(other)}; "
                "choose another --out, or remove it to start afresh"
            )
        trials: list[Found] = found["trials"]
        return trials

    def run(
        self,
        n_trials: int,
        design_of: Callable[[Settings], Design],
        material: Material,
        progress: Progress | None = None,
    ) -> Found:
        """Trials until there are that many, those before an interruption counted.

        Args:
            n_trials: how many, at least 1.
            design_of: settings -> what is trained.
            material: what they are trained on; the space changes nothing of it.
            progress: told what happens.

        Returns:
            What `study.json` says: `trials`, and the number of the `best` complete one.

        Raises:
            DataError: the dataset has no validation cases.
        """
        if not material.validation:
            raise DataError("a search needs validation cases, the dataset has none")
        with disk.kept(self._folder):
            while self._n_ended < n_trials:
                trial = self._next()
                heading = f"trial {trial['number'] + 1} of {n_trials}"
                told = None if progress is None else _headed(heading, progress)
                self._try(trial, design_of(trial["settings"]), material, told)
            return self.save()

    @property
    def best(self) -> Found:
        """The complete trial with the best validation; the earlier of equals."""
        complete = [trial for trial in self.trials if trial["state"] == COMPLETE]
        return max(complete, key=lambda trial: float(trial["value"]))

    @property
    def _n_ended(self) -> int:
        return sum(trial["state"] != RUNNING for trial in self.trials)

    def _next(self) -> Found:
        """The trial that was cut short, or a new one."""
        if self.trials and self.trials[-1]["state"] == RUNNING:
            return self.trials[-1]
        trial: Found = {
            "number": len(self.trials),
            "state": RUNNING,
            "settings": self._suggested() if self.trials else dict(self._start),
            "seconds": 0.0,
        }
        self.trials.append(trial)
        self.save()
        return trial

    def _suggested(self) -> dict[str, Value]:
        study = _optuna_study(self._space, self.trials, self._seed + len(self.trials))
        trial = study.ask(_distributions(self._space))
        return dict(trial.params)

    def _try(
        self, trial: Found, design: Design, material: Material, progress: Progress | None
    ) -> None:
        folder = self._folder / f"trial-{trial['number']:04}"
        before, began = trial["seconds"], time.monotonic()
        watch = _Watch(self._space, self.trials[: trial["number"]], finished_epochs(folder))
        try:
            _, curve = fit_towers(material, design, folder, progress, validated=True, watch=watch)
            trial |= {"state": COMPLETE} | _outcome(curve.points)
        except optuna.TrialPruned:
            trial |= {"state": PRUNED} | _outcome(watch.points)
        finally:
            trial["seconds"] = round(before + time.monotonic() - began, 1)
            self.save()
        shutil.rmtree(folder)

    def save(self) -> Found:
        """Writes down all trials so far; gives what `study.json` says."""
        found = {**self._about, "trials": self.trials}
        if any(trial["state"] == COMPLETE for trial in self.trials):
            found["best"] = self.best["number"]
            settings = json.dumps(self.best["settings"], indent=2)
            disk.write_text(self._folder / SETTINGS, settings + "\n")
        disk.write_text(self._folder / STUDY, json.dumps(found, indent=2) + "\n")
        return found


class _Watch:
    """Gives a trial up when it is below the median of the trials before, epoch for epoch."""

    def __init__(self, space: Space, earlier: list[Found], points: list[dict[str, float]]) -> None:
        self.points = list(points)
        self._pruner = optuna.pruners.MedianPruner(
            n_startup_trials=_STARTUP_TRIALS, n_warmup_steps=_WARMUP_EPOCHS
        )
        self._study = _optuna_study(space, earlier, 0, self._pruner)
        self._trial = self._study.ask(_distributions(space))
        for place, point in enumerate(points):
            self._trial.report(point[MONITOR], place)

    def __call__(self, validate: Validate) -> Validate:
        """The same validation, which ends a trial without prospects.

        Raises:
            TrialPruned: it is given up.
        """

        def watched() -> dict[str, float]:
            found = validate()
            self.points.append({"epoch": len(self.points) + 1, **found})
            self._trial.report(found[MONITOR], len(self.points) - 1)
            if self._trial.should_prune():
                raise optuna.TrialPruned
            return found

        return watched


def _outcome(points: list[dict[str, float]]) -> Found:
    values = [point[MONITOR] for point in points]
    return {"value": max(values), "epochs": Curve(points).best_epoch, "curve": values}


def _optuna_study(
    space: Space, trials: list[Found], seed: int, pruner: optuna.pruners.BasePruner | None = None
) -> optuna.Study:
    """Optuna's view of the trials that have ended."""
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    sampler = optuna.samplers.TPESampler(seed=seed, n_startup_trials=_STARTUP_TRIALS)
    study = optuna.create_study(direction="maximize", sampler=sampler, pruner=pruner)
    states = {
        COMPLETE: optuna.trial.TrialState.COMPLETE,
        PRUNED: optuna.trial.TrialState.PRUNED,
    }
    for trial in trials:
        study.add_trial(
            optuna.trial.create_trial(
                state=states[trial["state"]],
                params=trial["settings"],
                distributions=_distributions(space),
                value=trial["value"],
                intermediate_values=dict(enumerate(trial["curve"])),
            )
        )
    return study


def _distributions(space: Space) -> dict[str, optuna.distributions.BaseDistribution]:
    return {
        path: optuna.distributions.CategoricalDistribution(values.values)
        if isinstance(values, Choice)
        else optuna.distributions.FloatDistribution(values.low, values.high, log=values.log)
        for path, values in space.items()
    }


def _headed(heading: str, progress: Progress) -> Progress:
    return lambda stage, done, total: progress(f"{heading}: {stage}", done, total)
