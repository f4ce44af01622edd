"""The flow: what is kept, what is taken up again, and what is refused."""

import json
import shutil
import sys
from pathlib import Path

import pytest

from twotower import pipeline
from twotower.bundle import Bundle
from twotower.errors import DataError, MissingExtra, OutputError
from twotower.pipeline import Workshop
from twotower.recipes import derive, recipe
from twotower.releases import ReleaseFolder
from twotower.schema import Split
from twotower.training.run import Run

SOURCE = "synthetic:products=100,shoppers=100"
FAST = derive(recipe("tiny"), ["training.epochs=2"])


@pytest.fixture(scope="module")
def workshop(cache):
    return Workshop(cache, command="twotower build", commit="abc1234")


@pytest.fixture(scope="module")
def made(tmp_path_factory, workshop):
    """A prepared dataset and a finished run."""
    folder = tmp_path_factory.mktemp("pipeline")
    pipeline.prepare(SOURCE, FAST, folder / "data", workshop)
    pipeline.train(folder / "data", FAST, folder / "run", workshop)
    return folder


@pytest.fixture
def copy(made, tmp_path):
    """The same in a place of its own, so that it can be spoilt."""
    shutil.copytree(made / "data", tmp_path / "data")
    shutil.copytree(made / "run", tmp_path / "run")
    about = json.loads((tmp_path / "run" / "run.json").read_text())
    about["data"] = str(tmp_path / "data")
    (tmp_path / "run" / "run.json").write_text(json.dumps(about))
    return tmp_path


def test_a_run_opens_with_the_dataset_it_was_trained_on(made):
    run, dataset = pipeline.open_run(made / "run")
    assert run.about["data_hash"] == dataset.content_hash
    assert run.about["recipe"] == json.loads(json.dumps(FAST.to_json()))


def test_a_run_whose_dataset_has_moved_says_so(copy):
    shutil.rmtree(copy / "data")
    with pytest.raises(DataError, match="data is no prepared dataset"):
        pipeline.open_run(copy / "run")


def test_a_run_whose_dataset_is_another_one_now_names_both(copy, workshop):
    shutil.rmtree(copy / "data")
    other = pipeline.prepare(f"{SOURCE},seed=9", FAST, copy / "data", workshop)
    expected = json.loads((copy / "run" / "run.json").read_text())["data_hash"][:12]
    with pytest.raises(DataError, match=rf"{expected}.*{other.content_hash[:12]}; train again"):
        pipeline.open_run(copy / "run")


def test_settings_of_serving_are_chosen_once_and_kept(copy, workshop):
    run, dataset = pipeline.open_run(copy / "run")
    chosen = pipeline.tune(run, dataset, workshop)
    stored = json.loads((copy / "run" / "serving.json").read_text())
    assert stored == chosen.to_json()
    (copy / "run" / "serving.json").write_text(json.dumps(stored | {"k1": 0.77}))
    assert pipeline.tune(run, dataset, workshop).k1 == 0.77


def test_a_bundle_made_of_a_run_carries_a_report_on_the_test_split(copy, workshop):
    run, dataset = pipeline.open_run(copy / "run")
    serving = pipeline.tune(run, dataset, workshop)
    pipeline.evaluate(run, dataset, serving, workshop, Split.VALIDATION)
    bundle = pipeline.bundle_run(copy / "run", copy / "bundle", workshop)
    for section in bundle.report["tasks"].values():
        assert section["protocol"]["split"] == Split.TEST
    assert bundle.report["training"]["export_difference"] <= 1e-4
    assert bundle.report["commit"] == "abc1234"
    assert bundle.report["command"] == "twotower build"
    assert bundle.settings == serving.to_json()
    assert (copy / "bundle" / "report.html").is_file()


def bundle_with(run, out, workshop, *, promoted):
    """A bundle of the run, whose report comes to this verdict."""
    report = json.loads((run / "report.json").read_text())
    report["verdict"]["promoted"] = promoted
    (run / "report.json").write_text(json.dumps(report))
    return pipeline.bundle_run(run, out, workshop)


def test_a_bundle_that_lost_to_its_baselines_never_replaces_one_that_won(copy, workshop):
    run, dataset = pipeline.open_run(copy / "run")
    pipeline.evaluate(run, dataset, pipeline.tune(run, dataset, workshop), workshop)
    out = copy / "bundle"
    lost = bundle_with(copy / "run", out, workshop, promoted=False)
    assert lost.folder == out, "there was nothing to keep"
    won = bundle_with(copy / "run", out, workshop, promoted=True)
    assert won.folder == out, "a better one replaces a worse one"
    kept = (out / "manifest.json").read_bytes()
    rejected = bundle_with(copy / "run", out, workshop, promoted=False)
    assert rejected.folder == copy / "bundle.rejected"
    assert (out / "manifest.json").read_bytes() == kept
    assert not Bundle.load(copy / "bundle.rejected").report["verdict"]["promoted"]
    assert (copy / "bundle.rejected" / "report.html").is_file()
    assert ReleaseFolder(copy).names() == ["bundle"], "what was rejected is served by nobody"
    (out / "report.json").write_text("{")
    assert bundle_with(copy / "run", out, workshop, promoted=False).folder == out


