"""The training loop: what it reports and when, and that neither its surroundings nor an interruption changes it."""

import io
import math
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest
import torch
from torch import nn

from tasks.record import Point, Value
from tasks.scope.error import InputError
from tasks.scope.goal import Objective
from tasks.trials.inline import Memory
from tasks.trials.running import Infeasible, RunningTrial
from tasks.trials.supervised.batches import Data, Labelled
from tasks.trials.supervised.training import METRICS, SHOWN, next_evaluation, rare_classes, train
from tasks.trials.workloads.models import mlp

POINT: dict[str, Value] = {
    "optimizer": "nesterov",
    "nesterov.learning_rate": 0.2,
    "nesterov.one_minus_momentum": 0.1,
    "weight_decay": 1e-4,
    "regularizer": "dropout",
    "dropout.rate": 0.2,
    "layers": 1,
    "width": 8,
    "activation": "relu",
}
ADAM: dict[str, Value] = {"optimizer": "adam", "adam.learning_rate": 0.02}


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """Bit-equal curves are promised for one thread."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def blobs(*, spread: float = 0.7, poisoned_test: bool = False) -> Data:
    """Three classes around three corners: 90 to train on, 60 to validate, 30 that nobody may look at."""
    generator = torch.Generator().manual_seed(0)
    corners = torch.tensor([[0.0, 0.0], [2.0, 0.0], [0.0, 2.0]])

    def part(n: int) -> Labelled:
        labels = torch.randint(3, (n,), generator=generator)
        return Labelled(inputs=corners[labels] + spread * torch.randn(n, 2, generator=generator), labels=labels)

    train_part, valid, test = part(90), part(60), part(30)
    if poisoned_test:
        test = Labelled(inputs=test.inputs * math.nan, labels=test.labels)
    return Data(train=train_part, valid=valid, test=test, classes=3)


class Interrupted(Exception):
    """The process was killed."""


class CutOff(Memory):
    """A sink that dies right after the checkpoint of step `at`; what it keeps went through a file and back."""

    def __init__(self, at: int | None = None) -> None:
        super().__init__()
        self.at = at
        self.file = io.BytesIO()

    def saved(self, step: int, state: Any, objective: float | None) -> None:
        """Keep the checkpoint as a file would."""
        self.file = io.BytesIO()
        torch.save(state, self.file)
        self.state = (step, None)
        if step == self.at:
            raise Interrupted

    def last(self) -> tuple[int, Any]:
        """The last checkpoint, loaded without unpickling anything but tensors and plain values."""
        if not self.file.getbuffer().nbytes:
            return 0, None
        self.file.seek(0)
        return self.state[0], torch.load(self.file, weights_only=True)


def running(point: Point, sink: Memory, *, seed: int = 1, steps: int = 50, every: int = 20) -> RunningTrial:
    return RunningTrial(
        point=point,
        seed=seed,
        max_train_steps=steps,
        eval_every_steps=every,
        objective=Objective(metric="valid_error", direction="minimize"),
        sink=sink,
    )


def trained(
    point: Point = POINT,
    sink: Memory | None = None,
    *,
    data: Callable[[], Any] = blobs,
    model: Callable[..., nn.Module] = mlp,
    seed: int = 1,
    steps: int = 50,
    every: int = 20,
    **arguments: Any,
) -> Memory:
    """What a trial reported and saved."""
    sink = sink or CutOff()
    given: dict[str, Any] = {"batch_size": 16, "schedule": "cosine"} | arguments
    train(running(point, sink, seed=seed, steps=steps, every=every), data=data, model=model, **given)
    return sink


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


def test_schedule_and_label_smoothing_change_what_is_trained() -> None:
    plain = trained().reports
    assert trained(schedule="constant").reports[20]["train_loss"] != plain[20]["train_loss"]
    assert trained(label_smoothing=0.2).reports[50]["train_loss"] > plain[50]["train_loss"]


def test_how_often_a_trial_is_evaluated_does_not_change_how_it_trains() -> None:
    often, seldom = trained(every=5, steps=40), trained(every=40, steps=40)
    assert often.reports[40]["valid_loss"] == seldom.reports[40]["valid_loss"]


@pytest.mark.playbook("I10", case="shows")
def test_a_warmup_makes_the_run_longer() -> None:
    reports = trained(warmup_steps=10).reports
    assert sorted(reports) == [20, 40, 60]
    assert reports[60]["learning_rate"] == trained().reports[50]["learning_rate"]


@pytest.mark.playbook("J12", case="shows")
@pytest.mark.parametrize("at", [5, 15, 45])
@pytest.mark.parametrize("change", [{}, ADAM, {"clip_norm": 0.5, "warmup_steps": 7, "label_smoothing": 0.1}])
def test_an_interrupted_trial_goes_on_as_if_nothing_had_happened(at: int, change: dict[str, Value]) -> None:
    point = POINT | change
    straight, sink = trained(point, every=5), CutOff(at)
    with pytest.raises(Interrupted):
        trained(point, sink, every=5)
    sink.at = None
    trained(point, sink, every=5)
    assert sink.reports == straight.reports


@pytest.mark.parametrize("lost", ["model", "optimizer", "rng", "gradients", "step"])
def test_each_part_of_a_checkpoint_is_needed(lost: str) -> None:
    straight, sink, fresh = trained(every=5), CutOff(15), CutOff(5)
    for cut in (sink, fresh):
        with pytest.raises(Interrupted):
            trained(POINT, cut, every=5)
    step, state = sink.last()
    older = fresh.last()[1]

    class Damaged(CutOff):
        def last(self) -> tuple[int, Any]:
            if self.state[0]:
                return super().last()
            return (10, state) if lost == "step" else (step, state | {lost: older[lost]})

    later = trained(POINT, Damaged(), every=5)
    same = all(later.reports[s] == straight.reports[s] for s in (20, 50))
    assert not (same and later.last()[1]["gradients"] == straight.last()[1]["gradients"])


def test_a_finished_trial_that_is_started_again_trains_no_step() -> None:
    sink = trained()
    before = dict(sink.reports)
    sink.reports.clear()
    trained(POINT, sink)
    assert before
    assert not sink.reports


@pytest.mark.parametrize("every", [2, 7, 50])
def test_a_loss_that_is_not_finite_ends_the_trial_at_its_step(every: int) -> None:
    sink = Memory()
    with pytest.raises(Infeasible, match=r"^train_loss is nan at step 6$"):
        trained(POINT | {"nesterov.learning_rate": 1e5}, sink, every=every)
    assert max(sink.reports) == 6
    assert all(math.isnan(v) for v in sink.reports[6].values())
    assert sink.state[0] < 6


def test_an_evaluation_after_the_step_that_destroyed_the_model_sees_it_first() -> None:
    with pytest.raises(Infeasible, match=r"^valid_error is nan at step 5$"):
        trained(POINT | {"nesterov.learning_rate": 1e5}, Memory(), every=1)


def test_a_step_that_destroys_the_model_after_the_last_batch_is_no_result_either() -> None:
    sink = Memory()
    with pytest.raises(Infeasible, match="valid_error is nan at step 1"):
        trained(POINT | {"nesterov.learning_rate": 1e38}, sink, steps=1, every=1)
    assert sink.state == (0, None)


@pytest.mark.playbook("J4", case="fires")
def test_an_evaluation_batch_below_the_training_batch_ends_the_trial_before_its_first_step() -> None:
    sink = Memory()
    with pytest.raises(InputError, match="eval_batch_size: 8 is below"):
        trained(POINT, sink, eval_batch_size=8)
    assert not sink.reports


@pytest.mark.playbook("J6", case="silent")
def test_the_curve_does_not_depend_on_the_evaluation_batch() -> None:
    whole, small = trained(eval_batch_size=60).reports, trained(eval_batch_size=17).reports
    for step, row in whole.items():
        assert small[step] == pytest.approx(row, rel=1e-5)
        assert small[step]["valid_error"] == row["valid_error"]


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
    assert trained(clip_norm=1e6).reports[50] == {**trained().reports[50], "clipped": 0.0}


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


def test_the_test_set_is_never_looked_at() -> None:
    assert trained(data=lambda: blobs(poisoned_test=True)).reports == trained().reports


@pytest.mark.playbook("J7", case="shows")
def test_each_checkpoint_keeps_the_predictions_on_the_same_examples() -> None:
    sink = trained(POINT | {"regularizer": "none"}, data=lambda: blobs(spread=0.2), steps=100)
    predictions = sink.last()[1]["predictions"]
    assert predictions.tolist() == blobs(spread=0.2).valid.labels[:SHOWN].tolist()


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
def test_an_argument_that_cannot_be_is_refused_by_name(arguments: Mapping[str, Any], named: str) -> None:
    with pytest.raises(InputError, match=named):
        trained(**arguments)
