"""The item tower: what it may see, what it must not, and where it starts."""

import numpy as np
import pytest
import torch
from catalogue_arrays import FEATURES, as_tensors, random_arrays, towers

from twotower.errors import ConfigError
from twotower.towers.item import ItemTower, NumberEmbedding
from twotower.towers.layers import ResidualMlp

FUSIONS = ["attention", "concat", "sum"]


def fresh(fusion="attention", **options):
    torch.manual_seed(1)
    shape = {"id_dropout": 0.0, "layers": 1, "dropout": 0.0, "normalise": True, **options}
    return ItemTower(FEATURES, 16, fusion=fusion, **shape).eval()


@pytest.mark.parametrize("fusion", FUSIONS)
def test_the_value_of_a_missing_feature_changes_nothing(fusion):
    tower, arrays = towers(fusion=fusion).item, random_arrays(30)
    before, weights = tower(as_tensors(arrays))
    missing = ~arrays["present"]
    rng = np.random.default_rng(9)
    for place, feature in enumerate(FEATURES):
        rows = missing[:, place]
        shuffled = rng.permutation(arrays[feature.name])
        arrays[feature.name][rows] = shuffled[rows]
    after, same_weights = tower(as_tensors(arrays))
    torch.testing.assert_close(after, before, rtol=0, atol=0)
    torch.testing.assert_close(same_weights, weights, rtol=0, atol=0)


@pytest.mark.parametrize("fusion", FUSIONS)
def test_the_value_of_a_present_feature_changes_the_vector(fusion):
    tower, arrays = towers(fusion=fusion).item, random_arrays(30)
    arrays["present"][:] = True
    before, _ = tower(as_tensors(arrays))
    for feature in FEATURES:
        other = arrays | {feature.name: np.roll(arrays[feature.name], 1, axis=0)}
        after, _ = tower(as_tensors(other))
        assert (after - before).abs().max() > 1e-3, feature.name


@pytest.mark.parametrize("fusion", FUSIONS)
def test_whether_a_feature_is_missing_is_seen(fusion):
    tower, arrays = towers(fusion=fusion).item, random_arrays(30)
    arrays["present"][:] = True
    before, _ = tower(as_tensors(arrays))
    arrays["present"][:, 2] = False
    assert (tower(as_tensors(arrays))[0] - before).abs().max() > 1e-3


@pytest.mark.parametrize("fusion", FUSIONS)
def test_attention_weights_sum_to_one_over_the_features_that_are_there(fusion):
    arrays = random_arrays(30)
    _, weights = towers(fusion=fusion).item(as_tensors(arrays))
    assert weights.shape == (30, len(FEATURES))
    torch.testing.assert_close(weights.sum(1), torch.ones(30))
    assert torch.equal(
        weights[~torch.from_numpy(arrays["present"])], torch.zeros((~arrays["present"]).sum())
    )
    assert (weights >= 0).all()


def test_attention_depends_on_the_item_once_it_has_learned_something():
    arrays = random_arrays(30)
    arrays["present"][:] = True
    _, weights = towers().item(as_tensors(arrays))
    assert weights.std(0).max() > 1e-3


def test_attention_is_even_at_the_start():
    arrays = random_arrays(30)
    _, weights = fresh()(as_tensors(arrays))
    count = torch.from_numpy(arrays["present"]).sum(1, keepdim=True)
    expected = torch.from_numpy(arrays["present"]) / count
    torch.testing.assert_close(weights, expected.float())


@pytest.mark.parametrize("fusion", FUSIONS)
def test_an_item_with_nothing_known_has_a_finite_vector_and_no_attention(fusion):
    arrays = random_arrays(3)
    arrays["present"][:] = False
    vectors, weights = towers(fusion=fusion).item(as_tensors(arrays))
    assert torch.isfinite(vectors).all()
    assert torch.equal(weights, torch.zeros(3, len(FEATURES)))


@pytest.mark.parametrize("fusion", FUSIONS)
@pytest.mark.parametrize("similarity", ["cosine", "dot"])
def test_every_fusion_gives_vectors_of_the_width_unit_length_with_cosine(fusion, similarity):
    model = towers(fusion=fusion, similarity=similarity)
    vectors, _ = model.item(as_tensors(random_arrays(30)))
    assert vectors.shape == (30, 16)
    lengths = vectors.norm(dim=1)
    assert torch.allclose(lengths, torch.ones(30), atol=1e-5) == (similarity == "cosine")


