"""Checkpoints without pickle: tensors as safetensors, everything around them as JSON."""

import json
from pathlib import Path
from typing import Any

from lightning.pytorch.plugins.io import CheckpointIO
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor

from twotower import disk

_TREE = "tree"


class SafetensorsIO(CheckpointIO):
    """Reads and writes Lightning's checkpoints as one safetensors file each.

    A file appears whole or not at all: it is written beside its place, synced and renamed.
    """

    def save_checkpoint(
        self, checkpoint: dict[str, Any], path: str | Path, storage_options: Any = None
    ) -> None:
        """Writes the file, replacing an older one in one step."""
        del storage_options
        tensors: dict[str, Tensor] = {}
        tree = json.dumps(_to_json(checkpoint, tensors))
        with disk.whole_file(Path(path)) as part:
            save_file(tensors, part, metadata={_TREE: tree})

    def load_checkpoint(
        self, path: str | Path, map_location: Any = None, weights_only: Any = None
    ) -> dict[str, Any]:
        """The checkpoint as it was saved, tensors on the CPU."""
        del map_location, weights_only
        with safe_open(Path(path), framework="pt") as file:
            tree = json.loads(file.metadata()[_TREE])
            restored: dict[str, Any] = _from_json(tree, file)
        return restored

    def remove_checkpoint(self, path: str | Path) -> None:
        """Removes the file if it is there."""
        Path(path).unlink(missing_ok=True)


def _to_json(value: Any, tensors: dict[str, Tensor]) -> Any:
    """The value with each tensor replaced by its name, and each container by its kind."""
    if isinstance(value, Tensor):
        name = f"t{len(tensors)}"
        tensors[name] = value.detach().cpu().contiguous().clone()
        return {"tensor": name}
    if isinstance(value, dict):
        return {"dict": [[_to_json(k, tensors), _to_json(v, tensors)] for k, v in value.items()]}
    if isinstance(value, tuple | list):
        kind = "tuple" if isinstance(value, tuple) else "list"
        return {kind: [_to_json(item, tensors) for item in value]}
    if isinstance(value, Path):
        return str(value)
    return value


def _from_json(value: Any, file: Any) -> Any:
    if not isinstance(value, dict):
        return value
    ((kind, content),) = value.items()
    if kind == "tensor":
        return file.get_tensor(content)
    if kind == "dict":
        return {_from_json(k, file): _from_json(v, file) for k, v in content}
    items = [_from_json(item, file) for item in content]
    return tuple(items) if kind == "tuple" else items


def save_weights(state: dict[str, Tensor], path: Path) -> None:
    """The weights of a model alone, as safetensors."""
    save_file({name: tensor.detach().contiguous() for name, tensor in state.items()}, path)
    path.chmod(0o644)  # it was made private, and a bundle is read by whoever serves it
