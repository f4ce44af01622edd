"""The loop: the best epoch is kept, and an interrupted run ends where a whole one does."""

import pytest
import torch
from test_learner import N_ITEMS, learner_of

from twotower.features.history import Histories, History
from twotower.towers.layers import is_table
from twotower.training.config import TrainingConfig
from twotower.training.examples import ExampleStream, HistoryExamples
from twotower.training.loop import _groups, fit


class Interrupted(Exception):  # noqa: N818 - what happened, no fault
    pass


def stream(seed=0):
    """Visitors who walk around a ring of items, so that there is something to learn."""
    made = [History.of([(start + step) % N_ITEMS for step in range(6)]) for start in range(N_ITEMS)]
    examples = HistoryExamples(
        Histories.from_lists(made),
        kind_weights={},
        max_length=6,
        batch_histories=8,
        batch_events=1000,
    )
    return ExampleStream([examples], seed=seed)


def trained(folder, *, scores, epochs=4, patience=9, interrupt=None, **settings):
    """Runs `fit`; validation says the given scores, and may interrupt in an epoch or a step."""
    config = TrainingConfig(
        epochs=epochs, patience=patience, warmup_steps=2, learning_rate=1e-2, **settings
    )
    learner, snapshots, calls = learner_of(**settings), [], []
    learner.model.user.dropout = 0.3

    def validate():
        place = len(calls)
        calls.append(place)
        snapshots.append({k: v.clone() for k, v in learner.model.state_dict().items()})
        return {"ndcg@10": scores(place)}

    def progress(stage, done, total):
        if interrupt and stage.startswith(f"train, epoch {interrupt[0]} ") and done == interrupt[1]:
            raise Interrupted

    curve = fit(learner, stream(), config, validate, folder=folder, progress=progress)
    return learner, curve, snapshots


def same(one, other):
    return all(torch.equal(one[name], other[name]) for name in one)


def test_training_teaches(tmp_path):
    _, curve, _ = trained(tmp_path, scores=lambda epoch: epoch, epochs=8)
    losses = [point["loss"] for point in curve.points]
    assert losses[-1] < 0.7 * losses[0]


def test_the_weights_of_the_best_epoch_are_the_result(tmp_path):
    learner, curve, snapshots = trained(tmp_path, scores=[0.1, 0.5, 0.2, 0.3].__getitem__)
    assert same(learner.model.state_dict(), snapshots[1])
    assert [point["epoch"] for point in curve.points] == [1, 2, 3, 4]
    assert [point["ndcg@10"] for point in curve.points] == [0.1, 0.5, 0.2, 0.3]


def test_it_stops_when_validation_gets_no_better(tmp_path):
    scores = [0.1, 0.5, 0.4, 0.3, 0.9, 0.9].__getitem__
    learner, curve, snapshots = trained(tmp_path, scores=scores, epochs=6, patience=2)
    assert len(curve.points) == 4
    assert same(learner.model.state_dict(), snapshots[1])


@pytest.mark.parametrize(
    "settings",
    [{"negatives": "all"}, {"negatives": "mixed"}, {"average_steps": 5}],
    ids=["all", "mixed", "averaged"],
)
@pytest.mark.parametrize("when", [(1, 2), (4, 1)], ids=["before a checkpoint", "epoch 4"])
def test_an_interrupted_run_ends_at_the_same_weights_as_a_whole_one(tmp_path, settings, when):
    scores = [0.1, 0.4, 0.5, 0.45].__getitem__  # 0.45: better than the best before the best
    whole, curve, _ = trained(tmp_path / "whole", scores=scores, **settings)
    with pytest.raises(Interrupted):
        trained(tmp_path / "cut", scores=scores, interrupt=when, **settings)
    done = when[0] - 1
    resumed, same_curve, snapshots = trained(
        tmp_path / "cut", scores=lambda place: scores(done + place), **settings
    )
    assert same(resumed.model.state_dict(), whole.model.state_dict())
    assert same_curve.points == curve.points
    assert len(snapshots) == 4 - done  # finished epochs are not trained again


