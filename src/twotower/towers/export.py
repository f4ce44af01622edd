"""The trained towers written as ONNX, and checked against themselves."""

import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from twotower.errors import BundleError
from twotower.features.history import GAP_BUCKETS, Histories, History, Seen
from twotower.features.items import ItemArrays, id_rows
from twotower.schema import EVENT_KINDS
from twotower.towers.exported import ITEM_FILE, QUERY_FILE, USER_FILE, ExportedTowers
from twotower.towers.two_tower import TwoTower

TOLERANCE = 1e-4
"""Largest difference allowed between a PyTorch vector and the exported one."""

_OPSET = 17
_EVERYTHING = Seen(tuple(range(1, len(EVENT_KINDS) + 1)), tuple(range(GAP_BUCKETS)))


class _ItemInputs(nn.Module):
    """The item tower with its mapping of arrays spread into positional inputs."""

    def __init__(self, model: TwoTower, names: Sequence[str]) -> None:
        super().__init__()
        self.item, self.names = model.item, names

    def forward(self, *arrays: Tensor) -> tuple[Tensor, Tensor]:
        vectors, attention = self.item(dict(zip(self.names, arrays, strict=True)))
        return vectors, attention


def export_towers(
    model: TwoTower, arrays: ItemArrays, folder: Path, seen: Seen | None = None
) -> float:
    """Every tower as an ONNX file, verified on the given items.

    Args:
        model: trained towers.
        arrays: features of some items, at least one; the parity check runs on them.
        folder: where the files go; made if needed.
        seen: kinds and gaps that the user tower met in training; all when left out.

    Returns:
        The largest difference between a PyTorch vector and its exported twin.

    Raises:
        BundleError: the difference is above `TOLERANCE`; the export is not to be used.
    """
    folder.mkdir(parents=True, exist_ok=True)
    model = model.eval()
    _export_item(model, arrays, folder / ITEM_FILE)
    if model.query is not None:
        width = model.query.adapter.map.in_features
        _export(model.query, [torch.zeros(2, width)], {"text": {0: "queries"}}, folder / QUERY_FILE)
    if model.user is not None:
        _export_user(model, folder / USER_FILE, seen or _EVERYTHING)
    worst = parity(model, ExportedTowers(folder), arrays)
    if worst > TOLERANCE:
        raise BundleError(
            f"exported towers must agree with the trained ones to {TOLERANCE}, "
            f"got a difference of {worst:.2g}; do not use {folder}"
        )
    return worst


def parity(model: TwoTower, exported: ExportedTowers, arrays: ItemArrays) -> float:
    """Largest difference of any vector between the trained towers and the exported ones."""
    generator = np.random.default_rng(0)
    with torch.no_grad():
        items, _ = model.item(tensors(arrays))
        exported_items, _ = exported.items(arrays)
        gaps = [_gap(items, exported_items)]
        if model.query is not None:
            width = model.query.adapter.map.in_features
            text = generator.standard_normal((7, width)).astype(np.float32)
            gaps.append(_gap(model.query(torch.from_numpy(text)), exported.queries(text)))
        if model.user is not None:
            gaps.append(_user_gap(model, exported, exported_items, generator, id_rows(arrays)))
    return max(gaps)


def tensors(arrays: Mapping[str, NDArray[np.generic]]) -> dict[str, Tensor]:
    """The same arrays as tensors, without a copy."""
    return {name: torch.from_numpy(array) for name, array in arrays.items()}


def _user_gap(
    model: TwoTower,
    exported: ExportedTowers,
    vectors: NDArray[np.float32],
    generator: np.random.Generator,
    id_N: NDArray[np.int64],
) -> float:
    assert model.user is not None
    n_items = len(vectors)
    lists = [generator.permutation(n_items)[:n].tolist() for n in (0, 1, 3, model.user.max_length)]
    histories = Histories.from_lists([History.of(rows) for rows in lists])
    padded = exported.seen.read(histories.padded(model.user.max_length))
    found = model.user(
        torch.from_numpy(np.asarray(vectors[np.maximum(padded.item_rows, 0)])),
        torch.from_numpy(id_N[np.maximum(padded.item_rows, 0)]),
        torch.from_numpy(padded.kinds),
        torch.from_numpy(padded.gaps),
        torch.from_numpy(padded.lengths),
    )
    return _gap(found, exported.users(vectors, histories, ids=id_N))


def _gap(trained: Tensor, exported: NDArray[np.float32]) -> float:
    return float(np.abs(trained.numpy() - exported).max())


def _export_item(model: TwoTower, arrays: ItemArrays, file: Path) -> None:
    names = [*(feature.name for feature in model.item.features), "present"]
    inputs = [torch.from_numpy(arrays[name][:2]) for name in names]
    _export(
        _ItemInputs(model, names),
        inputs,
        {name: {0: "items"} for name in names},
        file,
        outputs=("vectors", "attention"),
    )


def _export_user(model: TwoTower, file: Path, seen: Seen) -> None:
    assert model.user is not None
    batch, length = 2, 3
    inputs = [
        torch.zeros(batch, length, model.config.width),
        torch.zeros(batch, length, dtype=torch.long),
        torch.ones(batch, length, dtype=torch.long),
        torch.ones(batch, length, dtype=torch.long),
        torch.tensor([1, 3]),
    ]
    both = {0: "visitors", 1: "events"}
    axes = {"items": both, "ids": both, "kinds": both, "gaps": both, "lengths": {0: "visitors"}}
    _export(model.user, inputs, axes, file)
    written = onnx.load(file)
    about = {
        "history_length": str(model.user.max_length),
        "kinds": ",".join(map(str, seen.kinds)),
        "gaps": ",".join(map(str, seen.gaps)),
    }
    onnx.helper.set_model_props(written, about)
    onnx.save(written, file)


def _export(
    module: nn.Module,
    inputs: Sequence[Tensor],
    axes: Mapping[str, Mapping[int, str]],
    file: Path,
    outputs: Sequence[str] = ("vectors",),
) -> None:
    """ONNX with every first axis free; the tracing exporter, which needs no extra package."""
    first = next(iter(axes.values()))[0]
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")  # it warns about its own future, and about tracing
        torch.onnx.export(
            module.eval(),
            tuple(inputs),
            str(file),
            input_names=list(axes),
            output_names=list(outputs),
            dynamic_axes={**axes, **{name: {0: first} for name in outputs}},
            opset_version=_OPSET,
            dynamo=False,
        )
