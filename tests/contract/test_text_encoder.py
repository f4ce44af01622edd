"""What every text encoder promises. A new encoder is one line in `ENCODERS`."""

import shutil
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from twotower.encoders.cache import CachedTextEncoder
from twotower.encoders.export import text_encoder

TEXTS = [
    "rain shower head",
    "a",
    "",
    "Wool rug, brown, 160 x 230 cm. " * 40,  # longer than the encoder reads
    "Duschkopf für den Regen 🌧",
    "   ",
    "rain shower head",
    "\x00 odd \u200b bytes",
]


@pytest.fixture(scope="module", params=["int8", "fp32"])
def packaged(request, cache):
    return text_encoder("minilm", cache, request.param)


@pytest.fixture(scope="module")
def filled(packaged, tmp_path_factory):
    """A cache that knows the texts."""
    folder = tmp_path_factory.mktemp("filled")
    CachedTextEncoder(packaged, folder).encode(TEXTS)
    return folder


def plain(packaged, filled, folder):
    return packaged


def cached(packaged, filled, folder):
    return CachedTextEncoder(packaged, folder)


def warm(packaged, filled, folder):
    shutil.copytree(filled, folder, dirs_exist_ok=True)
    return CachedTextEncoder(packaged, folder)


ENCODERS = [plain, cached, warm]


@pytest.fixture(params=ENCODERS)
def encoder(request, packaged, filled, tmp_path):
    return request.param(packaged, filled, tmp_path)


def test_it_says_what_it_is(encoder):
    assert (encoder.name, encoder.width) == ("minilm", 384)
    assert len(encoder.hash) >= 16


def test_vectors_have_length_one_and_empty_texts_are_zero(encoder):
    vectors = encoder.encode(TEXTS)
    assert vectors.shape == (len(TEXTS), encoder.width)
    assert vectors.dtype == np.float32
    empty = [not text.strip() for text in TEXTS]
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), np.where(empty, 0, 1), atol=1e-5)


def test_vectors_come_in_the_order_of_the_texts(encoder):
    forth, back = encoder.encode(TEXTS), encoder.encode(TEXTS[::-1])
    np.testing.assert_allclose(back[::-1], forth, atol=1e-5)
    np.testing.assert_allclose(forth[0], forth[6], atol=1e-5)


def test_a_text_has_the_same_vector_alone_and_among_others(encoder):
    together = encoder.encode(TEXTS)
    for text, vector in zip(TEXTS, together, strict=True):
        np.testing.assert_allclose(encoder.encode([text])[0], vector, atol=1e-5)


def test_no_texts_give_no_vectors(encoder):
    assert encoder.encode([]).shape == (0, encoder.width)


def test_texts_that_mean_alike_are_closer(encoder):
    sofa, couch, drill = encoder.encode(["red sofa", "couch in red", "cordless power drill"])
    assert sofa @ couch > sofa @ drill + 0.2


def test_progress_ends_with_everything_done(encoder):
    told = []
    encoder.encode(TEXTS, lambda done, total: told.append((done, total)))
    assert told == sorted(told)
    assert all(done <= total == len(TEXTS) for done, total in told)


def test_two_threads_get_the_same_vectors_as_one(encoder):
    with ThreadPoolExecutor(4) as threads:
        found = list(threads.map(encoder.encode, [TEXTS] * 4))
    expected = encoder.encode(TEXTS)
    for vectors in found:
        np.testing.assert_allclose(vectors, expected, atol=1e-5)
