"""The user tower: the past only, and nothing after the end."""

import pytest
import torch
from catalogue_arrays import towers

BATCH, LENGTH, WIDTH = 3, 6, 16


@pytest.fixture(params=["cosine", "dot"])
def tower(request):
    return towers(similarity=request.param, history_ids=True).user


def history(seed=0):
    generator = torch.Generator().manual_seed(seed)
    return (
        torch.randn(BATCH, LENGTH, WIDTH, generator=generator),
        torch.randint(0, 40, (BATCH, LENGTH), generator=generator),
        torch.randint(1, 5, (BATCH, LENGTH), generator=generator),
        torch.randint(0, 24, (BATCH, LENGTH), generator=generator),
    )


@pytest.mark.parametrize("place", range(LENGTH))
def test_a_later_event_never_changes_an_earlier_state(tower, place):
    before = tower.states(*history(0))
    changed = [part.clone() for part in history(0)]
    for part, other in zip(changed, history(1), strict=True):
        part[:, place:] = other[:, place:]
    after = tower.states(*changed)
    torch.testing.assert_close(after[:, : place + 1], before[:, : place + 1], rtol=0, atol=1e-6)
    assert (after[:, place + 1 :] - before[:, place + 1 :]).abs().max() > 1e-3


def test_what_comes_after_the_end_of_a_history_is_not_seen(tower):
    lengths = torch.tensor([0, 2, 6])
    before = tower(*history(0), lengths)
    noisy = [part.clone() for part in history(0)]
    for part, other in zip(noisy, history(1), strict=True):
        for row, length in enumerate(lengths.tolist()):
            part[row, length:] = other[row, length:]
    torch.testing.assert_close(tower(*noisy, lengths), before, rtol=0, atol=1e-6)


def test_a_visitor_has_the_state_after_their_last_event(tower):
    states = tower.states(*history())
    for length in range(LENGTH + 1):
        found = tower(*history(), torch.full((BATCH,), length))
        torch.testing.assert_close(found, states[:, length], rtol=0, atol=0)


def test_everyone_without_events_is_at_the_start_state(tower):
    found = tower(*history(), torch.zeros(BATCH, dtype=torch.long))
    torch.testing.assert_close(found[1:], found[:-1])
    assert torch.isfinite(found).all()


def test_order_id_kind_and_time_of_events_matter(tower):
    items, ids, kinds, gaps = history()
    everything = torch.full((BATCH,), LENGTH)
    before = tower(items, ids, kinds, gaps, everything)
    for other in (
        (items.flip(1), ids, kinds, gaps),
        (items, ids % 39 + 1, kinds, gaps),
        (items, ids, kinds % 4 + 1, gaps),
        (items, ids, kinds, (gaps + 5) % 24),
    ):
        assert (tower(*other, everything) - before).abs().max() > 1e-3


def test_visitors_do_not_see_each_other(tower):
    lengths = torch.tensor([1, 3, 6])
    together = tower(*history(), lengths)
    for row in range(BATCH):
        alone = tower(*(part[row : row + 1] for part in history()), lengths[row : row + 1])
        torch.testing.assert_close(alone[0], together[row], rtol=0, atol=1e-5)


def test_dropout_is_for_training_only():
    tower = towers(dropout=0.5, history_ids=True).user
    everything = torch.full((BATCH,), LENGTH)
    assert torch.equal(tower(*history(), everything), tower(*history(), everything))
    tower.train()
    assert not torch.equal(tower(*history(), everything), tower(*history(), everything))


def test_an_unknown_id_adds_nothing_and_never_will():
    tower = towers(history_ids=True).user
    with torch.no_grad():
        tower.id.weight[0] = 0
    plain = towers().user
    plain.load_state_dict({k: v for k, v in tower.state_dict().items() if k != "id.weight"})
    items, ids, kinds, gaps = history()
    unknown = torch.zeros_like(ids)
    torch.testing.assert_close(
        tower.states(items, unknown, kinds, gaps), plain.states(items, ids, kinds, gaps)
    )
    tower.states(items, unknown, kinds, gaps).sum().backward()
    assert (tower.id.weight.grad == 0).all()
