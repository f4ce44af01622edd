"""The loop: Lightning runs it; every step is a pure function of the seed and its number."""

import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, cast

import lightning
import torch
from lightning.pytorch.callbacks import Callback, EarlyStopping, ModelCheckpoint
from lightning.pytorch.loggers import TensorBoardLogger
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel
from torch.utils.data import DataLoader, IterableDataset

from twotower.progress import Progress
from twotower.towers.layers import is_table
from twotower.towers.two_tower import TwoTower
from twotower.training.checkpoint import SafetensorsIO
from twotower.training.config import TrainingConfig
from twotower.training.examples import Batch, ExampleStream
from twotower.training.learner import Learner

CHECKPOINTS = "checkpoints"
LAST, BEST = "last", "best"
MONITOR = "ndcg@10"
SUFFIX = ".safetensors"

Validate = Callable[[], dict[str, float]]
"""Metrics of the towers as they are now; `ndcg@10` among them decides."""


@dataclass
class Curve:
    """What happened in each epoch: epoch, loss, learning rate, validation metrics."""

    points: list[dict[str, float]] = field(default_factory=list)

    @property
    def best_epoch(self) -> int:
        """The first epoch with the best validation, counted from 1; the last without any."""
        values = [point[MONITOR] for point in self.points if MONITOR in point]
        return 1 + values.index(max(values)) if values else len(self.points)

    def is_over(self, config: TrainingConfig) -> bool:
        """Whether there is nothing left to train."""
        n_epochs = len(self.points)
        waited = n_epochs - self.best_epoch if n_epochs else 0
        return n_epochs >= config.epochs or waited >= config.patience


