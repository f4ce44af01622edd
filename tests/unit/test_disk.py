"""A file or a folder is there whole, or as it was before."""

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from twotower import disk
from twotower.errors import DataError, OutputError


def contents(folder):
    return {
        str(path.relative_to(folder)): path.read_text() if path.is_file() else None
        for path in folder.rglob("*")
    }


def fill(folder, text):
    with disk.whole_folder(folder) as staging:
        (staging / "deep").mkdir()
        (staging / "deep" / "one.txt").write_text(text)


def test_a_folder_is_not_there_before_it_is_whole(tmp_path):
    with disk.whole_folder(tmp_path / "a" / "b" / "new") as staging:
        (staging / "one.txt").write_text("1")
        assert not (tmp_path / "a").exists()
    assert (tmp_path / "a" / "b" / "new" / "one.txt").read_text() == "1"
    assert set(contents(tmp_path)) == {"a", "a/b", "a/b/new", "a/b/new/one.txt"}


def test_an_older_folder_stays_until_the_new_one_is_whole_and_then_is_gone(tmp_path):
    fill(tmp_path / "it", "old")
    (tmp_path / "it" / "more.txt").write_text("only the old one has this")
    with disk.whole_folder(tmp_path / "it") as staging:
        (staging / "two.txt").write_text("new")
        assert (tmp_path / "it" / "deep" / "one.txt").read_text() == "old"
    assert contents(tmp_path) == {"it": None, "it/two.txt": "new"}


@pytest.mark.parametrize("fault", [KeyboardInterrupt(), DataError("x"), ValueError("y")])
def test_whatever_goes_wrong_leaves_what_was_there_and_is_raised_as_it_is(tmp_path, fault):
    fill(tmp_path / "it", "old")
    disk.write_text(tmp_path / "file", "old")
    before = contents(tmp_path)
    for whole in (disk.whole_folder(tmp_path / "it"), disk.whole_file(tmp_path / "file")):
        with pytest.raises(type(fault)) as raised, whole:
            raise fault
        assert raised.value is fault
    assert contents(tmp_path) == before


def test_an_error_of_the_disk_names_the_place_and_not_the_one_beside_it(tmp_path):
    with (
        pytest.raises(OutputError, match="disk is full") as raised,
        disk.whole_folder(tmp_path / "it") as staging,
        disk.whole_file(staging / "one.npy") as part,
    ):
        raise OSError(28, "No space left on device", str(part))
    assert ".part" not in str(raised.value)
    assert str(tmp_path / "it" / "one.npy") in str(raised.value)
    assert contents(tmp_path) == {}


def test_libraries_that_write_by_themselves_are_understood(tmp_path):
    said = "Error while serializing: I/O error: No space left on device (os error 28)"
    with pytest.raises(OutputError, match="disk is full"), disk.whole_file(tmp_path / "a"):
        raise RuntimeError(said)
    assert contents(tmp_path) == {}


def test_a_place_that_cannot_be_written_is_said(tmp_path):
    (tmp_path / "file").write_text("")
    for write in (lambda path: fill(path, "x"), lambda path: disk.write_text(path, "x")):
        with pytest.raises(OutputError, match=r"file/new cannot be written.*may write to"):
            write(tmp_path / "file" / "new")
    assert contents(tmp_path) == {"file": ""}


def test_all_of_a_folder_and_the_folder_that_names_it_reach_the_disk(tmp_path, monkeypatch):
    synced, fsync = [], os.fsync

    def noted(descriptor):
        synced.append(Path(f"/proc/self/fd/{descriptor}").readlink())
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", noted)
    fill(tmp_path / "new" / "it", "1")
    names = [path.relative_to(tmp_path).name for path in synced]
    assert {"one.txt", "deep"} < set(names)
    assert synced[-2:] == [tmp_path / "new", tmp_path]
    synced.clear()
    disk.write_text(tmp_path / "file", "1")
    assert synced[-1] == tmp_path
    assert synced[0].name.startswith(".file.")


KILLED = """
import os, signal, sys
from pathlib import Path
from twotower import disk

with disk.whole_folder(Path(sys.argv[1])) as staging:
    (staging / "half.txt").write_text("half")
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_killed_in_the_middle_the_older_folder_is_whole(tmp_path):
    fill(tmp_path / "it", "old")
    ended = subprocess.run([sys.executable, "-c", KILLED, str(tmp_path / "it")], check=False)
    assert ended.returncode == -signal.SIGKILL
    assert contents(tmp_path / "it") == {"deep": None, "deep/one.txt": "old"}
    assert len(list(tmp_path.iterdir())) == 2


def test_what_a_killed_writer_left_is_removed_by_the_next_one(tmp_path):
    subprocess.run([sys.executable, "-c", KILLED, str(tmp_path / "it")], check=False)
    (tmp_path / ".item.part").write_text("of another")
    fill(tmp_path / "it", "new")
    assert {path.name for path in tmp_path.iterdir()} == {"it", ".item.part"}


SWAPPING = """
import os, signal, sys
from pathlib import Path
from twotower import disk