@pytest.mark.parametrize("fusion", FUSIONS)
def test_items_do_not_see_each_other(fusion):
    tower, arrays = towers(fusion=fusion).item, random_arrays(12)
    together, _ = tower(as_tensors(arrays))
    for row in range(12):
        alone, _ = tower(as_tensors({name: a[row : row + 1] for name, a in arrays.items()}))
        torch.testing.assert_close(alone[0], together[row], rtol=0, atol=1e-5)


def test_hidden_ids_are_as_many_as_asked_and_never_the_only_feature():
    tower = fresh(id_dropout=0.3).train()
    present = torch.ones(8000, len(FEATURES), dtype=torch.bool)
    only_id = torch.zeros(500, len(FEATURES), dtype=torch.bool)
    only_id[:, 0] = True
    torch.manual_seed(0)
    hidden = tower._hide_ids(torch.cat([present, only_id]))
    assert 0.27 < 1 - hidden[:8000, 0].float().mean() < 0.33
    assert hidden[:, 1:].equal(torch.cat([present, only_id])[:, 1:])
    assert hidden[8000:, 0].all()
    assert present.all()  # what was given is not written to


def test_a_hidden_id_leaves_the_vector_of_an_item_without_one():
    tower, arrays = towers(id_dropout=0.999, dropout=0.0).item, as_tensors(random_arrays(20))
    arrays["present"][:] = True
    without = {**arrays, "present": arrays["present"].clone()}
    without["present"][:, 0] = False
    expected, _ = tower(without)
    torch.manual_seed(0)
    hidden, _ = tower.train()(arrays)
    torch.testing.assert_close(hidden, expected)


def test_no_id_is_hidden_when_serving():
    tower, arrays = towers(id_dropout=0.9).item.eval(), as_tensors(random_arrays(20))
    torch.testing.assert_close(tower(arrays)[0], tower(arrays)[0], rtol=0, atol=0)


@pytest.mark.parametrize("fusion", FUSIONS)
def test_vectors_point_in_all_directions_at_the_start(fusion):
    vectors, _ = fresh(fusion)(as_tensors(random_arrays(200)))
    cosines = (vectors @ vectors.T)[~torch.eye(200, dtype=torch.bool)]
    assert (cosines < 0).float().mean() > 0.05  # a ReLU before the normalisation would leave none


def test_the_residual_mlp_starts_as_the_identity_and_can_learn():
    torch.manual_seed(0)
    mlp, x = ResidualMlp(16), torch.randn(5, 16)
    assert torch.equal(mlp(x), x)
    (mlp(x) * torch.randn(5, 16)).sum().backward()
    assert mlp.down.weight.grad.abs().max() > 0


def test_a_number_lies_on_the_line_between_its_knots():
    torch.manual_seed(0)
    embedding = NumberEmbedding(8)
    knots = embedding.table.weight
    at = torch.arange(16) / 15
    torch.testing.assert_close(embedding(at), knots, atol=1e-6, rtol=1e-4)
    middle = embedding(torch.tensor([0.5 / 15]))
    torch.testing.assert_close(middle[0], (knots[0] + knots[1]) / 2, atol=1e-6, rtol=1e-4)
    torch.testing.assert_close(embedding(torch.tensor([-3.0, 9.0])), knots[[0, 15]])


def test_a_bag_is_the_mean_of_its_known_values_whatever_their_order():
    tower = towers().item.embeddings["attributes"]
    bag = tower(torch.tensor([[3, 5, 0, 0], [5, 0, 3, 0], [0, 0, 0, 0]]))
    torch.testing.assert_close(bag[0], (tower.table.weight[3] + tower.table.weight[5]) / 2)
    torch.testing.assert_close(bag[1], bag[0])
    assert torch.equal(bag[2], torch.zeros(16))


def test_an_unknown_fusion_is_refused():
    with pytest.raises(ConfigError, match="attention, concat or sum"):
        fresh("average")


def test_dropout_blurs_what_the_layers_add_in_training_and_nothing_in_serving():
    tower, arrays = fresh(dropout=0.5, normalise=False), as_tensors(random_arrays(30))
    torch.nn.init.normal_(tower.layers[0].down.weight)
    served = [tower(arrays)[0] for _ in range(2)]
    assert torch.equal(*served)
    tower.train()
    blurred = [tower(arrays)[0] for _ in range(2)]
    assert not torch.allclose(*blurred)


def test_without_layers_a_vector_is_the_sum_of_its_features():
    tower, arrays = towers(fusion="sum", similarity="dot", item_layers=0).item, random_arrays(5)
    inputs = as_tensors(arrays)
    parts = torch.stack([tower.embeddings[f.name](inputs[f.name]) for f in FEATURES], 1)
    expected = (parts * inputs["present"].unsqueeze(-1)).sum(1)
    torch.testing.assert_close(tower(inputs)[0], expected)
