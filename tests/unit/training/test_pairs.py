"""The classic objectives do what they say, pair by pair, and teach the towers."""

import pytest
import torch
from test_learner import cost, history_batch, learner_of, query_batch

from twotower.schema import PAD
from twotower.training.learner import ItemVectors
from twotower.training.negatives import Candidates
from twotower.training.pairs import MARGIN, PAIR_LOSSES, contrastive_loss, pointwise_loss

ONE = torch.ones(1)
KEPT = torch.ones(1, 2, dtype=torch.bool)


@pytest.mark.parametrize("loss", PAIR_LOSSES.values())
def test_a_better_positive_and_a_worse_negative_cost_less(loss):
    def at(positive, negative):
        return float(loss(torch.tensor([positive]), torch.tensor([[negative, 0.0]]), KEPT, ONE))

    assert at(0.9, 0.7) < at(0.2, 0.7)
    assert at(0.9, 0.6) < at(0.9, 0.95)


@pytest.mark.parametrize("loss", PAIR_LOSSES.values())
def test_a_masked_candidate_costs_nothing_and_teaches_nothing(loss):
    positive, keep = torch.tensor([0.3]), torch.tensor([[True, False]])
    negative = torch.tensor([[0.7, 0.99]], requires_grad=True)

    found = loss(positive, negative, keep, ONE)
    found.backward()

    assert negative.grad[0, 1] == 0
    assert negative.grad[0, 0] > 0
    torch.testing.assert_close(found, loss(positive, negative[:, :1], keep[:, :1], ONE))


@pytest.mark.parametrize("loss", PAIR_LOSSES.values())
def test_without_any_negative_only_the_positive_counts(loss):
    found = loss(torch.tensor([0.3]), torch.tensor([[0.7, 0.9]]), ~KEPT, ONE)

    assert torch.isfinite(found)
    torch.testing.assert_close(
        found, loss(torch.tensor([0.3]), torch.tensor([[-99.0]]), KEPT[:, :1], ONE)
    )


def test_pointwise_is_the_binary_cross_entropy_of_pairs():
    logits = torch.tensor([0.4, -1.2, 2.0])
    expected = torch.nn.functional.binary_cross_entropy(
        logits.sigmoid(), torch.tensor([1.0, 0.0, 0.0]), reduction="none"
    )

    found = pointwise_loss(logits[:1], logits[1:].unsqueeze(0), KEPT, ONE)

    torch.testing.assert_close(found, expected[0] + expected[1:].mean())


def test_contrastive_is_zero_when_all_is_in_place_and_ignores_what_is_far_enough():
    apart = torch.tensor([[MARGIN, -0.9]])
    assert contrastive_loss(ONE, apart, KEPT, ONE) == 0
    assert contrastive_loss(ONE, apart + 0.1, KEPT, ONE) == pytest.approx(0.01 / 2)


@pytest.mark.parametrize("loss", PAIR_LOSSES.values())
def test_weights_count_in_proportion(loss):
    positive, negative = torch.tensor([0.1, 0.8]), torch.tensor([[0.9], [0.2]])
    keep = torch.ones(2, 1, dtype=torch.bool)
    first, second = (loss(positive[n : n + 1], negative[n : n + 1], keep[:1], ONE) for n in (0, 1))

    found = loss(positive, negative, keep, torch.tensor([3.0, 1.0]))

    torch.testing.assert_close(found, (3 * first + second) / 4)


# -- in the learner ------------------------------------------------------------------


@pytest.mark.parametrize("make", [history_batch, query_batch])
@pytest.mark.parametrize("objective", PAIR_LOSSES)
@pytest.mark.parametrize("negatives", ["uniform", "mixed"])
def test_steps_on_a_batch_make_it_cost_less(make, objective, negatives):
    learner = learner_of(objective=objective, negatives=negatives)
    optimizer = torch.optim.AdamW(learner.model.parameters(), lr=1e-2)
    before = cost(learner, make())
    for _ in range(20):
        optimizer.zero_grad()
        cost(learner, make()).backward()
        optimizer.step()
    after = cost(learner, make())
    assert torch.isfinite(after)
    assert after < 0.9 * before


def test_the_contrastive_loss_of_histories_is_of_cosines():
    learner, batch = (
        learner_of(objective="contrastive", negatives="uniform", draws=1),
        history_batch(),
    )
    items = learner.item_vectors()
    states = learner.model.user.states(
        items[batch.item_BL.clamp(min=0)], learner.ids(batch.item_BL), batch.kind_BL, batch.gap_BL
    )
    wanted = batch.target_BS != PAD
    cosine = (states[wanted] * items[batch.target_BS[wanted]]).sum(1)

    least = ((1 - cosine) ** 2).mean()

    assert least <= cost(learner, batch) <= least + (1 - MARGIN) ** 2


@pytest.mark.parametrize("objective", PAIR_LOSSES)
def test_items_known_to_fit_a_query_are_not_pushed_away(objective):
    learner, batch = learner_of(objective=objective, negatives="uniform"), query_batch()
    candidates = Candidates(torch.tensor([1, 2, 7]), torch.zeros(3))
    kept = []

    def pair_loss(positive_P, negative_PC, keep_PC, weight_P):
        kept.extend(keep_PC.tolist())
        return positive_P.sum()

    learner._query_pair_loss(batch, ItemVectors(learner.item_vectors()), candidates, pair_loss)

    of_q, of_r = kept[0], kept[-1]
    assert of_q[:3] == [False, False, True]  # items 1 and 2 fit query q
    assert of_r[:3] == [True, True, True]
    assert sum(of_q[3:]) == sum(of_r[3:]) == 1  # each has one that was judged wrong
