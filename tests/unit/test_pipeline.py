"""The flow: what is kept, what is taken up again, and what is refused."""

import json
import shutil
import sys

import pytest

from twotower import pipeline
from twotower.bundle import Bundle
from twotower.errors import DataError, MissingExtra, OutputError
from twotower.pipeline import Workshop
from twotower.recipes import derive, recipe
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
    with pytest.raises(MissingExtra, match=r"training needs .*; pip install '\.\[train\]'"):
        pipeline.train(made / "data", FAST, made / "another", workshop)


def test_builds_of_other_recipes_do_not_share_their_work(tmp_path):
    folders = {
        pipeline._work_folder(tmp_path / name, source, made)
        for name in ("a", "b")
        for source in (SOURCE, "synthetic")
        for made in (FAST, recipe("tiny"))
    }
    assert len(folders) == 8


def test_a_place_that_is_taken_is_refused_before_anything_is_read(tmp_path, workshop):
    (tmp_path / "letters.txt").write_text("dear")
    with pytest.raises(OutputError, match="no bundle"):
        pipeline.build("nowhere", FAST, tmp_path, workshop)


def test_an_unfinished_run_is_not_measured(copy):
    about = json.loads((copy / "run" / "run.json").read_text())
    (copy / "run" / "run.json").write_text(json.dumps(about | {"state": "training"}))
    with pytest.raises(DataError, match="has not finished; resume it with 'twotower train'"):
        Run.load(copy / "run")
