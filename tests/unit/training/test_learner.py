"""The learner: what a batch costs, and what learns from it."""

from dataclasses import replace

import numpy as np
import polars as pl
import pytest
import torch

from twotower.features.history import Histories, History
from twotower.features.items import Feature
from twotower.schema import PAD
from twotower.towers.config import TowersConfig
from twotower.towers.two_tower import TwoTower
from twotower.training import learner as learner_module
from twotower.training.config import TrainingConfig
from twotower.training.examples import HistoryBatch, HistoryExamples, QueryBatch, QueryExamples
from twotower.training.learner import Catalogue, Learner
from twotower.training.negatives import InBatch, Uniform

N_ITEMS, TEXT_WIDTH = 30, 12
FEATURES = (Feature("id", "id", N_ITEMS + 1), Feature("text", "text", TEXT_WIDTH))


def learner_of(*, similarity="cosine", draws=400, cold=(), twins=(), **settings):
    torch.manual_seed(0)
    warm = torch.ones(N_ITEMS, dtype=torch.bool)
    warm[list(cold)] = False
    towers = TowersConfig(
        width=16, history=6, layers=1, heads=2, dropout=0, id_dropout=0, similarity=similarity
    )
    model = TwoTower(towers, FEATURES, text_width=TEXT_WIDTH, with_users=True, with_queries=True)
    arrays = {
        "id": torch.arange(1, N_ITEMS + 1),
        "text": torch.nn.functional.normalize(torch.randn(N_ITEMS, TEXT_WIDTH)),
        "present": torch.ones(N_ITEMS, 2, dtype=torch.bool),
    }
    counts = torch.ones(N_ITEMS, dtype=torch.long)
    sources = [InBatch(counts), Uniform(N_ITEMS, draws)]
    both = {HistoryBatch: sources, QueryBatch: sources}
    groups = torch.arange(N_ITEMS)
    for first, other in twins:
        groups[other] = first
    return Learner(model, Catalogue(arrays, warm, groups), TrainingConfig(**settings), both)


def softmax_loss(logit, positive, weight):
    loss = torch.nn.functional.cross_entropy(logit.float(), positive, reduction="none")
    return (loss * weight).sum() / weight.sum()


def single_events():
    """Visitors with one event: no other positive that one way masks and the other keeps."""
    return history_batch(sizes=(1, 1, 1, 1))


def history_batch(sizes=(1, 3, 6, 2)):
    rng = np.random.default_rng(0)
    made = [History.of(rng.permutation(N_ITEMS)[:size]) for size in sizes]
    examples = HistoryExamples(
        Histories.from_lists(made),
        kind_weights={},
        max_length=6,
        batch_histories=4,
        batch_events=1000,
    )
    return examples.epoch(np.random.default_rng(0))(0)


def query_batch():
    table = pl.DataFrame(
        {
            "query": ["q", "q", "q", "r", "r"],
            "item_row": [1, 2, 3, 4, 5],
            "gain": [1.0, 1.0, 0.0, 1.0, 0.1],
            "positive": [True, True, False, True, False],
        }
    )
    rng = np.random.default_rng(0)
    vectors = {name: rng.normal(size=TEXT_WIDTH).astype(np.float32) for name in ("q", "r")}
    return QueryExamples(table, vectors, max_judged=9, batch_size=2).epoch(
        np.random.default_rng(0)
    )(0)


def cost(learner, batch, seed=0):
    return learner(batch, torch.Generator().manual_seed(seed))


def test_the_cost_of_histories_is_the_softmax_over_the_whole_catalogue():
    learner, batch = learner_of(), history_batch()
    items = learner.item_vectors()
    states = learner.model.user.states(
        items[batch.item_BL.clamp(min=0)], learner.ids(batch.item_BL), batch.kind_BL, batch.gap_BL
    )
    wanted = batch.target_BS != PAD
    logits = states[wanted] @ items.T * learner.model.scale()
    expected = softmax_loss(logits, batch.target_BS[wanted], batch.weight_BS[wanted])
    torch.testing.assert_close(cost(learner, batch), expected)


@pytest.mark.parametrize("make", [history_batch, query_batch])
@pytest.mark.parametrize("similarity", ["cosine", "dot"])
@pytest.mark.parametrize("negatives", ["all", "uniform", "mixed"])
def test_every_trainable_part_that_a_batch_uses_learns_from_it(make, similarity, negatives):
    learner = learner_of(similarity=similarity, negatives=negatives, listwise_weight=0.5)
    loss = cost(learner, make())
    loss.backward()
    assert torch.isfinite(loss)
    gradients = {
        name: parameter.grad
        for name, parameter in learner.model.named_parameters()
        if parameter.requires_grad
    }
    other = "user." if make is query_batch else "query."
    for name, gradient in gradients.items():
        if not name.startswith(other):
            assert gradient is not None, name
            assert torch.isfinite(gradient).all(), name
    assert gradients["item.embeddings.id.table.weight"].abs().max() > 0


