"""Publisher's files fetched from a server of this machine, which breaks off, changes and lies."""

import errno
import hashlib
import io
import json
import threading
import zipfile
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from twotower import downloading
from twotower.data.sources import registry
from twotower.data.sources import remote as remote_files
from twotower.data.sources.beibei import SOURCE as BEIBEI
from twotower.data.sources.remote import Remote, fetch
from twotower.data.sources.source import PublicSource, download
from twotower.errors import DataError, OutputError

DATA = bytes(range(256)) * 400


class Publisher(ThreadingHTTPServer):
    """Serves one file; what it does wrong is set by the test."""

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Answer)
        self.data, self.edition, self.breaks_after = DATA, '"first"', []
        self.refusals, self.has_ranges, self.asked = [], True, []

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_address[1]}/file"


class Answer(BaseHTTPRequestHandler):
    def do_GET(self):
        server = self.server
        wanted, edition = self.headers.get("Range"), self.headers.get("If-Range")
        server.asked.append(wanted)
        if server.refusals:
            return self.send_error(server.refusals.pop(0))
        first = 0
        if wanted and server.has_ranges and edition == server.edition:
            first = int(wanted.removeprefix("bytes=").removesuffix("-"))
            if first >= len(server.data):
                return self.send_error(416)
        rest = server.data[first:]
        self.send_response(206 if first else 200)
        self.send_header("Content-Length", str(len(rest)))
        self.send_header("ETag", server.edition)
        self.end_headers()
        until = server.breaks_after.pop(0) if server.breaks_after else len(rest)
        self.wfile.write(rest[:until])
        return None

    def log_message(self, *_):
        pass


@pytest.fixture
def publisher():
    with Publisher() as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def got(publisher, folder, **more):
    remote = Remote(publisher.url, "file.bin", **more)
    return fetch(remote, folder, lambda *_: None, pause_s=0)


def sha256(data):
    return hashlib.sha256(data).hexdigest()


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_a_file_is_fetched_once(publisher, tmp_path):
    told = []
    remote = Remote(publisher.url, "file.bin", f"sha256:{sha256(DATA)}")
    assert fetch(remote, tmp_path, lambda *how: told.append(how)) == sha256(DATA)
    assert (tmp_path / "file.bin").read_bytes() == DATA
    assert told[-1] == ("file.bin", len(DATA), len(DATA))
    assert fetch(remote, tmp_path, lambda *_: None) == ""
    assert publisher.asked == [None]
    assert names(tmp_path) == ["file.bin"]


def test_a_broken_connection_is_taken_up_where_it_broke(publisher, tmp_path):
    publisher.breaks_after = [5_000, 20_000]
    got(publisher, tmp_path)
    assert publisher.asked == [None, "bytes=5000-", "bytes=25000-"]
    assert (tmp_path / "file.bin").read_bytes() == DATA


def test_a_later_call_goes_on_from_what_an_earlier_one_left(publisher, tmp_path):
    publisher.breaks_after = [1_000] * 5
    with pytest.raises(DataError, match=r"5,000 bytes are kept: the same command goes on"):
        got(publisher, tmp_path)
    assert not (tmp_path / "file.bin").exists()
    publisher.asked.clear()
    got(publisher, tmp_path)
    assert publisher.asked == ["bytes=5000-"]
    assert (tmp_path / "file.bin").read_bytes() == DATA


@pytest.mark.parametrize("other", [DATA[::-1], DATA[:3_000]])
def test_pieces_of_two_editions_are_never_joined(publisher, tmp_path, other):
    publisher.breaks_after = [4_000] * 5
    with pytest.raises(DataError):
        got(publisher, tmp_path)
    publisher.data, publisher.edition, publisher.breaks_after = other, '"second"', []
    got(publisher, tmp_path)
    assert (tmp_path / "file.bin").read_bytes() == other


def test_a_server_without_ranges_is_asked_for_all_of_it_again(publisher, tmp_path):
    publisher.has_ranges, publisher.breaks_after = False, [5_000]
    got(publisher, tmp_path)
    assert (tmp_path / "file.bin").read_bytes() == DATA


def test_a_part_that_has_all_of_it_is_fetched_afresh(publisher, tmp_path):
    publisher.breaks_after = [1_000] * 5
    with pytest.raises(DataError):
        got(publisher, tmp_path)
    publisher.data = publisher.data[:5_000]
    got(publisher, tmp_path)
    assert (tmp_path / "file.bin").read_bytes() == DATA[:5_000]


def test_a_busy_server_is_asked_again_and_one_that_refuses_is_not(publisher, tmp_path):
    publisher.refusals = [503, 500]
    got(publisher, tmp_path)
    assert len(publisher.asked) == 3
    publisher.refusals = [404]
    (tmp_path / "file.bin").unlink()
    with pytest.raises(DataError, match="the server says 404"):
        got(publisher, tmp_path)
    assert len(publisher.asked) == 4


