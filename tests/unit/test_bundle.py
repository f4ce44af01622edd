"""The release folder: whole or refused, and never half of one."""

import hashlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from twotower.bundle import FORMAT, MANIFEST, Bundle, read_manifest, write_bundle
from twotower.errors import BundleError, CorruptBundle, IncompatibleBundle, OutputError
from twotower.retrieval.retriever import Retriever


@pytest.fixture
def copy(tiny_bundle, tmp_path):
    """A bundle of its own for each test: only the large model is a link, and never damaged."""
    folder = tmp_path / "shop"
    shutil.copytree(tiny_bundle, folder, copy_function=_copy_but_link_the_model)
    return folder


def _copy_but_link_the_model(source, target):
    (os.link if Path(source).name == "model.onnx" else shutil.copyfile)(source, target)


@pytest.fixture(scope="module")
def opened(tiny_bundle):
    return Bundle.load(tiny_bundle)


def write_again(opened, folder, **changes):
    given = {
        "index": opened.index,
        "lexical": opened.lexical,
        "report": opened.report,
        "settings": opened.settings,
        "recipe": opened.manifest["recipe"],
    }
    return write_bundle(folder, opened.model, opened.dataset, **given | changes)


def put(file, content):
    """Replaces a file; it is never written into, it might be a link."""
    file.unlink(missing_ok=True)
    file.write_bytes(content if isinstance(content, bytes) else content.encode())


def edit_manifest(folder, change):
    manifest = json.loads((folder / MANIFEST).read_text())
    change(manifest)
    put(folder / MANIFEST, json.dumps(manifest))