class _Module(lightning.LightningModule):
    """Connects the learner to Lightning: optimizer, seeds, validation, the curve."""

    def __init__(
        self,
        learner: Learner,
        stream: ExampleStream,
        config: TrainingConfig,
        validate: Validate | None,
    ) -> None:
        super().__init__()
        self.learner, self.curve = learner, Curve()
        self.averaged = _averaged(learner.model, config.average_steps)
        self._stream, self._config, self._validate = stream, config, validate
        self._losses: list[Tensor] = []

    def training_step(self, batch: Batch, place: int) -> Tensor:
        """The loss; dropout and draws depend on the seed and the step number alone."""
        torch.manual_seed(self._config.seed * 1_000_003 + self.global_step)
        generator = torch.Generator().manual_seed(torch.initial_seed())
        loss: Tensor = self.learner(batch, generator)
        self._losses.append(loss.detach())
        return loss

    def on_train_batch_end(self, *_: Any) -> None:
        """The step counts into the average."""
        if self.averaged is not None:
            self.averaged.update_parameters(self.learner.model)

    def on_train_epoch_end(self) -> None:
        """Validates, and adds a point to the curve."""
        found = self._validated()
        self.curve.points.append(
            {
                "epoch": self.current_epoch + 1,
                "loss": float(torch.stack(self._losses).mean()),
                "learning_rate": self.optimizers().param_groups[0]["lr"],
                "scale": float(self.learner.model.scale()),
                **found,
            }
        )
        self._losses.clear()
        if self.logger:
            self.logger.log_metrics(self.curve.points[-1], self.global_step)

    def _validated(self) -> dict[str, float]:
        if self._validate is None:
            return {}
        with self._as_kept(), torch.no_grad():
            found = self._validate()
        self.log(MONITOR, found[MONITOR])
        return found

    @contextmanager
    def _as_kept(self) -> Iterator[None]:
        """The learner as it would be kept now: averaged, without dropout."""
        trained = self.learner.model
        if self.averaged is not None:
            self.learner.model = cast(TwoTower, self.averaged.module)
        self.learner.eval()
        yield
        self.learner.model = trained
        self.learner.train()

    def take_average(self) -> None:
        """The learner gets the averaged weights, for good."""
        if self.averaged is not None:
            self.learner.model.load_state_dict(self.averaged.module.state_dict())

    def configure_optimizers(self) -> Any:
        """AdamW with a linear warm-up; no decay of embedding tables, norms and biases."""
        config = self._config
        optimizer = torch.optim.AdamW(_groups(self.learner.model, config), fused=True)
        rise = torch.optim.lr_scheduler.LambdaLR(
            optimizer, lambda step: min(1.0, (step + 1) / (config.warmup_steps + 1))
        )
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": rise, "interval": "step"}}

    def train_dataloader(self) -> DataLoader[Batch]:
        """The batches of the current epoch, wherever the run was interrupted before."""
        return DataLoader(_Epoch(self._stream, self.current_epoch), batch_size=None)

    def transfer_batch_to_device(self, batch: Batch, device: torch.device, place: int) -> Batch:
        """The same batch on the device of the towers."""
        del place
        return replace(batch, **{name: value.to(device) for name, value in vars(batch).items()})

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """The curve so far travels with the checkpoint."""
        checkpoint["curve"] = self.curve.points

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Takes the curve up where it was."""
        self.curve.points = list(checkpoint["curve"])


def _averaged(model: nn.Module, steps: int) -> AveragedModel | None:
    """A running average of the model's weights over about that many steps; None for 0.

    Early on it spans the steps so far, so that the first, random weights soon count nothing.
    """
    if not steps:
        return None

    def average(mean: Tensor, new: Tensor, n_averaged: Tensor | int) -> Tensor:
        span = min(steps, int(n_averaged) / 10 + 1)
        return mean.lerp(new, 1 / span)

    return AveragedModel(model, avg_fn=average)


class _Epoch(IterableDataset[Batch]):
    """One epoch of a stream."""

    def __init__(self, stream: ExampleStream, epoch: int) -> None:
        super().__init__()
        self._stream, self._epoch = stream, epoch

    def __len__(self) -> int:
        return self._stream.n_batches

    def __iter__(self) -> Iterator[Batch]:
        start = self._epoch * len(self)
        return (self._stream[step] for step in range(start, start + len(self)))


class _Tell(Callback):
    """Passes the progress of an epoch on, with its last validation."""

    def __init__(self, progress: Progress, config: TrainingConfig) -> None:
        super().__init__()
        self._progress, self._epochs = progress, config.epochs

    def on_train_batch_end(self, trainer: Any, module: Any, *_: Any) -> None:
        """After each step."""
        points = module.curve.points
        said = f", {MONITOR} {points[-1][MONITOR]:.4f}" if points and MONITOR in points[-1] else ""
        stage = f"train, epoch {trainer.current_epoch + 1} of at most {self._epochs}{said}"
        done = trainer.fit_loop.epoch_loop.batch_idx + 1
        self._progress(stage, done, trainer.num_training_batches)


def fit(
    learner: Learner,
    stream: ExampleStream,
    config: TrainingConfig,
    validate: Validate | None,
    *,
    folder: Path,
    progress: Progress | None = None,
) -> Curve:
    """Trains until validation stops getting better; the learner ends with its best weights.

    Resumes from the last checkpoint in the folder, and then ends at the same weights as a
    run that was never interrupted.

    Args:
        learner: the towers with their losses.
        stream: all batches, by step.
        config: how long and how fast.
        validate: measures the towers as they are; without it all epochs are trained, and the
            last weights are the ones.
        folder: keeps the checkpoints and the log.
        progress: told after each step.

    Returns:
        The curve of all epochs, those before an interruption too.
    """
    module = _Module(learner, stream, config, validate)
    last = _last(folder)
    module.curve.points = finished_epochs(folder)
    if not module.curve.points or not module.curve.is_over(config):
        trainer = _trainer(config, folder, _callbacks(config, validate, folder, progress))
        with _quiet(), _interruptible():
            trainer.fit(module, ckpt_path=str(last) if last.is_file() else None)
    wanted = LAST if validate is None else BEST
    best = SafetensorsIO().load_checkpoint(folder / CHECKPOINTS / f"{wanted}{SUFFIX}")
    module.load_state_dict(best["state_dict"])
    module.take_average()
    learner.eval().cpu()
    return module.curve


def finished_epochs(folder: Path) -> list[dict[str, float]]:
    """Points of the curve of a run that was interrupted; none of a new one."""
    last = _last(folder)
    return list(SafetensorsIO().load_checkpoint(last)["curve"]) if last.is_file() else []


def _last(folder: Path) -> Path:
    return folder / CHECKPOINTS / f"{LAST}{SUFFIX}"


def _callbacks(
    config: TrainingConfig, validate: Validate | None, folder: Path, progress: Progress | None
) -> list[Callback]:
    callbacks: list[Callback] = [_Tell(progress, config)] if progress else []
    if validate is not None:
        stop = EarlyStopping(
            MONITOR, mode="max", patience=config.patience, check_on_train_epoch_end=True
        )
        callbacks += [stop, _keep(folder, BEST, MONITOR)]
    return [*callbacks, _keep(folder, LAST, None)]  # last: it holds the state of the others


def _keep(folder: Path, name: str, monitor: str | None) -> ModelCheckpoint:
    """One checkpoint under one name: of the best epoch, or of the latest without a monitor."""
    keep = ModelCheckpoint(
        folder / CHECKPOINTS,
        name,
        monitor,
        mode="max",
        save_on_train_epoch_end=True,
        enable_version_counter=False,
    )
    keep.FILE_EXTENSION = SUFFIX
    return keep


def _trainer(config: TrainingConfig, folder: Path, callbacks: list[Callback]) -> Any:
    with _quiet():
        return lightning.Trainer(
            accelerator="auto",
            devices=1,
            max_epochs=config.epochs,
            callbacks=callbacks,
            plugins=[SafetensorsIO()],
            logger=TensorBoardLogger(folder, name="log", version=""),
            deterministic=True,
            gradient_clip_val=1.0,
            reload_dataloaders_every_n_epochs=1,
            num_sanity_val_steps=0,
            enable_progress_bar=False,
            enable_model_summary=False,
        )


def _groups(model: nn.Module, config: TrainingConfig) -> list[dict[str, Any]]:
    decayed: list[nn.Parameter] = []
    free: list[nn.Parameter] = []
    for module in model.modules():
        for parameter in module.parameters(recurse=False):
            if parameter.requires_grad:
                matrix = parameter.ndim > 1 and not is_table(module)
                (decayed if matrix else free).append(parameter)
    shared = {"lr": config.learning_rate}
    return [
        {"params": decayed, "weight_decay": config.weight_decay, **shared},
        {"params": free, "weight_decay": 0.0, **shared},
    ]


@contextmanager
def _interruptible() -> Iterator[None]:
    """Lightning ends the process on an interrupt; for us it is still an interrupt."""
    try:
        yield
    except SystemExit as ended:
        raise KeyboardInterrupt from ended


@contextmanager
def _quiet() -> Iterator[None]:
    """Lightning's hints about its own settings are not for shop engineers."""
    import logging

    names = ("lightning", "lightning.pytorch", "lightning.fabric")
    levels = {name: logging.getLogger(name).level for name in names}
    for name in names:
        logging.getLogger(name).setLevel(logging.ERROR)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
    for name, level in levels.items():
        logging.getLogger(name).setLevel(level)