def test_an_interrupted_build_goes_on_where_it_was(tmp_path, cache):
    class Interrupted(Exception):  # noqa: N818 - what happened, no fault
        pass

    told = []

    def interrupting(stage, done, total):
        told.append(stage)
        if stage.startswith("rank"):
            raise Interrupted

    with pytest.raises(Interrupted):
        pipeline.build(SOURCE, FAST, tmp_path / "bundle", Workshop(cache, interrupting))
    assert any(stage.startswith("train") for stage in told)
    (work,) = tmp_path.iterdir()
    trained = (work / "run" / "model" / "vectors.npy").read_bytes()

    told.clear()
    bundle = pipeline.build(
        SOURCE, FAST, tmp_path / "bundle", Workshop(cache, lambda stage, *_: told.append(stage))
    )
    assert not any(stage.startswith("train") for stage in told)
    assert (bundle.folder / "model" / "vectors.npy").read_bytes() == trained
    assert [path.name for path in tmp_path.iterdir()] == ["bundle"]
    Bundle.load(tmp_path / "bundle")


def test_without_the_train_extra_training_says_what_to_install(made, workshop, monkeypatch):
    monkeypatch.setitem(sys.modules, "twotower.training.train", None)  # as if it did not import
    with pytest.raises(MissingExtra, match=r"training needs .*pytorch.org/whl/cpu '\.\[train\]'"):
        pipeline.train(made / "data", FAST, made / "another", workshop)


@pytest.mark.parametrize(
    ("source", "made"),
    [
        pytest.param(f"{SOURCE},seed=9", FAST, id="another source"),
        pytest.param(SOURCE, derive(FAST, ["towers.width=16"]), id="another recipe"),
    ],
)
def test_a_build_that_failed_begins_afresh_for_what_is_asked_now(
    tmp_path, cache, monkeypatch, source, made
):
    def full(*_):
        raise OutputError("bundle was not written: the disk is full.")

    with monkeypatch.context() as failing:
        failing.setattr(pipeline, "release", full)
        with pytest.raises(OutputError) as raised:
            pipeline.build(SOURCE, FAST, tmp_path / "bundle", Workshop(cache))
    (work,) = tmp_path.iterdir()
    assert f"kept in {work}: the same command goes on" in " ".join(raised.value.__notes__)

    bundle = pipeline.build(source, made, tmp_path / "bundle", Workshop(cache))
    assert bundle.model.towers.width == made.towers.width
    expected = pipeline.prepare(source, made, tmp_path / "data", Workshop(cache))
    assert bundle.dataset.content_hash == expected.content_hash
    assert not work.exists()


def test_a_build_that_failed_before_anything_was_done_keeps_nothing(tmp_path, workshop):
    with pytest.raises(DataError) as raised:
        pipeline.build(str(tmp_path / "nowhere"), FAST, tmp_path / "bundle", workshop)
    assert not hasattr(raised.value, "__notes__")
    assert list(tmp_path.iterdir()) == []


STAGES = {
    "prepare": lambda out, workshop: pipeline.prepare("nowhere", FAST, out, workshop),
    "train": lambda out, workshop: pipeline.train(Path("nowhere"), FAST, out, workshop),
    "tune": lambda out, workshop: pipeline.search_settings(
        Path("nowhere"), FAST, out, workshop, trials=1
    ),
    "bundle": lambda out, workshop: pipeline.bundle_run(Path("nowhere"), out, workshop),
    "build": lambda out, workshop: pipeline.build("nowhere", FAST, out, workshop),
}


@pytest.mark.parametrize("stage", STAGES.values(), ids=STAGES)
def test_a_place_that_cannot_be_used_is_refused_before_anything_is_read(stage, tmp_path, workshop):
    (tmp_path / "letters.txt").write_text("dear")
    with pytest.raises(OutputError, match="left alone"):
        stage(tmp_path, workshop)
    with pytest.raises(OutputError, match="cannot be written"):
        stage(tmp_path / "letters.txt" / "out", workshop)
    assert [path.name for path in tmp_path.iterdir()] == ["letters.txt"]


def test_a_training_that_failed_says_what_is_kept(made, tmp_path, cache):
    def failing(stage, *_):
        if stage.startswith("train"):
            raise OutputError("the disk is full")

    with pytest.raises(OutputError) as raised:
        pipeline.train(made / "data", FAST, tmp_path / "run", Workshop(cache, failing))
    assert f"kept in {tmp_path / 'run'}: the same command" in " ".join(raised.value.__notes__)
    assert (tmp_path / "run" / "run.json").is_file()


def test_an_unfinished_run_is_not_measured(copy):
    about = json.loads((copy / "run" / "run.json").read_text())
    (copy / "run" / "run.json").write_text(json.dumps(about | {"state": "training"}))
    with pytest.raises(DataError, match="has not finished; resume it with 'twotower train'"):
        Run.load(copy / "run")