@pytest.mark.parametrize("make", [single_events, query_batch])
def test_many_draws_cost_nearly_what_all_items_cost(make):
    batch = make()
    full = cost(learner_of(), batch).item()
    few = np.mean(
        [cost(learner_of(negatives="mixed", draws=10), batch, s).item() for s in range(5)]
    )
    many = cost(learner_of(negatives="mixed", draws=20_000), batch).item()
    assert many == pytest.approx(full, rel=0.12)
    assert abs(many - few) > 1e-4


def test_a_querys_other_positives_are_not_its_negatives():
    learner, batch = learner_of(), query_batch()
    with torch.no_grad():
        items = learner.item_vectors()
        queries = learner.model.query(batch.text_BW) * learner.model.scale()
        logits = queries @ items.T
    expected = []
    for row, positives in ((0, [1, 2]), (1, [4])):
        negatives = [item for item in range(N_ITEMS) if item not in positives]
        costs = [
            torch.logsumexp(logits[row, [one, *negatives]], 0) - logits[row, one]
            for one in positives
        ]
        expected.append(torch.stack(costs).mean())
    torch.testing.assert_close(cost(learner, batch).detach(), torch.stack(expected).mean())


def test_queries_in_pieces_cost_and_learn_the_same_as_all_at_once(monkeypatch):
    found = []
    for at_once in (2**23, N_ITEMS):  # all rows, or one
        monkeypatch.setattr(learner_module, "_LOGITS_AT_ONCE", at_once)
        learner = learner_of(listwise_weight=0.5)
        loss = cost(learner, query_batch())
        loss.backward()
        found.append([loss, *(p.grad for p in learner.model.parameters() if p.grad is not None)])
    assert len(found[0]) > 5
    for whole, pieces in zip(*found, strict=True):
        torch.testing.assert_close(pieces, whole)


def test_the_graded_term_adds_what_it_weighs():
    batch = query_batch()
    plain, half, whole = (
        cost(learner_of(listwise_weight=weight), batch) for weight in (0.0, 0.5, 1.0)
    )
    assert half > plain
    torch.testing.assert_close(whole - plain, 2 * (half - plain))


def test_draws_depend_on_the_generator_alone():
    learner, batch = learner_of(negatives="mixed", draws=20), history_batch()
    assert cost(learner, batch, 1).item() == cost(learner, batch, 1).item()
    assert cost(learner, batch, 1).item() != cost(learner, batch, 2).item()


def test_useless_towers_cost_the_log_of_the_catalogue():
    learner = learner_of(similarity="dot")
    with torch.no_grad():
        for parameter in learner.model.parameters():
            parameter.zero_()
    assert cost(learner, history_batch()).item() == pytest.approx(np.log(N_ITEMS), abs=1e-5)


def test_features_of_the_catalogue_are_no_weights():
    assert all(name.startswith("model.") for name in learner_of().state_dict())


@pytest.mark.parametrize("negatives", ["all", "uniform", "mixed"])
def test_an_item_without_a_past_is_no_negative_of_histories(negatives):
    batch = history_batch()
    cold = sorted(set(range(N_ITEMS)) - set(batch.target_BS.flatten().tolist()))
    learner = learner_of(negatives=negatives, cold=cold)

    learner(batch, torch.Generator().manual_seed(0)).backward()

    slopes = learner.model.item.embeddings["id"].table.weight.grad
    assert cold
    assert torch.count_nonzero(slopes[torch.tensor(cold) + 1]) == 0
    assert torch.count_nonzero(slopes) > 0


def alone(batch):
    """The first row of a batch, so that nobody else's negatives are in it."""
    return replace(batch, **{name: value[:1] for name, value in vars(batch).items()})


def learns(learner, batch):
    """[N] whether the item's own weights change with this batch."""
    learner(batch, torch.Generator().manual_seed(0)).backward()
    slopes = learner.model.item.embeddings["id"].table.weight.grad
    return slopes[1:].abs().sum(1) > 0


@pytest.mark.parametrize("negatives", ["all", "mixed"])
def test_an_item_with_the_text_of_a_querys_positive_is_not_its_negative(negatives):
    batch = alone(query_batch())  # positives 1 and 2; 3 was judged, and wrong
    apart = learns(learner_of(negatives=negatives), batch)
    assert apart.all()
    same = learns(learner_of(negatives=negatives, twins=[(1, 3), (1, 10), (2, 11)]), batch)
    assert np.flatnonzero(~same).tolist() == [3, 10, 11]


def test_an_item_with_the_text_of_a_visitors_target_is_not_drawn_against_them():
    batch = alone(history_batch())
    target = int(batch.target_BS[batch.target_BS != PAD][0])
    twin = (target + 1) % N_ITEMS
    first, other = sorted((target, twin))
    assert learns(learner_of(negatives="mixed"), batch)[twin]
    assert not learns(learner_of(negatives="mixed", twins=[(first, other)]), batch)[twin]
