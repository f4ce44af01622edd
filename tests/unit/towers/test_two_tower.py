"""The whole model: its shape, and where its text adapters start."""

import math

import pytest
import torch
from catalogue_arrays import TEXT_WIDTH, towers

from twotower.errors import ConfigError
from twotower.towers.config import TowersConfig
from twotower.towers.two_tower import MAX_SCALE


def text(n_items=200, rank=TEXT_WIDTH, seed=0):
    generator = torch.Generator().manual_seed(seed)
    spread = torch.randn(n_items, rank, generator=generator) * torch.linspace(2, 0.3, rank)
    rotation, _ = torch.linalg.qr(torch.randn(TEXT_WIDTH, TEXT_WIDTH, generator=generator))
    return torch.nn.functional.normalize(spread @ rotation[:rank], dim=1)


def cosines(vectors):
    unit = torch.nn.functional.normalize(vectors, dim=1)
    return unit @ unit.T


@pytest.mark.parametrize("width", [TEXT_WIDTH, TEXT_WIDTH + 8])
def test_adapters_as_wide_as_the_text_keep_every_cosine(width):
    model = towers(width=width)
    model.start_from_text(text())
    for adapter in (model.query.adapter, model.item.embeddings["text"]):
        torch.testing.assert_close(cosines(adapter(text())), cosines(text()), rtol=0, atol=1e-5)


def test_narrower_adapters_keep_what_they_can():
    model = towers(width=16)
    model.start_from_text(text())
    other = torch.randn(TEXT_WIDTH, 16, generator=torch.Generator().manual_seed(3))
    kept, at_random = (
        (cosines(vectors) - cosines(text())).abs().mean()
        for vectors in (model.query.adapter(text()), text() @ other)
    )
    assert kept < 0.06
    assert kept < at_random / 3


def test_narrower_adapters_keep_everything_of_texts_that_span_no_more():
    model = towers(width=16)
    model.start_from_text(text(rank=12))
    found = model.query.adapter(text(rank=12))
    torch.testing.assert_close(cosines(found), cosines(text(rank=12)), rtol=0, atol=1e-4)


def test_queries_and_items_start_in_the_same_space():
    model = towers(width=16)
    model.start_from_text(text())
    one = text()[:5]
    torch.testing.assert_close(model.query.adapter(one), model.item.embeddings["text"](one))


def test_items_without_a_text_do_not_pull_the_start():
    model, same = towers(width=16), towers(width=16)
    model.start_from_text(torch.cat([text(), torch.zeros(50, TEXT_WIDTH)]))
    same.start_from_text(text())
    torch.testing.assert_close(model.query.adapter.map.weight, same.query.adapter.map.weight)


def test_the_scale_is_one_over_the_temperature_and_bounded():
    model = towers(temperature=0.05)
    assert model.scale().item() == pytest.approx(20, rel=1e-5)
    with torch.no_grad():
        model.log_scale.fill_(math.log(1e6))
    assert model.scale().item() == MAX_SCALE


def test_the_temperature_is_learned_with_cosine_and_absent_with_dot():
    assert towers().log_scale.requires_grad
    dot = towers(similarity="dot")
    assert dot.scale().item() == 1
    assert not dot.log_scale.requires_grad


def test_there_is_a_tower_only_where_there_is_something_to_learn_from():
    bare = towers(users=False, queries=False)
    assert bare.user is None
    assert bare.query is None


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("similarity", "l2"),
        ("fusion", "mean"),
        ("width", 0),
        ("width", 7),
        ("heads", 0),
        ("heads", -2),
        ("id_dropout", 1.0),
        ("dropout", -0.1),
        ("dropout", math.nan),
        ("history", 0),
        ("layers", 0),
        ("temperature", 0.0),
        ("temperature", math.nan),
        ("temperature", math.inf),
    ],
)
def test_a_shape_outside_its_range_is_refused_by_name(field, value):
    with pytest.raises(ConfigError, match=rf"towers\..*{field}"):
        TowersConfig(**{"heads": 2, field: value})
