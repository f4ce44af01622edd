"""The softmax without its logits is the softmax, in value and in gradient."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from twotower.training import full_softmax
from twotower.training.full_softmax import full_softmax_loss


def case(seed, positions, n_items, scale=1.0):
    generator = torch.Generator().manual_seed(seed)
    state = torch.randn(positions, 6, generator=generator) * scale
    vectors = torch.randn(n_items, 6, generator=generator)
    target = torch.randint(n_items, (positions,), generator=generator)
    weight = torch.rand(positions, generator=generator) + 0.1
    return state.requires_grad_(), vectors.requires_grad_(), target, weight


def softmax_loss(logit, target, weight):
    loss = torch.nn.functional.cross_entropy(logit, target, reduction="none")
    return (loss * weight).sum() / weight.sum()


def both(seed, *sizes, **options):
    """Loss and gradients of the piecewise loss, and of the plain one in double precision."""
    state, vectors, target, weight = case(seed, *sizes, **options)
    loss = full_softmax_loss(state, vectors, target, weight)
    found = (loss, *torch.autograd.grad(3 * loss, (state, vectors)))
    logit = state.double() @ vectors.double().T
    plain = torch.nn.functional.cross_entropy(logit, target, reduction="none")
    plain = (plain * weight).sum() / weight.sum()
    return found, (plain, *torch.autograd.grad(3 * plain, (state, vectors)))


sizes = st.tuples(st.integers(1, 9), st.integers(1, 12))


@given(st.integers(0, 2**31), sizes)
def test_value_and_gradient_are_those_of_the_softmax(seed, size):
    found, expected = both(seed, *size)
    for one, other in zip(found, expected, strict=True):
        torch.testing.assert_close(one, other.float(), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("at_once", [1, 5, 10, 1000])
def test_the_size_of_the_pieces_changes_nothing(at_once, monkeypatch):
    monkeypatch.setattr(full_softmax, "_LOGITS_AT_ONCE", at_once)
    found, expected = both(1, 7, 5)
    for one, other in zip(found, expected, strict=True):
        torch.testing.assert_close(one, other.float(), rtol=1e-4, atol=1e-5)


@settings(max_examples=30)
@given(st.integers(0, 2**31))
def test_a_target_that_is_all_but_impossible_costs_what_it_should(seed):
    found, expected = both(seed, 6, 9, scale=100.0)
    for one, other in zip(found, expected, strict=True):
        assert torch.isfinite(one).all()
        torch.testing.assert_close(one, other.float(), rtol=1e-4, atol=1e-3)


def test_it_agrees_with_the_loss_that_holds_its_logits():
    state, vectors, target, weight = case(3, 8, 20)
    torch.testing.assert_close(
        full_softmax_loss(state, vectors, target, weight),
        softmax_loss(state @ vectors.T, target, weight),
    )
