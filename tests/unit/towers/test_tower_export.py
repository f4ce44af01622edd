"""Exported towers give the vectors of the trained ones, alone and in batches."""

import shutil

import numpy as np
import pytest
import torch
from catalogue_arrays import FEATURES, TEXT_WIDTH, as_tensors, random_arrays, towers

from twotower.errors import BundleError, CorruptBundle
from twotower.features.history import Histories, History
from twotower.towers import export
from twotower.towers.export import TOLERANCE, export_towers, parity
from twotower.towers.exported import ITEM_FILE, USER_FILE, ExportedTowers

DAY = 86_400_000

IDS = random_arrays(50)["id"]


@pytest.mark.parametrize("similarity", ["cosine", "dot"])
@pytest.mark.parametrize("fusion", ["attention", "concat", "sum"])
def test_exported_vectors_agree_with_the_trained_ones(tmp_path, fusion, similarity):
    model = towers(fusion=fusion, similarity=similarity)
    assert export_towers(model, random_arrays(50), tmp_path) <= TOLERANCE
    assert parity(model, ExportedTowers(tmp_path), random_arrays(333, seed=7)) <= TOLERANCE


@pytest.mark.parametrize("users", [False, True])
@pytest.mark.parametrize("queries", [False, True])
def test_towers_that_were_not_trained_are_not_exported(tmp_path, users, queries):
    export_towers(towers(users=users, queries=queries), random_arrays(10), tmp_path)
    found = ExportedTowers(tmp_path)
    assert (found.has_users, found.has_queries) == (users, queries)
    assert found.width == 16


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    folder = tmp_path_factory.mktemp("towers")
    model = towers(history_ids=True)
    export_towers(model, random_arrays(50), folder)
    return model, ExportedTowers(folder), folder


def visitors():
    """Short, long and empty histories with kinds and times."""
    rng = np.random.default_rng(1)
    lists = []
    for length in (0, 1, 2, 5, 8, 9, 30):
        times = np.sort(rng.integers(0, 90 * DAY, length))
        lists.append(History.of(rng.integers(0, 50, length), rng.integers(1, 5, length), times))
    return Histories.from_lists(lists), np.full(len(lists), 91 * DAY)


def test_histories_with_times_give_the_vectors_of_the_trained_user_tower(exported):
    model, found, _ = exported
    items, _ = found.items(random_arrays(50))
    histories, now = visitors()
    padded = histories.collapsed().padded(model.config.history, now)
    with torch.no_grad():
        expected = model.user(
            torch.from_numpy(items[np.maximum(padded.item_rows, 0)]),
            torch.from_numpy(IDS[np.maximum(padded.item_rows, 0)]),
            *(torch.from_numpy(part) for part in (padded.kinds, padded.gaps, padded.lengths)),
        )
    np.testing.assert_allclose(
        found.users(items, histories, now, ids=IDS), expected, atol=TOLERANCE
    )


def test_a_batch_of_visitors_equals_each_of_them_alone(exported):
    _, found, _ = exported
    items, _ = found.items(random_arrays(50))
    histories, now = visitors()
    together = found.users(items, histories, now, ids=IDS)
    for user in range(len(histories)):
        alone = found.users(items, histories.take(np.array([user])), now[user], ids=IDS)
        np.testing.assert_allclose(alone[0], together[user], atol=1e-5)


def test_a_batch_of_items_equals_each_of_them_alone(exported):
    _, found, _ = exported
    arrays = random_arrays(2100)  # more than one chunk
    together, weights = found.items(arrays)
    assert together.shape == (2100, 16)
    for row in (0, 1, 2047, 2048, 2099):
        alone, weight = found.items({name: a[row : row + 1] for name, a in arrays.items()})
        np.testing.assert_allclose(alone[0], together[row], atol=1e-5)
        np.testing.assert_allclose(weight[0], weights[row], atol=1e-5)


def test_a_batch_of_queries_equals_each_of_them_alone(exported):
    model, found, _ = exported
    text = np.random.default_rng(0).normal(size=(9, TEXT_WIDTH)).astype(np.float32)
    together = found.queries(text)
    alone = np.concatenate([found.queries(text[row : row + 1]) for row in range(9)])
    np.testing.assert_allclose(alone, together, atol=1e-5)
    with torch.no_grad():
        expected = model.query(torch.from_numpy(text))
    np.testing.assert_allclose(together, expected, atol=TOLERANCE)


def test_nothing_in_gives_nothing_out(exported):
    _, found, _ = exported
    items, _ = found.items(random_arrays(50))
    assert found.queries(np.zeros((0, TEXT_WIDTH), np.float32)).shape == (0, 16)
    assert found.users(items, Histories.from_lists([]), ids=IDS).shape == (0, 16)
    none, weights = found.items(random_arrays(0))
    assert none.shape == (0, 16)
    assert weights.shape == (0, len(FEATURES))


def test_attention_of_the_exported_tower_is_that_of_the_trained_one(exported):
    model, found, _ = exported
    arrays = random_arrays(50)
    with torch.no_grad():
        _, expected = model.item(as_tensors(arrays))
    np.testing.assert_allclose(found.items(arrays)[1], expected, atol=1e-5)


def test_the_exported_user_tower_knows_how_long_a_history_it_reads(exported):
    assert exported[1].history_length == 8


def test_a_catalogue_of_one_item_can_be_exported(tmp_path):
    model = towers()
    export_towers(model, random_arrays(1), tmp_path)
    assert parity(model, ExportedTowers(tmp_path), random_arrays(40)) <= TOLERANCE


def test_an_export_that_disagrees_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(export, "TOLERANCE", -1.0)
    with pytest.raises(BundleError, match="must agree with the trained ones"):
        export_towers(towers(), random_arrays(5), tmp_path)


@pytest.mark.parametrize("damage", ["missing", "truncated", "garbage"])
def test_a_damaged_item_tower_is_named(exported, tmp_path, damage):
    shutil.copytree(exported[2], tmp_path / "towers")
    file = tmp_path / "towers" / ITEM_FILE
    whole = file.read_bytes()
    file.unlink()
    if damage != "missing":
        file.write_bytes(whole[: len(whole) // 2] if damage == "truncated" else b"\x00" * 99)
    with pytest.raises(CorruptBundle, match=ITEM_FILE):
        ExportedTowers(tmp_path / "towers")


def test_a_damaged_user_tower_is_named(exported, tmp_path):
    shutil.copytree(exported[2], tmp_path / "towers")
    (tmp_path / "towers" / USER_FILE).write_bytes(b"no model")
    with pytest.raises(CorruptBundle, match=USER_FILE):
        ExportedTowers(tmp_path / "towers")


def test_towers_without_ids_of_their_own_are_asked_without_them(tmp_path):
    export_towers(towers(), random_arrays(50), tmp_path)
    found, (histories, now) = ExportedTowers(tmp_path), visitors()
    items, _ = found.items(random_arrays(50))
    one, other = (found.users(items, histories, now, ids=ids) for ids in (IDS, IDS[::-1]))
    np.testing.assert_array_equal(one, other)
