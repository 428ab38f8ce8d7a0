"""Curves, best steps, and what the ledger and the curves file keep of them."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.design.study import Planned
from tasks.scope.goal import Objective
from tasks.trials.inline import Memory
from tasks.trials.running import Infeasible, MissingMetric, RunningTrial
from tasks.trials.stored import curve_bytes, curve_from, read_curves, result_of, trial_from, write_curves
from tasks.trials.trial import Curve, ended

LOWER = Objective(metric="loss", direction="minimize")
PLANNED = Planned(
    id="t", study="s", purpose="search", index=0, point={"x": 1.5}, seed=1, max_train_steps=9, eval_every_steps=3
)


def curve(*losses: float) -> Curve:
    return Curve.from_reports({10 * (i + 1): {"loss": v, "other": float(i)} for i, v in enumerate(losses)})


@pytest.mark.playbook("E12", case="shows")
def test_a_trial_is_worth_its_best_step_not_its_last_and_of_equals_the_earliest() -> None:
    trial = ended(PLANNED, curve(3.0, 1.0, 2.0, 1.0, 5.0), LOWER)
    assert (trial.best_step, trial.best_value, trial.final_value, trial.steps_done) == (20, 1.0, 5.0, 50)
    higher = ended(PLANNED, curve(3.0, 1.0, 5.0), LOWER.model_copy(update={"direction": "maximize"}))
    assert (higher.best_step, higher.best_value) == (30, 5.0)


@given(st.lists(st.one_of(st.floats(0, 1), st.just(float("nan"))), min_size=1, max_size=20))
def test_a_value_that_is_not_finite_is_never_best(losses: list[float]) -> None:
    best = ended(PLANNED, curve(*losses), LOWER).best_value
    finite = [v for v in losses if np.isfinite(v)]
    assert best == (min(finite) if finite else None)


def test_an_infeasible_trial_has_no_best_value() -> None:
    trial = ended(PLANNED, curve(1.0, 2.0), LOWER, "infeasible", "loss is nan at step 30")
    assert trial.best_value is None
    assert not trial.feasible


def test_steps_must_increase() -> None:
    with pytest.raises(ValueError, match="increase"):
        Curve(steps=np.array([1, 1]), metrics={"loss": np.array([0.0, 0.0])})


@given(st.dictionaries(st.integers(1, 1000), st.dictionaries(st.sampled_from("abc"), st.floats()), max_size=8))
def test_what_the_ledger_keeps_of_a_curve_is_the_curve_to_the_last_bit(reports: dict[int, dict[str, float]]) -> None:
    before = Curve.from_reports(reports)
    after = curve_from(curve_bytes(before))
    assert np.array_equal(after.steps, before.steps)
    assert after.metrics.keys() == before.metrics.keys()
    for name, values in before.metrics.items():
        assert np.array_equal(after.metrics[name], values, equal_nan=True)


def test_a_stored_trial_comes_back_as_it_ended() -> None:
    before = ended(PLANNED, curve(3.0, 1.0), LOWER, seconds=1.5, log="tail", folder="/f", unread=("y",))
    after = trial_from(PLANNED, result_of(before), curve_bytes(before.curve), LOWER)
    assert (after.row(), after.log, after.unread) == (before.row(), "tail", ("y",))


@pytest.mark.playbook("F1", case="shows")
def test_the_curves_file_holds_every_curve(tmp_path: Path) -> None:
    trials = [ended(PLANNED.model_copy(update={"id": f"t{i}"}), curve(*range(1, i + 3)), LOWER) for i in range(3)]
    write_curves(tmp_path / "curves.parquet", trials)
    found = read_curves(tmp_path / "curves.parquet")
    assert set(found) == {"t0", "t1", "t2"}
    assert found["t2"].metrics["loss"].tolist() == [1.0, 2.0, 3.0, 4.0]


@pytest.mark.parametrize("name", ["step", "trial"])
def test_a_metric_may_have_the_name_of_a_column(tmp_path: Path, name: str) -> None:
    reports = {1: {"loss": 2.0, name: 7.0}, 2: {"loss": 1.0, name: 8.0}}
    write_curves(tmp_path / "curves.parquet", [ended(PLANNED, Curve.from_reports(reports), LOWER)])
    found = read_curves(tmp_path / "curves.parquet")["t"]
    assert found.steps.tolist() == [1, 2]
    assert found.metrics[name].tolist() == [7.0, 8.0]


def running() -> RunningTrial:
    return RunningTrial(point={"x": 1}, seed=1, max_train_steps=10, eval_every_steps=5, objective=LOWER, sink=Memory())


@pytest.mark.prose
def test_a_non_finite_objective_ends_a_trial_with_the_step() -> None:
    with pytest.raises(Infeasible, match="loss is inf at step 5"):
        running().report(5, loss=float("inf"))


def test_another_metric_may_be_anything() -> None:
    running().report(5, loss=1.0, grad_norm=float("inf"))


def test_the_first_report_must_have_the_objective_and_later_ones_need_not() -> None:
    with pytest.raises(MissingMetric, match="los"):
        running().report(5, los=1.0)
    trial = running()
    trial.report(5, loss=1.0)
    trial.report(10, accuracy=1.0)


def test_a_step_is_reported_once() -> None:
    trial = running()
    trial.report(5, loss=1.0)
    with pytest.raises(ValueError, match="increase"):
        trial.report(5, loss=1.0)
