"""Features and arrays of made-up items, for the tests of this folder."""

import numpy as np
import torch

from twotower.features.items import Feature
from twotower.towers.config import TowersConfig
from twotower.towers.two_tower import TwoTower

TEXT_WIDTH = 24
FEATURES = (
    Feature("id", "id", 40),
    Feature("text", "text", TEXT_WIDTH),
    Feature("brand", "category", 7),
    Feature("attributes", "bag", 11),
    Feature("price", "number", 1),
)


def random_arrays(n_items, seed=0):
    """[N] items, every feature present on about two thirds of them, the text on all."""
    rng = np.random.default_rng(seed)
    text = rng.normal(size=(n_items, TEXT_WIDTH)).astype(np.float32)
    present = rng.random((n_items, len(FEATURES))) < 0.67
    present[:, 1] = True
    return {
        "id": rng.integers(1, 40, n_items),
        "text": text / np.linalg.norm(text, axis=1, keepdims=True),
        "brand": rng.integers(1, 7, n_items),
        "attributes": rng.integers(0, 11, (n_items, 4)),
        "price": rng.random(n_items, dtype=np.float32),
        "present": present,
    }


def as_tensors(arrays):
    return {name: torch.from_numpy(array) for name, array in arrays.items()}


def towers(*, users=True, queries=True, seed=0, **config):
    """Towers with weights large enough that every part shows."""
    torch.manual_seed(seed)
    shape = TowersConfig(**{"width": 16, "history": 8, "layers": 2, "heads": 2, **config})
    model = TwoTower(shape, FEATURES, text_width=TEXT_WIDTH, with_users=users, with_queries=queries)
    with torch.no_grad():
        for name, weights in model.named_parameters():
            if name != "log_scale":
                weights.add_(torch.randn_like(weights) * 0.2)
    return model.eval()
