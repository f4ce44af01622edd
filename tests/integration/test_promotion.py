"""A bundle on its way to being served: its hashes, its answers, its verdict."""

import json
import shutil

import numpy as np
import pytest

from twotower.bundle import Bundle, _fingerprint
from twotower.errors import CorruptBundle, UnfitBundle
from twotower.releases import ReleaseFolder
from twotower.retrieval.probing import probe
from twotower.retrieval.retriever import Retriever
from twotower.server.releases import open_release


@pytest.fixture
def release(tiny_bundle, tmp_path):
    """A copy of the bundle that may be damaged."""
    return shutil.copytree(tiny_bundle, tmp_path / "releases" / "tiny")


def test_a_sound_bundle_is_opened_and_answers(release):
    probes = probe(open_release(release, even_if_worse=True))
    assert probes.found >= 0.8
    assert probes.recall == 1.0, "its index looks at every row"


def test_a_changed_byte_is_refused(release):
    vectors = release / "model" / "vectors.npy"
    content = bytearray(vectors.read_bytes())
    content[-1] ^= 1
    vectors.write_bytes(content)
    with pytest.raises(CorruptBundle, match=r"vectors\.npy"):
        open_release(release, even_if_worse=True)


def test_an_index_that_finds_other_products_is_unfit(tiny_bundle):
    bundle = Bundle.load(tiny_bundle, verify=False)
    vectors = np.array(bundle.model.item_vectors)
    bundle.index.upsert(np.arange(len(vectors)), np.roll(vectors, 1, axis=0))
    with pytest.raises(UnfitBundle, match=r"must be 0\.\d or more, got 0\."):
        probe(Retriever(bundle))


def test_a_bundle_that_lost_to_its_baselines_needs_force(release, twotower):
    report = release / "report.json"
    told = json.loads(report.read_text())
    told["verdict"]["promoted"] = False
    report.write_text(json.dumps(told))
    manifest = json.loads((release / "manifest.json").read_text())
    manifest["files"]["report.json"] = _fingerprint(report)
    (release / "manifest.json").write_text(json.dumps(manifest))
    refused = twotower("admin", "promote", release.parent, "tiny")
    assert refused.code == 1
    assert "does not beat its baselines" in refused.err
    assert not (release.parent / "current.json").exists()
    assert twotower("admin", "promote", release.parent, "tiny", "--force").code == 0
    assert ReleaseFolder(release.parent).pointer().current == "tiny"
    nothing = twotower("admin", "rollback", release.parent)
    assert "no release to go back to" in nothing.err