place, rename = Path(sys.argv[1]), Path.rename
def killed_before_the_new_one_comes_in(self, target):
    if self.suffix == ".part" and target == place:
        os.kill(os.getpid(), signal.SIGKILL)
    return rename(self, target)
Path.rename = killed_before_the_new_one_comes_in
with disk.whole_folder(place) as staging:
    (staging / "new.txt").write_text("new")
"""


@pytest.fixture
def put_aside(tmp_path):
    """A place whose older folder a killed writer had put aside."""
    fill(tmp_path / "it", "old")
    ended = subprocess.run([sys.executable, "-c", SWAPPING, str(tmp_path / "it")], check=False)
    assert ended.returncode == -signal.SIGKILL
    assert not (tmp_path / "it").exists()
    return tmp_path / "it"


def test_killed_between_the_old_and_the_new_the_older_folder_comes_back(put_aside):
    disk.restore(put_aside)
    assert contents(put_aside) == {"deep": None, "deep/one.txt": "old"}


def test_killed_between_the_old_and_the_new_the_next_writer_leaves_one_folder(put_aside):
    disk.refuse_foreign(put_aside, "deep/one.txt", "cake")
    fill(put_aside, "newer")
    assert contents(put_aside.parent) == {
        "it": None,
        "it/deep": None,
        "it/deep/one.txt": "newer",
    }


def test_what_a_writer_at_work_has_put_aside_is_left_to_it(tmp_path, monkeypatch):
    fill(tmp_path / "it", "old")
    rename = Path.rename

    def looked_at_in_the_middle(self, target):
        if self.suffix == ".part" and target == tmp_path / "it":
            disk.restore(tmp_path / "it")
            assert not (tmp_path / "it").exists()
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", looked_at_in_the_middle)
    fill(tmp_path / "it", "new")
    assert contents(tmp_path) == {"it": None, "it/deep": None, "it/deep/one.txt": "new"}


def test_what_the_user_removed_stays_removed(tmp_path):
    fill(tmp_path / "it", "old")
    fill(tmp_path / "it", "new")
    shutil.rmtree(tmp_path / "it")
    disk.restore(tmp_path / "it")
    assert contents(tmp_path) == {}


def test_two_writers_of_one_place_do_not_disturb_each_other(tmp_path):
    with disk.whole_folder(tmp_path / "it") as slow:
        (slow / "slow.txt").write_text("1")
        fill(tmp_path / "it", "quick")
        assert (tmp_path / "it" / "deep" / "one.txt").read_text() == "quick"
    assert contents(tmp_path) == {"it": None, "it/slow.txt": "1"}
    with disk.whole_file(tmp_path / "file") as slow:
        disk.write_text(tmp_path / "file", "quick")
        slow.write_text("slow")
    assert (tmp_path / "file").read_text() == "slow"


def test_what_is_written_may_be_read_by_others(tmp_path):
    fill(tmp_path / "it", "1")
    disk.write_text(tmp_path / "file", "1")
    assert (tmp_path / "it").stat().st_mode & 0o055 == 0o055
    assert (tmp_path / "file").stat().st_mode & 0o044 == 0o044


def test_a_place_with_something_else_in_it_is_refused(tmp_path):
    ours = tmp_path / "ours"
    fill(ours, "1")
    with pytest.raises(OutputError, match=r"no cake, so it is left alone; choose another --out"):
        disk.refuse_foreign(ours, "cake.json", "cake")
    (ours / "cake.json").write_text("{}")
    (tmp_path / "empty").mkdir()
    for free in (ours, tmp_path / "empty", tmp_path / "nowhere"):
        disk.refuse_foreign(free, "cake.json", "cake")
    with pytest.raises(OutputError, match="no cake"):
        disk.refuse_foreign(ours / "cake.json", "cake.json", "cake")


def test_a_place_that_cannot_be_written_is_refused_and_nothing_is_made(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match=r"file/new cannot be written"):
        disk.refuse_foreign(tmp_path / "file" / "new", "cake.json", "cake")
    disk.refuse_foreign(tmp_path / "deep" / "new", "cake.json", "cake")
    assert contents(tmp_path) == {"file": ""}


@pytest.mark.parametrize("fault", [DataError("x"), ValueError("y")])
def test_what_is_kept_is_said_once_and_only_where_it_is(tmp_path, fault):
    with pytest.raises(type(fault)), disk.kept(tmp_path / "nowhere"):
        raise fault
    assert not hasattr(fault, "__notes__")
    with pytest.raises(type(fault)), disk.kept(tmp_path.parent), disk.kept(tmp_path):
        raise fault
    assert fault.__notes__ == [
        f"What was done is kept in {tmp_path}: the same command goes on from there."
    ]
