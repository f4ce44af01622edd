"""From one bundle to the next: what is verified, what stays, and what answers meanwhile."""

import json
import threading
import time

import pytest
from asgi_client import opened
from fake_retriever import FakeRetriever

from twotower.bundle import FORMAT
from twotower.errors import BundleError, UnfitBundle, UnknownRelease
from twotower.releases import ReleaseFolder
from twotower.server import releases as server_releases
from twotower.server.app import create_app
from twotower.server.settings import ServerSettings
from twotower.shop.database import ShopDatabase

OFTEN = ServerSettings(follow_interval_s=0.02)
NEVER = ServerSettings(follow_interval_s=60)
PATIENCE_S = 30


class Versioned(FakeRetriever):
    """A retriever whose products say of which bundle they are."""

    def __init__(self, folder):
        super().__init__()
        self.bundle.folder, self.bundle.version = folder, f"v-{folder.name}"
        for one in self._products:
            one["description"] = f"v-{folder.name}"


@pytest.fixture
def shelf(tmp_path, monkeypatch):
    """Three bundles of which only the manifest is there; `unfit` cannot be opened."""
    manifest = {"format": FORMAT, "index": {}, "settings": {}, "recipe": {}}
    monkeypatch.setattr("twotower.bundle._NEEDED_FILES", ())
    for place, name in enumerate(("one", "two", "unfit")):
        (tmp_path / "releases" / name).mkdir(parents=True)
        whole = {**manifest, "version": f"2026010{place}", "files": {}}
        (tmp_path / "releases" / name / "manifest.json").write_text(json.dumps(whole))
    found = ReleaseFolder(tmp_path / "releases")
    found.point("one")
    return found


def open_fake(folder, *, even_if_worse):
    if folder.name == "unfit" and not even_if_worse:
        raise UnfitBundle("it does not answer as it should")
    return Versioned(folder)


@pytest.fixture
def serving(shelf, where, tmp_path, monkeypatch):
    """A function: settings, how a bundle is opened -> context manager of a client."""

    def serving(settings=NEVER, open_bundle=open_fake):
        monkeypatch.setattr(server_releases.Releases.__init__, "__defaults__", (None, open_bundle))
        first = Versioned(shelf.place(shelf.pointer().current))
        database = ShopDatabase(where)
        return opened(create_app(first, database, settings, pages=tmp_path, shelf=shelf))

    return serving


def version(client):
    return client.get("/v1/version").json()["bundle_version"]


def becomes(asked, expected):
    until = time.monotonic() + PATIENCE_S
    while (answer := asked()) != expected and time.monotonic() < until:
        time.sleep(0.01)
    return answer


# -- the folder -----------------------------------------------------------------------


def test_the_newest_release_is_served_until_one_was_promoted(shelf):
    (shelf.folder / "current.json").unlink()
    assert shelf.names() == ["one", "two", "unfit"]
    assert shelf.pointer().current == "unfit"
    shelf.point("one")
    assert (shelf.pointer().current, shelf.before()) == ("one", "unfit")
    shelf.point("one")
    assert shelf.before() == "unfit", "what is served already was not before itself"


@pytest.mark.parametrize("name", ["three", "..", "../releases/one", "/", "", ".hidden", "one/"])
def test_only_bundles_of_the_folder_are_releases(shelf, name):
    with pytest.raises(UnknownRelease, match="one of one, two, unfit"):
        shelf.place(name)


@pytest.mark.parametrize("text", ["{", "[]", '{"currant": "one"}', "7"])
def test_a_pointer_that_says_nothing_is_refused_with_the_remedy(shelf, text):
    (shelf.folder / "current.json").write_text(text)
    with pytest.raises(BundleError, match="admin promote"):
        shelf.pointer()


def test_a_bundle_is_no_folder_of_bundles(shelf, tmp_path):
    assert ReleaseFolder.is_one(shelf.folder)
    assert not ReleaseFolder.is_one(shelf.folder / "one")
    assert not ReleaseFolder.is_one(tmp_path / "nowhere")


# -- promotion ------------------------------------------------------------------------


def test_a_promoted_release_answers_and_is_rolled_back_by_one_call(serving, shelf):
    with serving() as client:
        assert version(client) == "v-one"
        promoted = client.post("/v1/releases/two:promote")
        assert promoted.status_code == 200
        told = promoted.json()
        assert (told["current"], told["previous"], told["bundle_version"]) == (
            "two",
            "one",
            "v-two",
        )
        assert told["releases"] == ["one", "two", "unfit"]
        assert version(client) == "v-two"
        assert client.post("/v1/releases/two:rollback").status_code == 200
        assert version(client) == "v-one"
        again = client.post("/v1/releases/two:rollback")
        assert (again.status_code, again.json()["type"]) == (
            409,
            "urn:twotower:problem:release-refused",
        )
        lines = client.get("/metrics").text.splitlines()
    assert 'twotower_bundle{version="v-one"} 1.0' in lines
    assert 'twotower_bundle{version="v-two"} 1.0' not in lines
    assert 'twotower_promotions_total{outcome="done"} 2.0' in lines
    assert shelf.pointer().current == "one", "also after a restart"


