"""The causal block: what is near counts more at the start, and only by its distance."""

import torch

from twotower.towers.layers import CausalBlock, is_table

WIDTH, LENGTH = 8, 6


def block(heads=2):
    torch.manual_seed(0)
    return CausalBlock(WIDTH, heads, 0.0, LENGTH).eval()


def attention(of):
    """[heads, length, length] attention over events that are all alike."""
    return of._bias(LENGTH).softmax(-1)


def test_at_the_start_an_event_counts_less_the_longer_ago_it_was():
    found = attention(block())
    last = found[:, -1]
    assert (last.diff(dim=-1) > 0).all()
    assert (found.triu(1) == 0).all()


def test_heads_look_back_at_paces_of_their_own():
    last = attention(block(heads=4))[:, -1]
    assert (last[:, -1].diff() < 0).all()


def test_the_bias_depends_on_distance_alone():
    bias = block()._bias(LENGTH)
    for distance in range(LENGTH):
        diagonal = bias.diagonal(-distance, 1, 2)
        assert torch.equal(diagonal, diagonal[:, :1].expand_as(diagonal))


def test_a_learned_distance_changes_what_is_attended_to():
    changed, events = block(), torch.randn(1, LENGTH, WIDTH)
    before = changed(events)
    with torch.no_grad():
        changed.distance.weight[2] += 5
    difference = (changed(events) - before).abs().amax((0, 2))
    assert (difference[:2] == 0).all()
    assert (difference[2:] > 1e-4).all()


def test_the_bias_is_not_decayed():
    assert is_table(block().distance)
