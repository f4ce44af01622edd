"""The loop of fine-tuning: steps that are pure functions of the seed and their number.

Everything is kept in a folder, so that an interrupted loop goes on in the middle of an epoch
and ends at the same weights:

    last.safetensors        weights, optimizer, step, curve
    mined-N.npy             what was mined for epoch N, with the encoder that epoch N - 1 left
    encoder-N/              the encoder after epoch N, exported: the latest and the best
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from twotower import disk
from twotower.progress import Progress
from twotower.training.checkpoint import SafetensorsIO
from twotower.training.fine_tuning.batches import TextBatch, batch_of
from twotower.training.fine_tuning.catalogue import Catalogue
from twotower.training.fine_tuning.config import FineTuningConfig
from twotower.training.fine_tuning.encoder import TrainableEncoder
from twotower.training.fine_tuning.loss import text_loss
from twotower.training.fine_tuning.questions import Question, Questions

LAST = "last.safetensors"

Mine = Callable[[list[Question], int], NDArray[np.int64]]
"""Mined items [Q, M] of questions, found with the encoder that an epoch left."""

Validated = Callable[[int], dict[str, float]]
"""Metrics of the encoder that an epoch left; `ndcg@10` among them, or nothing."""


class Loop:
    """Trains an encoder epoch by epoch.

    Args:
        encoder: learns.
        questions: what is asked.
        catalogue: the items.
        config: how.
        folder: keeps everything.
        progress: told after each step.
    """

    def __init__(
        self,
        encoder: TrainableEncoder,
        questions: Questions,
        catalogue: Catalogue,
        config: FineTuningConfig,
        folder: Path,
        progress: Progress | None = None,
    ) -> None:
        self._encoder, self._questions, self._catalogue = encoder, questions, catalogue
        self._config, self._folder, self._progress = config, folder, progress
        groups = encoder.groups(config.learning_rate, config.layer_decay)
        self._rates = [group["lr"] for group in groups]
        self._optimizer = torch.optim.AdamW(groups, weight_decay=config.weight_decay)
        self.step = 0
        self.losses: list[float] = []
        self.curve: list[dict[str, float]] = []
        self._restore()

    @property
    def n_batches(self) -> int:
        """Batches of an epoch; a last one that is less than half full goes to the one before."""
        return max(1, round(len(self._questions) / self._config.batch_queries))

    @property
    def epochs_done(self) -> int:
        """How many epochs have been trained and validated."""
        return sum(point["epoch"] > 0 for point in self.curve)

    def train_epoch(self, mine: Mine) -> float:
        """The rest of the current epoch; gives its mean loss."""
        epoch = self.epochs_done + 1
        questions = self._questions.epoch(epoch)
        mined = self._mined(questions, epoch, mine)
        parts = np.array_split(np.arange(len(questions)), self.n_batches)
        for place in range(self.step - (epoch - 1) * self.n_batches, self.n_batches):
            rng = np.random.default_rng([self._config.seed, epoch, place])
            part = parts[place]
            asked = [questions[row] for row in part]
            batch = batch_of(asked, mined[part], self._catalogue, self._config, rng)
            self.losses.append(self._learn(batch))
            if self._progress:
                stage = f"fine-tune, epoch {epoch} of at most {self._config.epochs}"
                self._progress(f"{stage}, loss {self.losses[-1]:.3f}", place + 1, self.n_batches)
            if self.step % self._config.checkpoint_steps == 0 or place + 1 == self.n_batches:
                self.save()
        return float(np.mean(self.losses))

    def end_epoch(self, point: dict[str, float]) -> None:
        """The epoch counts, with this point of the curve."""
        self.curve.append(point)
        self.losses = []
        self.save()

    def save(self) -> None:
        """Writes the checkpoint."""
        state = {
            "model": self._trained(),
            "optimizer": self._optimizer.state_dict(),
            "step": self.step,
            "losses": self.losses,
            "curve": self.curve,
        }
        SafetensorsIO().save_checkpoint(state, self._folder / LAST)

    def _restore(self) -> None:
        if not (self._folder / LAST).is_file():
            return
        state = SafetensorsIO().load_checkpoint(self._folder / LAST)
        self._encoder.model.load_state_dict(state["model"], strict=False)
        self._optimizer.load_state_dict(state["optimizer"])
        self.step, self.losses, self.curve = state["step"], state["losses"], state["curve"]

    def _trained(self) -> dict[str, Any]:
        return {
            name: parameter
            for name, parameter in self._encoder.model.named_parameters()
            if parameter.requires_grad
        }

    def _mined(self, questions: list[Question], epoch: int, mine: Mine) -> NDArray[np.int64]:
        """Kept on disk: the encoder that found them changes with the first step."""
        file = self._folder / f"mined-{epoch}.npy"
        if not file.is_file():
            found = mine(questions, epoch - 1)
            with disk.whole_file(file) as part, part.open("wb") as out:
                np.save(out, found, allow_pickle=False)
        rows: NDArray[np.int64] = np.load(file, allow_pickle=False)
        return rows

    def _learn(self, batch: TextBatch) -> float:
        for group, rate in zip(self._optimizer.param_groups, self._rates, strict=True):
            group["lr"] = rate * self._pace()
        config, device = self._config, self._encoder.device
        query_BW = self._encoder(batch.queries, config.max_query_tokens)
        item_RW = self._encoder(batch.items, config.max_item_tokens)
        loss = text_loss(query_BW, item_RW, batch.to(device), config)
        self._optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(self._trained().values(), 1.0)
        self._optimizer.step()
        self.step += 1
        return loss.item()

    def _pace(self) -> float:
        """Share of the learning rate: up from 0, then down to a tenth."""
        total = self._config.epochs * self.n_batches
        warm = max(1.0, self._config.warmup_share * total)
        return min(1.0, (self.step + 1) / warm) * (1 - 0.9 * self.step / total)
