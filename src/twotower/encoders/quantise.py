"""A sentence-transformers model with its weights in 8 bits; needs the `train` extra."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import numpy as np

from twotower.encoders import int8
from twotower.encoders.packed import PackedTextEncoder

_LEAST_COSINE: Final = 0.99
"""Between vectors in 8 bits and in full precision, in the mean; below it a model stays as it is."""
_TEXTS: Final = (
    "red sofa",
    "Rain shower head, brushed nickel, 2.5 gpm",
    "wd-40 multi-use product 12 oz",
    "Kabellose Bohrmaschine 18 V mit zwei Akkus",
    "Women's waterproof hiking boots, size 38",
    "The Professional - Widescreen Edition - DVD",
    "usb c cable 3 ft",
    "Anti-ageing night cream with retinol and vitamin E for dry and sensitive skin",
)
_MODULES: Final = ("Transformer", "Pooling", "Normalize")


def quantises(model: Any) -> bool:
    """Whether this machine and the model's parts allow 8 bits; the architecture may still not.

    Cores without AVX2 stay with full precision: nobody has measured them.
    """
    modules = list(model)
    names = [type(module).__name__ for module in modules]
    is_plain = len(names) >= 2 and names == list(_MODULES[: len(names)])
    return is_plain and _is_mean(modules[1]) and "avx2" in int8.cpu_flags()


def write_int8(model: Any, folder: Path) -> bool:
    """Writes the weights for `encoders.int8`; False where CTranslate2 has no such architecture."""
    from ctranslate2.converters import TransformersConverter

    with TemporaryDirectory() as place, _without_bars():
        plain, made = Path(place) / "plain", Path(place) / "int8"
        model[0].auto_model.save_pretrained(plain)
        model.tokenizer.save_pretrained(plain)
        try:
            TransformersConverter(str(plain)).convert(str(made), quantization="int8")
        except (ValueError, AttributeError, KeyError, AssertionError):
            return False
        for name in int8.FILES:
            if not (made / name).is_file():
                return False
            shutil.copyfile(made / name, folder / name)
    return True


def agrees(folder: Path, model: Any) -> bool:
    """Whether the vectors of the folder's encoder are nearly those of the original."""
    expected = model.encode(list(_TEXTS), normalize_embeddings=True, show_progress_bar=False)
    found = PackedTextEncoder(folder).encode(_TEXTS)
    return bool(np.mean(np.sum(found * expected, axis=1)) >= _LEAST_COSINE)


@contextmanager
def _without_bars() -> Iterator[None]:
    """For writing a model and for reading it again, transformers draws one each."""
    from transformers.utils import logging

    was_enabled = logging.is_progress_bar_enabled()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        if was_enabled:
            logging.enable_progress_bar()


def _is_mean(pooling: Any) -> bool:
    mode = getattr(pooling, "pooling_mode", None)  # one, or several side by side
    return mode == "mean" or (isinstance(mode, list | tuple) and list(mode) == ["mean"])
