"""The arguments of the training loop: what each changes, what is left unread, and what is refused by name."""

from collections.abc import Mapping
from typing import Any

import pytest

from tasks.scope.error import InputError
from tasks.trials.inline import Memory
from tasks.trials.supervised.training import train
from tasks.trials.workloads.models import mlp
from tests.trials.supervised.example_training import POINT, blobs, running, trained


def test_schedule_and_label_smoothing_change_what_is_trained() -> None:
    plain = trained().reports
    assert trained(schedule="constant").reports[20]["train_loss"] != plain[20]["train_loss"]
    assert trained(label_smoothing=0.2).reports[50]["train_loss"] > plain[50]["train_loss"]


@pytest.mark.playbook("I10", case="shows")
def test_a_warmup_makes_the_run_longer() -> None:
    reports = trained(warmup_steps=10).reports
    assert sorted(reports) == [20, 40, 60]
    assert reports[60]["learning_rate"] == trained().reports[50]["learning_rate"]


@pytest.mark.playbook("J4", case="fires")
def test_an_evaluation_batch_below_the_training_batch_ends_the_trial_before_its_first_step() -> None:
    sink = Memory()
    with pytest.raises(InputError, match="eval_batch_size: 8 is below"):
        trained(POINT, sink, eval_batch_size=8)
    assert not sink.reports


def test_a_hyperparameter_of_the_point_stands_before_the_argument_of_its_name() -> None:
    assert trained(POINT | {"schedule": "constant"}).reports[50]["learning_rate"] == 0.2
    assert trained(POINT | {"batch_size": 30}).reports == trained(batch_size=30).reports
    assert trained(batch_size=30).reports != trained().reports


@pytest.mark.playbook("I12", case="shows")
def test_clipping_is_reported_as_the_share_of_updates_that_it_changed() -> None:
    assert "clipped" not in trained().reports[50]
    tight = trained(clip_norm=1e-6).reports
    assert tight[50]["clipped"] == 1.0
    assert tight[50]["valid_loss"] > trained().reports[50]["valid_loss"] + 0.1  # it hardly moved
    assert trained(clip_norm=1e6).reports[50] == {**trained().reports[50], "clipped": 0.0, "clip_norm": 1e6}


@pytest.mark.playbook("I1", case="shows")
def test_the_gradient_is_recorded_as_it_was_before_clipping() -> None:
    first = trained(steps=1, every=1).reports[1]["grad_norm"]
    assert trained(steps=1, every=1, clip_norm=first / 100).reports[1]["grad_norm"] == first


def test_a_hyperparameter_that_plays_no_part_is_left_unread() -> None:
    trial = running(POINT | {"regularizer": "none"}, Memory())
    train(trial, data=blobs, model=mlp, batch_size=16)
    assert trial.point.unread == ("dropout.rate",)
    trial = running(POINT, Memory())
    train(trial, data=blobs, model=mlp, batch_size=16)
    assert trial.point.unread == ()


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        ({"data": dict}, "workload.data: it returned a dict"),
        ({"batch_size": 0}, "batch_size: 0"),
        ({"batch_size": 91}, "batch_size: 91 does not lie between 1 and the 90"),
        ({"clip_norm": -1.0}, "clip_norm: -1.0"),
        ({"label_smoothing": 1.0}, "label_smoothing: 1.0"),
        ({"warmup_steps": -1}, "warmup_steps: -1"),
        ({"schedule": "step"}, "schedule: 'step'"),
    ],
)
@pytest.mark.prose
def test_an_argument_that_cannot_be_is_refused_by_name(arguments: Mapping[str, Any], named: str) -> None:
    with pytest.raises(InputError, match=named):
        trained(**arguments)
