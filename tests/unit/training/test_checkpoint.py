"""Checkpoints: what was saved is what is loaded, without pickle, whole or not at all."""

import json
import pickletools
import resource
import signal
from multiprocessing import get_context

import pytest
import torch
from safetensors import safe_open

from twotower.training.checkpoint import SafetensorsIO, save_weights

STATE = {
    "state_dict": {"weight": torch.randn(3, 4), "empty": torch.zeros(0), "scalar": torch.tensor(3)},
    "optimizer_states": [
        {
            "state": {0: {"step": torch.tensor(7.0), "exp_avg": torch.randn(3, 4)}, 1: {}},
            "param_groups": [{"lr": 1e-3, "betas": (0.9, 0.999), "params": [0, 1], "fused": True}],
        }
    ],
    "callbacks": {
        "EarlyStopping{'monitor': 'ndcg@10'}": {"best_score": torch.tensor(0.25), "wait": 2}
    },
    "nothing": None,
    "flag": False,
    "infinite": float("inf"),
    "half": torch.randn(5).to(torch.bfloat16),
    "not contiguous": torch.randn(4, 6).T,
    "nested": ([], {}, (), [("a", [1, 2.5])]),
    "tensor": "a string that is the name of a container",
}


def assert_same(found, expected):
    assert type(found) is type(expected)
    if isinstance(expected, torch.Tensor):
        assert found.dtype == expected.dtype
        assert torch.equal(found, expected)
    elif isinstance(expected, dict):
        assert list(found) == list(expected)
        for key in expected:
            assert_same(found[key], expected[key])
    elif isinstance(expected, list | tuple):
        assert len(found) == len(expected)
        for one, other in zip(found, expected, strict=True):
            assert_same(one, other)
    else:
        assert found == expected


def test_a_checkpoint_loads_as_it_was_saved(tmp_path):
    file = tmp_path / "a" / "last.safetensors"
    SafetensorsIO().save_checkpoint(STATE, file)
    assert_same(SafetensorsIO().load_checkpoint(file), STATE)


def test_tensors_that_share_memory_are_saved_apart(tmp_path):
    whole = torch.arange(10.0)
    file = tmp_path / "last.safetensors"
    SafetensorsIO().save_checkpoint({"a": whole, "b": whole[:5]}, file)
    assert_same(SafetensorsIO().load_checkpoint(file), {"a": whole, "b": whole[:5]})


def test_the_file_is_tensors_and_json_and_nothing_that_runs(tmp_path):
    file = tmp_path / "last.safetensors"
    SafetensorsIO().save_checkpoint(STATE, file)
    with safe_open(file, framework="pt") as opened:
        json.loads(opened.metadata()["tree"])
    with pytest.raises(ValueError, match=r".*"):
        list(pickletools.genops(file.read_bytes()))


def test_a_newer_checkpoint_replaces_the_older_and_leaves_no_rest(tmp_path):
    file = tmp_path / "last.safetensors"
    for value in (1, 2):
        SafetensorsIO().save_checkpoint({"value": value}, file)
    assert SafetensorsIO().load_checkpoint(file) == {"value": 2}
    assert [path.name for path in tmp_path.iterdir()] == ["last.safetensors"]


def test_the_rest_of_an_interrupted_save_is_no_checkpoint(tmp_path):
    file = tmp_path / "last.safetensors"
    SafetensorsIO().save_checkpoint({"value": 1}, file)
    file.with_suffix(".part").write_bytes(b"half a checkpoi")
    assert SafetensorsIO().load_checkpoint(file) == {"value": 1}
    SafetensorsIO().save_checkpoint({"value": 2}, file)
    assert SafetensorsIO().load_checkpoint(file) == {"value": 2}


def _save_on_a_full_disk(file):
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))
    try:
        SafetensorsIO().save_checkpoint({"value": torch.zeros(100_000)}, file)
    except Exception:
        return
    raise SystemExit(9)


def test_a_full_disk_leaves_the_older_checkpoint_whole(tmp_path):
    file = tmp_path / "last.safetensors"
    SafetensorsIO().save_checkpoint({"value": 1}, file)
    writer = get_context("fork").Process(target=_save_on_a_full_disk, args=(file,))
    writer.start()
    writer.join()
    assert writer.exitcode == 0
    assert SafetensorsIO().load_checkpoint(file) == {"value": 1}


def test_a_checkpoint_can_be_removed_twice(tmp_path):
    file = tmp_path / "last.safetensors"
    SafetensorsIO().save_checkpoint({"value": 1}, file)
    for _ in range(2):
        SafetensorsIO().remove_checkpoint(file)
    assert not file.exists()


def test_weights_alone_are_plain_safetensors_that_everyone_may_read(tmp_path):
    file = tmp_path / "towers.safetensors"
    save_weights({"weight": torch.ones(2, 3).T}, file)
    with safe_open(file, framework="pt") as opened:
        assert torch.equal(opened.get_tensor("weight"), torch.ones(3, 2))
    assert file.stat().st_mode & 0o044 == 0o044
