"""Laws of the losses: what masking, correcting and weighting do to the result."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn.functional import cross_entropy

from twotower.training.loss import listwise_loss, negatives_logsumexp, retrieval_loss
from twotower.training.negatives import InBatch, Uniform, draw_candidates, keep_mask

sizes = st.tuples(st.integers(1, 5), st.integers(1, 8))
seeds = st.integers(0, 2**31)


def softmax_loss(logit, positive, weight):
    loss = cross_entropy(logit.float(), positive, reduction="none")
    return (loss * weight).sum() / weight.sum()


def random_case(seed, rows, candidates):
    """Logits of the positives and candidates, a mask, log counts and weights."""
    generator = torch.Generator().manual_seed(seed)
    return (
        torch.randn(rows, generator=generator) * 3,
        torch.randn(rows, candidates, generator=generator) * 3,
        torch.rand(rows, candidates, generator=generator) < 0.7,
        torch.randn(candidates, generator=generator),
        torch.rand(rows, generator=generator) + 0.1,
    )


@given(sizes, seeds, st.floats(-50, 50))
def test_a_masked_negative_has_probability_zero(size, seed, any_logit):
    positive, negative, keep, count, weight = random_case(seed, *size)
    keep[:, 0] = False
    loss = retrieval_loss(positive, negative, keep, count, weight)
    without = retrieval_loss(positive, negative[:, 1:], keep[:, 1:], count[1:], weight)
    torch.testing.assert_close(loss, without, rtol=0, atol=1e-6)
    negative[:, 0] = any_logit
    changed = retrieval_loss(positive, negative, keep, count, weight)
    assert changed.item() == loss.item()


@given(sizes, seeds)
def test_a_masked_negative_gets_no_gradient_and_a_kept_one_gets_some(size, seed):
    positive, negative, keep, count, weight = random_case(seed, *size)
    negative.requires_grad_()
    retrieval_loss(positive, negative, keep, count, weight).backward()
    assert torch.equal(negative.grad[~keep], torch.zeros_like(negative.grad[~keep]))
    assert (negative.grad[keep] > 0).all()


@given(sizes, seeds)
def test_a_row_with_every_negative_masked_costs_nothing_and_has_a_finite_gradient(size, seed):
    positive, negative, keep, count, weight = random_case(seed, *size)
    positive.requires_grad_()
    negative.requires_grad_()
    loss = retrieval_loss(positive, negative, torch.zeros_like(keep), count, weight)
    loss.backward()
    assert loss.item() == 0
    assert torch.equal(positive.grad, torch.zeros_like(positive))
    assert torch.equal(negative.grad, torch.zeros_like(negative))


@given(sizes, seeds, st.sampled_from([0.01, 0.05, 1.0, 7.0]))
def test_the_correction_does_not_depend_on_the_temperature(size, seed, temperature):
    """Doubling the expected count of a candidate halves its share, at any temperature."""
    _, score, keep, count, _ = random_case(seed, *size)
    logit = score / temperature
    doubled = negatives_logsumexp(logit, keep, count + math.log(2))
    plain = negatives_logsumexp(logit, keep, count)
    torch.testing.assert_close(
        plain - doubled,
        torch.where(keep.any(1), math.log(2), math.nan),
        equal_nan=True,
        rtol=0,
        atol=1e-4,
    )


@given(sizes, seeds, st.floats(-2, 2))
def test_counts_that_are_all_larger_shrink_the_negatives_but_never_the_positive(size, seed, shift):
    """The positive is not corrected: exp(loss) - 1 is the negatives' sum over the positive's."""
    positive, negative, keep, count, _ = random_case(seed, *size)
    alone = torch.ones(1)
    for row in range(len(positive)):
        part = slice(row, row + 1)
        loss, shifted = (
            retrieval_loss(positive[part], negative[part], keep[part], counts, alone)
            for counts in (count, count + shift)
        )
        expected = torch.log1p(torch.expm1(loss.double()) * math.exp(-shift))
        torch.testing.assert_close(shifted.double(), expected, rtol=1e-3, atol=1e-5)


@given(sizes, seeds)
def test_one_uniform_draw_of_each_item_is_the_full_softmax(size, seed):
    rows, n_items = size[0], size[1] + 1
    generator = torch.Generator().manual_seed(seed)
    logit = torch.randn(rows, n_items, generator=generator) * 3
    target = torch.randint(n_items, (rows,), generator=generator)
    weight = torch.rand(rows, generator=generator) + 0.1
    every_item = torch.arange(n_items)
    count = Uniform(n_items, n_items).expected(every_item, rows).log()
    sampled = retrieval_loss(
        logit.gather(1, target[:, None]).squeeze(1),
        logit,
        keep_mask(every_item, target[:, None]),
        count,
        weight,
    )
    torch.testing.assert_close(sampled, softmax_loss(logit, target, weight), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("mixed", [False, True], ids=["uniform", "in-batch and uniform"])
def test_the_sampled_loss_tends_to_the_full_softmax_as_draws_grow(mixed):
    n_items, rows = 60, 64
    rng = np.random.default_rng(3)
    popularity = torch.from_numpy(rng.zipf(1.6, n_items).clip(max=500))
    logit_N = torch.from_numpy(rng.normal(size=n_items).astype(np.float32)) * 2
    shares = popularity / popularity.sum()

    def gap(n_draws, repeats):
        generator = torch.Generator().manual_seed(n_draws)
        found = []
        for _ in range(repeats):
            target = torch.multinomial(shares, rows, replacement=True, generator=generator)
            sources = [Uniform(n_items, n_draws)] + [InBatch(popularity)] * mixed
            drawn = draw_candidates(sources, target, generator)
            if mixed:  # a larger batch is more in-batch draws
                more = torch.multinomial(shares, n_draws, replacement=True, generator=generator)
                drawn = draw_candidates(sources, torch.cat([target, more]), generator)
            negative = logit_N[drawn.row_C].expand(rows, -1)
            keep = keep_mask(drawn.row_C, target[:, None])
            weight = torch.ones(rows)
            sampled = retrieval_loss(logit_N[target], negative, keep, drawn.log_count_C, weight)
            full = softmax_loss(logit_N.expand(rows, -1), target, weight)
            found.append((sampled - full).item())
        return float(np.mean(np.abs(found))), float(np.mean(found))

    few, _ = gap(30, 40)
    many, bias = gap(20_000, 10)
    assert many < few / 5
    assert abs(bias) < 0.01


@given(st.integers(1, 6), st.integers(2, 40), st.floats(-5, 5))
def test_useless_logits_cost_the_log_of_the_number_of_items(rows, n_items, any_logit):
    logit = torch.full((rows, n_items), any_logit)
    target = torch.zeros(rows, dtype=torch.long)
    loss = softmax_loss(logit, target, torch.ones(rows))
    assert loss.item() == pytest.approx(math.log(n_items), abs=1e-4)


@given(sizes, seeds)
def test_the_order_of_rows_and_candidates_does_not_matter(size, seed):
    positive, negative, keep, count, weight = random_case(seed, *size)
    rows, columns = torch.randperm(size[0]), torch.randperm(size[1])
    torch.testing.assert_close(
        retrieval_loss(positive, negative, keep, count, weight),
        retrieval_loss(
            positive[rows],
            negative[rows][:, columns],
            keep[rows][:, columns],
            count[columns],
            weight[rows],
        ),
        rtol=1e-4,
        atol=1e-5,
    )


@given(sizes, seeds, st.floats(-80, 80))
def test_a_row_of_weight_zero_changes_nothing_and_gets_no_gradient(size, seed, any_logit):
    positive, negative, keep, count, weight = random_case(seed, *size)
    padded = torch.cat([positive, torch.tensor([any_logit])]).requires_grad_()
    loss = retrieval_loss(
        padded,
        torch.cat([negative, torch.full((1, size[1]), any_logit)]),
        torch.cat([keep, torch.ones(1, size[1], dtype=torch.bool)]),
        count,
        torch.cat([weight, torch.zeros(1)]),
    )
    loss.backward()
    plain = retrieval_loss(positive, negative, keep, count, weight)
    torch.testing.assert_close(loss, plain, rtol=1e-5, atol=1e-6)
    assert padded.grad[-1].item() == 0


@given(seeds, st.floats(0.5, 5))
def test_the_graded_loss_is_zero_when_logits_agree_with_gains_and_only_then(seed, sharpness):
    generator = torch.Generator().manual_seed(seed)
    gain = torch.rand(3, 5, generator=generator)
    judged = torch.rand(3, 5, generator=generator) < 0.6
    judged[:, :2] = True
    agreeing = sharpness * gain + torch.randn(3, 1, generator=generator)
    assert listwise_loss(agreeing, gain, judged, sharpness).item() == pytest.approx(0, abs=1e-6)
    swapped = agreeing.clone()
    swapped[:, 0] += 1.0
    assert listwise_loss(swapped, gain, judged, sharpness).item() > 1e-4


@given(seeds)
def test_the_graded_loss_ignores_what_was_not_judged_and_its_gradient_is_finite(seed):
    generator = torch.Generator().manual_seed(seed)
    logit = torch.randn(4, 6, generator=generator).requires_grad_()
    gain = torch.rand(4, 6, generator=generator)
    judged = torch.rand(4, 6, generator=generator) < 0.5
    judged[:, 0] = True
    judged[0, 1:] = False  # a query with one judged item
    loss = listwise_loss(logit, gain, judged, 2.0)
    loss.backward()
    assert torch.isfinite(logit.grad).all()
    assert torch.equal(logit.grad[~judged], torch.zeros_like(logit.grad[~judged]))
    other = torch.where(judged, logit.detach(), 99.0)
    assert listwise_loss(other, gain, judged, 2.0).item() == pytest.approx(loss.item(), abs=1e-6)


@settings(max_examples=20)
@given(seeds)
def test_losses_are_computed_in_single_precision_whatever_the_logits_are(seed):
    positive, negative, keep, count, weight = random_case(seed, 4, 200)
    half = retrieval_loss(positive.bfloat16(), negative.bfloat16(), keep, count, weight)
    same = retrieval_loss(
        positive.bfloat16().float(), negative.bfloat16().float(), keep, count, weight
    )
    assert half.dtype == torch.float32
    assert half.item() == same.item()


def test_the_loss_is_the_cross_entropy_of_its_formula():
    positive, negative, keep, count, weight = random_case(1, 5, 7)
    by_hand = []
    for row in range(5):
        corrected = (negative[row] - count)[keep[row]]
        both = torch.cat([positive[row : row + 1], corrected])
        by_hand.append(cross_entropy(both[None], torch.tensor([0])))
    expected = (torch.stack(by_hand) * weight).sum() / weight.sum()
    torch.testing.assert_close(retrieval_loss(positive, negative, keep, count, weight), expected)
