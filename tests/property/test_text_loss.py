"""Laws of the fine-tuning loss: what is masked teaches nothing, what is wrong is pushed away."""

import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.nn.functional import normalize

from twotower.schema import PAD
from twotower.training.fine_tuning.batches import TextBatch
from twotower.training.fine_tuning.config import FineTuningConfig
from twotower.training.fine_tuning.loss import text_loss

WIDTH = 4
SOFTMAX = FineTuningConfig(epochs=1, listwise_weight=0.0)


def drawn(seed, n_questions, n_items):
    """Vectors, and a batch in which question b wants item b and others are wrong or masked."""
    torch.manual_seed(seed)
    query = normalize(torch.randn(n_questions, WIDTH), dim=-1)
    item = normalize(torch.randn(n_items, WIDTH), dim=-1)
    place = torch.stack([torch.arange(n_questions), torch.randint(PAD, n_items, (n_questions,))], 1)
    wrong = torch.rand(n_questions, n_items) < 0.6
    wrong[torch.arange(n_questions), torch.arange(n_questions)] = False
    positive = torch.tensor([[True, False]]).expand(n_questions, 2)
    gain = torch.tensor([[3.0, 0.5]]).expand(n_questions, 2)
    texts = [str(n) for n in range(n_items)]
    return query, item, TextBatch(texts[:n_questions], texts, place, gain, positive, wrong)


shapes = st.tuples(st.integers(0, 999), st.integers(1, 5), st.integers(5, 12))


@given(shapes)
def test_an_item_that_is_no_negative_of_any_question_moves_nothing(shape):
    query, item, batch = drawn(*shape)
    batch.wrong_BR[:, -1] = False
    batch.place_BJ[:, 1] = PAD
    item.requires_grad_()
    text_loss(query, item, batch, SOFTMAX).backward()
    if len(query) < len(item):  # the last item is no positive
        assert item.grad[-1].abs().sum() == 0
    assert torch.isfinite(item.grad).all()


@given(shapes)
def test_a_step_along_the_slope_brings_positives_nearer_than_wrong_items(shape):
    query, item, batch = drawn(*shape)
    query.requires_grad_()
    loss = text_loss(query, item, batch, FineTuningConfig(epochs=1))
    loss.backward()
    after = text_loss((query - 1e-4 * query.grad).detach(), item, batch, FineTuningConfig(epochs=1))
    assert after <= loss + 1e-6


@given(shapes)
def test_the_order_of_the_items_makes_no_difference(shape):
    query, item, batch = drawn(*shape)
    order = torch.randperm(len(item))
    back = torch.argsort(order)
    place = torch.where(batch.place_BJ == PAD, PAD, back[batch.place_BJ.clamp(min=0)])
    other = TextBatch(
        batch.queries,
        [batch.items[place] for place in order],
        place,
        batch.gain_BJ,
        batch.positive_BJ,
        batch.wrong_BR[:, order],
    )
    torch.testing.assert_close(
        text_loss(query, item, batch, FineTuningConfig(epochs=1)),
        text_loss(query, item[order], other, FineTuningConfig(epochs=1)),
    )


@given(shapes)
def test_useless_vectors_cost_the_logarithm_of_the_choices(shape):
    query, item, batch = drawn(*shape)
    found = text_loss(torch.zeros_like(query), item, batch, SOFTMAX)
    choices = (batch.wrong_BR.sum(1) + 1).log()
    torch.testing.assert_close(found, choices.mean())