def test_a_run_that_stopped_early_and_was_cut_before_the_end_does_not_train_on(tmp_path):
    scores = [0.1, 0.5, 0.4, 0.3, 0.9, 0.9]
    first, curve, _ = trained(tmp_path, scores=scores.__getitem__, epochs=6, patience=2)
    again, same_curve, snapshots = trained(
        tmp_path, scores=lambda place: scores[4 + place], epochs=6, patience=2
    )
    assert snapshots == []
    assert same_curve.points == curve.points
    assert same(again.model.state_dict(), first.model.state_dict())


def test_a_run_that_trained_all_its_epochs_and_was_cut_before_the_end_does_not_train_on(tmp_path):
    first, curve, _ = trained(tmp_path, scores=[0.1, 0.3, 0.2, 0.1].__getitem__)
    again, same_curve, snapshots = trained(tmp_path, scores=lambda place: 0.9)
    assert snapshots == []
    assert same_curve.points == curve.points
    assert same(again.model.state_dict(), first.model.state_dict())


def test_without_validation_all_epochs_are_trained_and_the_last_weights_stay(tmp_path):
    config = TrainingConfig(epochs=3, warmup_steps=2, learning_rate=1e-2)
    learner = learner_of()
    before = {name: value.clone() for name, value in learner.model.state_dict().items()}

    curve = fit(learner, stream(), config, None, folder=tmp_path)

    assert [point["epoch"] for point in curve.points] == [1, 2, 3]
    assert curve.best_epoch == 3
    assert not same(before, learner.model.state_dict())
    again = learner_of()
    fit(again, stream(), config, None, folder=tmp_path)  # resumes, and has nothing left to do
    assert same(learner.model.state_dict(), again.model.state_dict())


@pytest.mark.parametrize("validated", [True, False])
def test_the_weights_kept_are_the_average_of_the_last_steps(tmp_path, validated):
    """Averaging changes what is kept, never what is trained: losses stay the same."""

    def kept(steps):
        config = TrainingConfig(epochs=3, warmup_steps=2, learning_rate=1e-2, average_steps=steps)
        learner = learner_of()
        learner.model.user.dropout = 0.3
        rising = iter([0.1, 0.2, 0.3])
        validate = (lambda: {"ndcg@10": next(rising)}) if validated else None
        curve = fit(learner, stream(), config, validate, folder=tmp_path / str(steps))
        weights = torch.nn.utils.parameters_to_vector(learner.model.parameters())
        return weights, [point["loss"] for point in curve.points]

    torch.manual_seed(0)
    start = torch.nn.utils.parameters_to_vector(learner_of().model.parameters())
    last, losses = kept(0)
    of_one, losses_of_one = kept(1)
    of_many, losses_of_many = kept(1000)
    assert losses == losses_of_one == losses_of_many
    assert torch.allclose(of_one, last)
    assert 0.05 < (of_many - last).norm() / (start - last).norm() < 0.95


def test_another_seed_gives_other_weights(tmp_path):
    found = [
        trained(tmp_path / str(seed), scores=lambda epoch: epoch, epochs=1, seed=seed)[0]
        for seed in (0, 1)
    ]
    assert not same(found[0].model.state_dict(), found[1].model.state_dict())


def test_embeddings_norms_and_biases_are_not_decayed():
    model = learner_of().model
    decayed, free = _groups(model, TrainingConfig(weight_decay=0.5))
    tables = [module.weight for module in model.modules() if is_table(module)]
    assert (decayed["weight_decay"], free["weight_decay"]) == (0.5, 0.0)
    assert all(parameter.ndim > 1 for parameter in decayed["params"])
    assert not {id(table) for table in tables} & {id(p) for p in decayed["params"]}
    counted = len(decayed["params"]) + len(free["params"])
    assert counted == sum(parameter.requires_grad for parameter in model.parameters())