@pytest.mark.parametrize(
    ("name", "status", "problem"),
    [("unfit", 409, "release-refused"), ("three", 404, "unknown-release")],
)
def test_what_is_unfit_or_unknown_changes_nothing(serving, shelf, name, status, problem):
    with serving() as client:
        refused = client.post(f"/v1/releases/{name}:promote")
        assert (refused.status_code, version(client)) == (status, "v-one")
        assert refused.json()["type"] == f"urn:twotower:problem:{problem}"
        assert 'twotower_promotions_total{outcome="refused"} 1.0' in client.get("/metrics").text
    assert shelf.pointer().current == "one"


def test_a_release_that_cannot_be_pointed_at_is_not_served(serving, shelf, monkeypatch):
    def full(_self, name):
        from twotower.errors import OutputError

        raise OutputError("the disk is full")

    monkeypatch.setattr(ReleaseFolder, "point", full)
    with serving() as client:
        refused = client.post("/v1/releases/two:promote")
        assert (refused.status_code, version(client)) == (503, "v-one")
        assert len(client.app.state.releases._kept) == 1


def test_a_server_of_one_bundle_says_that_it_has_no_other(client):
    for method, path in (("GET", ""), ("POST", "/two:promote"), ("POST", "/two:rollback")):
        refused = client.request(method, f"/v1/releases{path}")
        assert refused.status_code == 409
        assert "one bundle" in refused.json()["detail"]


def test_of_two_promotions_at_once_one_is_refused_and_the_other_counts(serving):
    opening, go_on = threading.Event(), threading.Event()

    def slowly(folder, *, even_if_worse):
        opening.set()
        assert go_on.wait(PATIENCE_S)
        return Versioned(folder)

    answers = []
    with serving(open_bundle=slowly) as client:
        promote = lambda: answers.append(client.post("/v1/releases/two:promote"))  # noqa: E731
        first = threading.Thread(target=promote)
        first.start()
        assert opening.wait(PATIENCE_S)
        second = client.post("/v1/releases/one:promote")
        assert version(client) == "v-one", "the old one answers while the new one is opened"
        go_on.set()
        first.join()
        assert version(client) == "v-two"
    assert (second.status_code, answers[0].status_code) == (409, 200)
    assert second.json()["type"] == "urn:twotower:problem:promotion-running"


def test_the_old_bundle_answers_its_last_requests_and_then_goes(serving):
    entered, go_on = threading.Event(), threading.Event()

    class Slow(Versioned):
        def search(self, query, **arguments):
            if query == "slowly steel":
                entered.set()
                assert go_on.wait(PATIENCE_S)
            return super().search(query, **arguments)

    answers = []
    with serving(open_bundle=lambda folder, **_: Slow(folder)) as client:
        client.post("/v1/releases/two:promote")
        ask = lambda: answers.append(client.post("/v1/search", {"query": "slowly steel"}))  # noqa: E731
        asking = threading.Thread(target=ask)
        asking.start()
        assert entered.wait(PATIENCE_S)
        client.post("/v1/releases/two:rollback")
        kept = client.app.state.releases._kept
        assert (version(client), len(kept)) == ("v-one", 2)
        go_on.set()
        asking.join()
        assert len(kept) == 1
    assert answers[0].json()["bundle_version"] == "v-two"
    assert answers[0].json()["hits"][0]["item"]["description"] == "v-two"


def test_under_load_no_answer_fails_mixes_two_bundles_or_lacks_what_was_stored(serving):
    faults, seen, over = [], set(), threading.Event()

    def ask(client):
        while not over.is_set():
            answer = client.post("/v1/search", {"query": "steel"})
            shown = {hit["item"]["description"] for hit in answer.json().get("hits", [])}
            seen.add(answer.json().get("bundle_version"))
            if answer.status_code != 200 or shown != {answer.json()["bundle_version"]}:
                faults.append(answer.text)

    def write(client):
        step = 0
        while not over.is_set():
            step += 1
            put = client.put(f"/v1/products/new-{step}", {"title": f"word{step}"})
            found = client.post("/v1/search", {"query": f"word{step}"}).json()
            if put.status_code != 200 or found["total"] != 1:
                faults.append((put.text, found))

    with serving() as client:
        workers = [threading.Thread(target=ask, args=(client,)) for _ in range(3)]
        workers.append(threading.Thread(target=write, args=(client,)))
        for worker in workers:
            worker.start()
        changes = [client.post(f"/v1/releases/{name}:promote") for name in ("two", "one") * 10]
        over.set()
        for worker in workers:
            worker.join()
    assert {change.status_code for change in changes} == {200}
    assert faults == []
    assert seen == {"v-one", "v-two"}


# -- several processes ------------------------------------------------------------------


def test_a_release_promoted_elsewhere_is_served_here_too(serving, shelf):
    with serving(OFTEN) as client:
        shelf.point("two")
        assert becomes(lambda: version(client), "v-two") == "v-two"
        assert shelf.pointer().current == "two"


def test_one_that_is_damaged_here_is_told_of_once_and_the_old_one_stays(serving, shelf, caplog):
    def damaged(folder, *, even_if_worse):
        if folder.name == "unfit":
            raise BundleError("a file is missing")
        return Versioned(folder)

    with serving(OFTEN, damaged) as client:
        shelf.point("unfit")
        assert becomes(lambda: "is refused: a file is missing" in caplog.text, True)
        shelf.point("two")
        assert becomes(lambda: version(client), "v-two") == "v-two"
    assert caplog.text.count("is refused") == 1