@pytest.mark.parametrize("kind", ["md5", "sha256"])
def test_what_is_not_the_publishers_is_taken_away(publisher, tmp_path, kind):
    right = hashlib.new(kind, DATA, usedforsecurity=False).hexdigest()
    publisher.data = DATA[:-1] + b"?"
    with pytest.raises(DataError, match=f"is not the publisher's file.*expected {right}"):
        got(publisher, tmp_path, checksum=f"{kind}:{right}")
    assert "file.bin" not in names(tmp_path)
    publisher.data = DATA
    got(publisher, tmp_path, checksum=f"{kind}:{right}")
    assert (tmp_path / "file.bin").read_bytes() == DATA


def packed(**files):
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        for name, text in files.items():
            file.writestr(f"../set-1/{name}", text)
    return archive.getvalue()


def test_members_are_taken_out_of_an_archive_whatever_their_folders(publisher, tmp_path):
    publisher.data = packed(ratings="1,2", films="x", tags="y")
    (tmp_path / "to").mkdir()
    got(publisher, tmp_path / "to", members=("ratings", "films"))
    assert names(tmp_path / "to") == ["films", "ratings"]
    assert names(tmp_path) == ["to"]
    got(publisher, tmp_path / "to", members=("ratings", "films"))
    assert len(publisher.asked) == 1


@pytest.mark.parametrize("data", [DATA, packed(films="x")])
def test_an_archive_that_is_none_or_lacks_a_member_is_said(publisher, tmp_path, data):
    publisher.data = data
    with pytest.raises(DataError, match=r"is a damaged archive|has no ratings"):
        got(publisher, tmp_path, members=("ratings",))


def test_nobody_there_is_said_in_one_line(tmp_path):
    with Publisher() as gone:
        remote = Remote(gone.url, "file.bin")
    with pytest.raises(DataError, match="cannot be fetched"):
        fetch(remote, tmp_path, lambda *_: None, pause_s=0)


def test_a_folder_that_cannot_be_written_is_said(publisher, tmp_path):
    (tmp_path / "to").write_text("a file")
    source = PublicSource("x", "x", BEIBEI.load, remotes=(Remote(publisher.url, "file.bin"),))
    with pytest.raises(OutputError):
        download(source, tmp_path / "to", lambda *_: None)


def test_what_may_not_be_fetched_says_which_files_and_where(tmp_path):
    with pytest.raises(DataError, match=r"login or an agreement.*train.txt.*https://github.com"):
        download(BEIBEI, tmp_path / "to", lambda *_: None)
    assert not (tmp_path / "to").exists()


def test_what_is_fetched_is_what_the_loader_looks_for():
    fetched = [source for source in registry.SOURCES.values() if source.remotes]
    assert {source.name for source in fetched} >= {"movielens", "online-retail", "wands", "esci"}
    for source in fetched:
        assert source.licence
        assert all(remote.url.startswith("https://") for remote in source.remotes)


def test_the_command_fetches_and_says_what_came(publisher, tmp_path, monkeypatch, capsys):
    right = f"sha256:{sha256(DATA)}"
    source = PublicSource(
        "here", "x", BEIBEI.load, remotes=(Remote(publisher.url, "f", right),), licence="MIT"
    )
    monkeypatch.setitem(registry.SOURCES, "here", source)
    downloading.download("here", tmp_path / "to")
    said = capsys.readouterr().out
    assert f"f: SHA-256 {sha256(DATA)} (verified)" in said
    assert "Licence: MIT" in said
    assert f"twotower prepare here --from {tmp_path / 'to'}" in said
    downloading.download("here", tmp_path / "to", as_json=True)
    assert json.loads(capsys.readouterr().out)["sha256"] == {}


def test_the_command_ends_with_one_line_where_it_may_not_fetch(tmp_path, twotower):
    said = twotower("download", "beibei", "--to", tmp_path / "to")
    assert said.code == 1
    assert "train.txt" in said.err
    assert "https://" in said.err


def test_an_archive_that_could_not_be_unpacked_is_kept_whole(publisher, tmp_path, monkeypatch):
    publisher.data = packed(ratings="1,2")
    with monkeypatch.context() as full:
        full.setattr(remote_files.shutil, "copyfileobj", no_space)
        with pytest.raises(OutputError, match="the disk is full"):
            got(publisher, tmp_path, members=("ratings",))
    sent = len(publisher.asked)
    got(publisher, tmp_path, members=("ratings",))
    assert names(tmp_path) == ["ratings"]
    assert publisher.asked[sent:] == [f"bytes={len(publisher.data)}-"]


def no_space(*_):
    raise OSError(errno.ENOSPC, "No space left on device")
