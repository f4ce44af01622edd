"""Who asks a damaged bundle gets one line, not an answer."""

import os
import shutil
from pathlib import Path

import pytest


@pytest.fixture
def copy(tiny_bundle, tmp_path):
    def take(source, target):
        (os.link if Path(source).name == "model.onnx" else shutil.copyfile)(source, target)

    shutil.copytree(tiny_bundle, tmp_path / "shop", copy_function=take)
    return tmp_path / "shop"


@pytest.mark.parametrize(
    "name",
    [
        "model/towers/query.onnx",
        "model/vectors.npy",
        "model/features.json",
        "model/text_encoder/tokenizer.json",
        "index/vectors.npy",
        "lexical/postings.npz",
        "data/items.parquet",
        "manifest.json",
    ],
)
@pytest.mark.parametrize("verb", ["search", "evaluate"])
def test_a_truncated_file_is_named_in_one_line(twotower, copy, name, verb):
    content = (copy / name).read_bytes()
    (copy / name).unlink()
    (copy / name).write_bytes(content[: len(content) // 3])
    said = twotower(verb, copy, *(["red sofa"] if verb == "search" else []))
    assert (said.code, said.out) == (1, ""), said
    assert said.err.count("\n") == 1
    assert name.split("/")[-1] in said.err


def test_a_bundle_that_is_moved_answers_the_same(twotower, copy):
    before = twotower("search", copy, "red sofa", "--json").json["hits"]
    copy.rename(copy.with_name("moved"))
    assert twotower("search", copy.with_name("moved"), "red sofa", "--json").json["hits"] == before
