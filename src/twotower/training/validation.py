"""How good the towers are while they learn, on the validation cases of each task."""

import numpy as np
import torch
from numpy.typing import NDArray

from twotower.evaluation.protocol import evaluate
from twotower.evaluation.vectors import vector_scorer
from twotower.features.history import Histories
from twotower.training.learner import Learner
from twotower.training.loop import MONITOR, Validate
from twotower.training.material import Material


def validation_of(learner: Learner, material: Material) -> Validate:
    """NDCG@10 and recall@10 of each task on its validation cases, and the mean that decides."""

    def validate() -> dict[str, float]:
        items = learner.item_vectors()
        found: dict[str, float] = {}
        for task, cases in material.validation.items():
            asked = case_vectors(learner, material, task, items)
            measured = evaluate(cases, vector_scorer(asked, items.cpu().numpy()))
            found |= {f"{task}_{name}": measured.mean(name) for name in (MONITOR, "recall@10")}
        decisive = [found[f"{task}_{MONITOR}"] for task in material.validation]
        return {MONITOR: float(np.mean(decisive or [0.0])), **found}

    return validate


def case_vectors(
    learner: Learner, material: Material, task: str, items: torch.Tensor
) -> NDArray[np.float32]:
    """[C, D] what the validation cases of a task ask with; `items` are [N, D] as they are now."""
    cases, model = material.validation[task], learner.model
    if task == "search":
        assert model.query is not None
        text = np.stack([material.query_vectors[query] for query in cases.keys])
        vectors: NDArray[np.float32] = (
            model.query(torch.from_numpy(text).to(items.device)).cpu().numpy()
        )
        return vectors
    assert cases.histories is not None
    everyone = cases.histories.collapsed()
    parts = [
        _user_vectors(learner, items, everyone.take(users), cases.now_ms[users])
        for users in np.array_split(np.arange(len(everyone)), -(-len(everyone) // 512))
    ]
    return np.concatenate(parts)


def _user_vectors(
    learner: Learner, items: torch.Tensor, histories: Histories, now_ms: NDArray[np.int64]
) -> NDArray[np.float32]:
    user = learner.model.user
    assert user is not None
    padded = histories.padded(user.max_length, now_ms)
    rows, kinds, gaps, lengths = (
        torch.from_numpy(array).to(items.device)
        for array in (padded.item_rows, padded.kinds, padded.gaps, padded.lengths)
    )
    past = items[rows.clamp(min=0)]
    vectors: NDArray[np.float32] = user(past, learner.ids(rows), kinds, gaps, lengths).cpu().numpy()
    return vectors
