"""The cache encodes nothing twice, and believes only what was written whole."""

import numpy as np
import pytest

from twotower.encoders import cache as caching
from twotower.encoders.cache import CachedTextEncoder


class CountingEncoder:
    """Satisfies TextEncoder; the vector of a text is made of its letters."""

    name, width = "letters", 8

    def __init__(self, hash="letters-1", fail_after=None):
        self.hash, self.encoded, self.fail_after = hash, [], fail_after

    def encode(self, texts, progress=None):
        if self.fail_after is not None and len(self.encoded) >= self.fail_after:
            raise KeyboardInterrupt
        self.encoded += texts
        if progress:
            progress(len(texts), len(texts))
        return np.stack([self.vector(text) for text in texts])

    def vector(self, text):
        vector = np.zeros(self.width, np.float32)
        for place, letter in enumerate(text):
            vector[(ord(letter) + place) % self.width] += 1
        return vector / max(np.linalg.norm(vector), 1)


TEXTS = [f"text {number}" for number in range(23)]


def assert_right(encoder, texts=TEXTS):
    expected = np.stack([CountingEncoder().vector(text) for text in texts])
    np.testing.assert_array_equal(encoder.encode(texts), expected)


def test_a_second_run_encodes_nothing(tmp_path):
    first, second = CountingEncoder(), CountingEncoder()
    assert_right(CachedTextEncoder(first, tmp_path))
    assert_right(CachedTextEncoder(second, tmp_path))
    assert sorted(first.encoded) == sorted(TEXTS)
    assert second.encoded == []


def test_only_what_is_new_is_encoded(tmp_path):
    CachedTextEncoder(CountingEncoder(), tmp_path).encode(TEXTS[:10])
    counting = CountingEncoder()
    assert_right(CachedTextEncoder(counting, tmp_path))
    assert counting.encoded == TEXTS[10:]


def test_a_text_that_comes_twice_is_encoded_once(tmp_path):
    counting = CountingEncoder()
    assert_right(CachedTextEncoder(counting, tmp_path), ["a", "b", "a", "", "a"])
    assert sorted(counting.encoded) == ["", "a", "b"]


def test_another_encoder_does_not_get_these_vectors(tmp_path):
    CachedTextEncoder(CountingEncoder(), tmp_path).encode(TEXTS)
    other = CountingEncoder(hash="letters-2")
    CachedTextEncoder(other, tmp_path).encode(TEXTS)
    assert other.encoded == TEXTS


def test_an_interrupted_run_keeps_its_finished_shards(tmp_path, monkeypatch):
    monkeypatch.setattr(caching, "_CHUNK", 5)
    with pytest.raises(KeyboardInterrupt):
        CachedTextEncoder(CountingEncoder(fail_after=10), tmp_path).encode(TEXTS)
    counting = CountingEncoder()
    assert_right(CachedTextEncoder(counting, tmp_path))
    assert counting.encoded == TEXTS[10:]


def test_a_shard_whose_keys_were_not_written_does_not_count(tmp_path):
    CachedTextEncoder(CountingEncoder(), tmp_path).encode(TEXTS)
    (keys,) = tmp_path.rglob("*.keys")
    keys.rename(keys.with_suffix(".part"))
    counting = CountingEncoder()
    assert_right(CachedTextEncoder(counting, tmp_path))
    assert counting.encoded == TEXTS


@pytest.mark.parametrize(
    "damage", ["truncated", "missing", "keys cut", "keys empty", "one bit", "a bit of a key"]
)
def test_a_damaged_shard_is_encoded_again(tmp_path, damage):
    CachedTextEncoder(CountingEncoder(), tmp_path).encode(TEXTS)
    (keys,), (vectors,) = tmp_path.rglob("*.keys"), tmp_path.rglob("*.vectors.npy")
    if damage == "truncated":
        vectors.write_bytes(vectors.read_bytes()[:-40])
    elif damage == "missing":
        vectors.unlink()
    elif damage == "keys cut":
        keys.write_bytes(keys.read_bytes()[:-5])
    elif damage == "keys empty":
        keys.write_bytes(b"")
    else:
        _flip_a_bit(vectors if damage == "one bit" else keys)
    counting = CountingEncoder()
    assert_right(CachedTextEncoder(counting, tmp_path))
    assert counting.encoded == TEXTS
    assert_right(CachedTextEncoder(CountingEncoder(fail_after=0), tmp_path))


def _flip_a_bit(file):
    whole = bytearray(file.read_bytes())
    whole[-3] ^= 1
    file.write_bytes(whole)


def test_progress_counts_what_was_known(tmp_path):
    CachedTextEncoder(CountingEncoder(), tmp_path).encode(TEXTS[:10])
    told = []
    CachedTextEncoder(CountingEncoder(), tmp_path).encode(TEXTS, lambda *now: told.append(now))
    assert told == [(23, 23)]
