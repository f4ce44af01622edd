"""On the made-up shop, where it is known why: the reason named first is the planted one."""

import numpy as np

from twotower.bundle import Bundle
from twotower.features.history import History
from twotower.retrieval.retriever import Retriever

VISITORS, K = 40, 10


def test_the_top_reason_is_the_item_of_the_hits_own_department(tiny_bundle):
    """A visitor looked at one product of each of three departments, in any order."""
    shop = Retriever(Bundle.load(tiny_bundle))
    departments = shop.bundle.dataset.items["category"].str.split(" > ").list.first().to_list()
    names = sorted(set(departments))
    rows = {name: [row for row, one in enumerate(departments) if one == name] for name in names}
    department = dict(zip(shop.bundle.dataset.items["item_id"], departments, strict=True))
    random, right = np.random.default_rng(0), []
    for _ in range(VISITORS):
        chosen = random.permutation(names)[:3]
        history = History.of([int(random.choice(rows[name])) for name in chosen])
        for hit in shop.recommend(history, k=K, explain=True, now_ms=0).hits:
            if department[hit.item_id] in chosen:
                top = hit.reasons[0].item_id
                right.append(department[top] == department[hit.item_id])
    share = float(np.mean(right))
    print(f"top reason right for {share:.1%} of {len(right)} hits; by chance 33 %")  # noqa: T201 - a figure to be read with `pytest -s`
    assert len(right) > VISITORS
    assert share >= 0.8
