"""The training loop: what it reports and when, and that its surroundings change nothing."""

import math
from typing import Any

import pytest
import torch
from torch import nn

from tasks.trials.supervised.batches import Data, Labelled
from tasks.trials.supervised.training import METRICS, SHOWN, next_evaluation, rare_classes
from tasks.trials.workloads.models import mlp
from tests.trials.supervised.example_training import POINT, blobs, trained


@pytest.mark.playbook("J3", case="shows")
def test_a_trial_is_evaluated_at_fixed_steps_and_at_its_last() -> None:
    assert sorted(trained().reports) == [20, 40, 50]
    assert sorted(trained(steps=40).reports) == [20, 40]
    assert next_evaluation(20, 20, 50) == 40
    assert next_evaluation(41, 20, 50) == 50


def test_every_metric_is_reported_at_every_evaluation() -> None:
    for row in trained().reports.values():
        assert set(METRICS) <= set(row)
        assert all(math.isfinite(v) for v in row.values())
        assert row["grad_norm"] <= row["grad_norm_max"]


def test_what_can_be_learned_is_learned() -> None:
    last = trained(POINT | {"regularizer": "none"}, data=lambda: blobs(spread=0.2), steps=100).reports[100]
    assert last["valid_error"] == last["train_error"] == 0
    assert last["valid_loss"] < 0.1


def test_equal_inputs_give_an_equal_curve_whatever_was_drawn_before() -> None:
    torch.manual_seed(123)
    first = trained().reports
    torch.rand(7)
    assert trained().reports == first
    assert trained(seed=2).reports != first


def test_what_a_model_draws_when_it_is_made_moves_no_dropout() -> None:
    def wasteful(**given: Any) -> nn.Module:
        model = mlp(**given)
        torch.rand(7)
        return model

    assert trained(model=wasteful).reports == trained().reports


def test_how_often_a_trial_is_evaluated_does_not_change_how_it_trains() -> None:
    often, seldom = trained(every=5, steps=40), trained(every=40, steps=40)
    assert often.reports[40]["valid_loss"] == seldom.reports[40]["valid_loss"]


@pytest.mark.playbook("J6", case="silent")
def test_the_curve_does_not_depend_on_the_evaluation_batch() -> None:
    whole, small = trained(eval_batch_size=60).reports, trained(eval_batch_size=17).reports
    for step, row in whole.items():
        assert small[step] == pytest.approx(row, rel=1e-5)
        assert small[step]["valid_error"] == row["valid_error"]


def test_the_test_set_is_never_looked_at() -> None:
    assert trained(data=lambda: blobs(poisoned_test=True)).reports == trained().reports


@pytest.mark.playbook("J7", case="shows")
def test_each_checkpoint_keeps_the_predictions_on_the_same_examples() -> None:
    sink = trained(POINT | {"regularizer": "none"}, data=lambda: blobs(spread=0.2), steps=100)
    predictions = sink.last()[1]["predictions"]
    assert predictions["target"].tolist() == blobs(spread=0.2).valid.labels[:SHOWN].tolist()
    assert predictions["predicted"].tolist() == predictions["target"].tolist()
    assert bool((predictions["confidence"] > 1 / 3).all())


@pytest.mark.playbook("J9", case="shows")
def test_of_a_rare_class_the_number_that_is_right_is_reported() -> None:
    def lopsided() -> Data:
        data = blobs(spread=0.2)
        kept = torch.cat([torch.where(data.valid.labels != 2)[0], torch.where(data.valid.labels == 2)[0][:4]])
        valid = Labelled(inputs=data.valid.inputs[kept], labels=data.valid.labels[kept])
        return Data(train=data.train, valid=valid, test=data.test, classes=3)

    assert rare_classes(blobs()) == ()
    assert rare_classes(lopsided()) == (2,)
    last = trained(POINT | {"regularizer": "none"}, data=lopsided, steps=100).reports[100]
    assert last["valid_correct_2"] == 4
    assert "valid_correct_1" not in last