def signed(folder, name):
    """Writes the file's present hash into the manifest, as a careful forger would."""
    content = (folder / name).read_bytes()
    edit_manifest(
        folder,
        lambda manifest: manifest["files"].update(
            {name: {"sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content)}}
        ),
    )


def answers(bundle):
    retriever = Retriever(bundle)
    found = [retriever.search(words, k=20) for words in ("red sofa", "something for the garden")]
    past = retriever.history(bundle.dataset.items["item_id"][:3])
    found += [
        retriever.recommend(past, k=20),
        retriever.similar(bundle.dataset.items["item_id"][5]),
    ]
    return [[(hit.item_id, hit.score) for hit in answer.hits] for answer in found]


def test_a_bundle_answers_the_same_after_it_was_written_and_opened(opened, tmp_path):
    again = write_again(opened, tmp_path / "again")
    assert answers(again) == answers(opened)
    assert answers(Bundle.load(tmp_path / "again")) == answers(opened)
    assert again.model.hash == opened.model.hash
    np.testing.assert_array_equal(again.model.attention, opened.model.attention)


def test_the_served_vectors_are_those_of_the_towers_in_the_bundle(opened):
    from twotower.features.text import item_texts

    items, model = opened.dataset.items[:60], opened.model
    text = model.text_encoder.encode(item_texts(items, model.features.config.text_fields))
    vectors, _ = model.towers.items(model.features.encode(items, text))
    np.testing.assert_allclose(vectors, model.item_vectors[:60], atol=1e-5)


def test_the_manifest_names_every_file_but_itself_and_says_what_it_is(tiny_bundle):
    manifest = read_manifest(tiny_bundle)
    found = {
        str(path.relative_to(tiny_bundle)) for path in tiny_bundle.rglob("*") if path.is_file()
    }
    assert found - set(manifest["files"]) <= {MANIFEST, "report.html"}
    assert set(manifest["files"]) <= found
    assert manifest["format"] == FORMAT
    assert manifest["synthetic"] is True
    assert manifest["width"] == 32
    assert manifest["version"].endswith(manifest["towers"][:8])


def test_everyone_may_read_a_bundle(tiny_bundle):
    for path in (tiny_bundle, *tiny_bundle.rglob("*")):
        wanted = 0o055 if path.is_dir() else 0o044
        assert path.stat().st_mode & wanted == wanted, path


FILES = [
    "model/features.json",
    "model/vectors.npy",
    "model/towers/item.onnx",
    "model/towers/user.onnx",
    "model/text_encoder/tokenizer.json",
    "data/items.parquet",
    "index/vectors.npy",
    "lexical/postings.npz",
    "report.json",
]


@pytest.mark.parametrize("name", FILES)
def test_a_changed_byte_is_refused_with_the_hash_that_was_expected(copy, name):
    content = bytearray((copy / name).read_bytes())
    content[len(content) // 2] ^= 1
    put(copy / name, bytes(content))
    expected = read_manifest(copy)["files"][name]["sha256"][:12]
    with pytest.raises(CorruptBundle, match=f"{name} must have SHA-256 {expected}…, found"):
        Bundle.load(copy)


@pytest.mark.parametrize("name", FILES)
def test_a_truncated_file_is_refused_with_its_sizes(copy, name):
    content = (copy / name).read_bytes()
    put(copy / name, content[:-7])
    told = f"{name} must have {len(content)} bytes, found {len(content) - 7}"
    with pytest.raises(CorruptBundle, match=told):
        Bundle.load(copy)


@pytest.mark.parametrize("name", FILES)
def test_a_missing_file_is_named(copy, name):
    (copy / name).unlink()
    with pytest.raises(CorruptBundle, match=f"{name} is missing"):
        Bundle.load(copy)


@pytest.mark.parametrize("name", ["model/towers/user.onnx", "model/vectors.npy", "report.json"])
@pytest.mark.parametrize("damage", ["missing", "truncated"])
def test_damage_is_refused_even_where_hashes_are_not_compared(copy, name, damage):
    content = (copy / name).read_bytes()
    (copy / name).unlink()
    if damage == "truncated":
        put(copy / name, content[: len(content) // 2])
    with pytest.raises(BundleError):
        Bundle.load(copy, verify=False)


def test_another_format_names_both_versions_and_who_made_it(copy):
    edit_manifest(copy, lambda manifest: manifest.update(format=FORMAT + 1, twotower="9.9"))
    with pytest.raises(IncompatibleBundle, match=rf"format {FORMAT + 1}.*reads {FORMAT}.*9\.9"):
        Bundle.load(copy)


def test_an_index_of_other_towers_names_both(copy):
    towers = read_manifest(copy)["towers"]
    edit_manifest(copy, lambda manifest: manifest["index"].update(towers="feedfeedfeedfeed"))
    with pytest.raises(IncompatibleBundle, match=rf"feedfeedfeedfeed.*{towers}"):
        Bundle.load(copy)


def test_vectors_of_another_width_name_both(copy):
    name = "model/vectors.npy"
    narrow = np.load(copy / name)[:, :16]
    (copy / name).unlink()
    np.save(copy / name, narrow)
    signed(copy, name)
    with pytest.raises(IncompatibleBundle, match=r"32 wide.*holds 16"):
        Bundle.load(copy)


def test_an_index_of_another_width_names_both(opened, copy, tmp_path):
    from twotower.index.exact import ExactIndex

    ExactIndex(np.ascontiguousarray(opened.model.item_vectors[:, :16])).save(tmp_path / "narrow")
    for path in (tmp_path / "narrow").iterdir():
        put(copy / "index" / path.name, path.read_bytes())
        signed(copy, f"index/{path.name}")
    with pytest.raises(IncompatibleBundle, match=r"32.*16|16.*32"):
        Bundle.load(copy)


@pytest.mark.parametrize(
    "content",
    ["{", "[]", "3", f'{{"format": {FORMAT}}}', f'{{"format": {FORMAT}, "files": []}}'],
)
def test_a_damaged_manifest_is_refused(copy, content):
    put(copy / MANIFEST, content)
    with pytest.raises(BundleError, match=MANIFEST):
        Bundle.load(copy)


@pytest.mark.parametrize("verify", [True, False])
def test_a_manifest_without_files_is_refused(copy, verify):
    edit_manifest(copy, lambda manifest: manifest.update(files={}))
    with pytest.raises(CorruptBundle, match=r"manifest\.json does not list report\.json"):
        Bundle.load(copy, verify=verify)


@pytest.mark.parametrize("name", [name for name in FILES if name != "model/towers/user.onnx"])
def test_a_manifest_that_lacks_a_file_is_refused_and_the_file_named(copy, name):
    edit_manifest(copy, lambda manifest: manifest["files"].pop(name))
    with pytest.raises(CorruptBundle, match=f"does not list {name}"):
        Bundle.load(copy)
    (copy / name).unlink()
    with pytest.raises(BundleError, match=Path(name).name):
        Bundle.load(copy)


def test_a_tower_that_the_manifest_does_not_list_is_not_trusted(copy):
    edit_manifest(copy, lambda manifest: manifest["files"].pop("model/towers/user.onnx"))
    with pytest.raises(CorruptBundle, match=r"does not list model/towers/user\.onnx, which is"):
        Bundle.load(copy)


@pytest.mark.parametrize("entry", [3, None, "x", {}, {"sha256": "x"}])
def test_a_manifest_whose_hashes_are_none_is_refused(copy, entry):
    edit_manifest(copy, lambda manifest: manifest["files"].update({"report.json": entry}))
    with pytest.raises(CorruptBundle, match=r"must give sha256 and bytes of report\.json"):
        Bundle.load(copy)


def test_a_folder_that_is_no_bundle_says_how_to_make_one(tmp_path):
    with pytest.raises(
        BundleError, match=r"found no manifest\.json; make one with 'twotower build'"
    ):
        Bundle.load(tmp_path)


# -- writing -------------------------------------------------------------------


def test_a_folder_that_is_no_bundle_is_not_overwritten(opened, tmp_path):
    (tmp_path / "precious").mkdir()
    (tmp_path / "precious" / "letters.txt").write_text("dear")
    with pytest.raises(OutputError, match="no bundle"):
        write_again(opened, tmp_path / "precious")
    assert [path.name for path in tmp_path.rglob("*")] == ["precious", "letters.txt"]


def test_a_file_in_the_way_is_an_output_error(opened, tmp_path):
    (tmp_path / "taken").write_text("a file")
    with pytest.raises(OutputError, match="taken"):
        write_again(opened, tmp_path / "taken")
    assert [path.name for path in tmp_path.iterdir()] == ["taken"]


def test_an_empty_folder_is_filled(opened, tmp_path):
    (tmp_path / "new").mkdir()
    assert write_again(opened, tmp_path / "new").version


def test_a_newer_bundle_replaces_the_older_and_leaves_nothing_beside_it(opened, tmp_path):
    folder = tmp_path / "shop"
    write_again(opened, folder)
    newer = write_again(opened, folder, settings={**opened.settings, "semantic_weight": 0.125})
    assert newer.settings["semantic_weight"] == 0.125
    assert Bundle.load(folder).settings["semantic_weight"] == 0.125
    assert [path.name for path in tmp_path.iterdir()] == ["shop"]


def test_the_older_bundle_stays_when_the_newer_one_cannot_be_moved_in(
    opened, tmp_path, monkeypatch
):
    folder = tmp_path / "shop"
    write_again(opened, folder)
    before, rename = read_manifest(folder), Path.rename

    def fails_at_the_last_step(source, target):
        if Path(target) == folder and ".old" not in source.name:  # the old one may come back
            raise OSError(28, "No space left on device")
        return rename(source, target)

    monkeypatch.setattr(Path, "rename", fails_at_the_last_step)
    with pytest.raises(OutputError, match="No space left"):
        write_again(opened, folder)
    monkeypatch.undo()
    assert read_manifest(folder) == before
    Bundle.load(folder)
    assert [path.name for path in tmp_path.iterdir()] == ["shop"]


def test_an_unwritable_place_is_an_output_error(opened):
    with pytest.raises(OutputError, match="/proc/nowhere/shop"):
        write_again(opened, Path("/proc/nowhere/shop"))


FULL_DISK = """
import resource, signal, sys
from pathlib import Path
from twotower.bundle import Bundle, write_bundle
from twotower.errors import OutputError

opened = Bundle.load(Path(sys.argv[1]), verify=False)
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
for n_bytes in (60_000, 20_000, 100):  # the limit may be lowered, never raised again
    resource.setrlimit(resource.RLIMIT_FSIZE, (n_bytes, n_bytes))
    for folder in sys.argv[2:]:
        try:
            write_bundle(
                Path(folder), opened.model, opened.dataset, index=opened.index,
                lexical=opened.lexical, report=opened.report, settings=opened.settings,
                recipe=opened.manifest["recipe"],
            )
        except OutputError as error:
            assert folder in str(error) and "\\n" not in str(error), error
        else:
            raise SystemExit(f"{n_bytes} bytes were enough for {folder}")
"""


def test_a_full_disk_leaves_nothing_half_written(opened, tiny_bundle, tmp_path):
    new, older = tmp_path / "new", tmp_path / "older"
    write_again(opened, older)
    subprocess.run([sys.executable, "-c", FULL_DISK, tiny_bundle, new, older], check=True)
    assert [path.name for path in tmp_path.iterdir()] == ["older"]
    Bundle.load(older)


def test_a_bundle_shares_no_file_with_another_so_that_damage_stays_in_one(opened, tmp_path):
    one, other = tmp_path / "one", tmp_path / "other"
    write_again(opened, one)
    write_again(opened, other)
    for file in filter(Path.is_file, one.rglob("*")):
        file.write_bytes(b"")
    Bundle.load(other)


def test_a_bundle_that_a_killed_writer_had_put_aside_is_opened(opened, tmp_path):
    write_again(opened, tmp_path / "bundle")
    (tmp_path / "bundle").rename(tmp_path / ".bundle.1234abcd.old")
    assert Bundle.load(tmp_path / "bundle").version
    assert [path.name for path in tmp_path.iterdir()] == ["bundle"]
