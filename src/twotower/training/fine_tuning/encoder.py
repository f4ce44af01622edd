"""A sentence-transformers model that learns, and the groups of its parameters."""

# Shapes: B texts, T tokens, W text width.
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from tokenizers import Tokenizer
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from twotower.encoders import export
from twotower.encoders.batches import by_length, padded

_CHUNK_TOKENS = {"cpu": 512, "cuda": 32_768}
"""Tokens that go through the transformer together: on a CPU, what stays in a core's cache."""


class TrainableEncoder:
    """A text encoder in PyTorch, without dropout: its few epochs need none, and it costs half.

    Args:
        name: `minilm`, or path or hub name of a sentence-transformers model.
        memory_tokens: tokens of one call whose activations are held for the gradients; those
            of the others are made again when they are needed.
    """

    def __init__(self, name: str, *, memory_tokens: int) -> None:
        self.device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self.model: Any = export.load(name)
        self._name, self._memory_tokens = name, memory_tokens
        self._pooled: nn.Module = export.pooled(self.model).to(self.device).eval()
        self._tokenizer = Tokenizer.from_str(self.model.tokenizer.backend_tokenizer.to_str())
        self._tokenizer.no_padding()
        self.model.requires_grad_(requires_grad=True)
        for module in self.model.modules():
            if isinstance(module, nn.Embedding):
                module.requires_grad_(requires_grad=False)

    def __call__(self, texts: Sequence[str], max_tokens: int) -> Tensor:
        """[B, W] unit-length vectors of texts, on the device, with their gradients to come."""
        self._tokenizer.enable_truncation(max_tokens)
        tokens = [encoding.ids for encoding in self._tokenizer.encode_batch(list(texts))]
        places: list[int] = []
        parts: list[Tensor] = []
        held = 0
        for chunk in by_length([len(ids) for ids in tokens], _CHUNK_TOKENS[self.device.type]):
            inputs = self._inputs([tokens[place] for place in chunk])
            held += inputs[0].numel()
            parts.append(
                self._pooled(*inputs)
                if held <= self._memory_tokens
                else checkpoint(self._pooled, *inputs, use_reentrant=False)
            )
            places += chunk
        return torch.cat(parts)[torch.from_numpy(np.argsort(places)).to(self.device)]

    def _inputs(self, tokens: Sequence[Sequence[int]]) -> tuple[Tensor, Tensor]:
        ids, lengths = padded(tokens, np.int64)
        mask = (np.arange(ids.shape[1]) < lengths[:, None]).astype(np.int64)
        return torch.from_numpy(ids).to(self.device), torch.from_numpy(mask).to(self.device)

    def groups(self, learning_rate: float, layer_decay: float) -> list[dict[str, Any]]:
        """What learns, for an optimizer: one group for each layer, the first of them slowest.

        Args:
            learning_rate: of the last layer and of what follows it.
            layer_decay: factor for each layer further down.
        """
        layers = max(
            (list(m) for m in self.model.modules() if isinstance(m, nn.ModuleList)),
            key=len,
            default=[],
        )
        depth = {
            id(parameter): len(layers) - place
            for place, layer in enumerate(layers, 1)
            for parameter in layer.parameters()
        }
        found: dict[int, list[nn.Parameter]] = {}
        for name, parameter in self.model.named_parameters():
            if parameter.requires_grad:
                outside = len(layers) if "embeddings" in name else 0
                found.setdefault(depth.get(id(parameter), outside), []).append(parameter)
        return [
            {"params": found[below], "lr": learning_rate * layer_decay**below}
            for below in sorted(found)
        ]

    def write(self, folder: Path) -> None:
        """The encoder as it is now, for serving: the same files as of any other encoder."""
        backend = self.model.tokenizer.backend_tokenizer
        backend.no_padding()  # the last export left its own, and they would be written
        backend.no_truncation()
        self.model.to("cpu")
        export.write(self.model, f"{self._name}, fine-tuned", folder)
        self.model.to(self.device)
